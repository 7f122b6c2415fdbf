"""The conversation between one kernel and the server, independent of the transport.

A transport knows which kernel it is connected to. It passes each message to its `Conversation`, which checks the
requests, has the service execute them, and passes the responses back for the transport to send.
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
from ...service.callers import Caller, Reply
from ...service.service import NotebookService
from ...wire import fields
from ...wire.fields import MAX_TEXT, is_text
from ...wire.operations import OPERATIONS
from ...wire.protocol import MAX_REQUESTS, WireRequest, error_response, parse_request, parse_requests
from ..identity.notebook_map import NotebookMap
from ..live.metrics import count_decision, observe_request
from .presence import Admission, Presence

_STAND_BY_SECONDS: Final = 0.003
"""The longest time that the receiving thread waits for the ledger, in seconds; see `Conversation._stand_by`."""
_NO_STAND_BY_SECONDS: Final = 0.05
"""The seconds for which the receiving thread does not wait for the ledger, after the ledger took longer than that."""


class InlineExecutor(Executor):
    """An executor that uses no other thread: for requests on a local connection, whose own thread may be blocked."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call the function now, in this thread. The returned future is done, and its result is always None."""
        fn(*args, **kwargs)
        return _DONE


_DONE: Final[Future[Any]] = Future()
# One future for all calls: to make one took a tenth of the time of a request that reads, and no caller uses its result.
_DONE.set_result(None)


def never() -> bool:
    """Return False: a ``may_stand_by`` for a ledger on another machine, or for a thread that may be blocked anyway."""
    return False


class Conversation:
    """The handler of one kernel's requests over one transport. Each request gets one response. No method raises.

    The receiving thread is the thread that calls `receive`: the server's loop for comm, or the connection's own thread
    for a local connection.

    Args:
        service: Executes the requests.
        identify: Returns the caller of a request, given the ledger's name of the kernel's process.
        presence: The kernel's current process.
        nonce: The nonce of the process at the other end, if the transport proves it. With None, the nonce of the latest
            hello is used.
        offer: Given the nonce of a hello, returns the local socket that the response offers, or None.
        readers: Executes the requests that only read, which must not block the receiving thread.
        settle: Waits until the ledger has executed all renames; called before requests that
            only read, and before requests that are executed at once.
        may_stand_by: Returns whether the receiving thread may read a single status itself, and wait for a moment while
            the ledger executes a single request: true if the ledger is local and no rename is under way.
        admit: Raises an error if the kernel may make no request except a hello.
        admission: Limits the requests in flight, of this kernel and of all others.
        log: The server's log.
        clock: Returns seconds since the epoch.

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
        may_stand_by: Callable[[], bool] = never,
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
        self._may_stand_by = may_stand_by
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
        """Handle one message of the kernel, which contains one request or several.

        ``data`` is the message's body, as parsed JSON that was not validated. ``reply`` is called with each response,
        maybe later and from another thread, and must not raise. ``expect`` is called first, with the number of requests
        in the message. With ``may_block``, a single request is executed in this thread: to switch to another thread and
        back takes longer than many requests.
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
            self._handle(raw, reply, alone, may_block)
        except AumOSGovernanceError as error:
            reply(error_response(_readable_id(raw), error.code, error.message))
        except Exception:  # noqa: BLE001 - a client must always get a response
            self._log.exception("A request of a kernel failed with an internal error.")
            reply(_internal(_readable_id(raw)))

    def _handle(self, raw: object, reply: Reply, alone: bool, may_block: bool) -> None:
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
            # The action may wait for a user after this method has returned; its later requests must check that the
            # kernel's process still runs.
            caller = replace(caller, attending=partial(self._presence.attending, nonce))
        is_reading = OPERATIONS[request.op].reads
        if may_block and not is_reading and request.op != "authorize":
            # Not counted as in flight: the response is sent before this connection's next request is read.
            self._change(nonce, caller, request, reply, alone, may_block)
            return
        if is_reading and request.exp < self._clock():
            raise _too_late()
        if is_reading and alone and request.op == "status" and self._may_stand_by():
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
                raise UnavailableError(
                    "The governance server is stopping, so nothing was done; send the request again when it runs."
                ) from None
            raise

    def _change(
        self, nonce: str, caller: Caller, request: WireRequest, reply: Reply, alone: bool, may_block: bool
    ) -> None:
        # The ledger checks the expiry: a copy of a request may arrive too late although the request was executed in
        # time, and only the ledger knows this.
        if may_block:
            # A request that is executed at once may overtake queued ones, but must not overtake a rename.
            self._settle()
            with self._presence.staying(nonce):
                self._service.submit(replace(caller, blocks=True), request, reply)
        elif alone and request.op != "authorize" and self._may_stand_by() and time.monotonic() >= self._stand_by_after:
            self._stand_by(nonce, caller, request, reply)
        else:
            with self._presence.attending(nonce):
                self._service.submit(caller, request, reply)

    def _stand_by(self, nonce: str, caller: Caller, request: WireRequest, reply: Reply) -> None:
        """Submit a request to the ledger, and block this thread for at most 3 ms while the ledger executes the request.

        The ledger's thread releases the interpreter's lock with each SQL statement. If this thread continued with other
        work, it would take the lock each time; a decision took 50 % longer then.
        """
        responded = threading.Lock()
        responded.acquire()

        def respond(response: dict[str, Any]) -> None:
            reply(response)
            responded.release()

        with self._presence.attending(nonce):
            self._service.submit(caller, request, respond)
        if not responded.acquire(timeout=_STAND_BY_SECONDS):
            self._stand_by_after = time.monotonic() + _NO_STAND_BY_SECONDS

    def _greet(self, request: WireRequest, reply: Reply) -> None:
        nonce = fields.text(request.body, "incarnation", "incarnation")
        if self._nonce is None:
            self._presence.meet(nonce)
        elif nonce == self._nonce:
            self._presence.check(nonce)
        else:
            raise InvalidRequestError(
                "This connection belongs to another process of the kernel; open a new connection with your own token."
            )
        self._presence.transport = self._transport
        caller = self._identify(self._presence.incarnation(nonce))
        self._service.submit(replace(caller, socket=self._offer(nonce)), request, reply)

    def _read(self, caller: Caller, request: WireRequest, reply: Reply) -> None:
        try:
            if request.exp < self._clock():
                # The request expired while it waited for a thread.
                error = _too_late()
                reply(error_response(request.id, error.code, error.message))
                return
            self._settle()
            self._service.submit(caller, request, reply)
        except Exception:  # noqa: BLE001 - a client must always get a response
            self._log.exception("A kernel's request that only reads failed with an internal error.")
            reply(_internal(request.id))


def caller_of(notebooks: NotebookMap, kernel_id: str, incarnation: str) -> Caller:
    """Return the caller for requests of one process of a kernel, with the notebook that the kernel serves now.

    ``incarnation`` is the ledger's name of the process.
    """
    return Caller(notebook=notebooks.notebook_of(kernel_id), scope=f"kernel:{kernel_id}", incarnation=incarnation)


def check_document(notebooks: NotebookMap, kernel_id: str, terms: SessionTerms) -> None:
    """Raise NotAllowedError if the server is strict and knows no document of this kernel.

    Otherwise code could start kernels without a document, each with a session and a budget of its own.
    """
    if terms.strict and not notebooks.has_path(kernel_id):
        raise NotAllowedError(
            "This server is strict (GovernanceExtension.strict), and no notebook is known for this kernel, so"
            " nothing is authorised; open the notebook in JupyterLab, or name an existing notebook as the path when"
            " the kernel is started."
        )


def metered(op: str, transport: str, reply: Reply) -> Reply:
    """Return a function that does what ``reply`` does, and adds the response to the server's metrics.

    The metrics get the response's decision and the time since this call of `metered`.
    """
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
        request_id,
        "INTERNAL",
        "The governance server had an internal error, so there is no decision; its log has the details.",
    )


def _readable_id(raw: object) -> str | None:
    request_id = raw.get("id") if isinstance(raw, Mapping) else None
    # An invalid id is not sent back, since it may be too long, or text that cannot be encoded.
    return (
        request_id if isinstance(request_id, str) and 0 < len(request_id) <= MAX_TEXT and is_text(request_id) else None
    )


def _readable_ids(data: object) -> list[str | None]:
    """Return the ids of the requests in an invalid message, so that each of them gets an error response.

    If no id can be read, the list has one None, for one response without an id.
    """
    requests = data.get("asks") if isinstance(data, Mapping) else None
    ids = [_readable_id(raw) for raw in requests[:MAX_REQUESTS]] if isinstance(requests, list) else []
    return [request_id for request_id in ids if request_id is not None] or [None]
