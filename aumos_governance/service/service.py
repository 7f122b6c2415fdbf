"""The service that executes the requests of kernels and users on a ledger.

A Jupyter server has one service for all its kernels; a kernel without such a server runs one in its own process (the
embedded engine). The service makes ledger requests from wire requests, and response bodies from the ledger's
responses. It decides nothing: the rules are in the ledger, inside its transactions.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from .._version import __version__
from ..clock import MICROS
from ..clock import monotonic as clock_monotonic
from ..errors import AumOSGovernanceError, InvalidRequestError
from ..ledger.contract.agreements import Report
from ..ledger.contract.charges import Charging, Void
from ..ledger.contract.facts import Decision, Origin, SessionState
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import ReadState
from ..ledger.contract.requests import OpenSession, Request, new_key
from ..ledger.contract.terms import SessionTerms
from ..ledger.rules.content import KEEP_RESPONSES
from ..types import TrustLevel
from ..wire import fields
from ..wire.operations import OPERATIONS
from ..wire.protocol import Cell, WireRequest, error_response
from .action_requests import finish_request
from .callers import Caller, Reply, request_of
from .governed_actions import APPROVAL_SECONDS, GovernedActions
from .limit_waits import LimitWaits
from .session_requests import DECIDED, READ
from .user_requests import UserRequests
from .waiting_calls import ASK, at_limit_of, turn_seconds

ResponseT = TypeVar("ResponseT")
_NOT_REPORTED: Final = (
    "The report %s of a governed action could not be completed with its result; the charge is not affected: %s"
)


@dataclass(frozen=True, slots=True)
class _Greeting:
    """The fields of the response to a ``hello``, with which a kernel begins to use the service."""

    version: str
    server_time: float
    notebook: str
    shared_with: str | None
    strict: bool
    default_trust_level: TrustLevel
    default_budget: int
    """The server's default budget of a session, in nano-USD."""
    socket: Mapping[str, Any] | None


class NotebookService(UserRequests):
    """The service on one ledger. It executes requests of kernels (`submit`) and of users (the other methods).

    ``terms`` are the limits and defaults of sessions that the server configures. ``at_limit`` is what happens to a call
    that exceeds a limit on money, unless its kernel chooses: ``ask`` lets it wait for a user, ``deny`` denies it. With
    None no call waits, since there is no user who could decide. By default, a user has ``approval_seconds`` to approve
    or deny an action.
    """

    def __init__(
        self,
        ledger: Ledger,
        terms: SessionTerms | None = None,
        *,
        approval_seconds: float = APPROVAL_SECONDS,
        at_limit: str | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = clock_monotonic,
        log: logging.Logger | None = None,
    ) -> None:
        super().__init__(ledger, terms if terms is not None else SessionTerms())
        self._clock = clock
        self._log = log if log is not None else logging.getLogger(__name__)
        self._at_limit = at_limit
        self.limit_waits = LimitWaits(ledger, seconds=approval_seconds, clock=clock, monotonic=monotonic, log=self._log)
        self.governed_actions = GovernedActions(
            ledger,
            self._failure,
            waits=self.limit_waits,
            may_wait=self._may_wait,
            approval_seconds=approval_seconds,
            clock=clock,
            monotonic=monotonic,
            log=self._log,
        )
        self.cells: dict[str, Cell] = {}
        """The cell that each kernel is running, as its latest ``cell`` request stated; the key is `Caller.scope`."""
        self._handlers: dict[str, Callable[[Caller, WireRequest, Reply], None]] = {
            "hello": self._hello,
            "cell": self._begin_cell,
            "status": self._status,
            "settle": self._resolve,
            "release": self._resolve,
            "authorize": self.governed_actions.authorize,
            "cancel": self._cancel,
        }

    def submit(self, caller: Caller, wire_request: WireRequest, reply: Reply) -> None:
        """Execute one request of a kernel, and pass the response to ``reply``.

        This raises nothing: an error becomes a response with ``ok: false``. ``reply`` is called once with the response,
        possibly from the ledger's thread, and must not raise. Before the response, it may be called with messages that
        the request waits for its turn or for a user. With `Caller.blocks`, most requests have their response before
        this returns; only those that wait or need several ledger requests get it later.
        """
        try:
            if wire_request.op != "hello" and wire_request.exp > self._clock() + KEEP_RESPONSES / MICROS:
                raise InvalidRequestError(
                    "A request's exp must be at most 48 hours ahead of the server_time in the response to hello."
                )
            handler = self._handlers.get(wire_request.op)
            if handler is not None:
                handler(caller, wire_request, reply)
            elif OPERATIONS[wire_request.op].reads:
                self._read(caller, wire_request, reply)
            else:
                self._change(caller, wire_request, reply)
        except Exception as error:  # noqa: BLE001 - a client must always get a response
            reply(self._failure(wire_request, error))

    def stop_waiting(self) -> None:
        """End all waits of kernels' requests, since the server stops.

        Pending approval requests stay pending in the ledger. The requests that waited get no response from this server.
        """
        self.governed_actions.close()
        self.limit_waits.close()

    def opened_by_server(self, caller: Caller, terms: SessionTerms | None = None) -> SessionState:
        """Open a notebook's session in the server's name, as the option ``autostart`` requires; resume an open session.

        The new session has the default trust level and budget of ``terms`` or, with None, of the service's terms.
        """
        request = OpenSession(
            key=new_key(),
            origin=Origin(actor="server", scope=caller.scope, incarnation=caller.incarnation),
            notebook=caller.notebook,
            terms=self.terms if terms is None else terms,
        )
        return self.ledger.execute(request).state

    # ---- operations that their tables describe

    def _read(self, caller: Caller, wire_request: WireRequest, reply: Reply) -> None:
        """Respond to a request that only reads, by its handler in `READ` or else by one query of the ledger."""
        operation, handler = OPERATIONS[wire_request.op], READ.get(wire_request.op)
        if handler is not None:
            body = handler(self.ledger, caller, wire_request.body)
        else:
            found = self.ledger.read(operation.request.read(wire_request.body, notebook=caller.notebook))
            body = operation.response.write(found, caller.shared_with)
        reply({"id": wire_request.id, "ok": True, **body})

    def _change(self, caller: Caller, wire_request: WireRequest, reply: Reply) -> None:
        """Execute a request that changes something, by one ledger request.

        The operation's handler in `DECIDED` makes the ledger request or, without one, the operation's declaration in
        `OPERATIONS`. A charge may wait at a limit before the ledger decides on it.
        """
        handler = DECIDED.get(wire_request.op)
        if handler is not None:
            request, response = handler(caller, self.terms, wire_request)
            self._decide(caller, request, wire_request, reply, response)
            return
        operation = OPERATIONS[wire_request.op]
        request = request_of(operation, caller, wire_request, self.terms)
        write, shared_with = operation.response.write, caller.shared_with
        if isinstance(request, Charging):
            waits_for_user = self._may_wait(wire_request.body.get("at_limit"))
            stated = wire_request.body.get("waits_turn")
            turn = 0.0 if stated is None else turn_seconds(stated)
            if waits_for_user or turn:

                def decided(future: Future[Decision]) -> None:
                    self._respond_with(future, wire_request, reply, lambda result: write(result, shared_with))

                self.limit_waits.charge(
                    caller, wire_request, request, reply, decided, waits_for_user=waits_for_user, turn=turn
                )
                return
        self._decide(caller, request, wire_request, reply, lambda result: write(result, shared_with))

    def _may_wait(self, value: object) -> bool:
        """Whether a charge may wait for a user at a limit on money.

        ``value`` is the ``at_limit`` of its request; with None, the service's default decides.
        """
        # Most requests have no ``at_limit``, and None needs no validation.
        chosen = None if value is None else at_limit_of(value)
        return self._at_limit is not None and (chosen or self._at_limit) == ASK

    # ---- operations with handlers of their own

    def _begin_cell(self, caller: Caller, wire_request: WireRequest, reply: Reply) -> None:
        self.cells[caller.scope] = wire_request.cell
        reply({"id": wire_request.id, "ok": True})

    def _hello(self, caller: Caller, wire_request: WireRequest, reply: Reply) -> None:
        greeting = _Greeting(
            __version__,
            self._clock(),
            caller.notebook.path,
            caller.shared_with,
            self.terms.strict,
            self.terms.default_trust_level,
            self.terms.default_budget,
            caller.socket,
        )
        reply({"id": wire_request.id, "ok": True, **OPERATIONS["hello"].response.write(greeting)})

    def _status(self, caller: Caller, wire_request: WireRequest, reply: Reply) -> None:
        state = self.ledger.read(ReadState(notebook=caller.notebook))
        reply({"id": wire_request.id, "ok": True, **OPERATIONS["status"].response.write(state, caller.shared_with)})

    def _resolve(self, caller: Caller, wire_request: WireRequest, reply: Reply) -> None:
        finish = finish_request(caller, wire_request)

        def report(response: dict[str, Any]) -> None:
            if finish is None or not response["ok"]:
                reply(response)
                return
            try:
                self.ledger.submit(finish).add_done_callback(lambda filed: reported(finish.report_id, filed, response))
            except AumOSGovernanceError as error:
                self._log.warning(_NOT_REPORTED, finish.report_id, error)
                reply(response)

        def reported(report_id: str, filed: Future[Report], response: dict[str, Any]) -> None:
            # The charge is settled whether or not the report could be completed.
            error = filed.exception()
            if error is not None:
                self._log.warning(_NOT_REPORTED, report_id, error)
            reply(response)

        self._change(caller, wire_request, reply if finish is None else report)

    def _cancel(self, caller: Caller, wire_request: WireRequest, reply: Reply) -> None:
        operation = OPERATIONS["cancel"]
        request: Void = request_of(operation, caller, wire_request, self.terms)
        if request.of == wire_request.id:
            raise InvalidRequestError(
                "A cancel cannot cancel itself; set its field 'of' to the id of the request to cancel."
            )
        if fields.flag(wire_request.body, "act"):
            self._respond_with(
                self.governed_actions.cancel(caller, request), wire_request, reply, operation.response.write
            )
            return
        self.limit_waits.drop(caller.scope, request.of)
        self._decide(
            caller, request, wire_request, reply, lambda done: operation.response.write(done, caller.shared_with)
        )

    def _decide(
        self,
        caller: Caller,
        request: Request[ResponseT],
        wire_request: WireRequest,
        reply: Reply,
        response: Callable[[ResponseT], dict[str, Any]],
    ) -> None:
        if not caller.blocks:
            self._respond_with(self.ledger.submit(request), wire_request, reply, response)
            return
        try:
            message = {"id": wire_request.id, "ok": True, **response(self.ledger.execute(request))}
        except Exception as error:  # noqa: BLE001 - a client must always get a response
            message = self._failure(wire_request, error)
        reply(message)

    def _respond_with(
        self,
        future: Future[ResponseT],
        wire_request: WireRequest,
        reply: Reply,
        response: Callable[[ResponseT], dict[str, Any]],
    ) -> None:
        def done(future: Future[ResponseT]) -> None:
            try:
                message = {"id": wire_request.id, "ok": True, **response(future.result())}
            except BaseException as error:  # noqa: BLE001 - a client must always get a response
                message = self._failure(wire_request, error)
            reply(message)

        future.add_done_callback(done)

    def _failure(self, wire_request: WireRequest, error: BaseException) -> dict[str, Any]:
        if isinstance(error, AumOSGovernanceError):
            return error_response(wire_request.id, error.code, error.message)
        # The details belong in the administrator's log; the client only needs to know that there is no decision.
        self._log.error(
            "The governance request %s failed with an internal error, so its client got no decision.",
            wire_request.op,
            exc_info=error,
        )
        return error_response(
            wire_request.id,
            "INTERNAL",
            f"The governance service had an internal error ({type(error).__name__}), so there is no decision; its log"
            " has the details.",
        )
