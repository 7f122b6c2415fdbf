"""Carries requests from a kernel to its server in Jupyter's own messages, so that it works for every governed kernel.

Requests are published on the iopub channel as ``comm_msg``. Their comm is registered in the kernel but never opened:
JupyterLab closes an opened comm that its page does not know, but ignores the messages of a comm that was not opened.
Responses arrive on the control channel, whose thread runs while a cell runs.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from ...clock import monotonic
from ...errors import InvalidRequestError, ServerUnreachableError, UnavailableError
from ...wire.protocol import COMM_PREFIX, COMM_TARGET, REPLY_TYPE, WireRequest, parse_responses, requests_message
from .transport import ReceivingTransport

_UNDER_WAY_SECONDS: Final = 0.2
"""How long, in seconds, new requests are held back at most until the latest message has a response. After that time the
message may have been lost, so they are sent."""

_ENDS: Final = frozenset({"settle", "release"})
"""Operations for whose response other requests do not wait: a governed call posts one of them at its end, and the hold
of the next call must be sent at once."""

_BATCH: Final = 200
"""The most requests in one message. With `_LONGEST`, this keeps messages well below the server's limit for their
size."""
_LONGEST: Final = 16_000
"""The most characters that the texts of one request may have."""


class CommTransport(ReceivingTransport):
    """Sends requests on the kernel's iopub channel, and receives responses on its control channel.

    Each message also goes to every open browser, and the server limits how many messages a kernel sends per second. So
    requests that are made before the latest message has a response are sent together in the next message.
    """

    lossy = True

    def __init__(self, kernel: Any) -> None:
        """Register the handler for responses in ``kernel``, an ipykernel.

        Raises UnavailableError if the kernel has no handlers for control messages, so that no response could arrive.
        """
        handlers = getattr(kernel, "control_handlers", None)
        if not isinstance(handlers, dict) or getattr(kernel, "control_thread", None) is None:
            raise UnavailableError(
                "This kernel is governed by its Jupyter server, but cannot receive responses while a cell runs, so"
                " nothing is authorised; governance needs ipykernel 6.29 or later: install that and restart the kernel."
            )
        import comm

        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._kept_back: dict[str, WireRequest] = {}
        self._under_way: frozenset[str] = frozenset()
        self._under_way_until = 0.0
        self._ending = False
        self._problem = ""
        self._comm = comm.create_comm(target_name=COMM_TARGET, comm_id=COMM_PREFIX + uuid.uuid4().hex, primary=False)
        comm.get_comm_manager().register_comm(self._comm)
        handlers[REPLY_TYPE] = self._on_reply

    def send(self, request: WireRequest, *, urgent: bool = False) -> None:
        if os.getpid() != self._pid:
            raise UnavailableError(
                "A forked process cannot use the channels of its parent, so nothing is authorised here; do this work in"
                " the notebook's own process."
            )
        if sum(len(value) for value in request.body.values() if isinstance(value, str)) > _LONGEST:
            raise InvalidRequestError(
                f"The texts of a request may have at most {_LONGEST} characters together, so this {request.op} was not"
                " sent; shorten its code or other texts."
            )
        with self._lock:
            self._kept_back[request.id] = request
            passes = urgent or (self._ending and request.op not in _ENDS)
            if self._under_way and not passes and monotonic() < self._under_way_until:
                return
            batch = self._take()
        self._publish(batch)

    def withdraw(self, request_id: str) -> bool:
        with self._lock:
            return self._kept_back.pop(request_id, None) is not None

    def silence(self, seconds: float, problem: str = "") -> UnavailableError:
        problem = problem or self._problem
        last = f" Its last error was: {problem}" if problem else ""
        return ServerUnreachableError(
            f"The governance server did not respond within {seconds:.0f} seconds, so nothing is authorised; check that"
            f" the Jupyter server runs with the aumos_governance extension enabled, then run the cell again.{last}"
        )

    def _take(self) -> list[WireRequest]:
        batch = [self._kept_back.pop(request_id) for request_id in list(self._kept_back)[:_BATCH]]
        self._under_way = frozenset(request.id for request in batch)
        self._under_way_until = monotonic() + _UNDER_WAY_SECONDS
        self._ending = all(request.op in _ENDS for request in batch)
        return batch

    def _publish(self, batch: list[WireRequest]) -> None:
        try:
            self._comm.send(requests_message(batch))
        except Exception as error:
            raise UnavailableError(
                f"The governance server cannot be reached ({type(error).__name__}: {error}), so nothing is authorised;"
                " run the cell again, or restart the kernel."
            ) from error

    def _on_reply(self, _stream: object, _ident: object, message: Mapping[str, Any]) -> None:
        # The control thread calls this method.
        try:
            responses = parse_responses(message.get("content"))
        except InvalidRequestError as error:
            self._problem = error.message
            return
        receiver = self._receiver
        for response in responses:
            if response.get("id") is None:
                # A response without an id decides no request. The error of a request that gets no response shows it.
                self._problem = str(response.get("message"))
            elif receiver is not None:
                receiver(response)
        with self._lock:
            if self._under_way.isdisjoint(response.get("id") for response in responses):
                return
            self._under_way = frozenset()
            batch = self._take() if self._kept_back else []
        if batch:
            # If this fails, the threads that wait for these requests send them again.
            with suppress(UnavailableError):
                self._publish(batch)
