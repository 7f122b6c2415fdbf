"""Lets processes that a governed kernel starts with multiprocessing's spawn or forkserver make requests.

These processes have neither the kernel's channels nor its memory. So the kernel puts the server's offer of a local
socket, and its own incarnation, into an environment variable that its child processes inherit. The server accepts
connections only from the kernel and its descendants. A kernel with an embedded engine removes an inherited variable,
since its child processes belong to it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from ...errors import ServerUnreachableError, UnavailableError
from ...wire.protocol import KERNEL_ENV, WireRequest
from .socket_transport import SocketTransport
from .transport import ReceivingTransport
from .waiter import Waiter

OFFER_ENV: Final = "AUMOS_GOVERNANCE_OFFER"


@dataclass(frozen=True, slots=True)
class InheritedOffer:
    """What a process inherits from a governed kernel: the server's offer of a socket, and the kernel's incarnation."""

    offer: Mapping[str, Any]
    incarnation: str


def is_worker(environ: Mapping[str, str]) -> bool:
    """Whether multiprocessing started this process with the environment variables of a governed kernel."""
    # In a process that multiprocessing started, the module is imported already.
    process: Any = sys.modules.get("multiprocessing.process")
    return KERNEL_ENV in environ and process is not None and process.parent_process() is not None


def export_offer(offer: object, incarnation: str = "") -> None:
    """Pass the server's offer of a socket to the processes that this process starts from now on.

    If ``offer`` is not a mapping, they get none, not even one that this process has inherited.
    """
    if isinstance(offer, Mapping):
        os.environ[OFFER_ENV] = json.dumps({"offer": dict(offer), "incarnation": incarnation})
    else:
        os.environ.pop(OFFER_ENV, None)


def inherited_offer(environ: Mapping[str, str]) -> InheritedOffer:
    """Return the offer of a socket that this process has inherited from a governed kernel in its environment variables.

    Raises UnavailableError if it has inherited none.
    """
    try:
        fields = json.loads(environ.get(OFFER_ENV, "null"))
        return InheritedOffer(dict(fields["offer"]), str(fields["incarnation"]))
    except (KeyError, TypeError, ValueError):
        pass
    raise UnavailableError(
        "This process was started by a notebook's kernel and has no connection to its governance server, so nothing"
        " is authorised here; run %governance_status in the notebook before the process is started, which connects it"
        " if the server offers its local socket, or do this work in the notebook itself."
    )


class SpawnedTransport(ReceivingTransport):
    """The transport of a process that multiprocessing started; it reaches the server only over the local socket."""

    lossy = True

    def __init__(self, offer: Mapping[str, Any]) -> None:
        self._socket = SocketTransport(self._take)
        self._socket.take_offer(offer)

    def send(self, request: WireRequest, *, urgent: bool = False) -> None:
        self._socket.send_from_child(request)

    def wait(self, waiter: Waiter, seconds: float) -> None:
        self._socket.wait(waiter, seconds)

    def awaited(self) -> AbstractContextManager[None]:
        return self._socket.awaited()

    def silence(self, seconds: float) -> UnavailableError:
        last = f" Its last error was: {self._socket.problem}" if self._socket.problem else ""
        return ServerUnreachableError(
            f"The governance server did not respond to this process within {seconds:.0f} seconds, so nothing is"
            f" authorised here; check that the Jupyter server of the notebook that started it runs.{last}"
        )

    def _take(self, response: Mapping[str, Any]) -> None:
        if self._receiver is not None:
            self._receiver(response)
