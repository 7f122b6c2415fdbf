"""The local socket for kernels on the same machine: a Unix socket, or a TCP socket on the loopback interface.

A kernel learns its address from the response to ``hello``. Separate threads serve the socket, so that its requests are
not delayed while the server's loop is busy.
"""

from __future__ import annotations

import logging
import selectors
import shutil
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ...errors import UnavailableError
from .conversation import Conversation
from .socket_connection import TOO_MANY_CONNECTIONS, SocketConnection
from .socket_folder import make_folder, socket_path
from .socket_tokens import Tokens

Admit = Callable[[str, str, socket.socket], Conversation]
"""Returns the conversation for a new connection, given the kernel's id, its process's nonce and the connection.

The function is called in the connection's thread. It raises AumOSGovernanceError if the server refuses this process.
"""

_MOST_CONNECTIONS: Final = 512
_MOST_OF_A_KERNEL: Final = 128
"""The most connections of one kernel. Each of the kernel's child processes may have a connection as well."""
_MOST_GREETING: Final = 128
"""The most connections that have not sent a token yet. Any user of the machine can open such connections if the socket
is TCP."""
_BACKLOG: Final = 128
_RETRY_SECONDS: Final = 0.1
"""The seconds until the socket accepts again after the system refused a connection, e.g. for lack of descriptors."""


class LocalSocket:
    """The socket of one server that accepts kernels' connections, from `open` to `close`.

    A private folder for the socket is made in ``runtime``, Jupyter's runtime folder. With ``tcp``, TCP is used even if
    Unix sockets are available.
    """

    def __init__(self, runtime: Path, log: logging.Logger, *, tcp: bool = False) -> None:
        self._runtime = runtime
        self._log = log
        self._tokens = Tokens()
        self._tcp = tcp or not hasattr(socket, "AF_UNIX")
        self._folder: Path | None = None
        self._listener: socket.socket | None = None
        self._lock = threading.Lock()
        self._connections: dict[SocketConnection, str | None] = {}
        """The open connections, each with its kernel's id, or with None until it has sent a valid token."""
        self._closed = threading.Event()
        self._waking, self._woken = socket.socketpair()
        self._address: str | list[Any] | None = None
        self._accepting: threading.Thread | None = None

    def offer(self, kernel_id: str, nonce: str) -> dict[str, Any] | None:
        """Return the address, token and secret with which a kernel's process can connect; None while not listening.

        ``nonce`` is the nonce of this process. The token is valid for this process and its child processes only.
        """
        address = self._address
        if address is None:
            return None
        token = self._tokens.issue(kernel_id, nonce)
        return {"address": address, "token": token, "secret": self._tokens.secret(token)}

    def open(self, admit: Admit) -> None:
        """Begin to listen. ``admit`` is called for each connection that sends a valid token.

        Raises OSError if the system refuses the socket.
        """
        if self._tcp:
            listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
            address: str | list[Any] = list(listener.getsockname()[:2])
        else:
            self._folder = make_folder(self._runtime)
            path = str(socket_path(self._folder))
            listener = socket.socket(socket.AF_UNIX)
            try:
                listener.bind(path)
                listener.listen(_BACKLOG)
            except OSError:
                listener.close()
                self._remove_folder()
                raise
            address = path
        listener.setblocking(False)
        self._listener = listener
        self._address = address
        self._admit = admit
        self._accepting = threading.Thread(target=self._accept_all, name="aumos-governance-socket", daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Stop listening, end all connections, and remove the socket's folder. Calling this again does nothing."""
        self._address = None
        self._closed.set()
        if self._accepting is None:
            # The listening thread would close these, but was never started.
            self._waking.close()
            self._woken.close()
        else:
            with suppress(OSError):
                self._waking.send(b"\0")
            # The thread waits only for this signal; after it has ended, no process can connect any more.
            self._accepting.join()
        with self._lock:
            connections = tuple(self._connections)
        for connection in connections:
            connection.close()
        self._remove_folder()

    def _accept_all(self) -> None:
        assert self._listener is not None
        with self._listener as listener, self._waking, self._woken, selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._closed.is_set():
                selector.select()
                try:
                    connection, _ = listener.accept()
                except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                    continue
                except OSError as error:
                    self._log.warning("The governance server could not accept a kernel's local connection: %s", error)
                    self._closed.wait(_RETRY_SECONDS)
                    continue
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        if connection.family != getattr(socket, "AF_UNIX", None):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        served = SocketConnection(connection, self._admit_holder, self._tokens.prove, self._log)
        with self._lock:
            greeting = sum(kernel is None for kernel in self._connections.values())
            full = len(self._connections) >= _MOST_CONNECTIONS or greeting >= _MOST_GREETING
            if not full and not self._closed.is_set():
                self._connections[served] = None
        if full or self._closed.is_set():
            # The kernel then sends its requests over comm.
            served.refuse("The governance server accepts no further local connections; use comm instead.")
            return
        try:
            threading.Thread(target=self._run, args=(served,), name="aumos-governance-kernel", daemon=True).start()
        except RuntimeError as error:
            self._log.warning("The governance server could not serve a kernel's local connection: %s", error)
            connection.close()
            with self._lock:
                self._connections.pop(served, None)

    def _admit_holder(self, served: SocketConnection, token: object, connection: socket.socket) -> Conversation:
        kernel_id, nonce = self._tokens.read(token)
        conversation = self._admit(kernel_id, nonce, connection)
        with self._lock:
            if sum(kernel == kernel_id for kernel in self._connections.values()) >= _MOST_OF_A_KERNEL:
                raise UnavailableError(
                    f"This kernel and its child processes have {_MOST_OF_A_KERNEL} connections to the governance"
                    " server already; end some of the processes.",
                    TOO_MANY_CONNECTIONS,
                )
            self._connections[served] = kernel_id
        return conversation

    def _run(self, served: SocketConnection) -> None:
        try:
            served.run()
        finally:
            with self._lock:
                self._connections.pop(served, None)

    def _remove_folder(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
