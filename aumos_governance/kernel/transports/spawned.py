"""Processes that a governed kernel starts with multiprocessing's spawn or forkserver: they send requests as the kernel.

Such a process has no channels of the kernel's, and none of its memory. The kernel puts what it needs into its own
environment, which only its children inherit: the offer of the local socket, and the kernel's incarnation. The server
accepts only the kernel and its descendants. A kernel that runs inside of a kernel, and decides itself, removes it.
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
from .transport import Receiver
from .waiter import Waiter

__all__ = ["OFFER_ENV", "Left", "SpawnedTransport", "is_worker", "leave_offer", "left_offer"]

OFFER_ENV: Final = "AUMOS_GOVERNANCE_OFFER"


@dataclass(frozen=True, slots=True)
class Left:
    """What a kernel left for the processes that it starts."""

    offer: Mapping[str, Any]
    incarnation: str


def is_worker(environ: Mapping[str, str]) -> bool:
    """Whether multiprocessing started this process from one in a governed kernel's environment."""
    # Imported already where multiprocessing started this process, and not worth importing elsewhere.
    process: Any = sys.modules.get("multiprocessing.process")
    return KERNEL_ENV in environ and process is not None and process.parent_process() is not None


def leave_offer(offer: object, incarnation: str = "") -> None:
    """Leave an offer to what this process starts from now on; None takes back what it left or was left."""
    if isinstance(offer, Mapping):
        os.environ[OFFER_ENV] = json.dumps({"offer": dict(offer), "incarnation": incarnation})
    else:
        os.environ.pop(OFFER_ENV, None)


def left_offer(environ: Mapping[str, str]) -> Left:
    """What was left to this process; raises UnavailableError where nothing was."""
    try:
        left = json.loads(environ.get(OFFER_ENV, "null"))
        return Left(dict(left["offer"]), str(left["incarnation"]))
    except (KeyError, TypeError, ValueError):
        pass
    raise UnavailableError(
        "This process was started by a notebook's kernel and has no connection to its governance server, so nothing"
        " is authorised here; it gets one after the notebook's first request, where the server offers its local socket:"
        " use %governance_status in the notebook before the process is started, or do this work in the notebook itself."
    )


class SpawnedTransport:
    """Requests over the local socket alone."""

    lossy = True

    def __init__(self, offer: Mapping[str, Any]) -> None:
        self._receiver: Receiver | None = None
        self._socket = SocketTransport(self._take)
        self._socket.take_offer(offer)

    def connect(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def send(self, request: WireRequest, *, urgent: bool = False) -> None:
        self._socket.send_from_child(request)

    def wait(self, waiter: Waiter, seconds: float) -> None:
        self._socket.wait(waiter, seconds)

    def awaited(self) -> AbstractContextManager[None]:
        return self._socket.awaited()

    def withdraw(self, request_id: str) -> bool:
        return False

    def silence(self, seconds: float) -> UnavailableError:
        last = f" Its last error was: {self._socket.problem}" if self._socket.problem else ""
        return ServerUnreachableError(
            f"The governance server did not respond to this process within {seconds:.0f} seconds, so nothing is"
            f" authorised here; check that the notebook's Jupyter server runs.{last}"
        )

    def _take(self, response: Mapping[str, Any]) -> None:
        if self._receiver is not None:
            self._receiver(response)
