"""The messages between one kernel and the server, over any transport.

A transport knows which kernel is at its other end, gives each message to its `Conversation`, and carries
the responses back.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import replace
from functools import partial
from typing import Any, Final

from ...errors import AumOSGovernanceError, ExpiredError, InvalidRequestError, NotAllowedError, UnavailableError
from ...ledger.contract.terms import SessionTerms
from ...service.service import Caller, NotebookService, Reply
from ...wire import fields
from ...wire.operations import OPERATIONS
from ...wire.protocol import MAX_REQUESTS, MAX_TEXT, WireRequest, error_response, is_text, parse_request, parse_requests
from ..identity.rooms import Rooms
from ..live.metrics import count_decision, observe_request
from .presence import Admission, Presence

__all__ = ["AtOnce", "Conversation", "caller_of", "check_document", "metered", "never"]

_MOMENT: Final = 0.003
_NO_MOMENT: Final = 0.05
"""Seconds for which a thread waits for the ledger, and for which none does after a longer wait."""


class AtOnce(Executor):
    """The readers of a transport whose own thread may be blocked."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run the function in the calling thread at once; the future holds nothing of its result."""
        fn(*args, **kwargs)
        return _DONE


_DONE: Final[Future[Any]] = Future()
# Made once, since making one took a tenth of a reading. It is never read.
_DONE.set_result(None)


def never() -> bool:
    """Not at once: the ledger is far, or the caller has a thread of its own."""
    return False


class Conversation:
    """Reads a kernel's messages and responds to each request once; raises nothing.

    ``identify`` gives the caller behind the transport for an incarnation; ``presence`` knows the kernel's process;
    ``offer`` is what the greeting says of the local socket; ``readers`` runs what must not block the thread that
    receives; ``settle`` waits there for what has to be seen by a reading, or by what is done without being queued. With
    a ``nonce`` the transport itself proves which process is at its other end; else that is the one whose hello it
    carried last. ``at_once`` says whether the thread that receives, which must not be blocked, may read a single status
    itself and stand by for a moment while the ledger does a single request: the ledger is near, and nothing else has to
    be waited for. ``admit`` raises what keeps this kernel from anything but a greeting. ``admission`` counts what is in
    flight, of this kernel and of all others.
    """

    def __init__(
        self,
        service: NotebookService,
        identify: Callable[[str], Caller],
        presence: Presence,
        *,
        nonce: str | None = None,
        offer: Callable[[str], Mapping[str, Any] | None] = lambda nonce: None,
        readers: Executor,
        settle: Callable[[], None],
        at_once: Callable[[], bool] = never,
        admit: Callable[[], None] = lambda: None,
        admission: Admission | None = None,
        log: logging.Logger,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._service = service
        self._identify = identify
        self._presence = presence
        self._nonce = nonce
        self._transport = "comm" if nonce is None else "socket"
        self._offer = offer
        self._readers = readers
        self._settle = settle
        self._at_once = at_once
        self._admit = admit
        self._admission = Admission() if admission is None else admission
        self._log = log
        self._clock = clock
        self._stand_by_after = 0.0

    def receive(
        self,
        data: object,
        reply: Reply,
        *,
        expect: Callable[[int], None] = lambda requests: None,
        may_block: bool = False,
    ) -> None:
        """Take one message in; ``reply`` may be called later and from another thread, and must not raise.

        ``expect`` is called first with the number of requests.

        A single request is done here where this thread ``may_block``, since no other message waits for it: to wake
        another thread and to be woken by it takes longer than many a request.
        """
        try:
            requests = parse_requests(data)
        except InvalidRequestError as error:
            ids = _readable_ids(data)
            expect(len(ids))
            for request_id in ids:
                reply(error_response(request_id, error.code, error.message))
            return
        expect(len(requests))
        alone = len(requests) == 1
        for raw in requests:
            self._respond(raw, reply, alone, alone and may_block)

    def _respond(self, raw: object, reply: Reply, alone: bool, may_block: bool) -> None:
        try:
            self._take(raw, reply, alone, may_block)
        except AumOSGovernanceError as error:
            reply(error_response(_readable_id(raw), error.code, error.message))
        except Exception:  # noqa: BLE001 - a client must always get a response
            self._log.exception("A request of a kernel could not be handled.")
            reply(_internal(_readable_id(raw)))

    def _take(self, raw: object, reply: Reply, alone: bool, may_block: bool) -> None:
        request = parse_request(raw)
        reply = metered(request.op, self._transport, reply)
        if request.op == "hello":
            self._greet(request, reply)
            return
        nonce = self._nonce if self._nonce is not None else self._presence.nonce
        self._presence.check(nonce)
        assert nonce is not None
        self._presence.transport = self._transport
        self._admit()
        caller = self._identify(self._presence.incarnation(nonce))
        if request.op == "authorize":
            # It goes on when this is over, and checks then whether the kernel is still there.
            caller = replace(caller, attending=partial(self._presence.attending, nonce))
        is_reading = OPERATIONS[request.op].reads
        if may_block and not is_reading and request.op != "authorize":
            # Not counted: it has its response before this connection's next request is read.
            self._change(nonce, caller, request, reply, alone, may_block)
            return
        if is_reading and request.exp < self._clock():
            raise _too_late()
        if is_reading and alone and request.op == "status" and self._at_once():
            self._service.submit(caller, request, reply)
            return
        admitted = self._admission.enter(caller.scope, request.op, request.id, reply)
        try:
            if is_reading:
                self._readers.submit(self._read, caller, request, admitted)
            else:
                self._change(nonce, caller, request, admitted, alone, may_block)
        except BaseException as error:
            admitted.leave()
            if is_reading and isinstance(error, RuntimeError):
                raise UnavailableError("The governance server is stopping, so nothing was done.") from None
            raise

    def _change(
        self, nonce: str, caller: Caller, request: WireRequest, reply: Reply, alone: bool, may_block: bool
    ) -> None:
        # Expiry is the ledger's to judge: a request sent again may have been done in time, and only the
        # ledger can distinguish that from one that was not.
        if may_block:
            # What is done at once may overtake what was queued, and must not overtake a rename.
            self._settle()
            with self._presence.staying(nonce):
                self._service.submit(replace(caller, blocks=True), request, reply)
        elif alone and request.op != "authorize" and self._at_once() and time.monotonic() >= self._stand_by_after:
            self._stand_by(nonce, caller, request, reply)
        else:
            with self._presence.attending(nonce):
                self._service.submit(caller, request, reply)

    def _stand_by(self, nonce: str, caller: Caller, request: WireRequest, reply: Reply) -> None:
        """Wait for the ledger's thread while it executes the request.

        That thread releases the interpreter's lock with each statement. Other work of this thread would take the lock
        again and again, which made a decision take half as long again.
        """
        responded = threading.Lock()
        responded.acquire()

        def respond(response: dict[str, Any]) -> None:
            reply(response)
            responded.release()

        with self._presence.attending(nonce):
            self._service.submit(caller, request, respond)
        if not responded.acquire(timeout=_MOMENT):
            self._stand_by_after = time.monotonic() + _NO_MOMENT

    def _greet(self, request: WireRequest, reply: Reply) -> None:
        nonce = fields.text(request.body, "incarnation", "incarnation")
        if self._nonce is None:
            self._presence.meet(nonce)
        elif nonce == self._nonce:
            self._presence.check(nonce)
        else:
            raise InvalidRequestError("This connection belongs to another process of the kernel.")
        self._presence.transport = self._transport
        caller = self._identify(self._presence.incarnation(nonce))
        self._service.submit(replace(caller, socket=self._offer(nonce)), request, reply)

    def _read(self, caller: Caller, request: WireRequest, reply: Reply) -> None:
        try:
            if request.exp < self._clock():
                # It waited for its turn.
                error = _too_late()
                reply(error_response(request.id, error.code, error.message))
                return
            self._settle()
            self._service.submit(caller, request, reply)
        except Exception:  # noqa: BLE001 - a client must always get a response
            self._log.exception("A reading for a kernel could not be handled.")
            reply(_internal(request.id))


def caller_of(rooms: Rooms, kernel_id: str, incarnation: str) -> Caller:
    """The kernel as the ledger knows it."""
    return Caller(notebook=rooms.notebook_of(kernel_id), scope=f"kernel:{kernel_id}", incarnation=incarnation)


def check_document(rooms: Rooms, kernel_id: str, terms: SessionTerms) -> None:
    """Raises NotAllowedError where a strict server knows no document of this kernel."""
    if terms.strict and not rooms.has_path(kernel_id):
        raise NotAllowedError(
            "This server is strict (GovernanceExtension.strict), and no notebook is known for this kernel, so"
            " nothing is authorised; open the notebook in JupyterLab, or name an existing notebook as the path when"
            " the kernel is started."
        )


def metered(op: str, transport: str, reply: Reply) -> Reply:
    """A reply to a request of this op, which began now, that counts the response when it is on its way."""
    began = time.perf_counter()

    def counted(response: dict[str, Any]) -> None:
        reply(response)
        if "waiting" in response:
            return
        observe_request[op, transport](time.perf_counter() - began)
        decision = response.get("decision")
        if decision is not None:
            count_decision[decision["outcome"]]()

    return counted


def _too_late() -> ExpiredError:
    return ExpiredError("The request reached the governance server after its expiry; nothing was done.")


def _internal(request_id: str | None) -> dict[str, Any]:
    return error_response(
        request_id, "INTERNAL", "The governance server failed inside, so there is no decision; its log says more."
    )


def _readable_id(raw: object) -> str | None:
    request_id = raw.get("id") if isinstance(raw, Mapping) else None
    # One that is no id is not sent back: it may be too long, or what no message can hold.
    return (
        request_id if isinstance(request_id, str) and 0 < len(request_id) <= MAX_TEXT and is_text(request_id) else None
    )


def _readable_ids(data: object) -> list[str | None]:
    """The ids in a message that cannot be used as a whole, so that each request gets an error as its response."""
    requests = data.get("asks") if isinstance(data, Mapping) else None
    ids = [_readable_id(raw) for raw in requests[:MAX_REQUESTS]] if isinstance(requests, list) else []
    return [request_id for request_id in ids if request_id is not None] or [None]
