"""Makes this process's only connection to the notebook service: in the Jupyter server, or embedded in this process.

The first request determines which of the two it is. The connection is kept until the process ends, so that
``%reload_ext`` does not change it. The module also determines two values that requests state: the running cell, and the
choice of ``%governance --at-limit`` for calls that exceed a limit.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ...errors import InvalidRequestError, ServerUnreachableError, UnavailableError
from ...wire.fields import MAX_TEXT
from ...wire.protocol import Cell, WireRequest
from ..transports.comm_transport import CommTransport
from ..transports.socket_transport import SocketTransport
from ..transports.spawned import SpawnedTransport, export_offer, inherited_offer, is_worker
from ..transports.transport import Receiver, ReceivingTransport
from ..transports.waiter import Waiter
from .client import Client
from .identity import Situation, connection_file_name, identify


@dataclass(frozen=True, slots=True)
class Connection:
    """This process's connection to the notebook service, which is in the Jupyter server or embedded in this process."""

    client: Client
    pid: int
    state_file: Path | None = None
    """The file with the embedded engine's ledger; None in a governed kernel, whose server keeps the ledger."""
    decide: Callable[[str, str, bool], None] | None = None
    """Records that the user at this kernel approves or denies an action. The arguments are the approval request's id,
    the digest of the action as the user saw it, and whether the user approves. None in a governed kernel, where users
    decide in the panel."""

    @property
    def has_panel(self) -> bool:
        """Whether users change this kernel's session, and decide about its approval requests, in JupyterLab's panel."""
        return self.decide is None


class ServerTransport(ReceivingTransport):
    """The transport of a governed kernel: the server's local socket while it is connected, and otherwise a comm.

    Requests that are lost with a socket's connection are resent by the client, over the comm.
    """

    lossy = True

    def __init__(self, comm: CommTransport, incarnation: str) -> None:
        """``incarnation`` is the id of this kernel's process, by which the server recognises its child processes."""
        self._comm = comm
        self._incarnation = incarnation
        self._socket = SocketTransport(self._take)

    def connect(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._comm.connect(self._take)

    def send(self, request: WireRequest, *, urgent: bool = False) -> None:
        if self._socket.forked:
            # The comm belongs to the parent process.
            self._socket.send_from_child(request)
        elif request.op == "hello" or not self._socket.offered or not self._socket.send(request):
            # A hello is sent only over the kernel's own channels, where no other process can pretend to be the server.
            self._comm.send(request, urgent=urgent)

    def wait(self, waiter: Waiter, seconds: float) -> None:
        # A response over comm wakes a thread that waits for the socket as well.
        if self._socket.offered:
            self._socket.wait(waiter, seconds)
        else:
            waiter.sleep(seconds)

    def awaited(self) -> AbstractContextManager[None]:
        return self._socket.awaited()

    def withdraw(self, request_id: str) -> bool:
        return self._comm.withdraw(request_id)

    def silence(self, seconds: float) -> UnavailableError:
        return self._comm.silence(seconds, self._socket.problem)

    def _take(self, response: Mapping[str, Any]) -> None:
        if "socket" in response and not self._socket.forked:
            self._socket.take_offer(response["socket"])
            export_offer(response["socket"], self._incarnation)
        if self._receiver is not None:
            self._receiver(response)


_lock = threading.Lock()
_connection: Connection | None = None


def connect(shell: Any) -> Connection:
    """Return this process's connection to the notebook service; make it on the first call.

    Nothing is sent. Raises UnavailableError in a kernel that its server cannot reach, and in a process that was started
    inside a strict server without being one of its kernels.
    """
    global _connection  # noqa: PLW0603  one for each process, and not for each shell or load of the extension
    found = _connection
    if found is not None and found.pid == os.getpid():
        return found
    with _lock:
        if _connection is None or _connection.pid != os.getpid():
            _connection = _make(shell)
        return _connection


def _forget_after_fork() -> None:
    # Another thread of the parent may have held the lock when the child was forked off.
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def _make(shell: Any) -> Connection:
    kernel = getattr(shell, "kernel", None)
    identity = identify(os.environ, connection_file_name(), is_kernel=kernel is not None)
    incarnation = uuid.uuid4().hex
    if identity.situation is Situation.GOVERNED:
        if _connection is not None:
            # This is a child forked off a governed kernel: it has the same client, and a socket of its own.
            return Connection(_connection.client, os.getpid())
        return Connection(
            Client(ServerTransport(CommTransport(kernel), incarnation), incarnation=incarnation), os.getpid()
        )
    if identity.situation is Situation.OUT_OF_REACH:
        raise ServerUnreachableError(
            "This kernel is governed, but runs behind a Jupyter kernel gateway, through which its server cannot"
            " respond, so nothing is authorised; use a kernel that the Jupyter server starts itself."
        )
    if identity.situation is Situation.INHERITED and shell is None and is_worker(os.environ):
        inherited = inherited_offer(os.environ)
        client = Client(SpawnedTransport(inherited.offer), incarnation=inherited.incarnation)
        return Connection(client, os.getpid())
    if identity.strict:
        raise UnavailableError(
            "This process was started inside a strict governance server (GovernanceExtension.strict), but is none of"
            " its kernels, so nothing is authorised here; do this work in a notebook of that server."
        )
    from ..transports.embedded import EmbeddedTransport, notebook_name

    # Processes that this process starts belong to it, and not to the kernel that it was started in.
    export_offer(None)
    # A process started inside a notebook's kernel inherits the notebook's name, but is not that notebook.
    named = identity.situation is Situation.UNGOVERNED and kernel is not None
    name = notebook_name(shell.user_ns, os.environ if named else {})
    transport = EmbeddedTransport(name or f"process:{os.getpid()}:{incarnation[:8]}", incarnation)
    return Connection(Client(transport, incarnation=incarnation), os.getpid(), transport.path, transport.decide)


# ---- values that requests of this process carry

_AT_LIMIT: Final = ("ask", "deny")
_chosen: dict[str, str] = {}
"""The ``at_limit`` field that requests for charges contain; empty if the user made no choice, so that the server's
setting applies."""


def current_cell(shell: Any) -> Cell:
    """Return the id and execution count of the cell that runs in ``shell`` now, each if it is known.

    In a thread that outlives its cell, this is not the cell that started the thread.
    """
    # This is the n of Out[n]; `execution_count` is raised before or after the cell, depending on IPython's version.
    count = getattr(getattr(shell, "displayhook", None), "prompt_count", None)
    return Cell(_cell_id(shell), count if isinstance(count, int) and count > 0 else None)


def _cell_id(shell: Any) -> str | None:
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return None
    try:
        cell_id = kernel.get_parent("shell")["metadata"]["cellId"]
    except (AttributeError, KeyError, TypeError, LookupError):
        return None
    return cell_id if isinstance(cell_id, str) and 0 < len(cell_id) <= MAX_TEXT else None


def choose_at_limit(choice: str) -> None:
    """Set what happens to later calls that exceed a limit: ``ask`` makes them wait for a user, ``deny`` denies them.

    The choice holds until this kernel ends. Raises InvalidRequestError for any other choice.
    """
    global _chosen  # noqa: PLW0603 - one process is one kernel
    if choice not in _AT_LIMIT:
        raise InvalidRequestError(f"--at-limit takes ask or deny, not {choice[:40]!r}.")
    _chosen = {"at_limit": choice}


def at_limit_field() -> dict[str, str]:
    """Return the ``at_limit`` field to add to a request for a charge; empty if the user made no choice."""
    return _chosen
