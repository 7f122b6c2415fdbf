"""The connection of a process to the engine that decides for it, its server's or the embedded one; one in a process.

The choice is made with the first request, and kept until the process ends, so that `%reload_ext` changes nothing.
Here too is what each request of this process says of itself: the cell that makes it, and what is to become of charges
that do not fit, as ``%governance --at-limit`` set it.
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
from ...wire.protocol import MAX_TEXT, Cell, WireRequest
from ..transports.comm_transport import CommTransport
from ..transports.socket_transport import SocketTransport
from ..transports.spawned import SpawnedTransport, is_worker, leave_offer, left_offer
from ..transports.transport import Receiver
from ..transports.waiter import Waiter
from .client import Client
from .identity import KernelIdentity, Situation, connection_file_name, identify

__all__ = ["Link", "ServerTransport", "at_limit_field", "choose_at_limit", "current_cell", "link"]


@dataclass(frozen=True, slots=True)
class Link:
    """This process's connection to the service that decides: the server's, or the embedded one."""

    client: Client
    pid: int
    state_file: Path | None = None
    """Where the embedded engine keeps its state; None in a governed kernel."""
    decide: Callable[[str, str, bool], None] | None = None
    """Records the decision of the user at this kernel: approval, digest, and whether it is approved. None in a governed
    kernel, where users decide in the panel."""

    @property
    def has_panel(self) -> bool:
        """Whether users change the session, and decide, in JupyterLab's panel."""
        return self.decide is None


class ServerTransport:
    """Sends each request the fastest way there is at that moment.

    What was lost with a connection is sent again by its caller, and then goes another way.
    """

    lossy = True

    def __init__(self, comm: CommTransport, incarnation: str) -> None:
        """``incarnation`` is sent in this process's hello; processes that it starts are admitted by it."""
        self._comm = comm
        self._incarnation = incarnation
        self._socket = SocketTransport(self._take)
        self._receiver: Receiver | None = None

    def connect(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._comm.connect(self._take)

    def send(self, request: WireRequest, *, urgent: bool = False) -> None:
        if self._socket.forked:
            # Comm is the parent's.
            self._socket.send_from_child(request)
        elif request.op == "hello" or not self._socket.offered or not self._socket.send(request):
            # A server is met where it cannot be mistaken for another: on the kernel's own channels.
            self._comm.send(request, urgent=urgent)

    def wait(self, waiter: Waiter, seconds: float) -> None:
        # Whichever way a request went: a response over comm wakes its thread, wherever that waits.
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
            leave_offer(response["socket"], self._incarnation)
        if self._receiver is not None:
            self._receiver(response)


_lock = threading.Lock()
_link: Link | None = None


def link(shell: Any) -> Link:
    """The connection from this process to the service that decides, made at the first call.

    Making it sends nothing yet. Raises UnavailableError where nothing may be decided here: in a kernel that cannot
    reach its server, and in a process started inside a kernel of a strict server.
    """
    global _link  # noqa: PLW0603  one for each process, and not for each shell or load of the extension
    found = _link
    if found is not None and found.pid == os.getpid():
        return found
    with _lock:
        if _link is None or _link.pid != os.getpid():
            _link = _make(shell)
        return _link


def _forget_after_fork() -> None:
    # Another thread of the parent may have held the lock when the child was forked off.
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def _make(shell: Any) -> Link:
    kernel = getattr(shell, "kernel", None)
    identity = identify(os.environ, connection_file_name(), is_kernel=kernel is not None)
    incarnation = uuid.uuid4().hex
    if identity.situation is Situation.GOVERNED:
        if _link is not None:
            # A child forked off a governed kernel: its server knows it, through a connection of the child's own.
            return Link(_link.client, os.getpid())
        return Link(Client(ServerTransport(CommTransport(kernel), incarnation), incarnation=incarnation), os.getpid())
    if identity.situation is Situation.OUT_OF_REACH:
        raise ServerUnreachableError(
            "This kernel is governed, but runs behind a gateway, where its Jupyter server cannot respond; governance"
            " does not support that, so nothing is authorised."
        )
    if identity.situation is Situation.INHERITED and shell is None and is_worker(os.environ):
        left = left_offer(os.environ)
        return Link(Client(SpawnedTransport(left.offer), incarnation=left.incarnation), os.getpid())
    if identity.strict:
        raise UnavailableError(
            "This process was started inside a strict governance server (GovernanceExtension.strict), which does not"
            " know it, so nothing is authorised here; do this work in a notebook of that server."
        )
    from ..transports.embedded import EmbeddedTransport, notebook_name

    # What this process starts belongs to it, and not to the kernel that it was started in.
    leave_offer(None)
    posted = notebook_name(shell.user_ns, os.environ if _is_named(identity, kernel) else {})
    transport = EmbeddedTransport(posted or f"process:{os.getpid()}:{incarnation[:8]}", incarnation)
    return Link(Client(transport, incarnation=incarnation), os.getpid(), transport.path, transport.decide)


def _is_named(identity: KernelIdentity, kernel: object) -> bool:
    # What is started inside a notebook's kernel inherits that notebook's name and is not that notebook.
    return identity.situation is Situation.UNGOVERNED and kernel is not None


# ---- what each request of this process carries beside its own fields

_AT_LIMIT: Final = ("ask", "deny")
_chosen: dict[str, str] = {}
"""The field that charges carry; empty where the magic named none, which leaves it to the server."""


def current_cell(shell: Any) -> Cell:
    """The id and execution count of the cell that runs in ``shell``, as far as front end and kernel state them.

    From a thread that outlives its cell it is the cell that runs now.
    """
    # The number that Out[n] would get: IPython's versions count execution_count up before or after the cell.
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
    """``ask`` lets calls wait for a user at a limit, ``deny`` does not; for this kernel, until it ends.

    Raises InvalidRequestError for anything else.
    """
    global _chosen  # noqa: PLW0603 - one process is one kernel
    if choice not in _AT_LIMIT:
        raise InvalidRequestError(f"--at-limit takes ask or deny, not {choice[:40]!r}.")
    _chosen = {"at_limit": choice}


def at_limit_field() -> dict[str, str]:
    """The ``at_limit`` field of a request; empty where no choice was made."""
    return _chosen
