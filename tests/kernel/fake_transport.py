"""A transport to a fake server in this process, with a clock, lost messages and silence that a test controls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from aumos_governance.errors import ServerUnreachableError, UnavailableError
from aumos_governance.kernel.transports.transport import Receiver
from aumos_governance.kernel.transports.waiter import Waiter
from aumos_governance.wire.protocol import WireRequest

Response = Callable[[WireRequest], Mapping[str, Any] | None]


class FakeTransport:
    """Responds to each request, in a new thread, with the result of ``response``; None: no response.

    With ``lossy`` the client resends requests whose response is late, as it may be on a busy machine.
    """

    def __init__(self, response: Response | None = None, *, clock_ahead: float = 0.0, lossy: bool = False) -> None:
        self.lossy = lossy
        self.clock_ahead = clock_ahead
        self.response: Response = response or (lambda request: {"ok": True, "op": request.op})
        self.sent: list[WireRequest] = []
        self.urgent: list[WireRequest] = []
        self.kept_back: set[str] = set()
        self.arrived = threading.Condition()
        self._receiver: Receiver | None = None

    def now(self) -> float:
        return time.time() + self.clock_ahead

    def connect(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def send(self, request: WireRequest, *, urgent: bool = False) -> None:
        with self.arrived:
            self.sent.append(request)
            if urgent:
                self.urgent.append(request)
            self.arrived.notify_all()
        threading.Thread(target=self._reply, args=(request,), daemon=True).start()

    def wait(self, waiter: Waiter, seconds: float) -> None:
        waiter.sleep(seconds)

    def awaited(self) -> AbstractContextManager[None]:
        return nullcontext()

    def withdraw(self, request_id: str) -> bool:
        return request_id in self.kept_back

    def silence(self, seconds: float) -> UnavailableError:
        return ServerUnreachableError(f"silent for {seconds:.1f} s")

    def deliver(self, request_id: object, **fields: Any) -> None:
        assert self._receiver is not None
        self._receiver({"id": request_id, **fields})

    def of(self, op: str) -> list[WireRequest]:
        with self.arrived:
            return [request for request in self.sent if request.op == op]

    def wait_for(self, op: str, count: int = 1) -> list[WireRequest]:
        """Wait until ``count`` requests with this ``op`` were sent, and return them."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: sum(request.op == op for request in self.sent) >= count, timeout=20)
        return self.of(op)

    def _reply(self, request: WireRequest) -> None:
        response: Mapping[str, Any] | None = (
            {"ok": True, "server_time": self.now()} if request.op == "hello" else self.response(request)
        )
        if response is not None:
            self.deliver(request.id, **response)
