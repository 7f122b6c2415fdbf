"""Which engine decides for this kernel: its server's, or the embedded one. One for each process.

The choice is made when the first magic asks, and kept until the process ends, so that `%reload_ext` changes nothing.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ServerUnreachableError, UnavailableError
from ..transports.comm_transport import CommTransport, ServerTransport
from ..transports.spawned import SpawnedTransport, is_worker, leave_offer, left_offer
from .client import Client
from .identity import KernelIdentity, Situation, connection_file_name, identify

__all__ = ["Link", "link"]


@dataclass(frozen=True, slots=True)
class Link:
    """This process's way to whoever decides."""

    client: Client
    pid: int
    state_file: Path | None = None
    """Where the embedded engine keeps its state; None in a governed kernel."""
    decide: Callable[[str, str, bool], None] | None = None
    """Takes the word of the person at this kernel: approval, digest, and whether it is yes. None in a governed kernel,
    where people decide in the panel."""

    @property
    def has_panel(self) -> bool:
        """Whether users change the session, and decide, in JupyterLab's panel."""
        return self.decide is None


_lock = threading.Lock()
_link: Link | None = None


def link(shell: Any) -> Link:
    """The way from this process to whoever decides, made at the first call.

    Making it asks nothing yet. Raises UnavailableError where nothing may be decided here: in a kernel that cannot ask
    its server, and in a process started inside a kernel of a strict server.
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
            "This kernel is governed, but runs behind a gateway, where its Jupyter server cannot answer it; governance"
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
    told = notebook_name(shell.user_ns, os.environ if _is_told(identity, kernel) else {})
    transport = EmbeddedTransport(told or f"process:{os.getpid()}:{incarnation[:8]}", incarnation)
    return Link(Client(transport, incarnation=incarnation), os.getpid(), transport.path, transport.decide)


def _is_told(identity: KernelIdentity, kernel: object) -> bool:
    # What is started inside a notebook's kernel inherits that notebook's name and is not that notebook.
    return identity.situation is Situation.UNGOVERNED and kernel is not None
