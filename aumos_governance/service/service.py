"""What one notebook's kernel, and one person at its panel, may ask; the same on a server and embedded.

The service turns asks into ledger requests and the ledger's records into bodies. It decides nothing: rules
live in the ledger, inside its transaction.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from .. import money
from .._version import __version__
from ..clock import monotonic as clock_monotonic
from ..errors import AumOSGovernanceError, InvalidRequestError
from ..ledger.contract.agreements import Report
from ..ledger.contract.budgets import Resolved
from ..ledger.contract.charges import Spend, Void
from ..ledger.contract.facts import Decision, Opened, Origin, SessionState
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import ReadState
from ..ledger.contract.requests import CloseSession, OpenSession, Request
from ..ledger.contract.terms import SessionTerms
from ..ledger.rules.retention import KEEP_ASKS
from ..wire import fields
from ..wire.bodies import decision_body, previous_body, state_body
from ..wire.protocol import Ask, error_answer
from . import holding, session_requests
from .acting import APPROVAL_SECONDS, Acting
from .callers import Caller, expiry_of, origin_of
from .cancels import cancel_body
from .user_requests import PersonRequests

__all__ = ["Caller", "NotebookService", "Reply"]

AnswerT = TypeVar("AnswerT")
Reply = Callable[[dict[str, Any]], None]
_MICROS: Final = 1_000_000


class NotebookService(PersonRequests):
    """Answers asks of kernels (`submit`), and the requests of people."""

    def __init__(
        self,
        ledger: Ledger,
        terms: SessionTerms | None = None,
        *,
        approval_seconds: float = APPROVAL_SECONDS,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = clock_monotonic,
        log: logging.Logger | None = None,
    ) -> None:
        super().__init__(ledger, terms if terms is not None else SessionTerms())
        self._clock = clock
        self._log = log if log is not None else logging.getLogger(__name__)
        self.acting = Acting(
            ledger, self._failure, approval_seconds=approval_seconds, clock=clock, monotonic=monotonic, log=self._log
        )
        self._asks: dict[str, Callable[[Caller, Ask, Reply], None]] = {
            "hello": self._hello,
            "open": self._open,
            "status": self._status,
            "spend": self._spend,
            "hold": self._hold,
            "settle": self._settle,
            "release": self._release,
            "adjust": self._adjust,
            "authorize": self.acting.authorize,
            "close": self._close,
            "cancel": self._cancel,
            **dict.fromkeys(session_requests.DECIDED, self._decide_within),
            **dict.fromkeys(session_requests.READ, self._read),
        }

    def submit(self, caller: Caller, ask: Ask, reply: Reply) -> None:
        """Answer one ask. ``reply`` is called once, maybe from the ledger's thread, and must not raise.

        Where the caller lets this thread be blocked, what is one request to the ledger is answered before this returns.

        Before the answer to an `authorize` it may be called with messages that a person is waited for. An error becomes
        an answer with ``ok: false``; nothing is raised.
        """
        try:
            if ask.op != "hello" and ask.exp > self._clock() + KEEP_ASKS / _MICROS:
                raise InvalidRequestError("An ask's exp must be at most 48 hours ahead, in the clock of the hello.")
            self._asks[ask.op](caller, ask, reply)
        except Exception as error:  # noqa: BLE001 - an asker must always get an answer
            reply(self._failure(ask, error))

    def opened_by_server(self, caller: Caller) -> SessionState:
        """Open a session at the defaults, as ``autostart`` asks for; a resume when one is open."""
        request = OpenSession(
            key=_new_key(),
            origin=Origin(actor="server", scope=caller.scope, incarnation=caller.incarnation),
            notebook=caller.notebook,
            terms=self.terms,
        )
        return self.ledger.execute(request).state

    def _hello(self, caller: Caller, ask: Ask, reply: Reply) -> None:
        reply(
            {
                "id": ask.id,
                "ok": True,
                "version": __version__,
                "server_time": self._clock(),
                "notebook": caller.notebook.path,
                "shared_with": caller.shared_with,
                "strict": self.terms.strict,
                "default_trust_level": int(self.terms.default_trust_level),
                "default_budget": money.to_text(self.terms.default_budget),
                "socket": caller.socket,
            }
        )

    def _open(self, caller: Caller, ask: Ask, reply: Reply) -> None:
        fields.known_only(ask.body, ("trust_level", "budget", "agent_id", "new"))
        request = OpenSession(
            key=ask.id,
            origin=origin_of(caller, ask),
            expires_at=expiry_of(ask),
            notebook=caller.notebook,
            terms=self.terms,
            trust_level=fields.optional_level(ask.body),
            budget=fields.optional_budget(ask.body),
            agent_id=fields.optional_text(ask.body, "agent_id", "agent id"),
            new=fields.flag(ask.body, "new"),
        )

        def answer(result: Opened) -> dict[str, Any]:
            return {
                "state": state_body(result.state, shared_with=caller.shared_with),
                "opened": result.opened,
                "resumed": not result.opened and not result.changed,
                "previous": previous_body(result.state),
                "notes": list(result.notes),
            }

        self._decide(caller, request, ask, reply, answer)

    def _status(self, caller: Caller, ask: Ask, reply: Reply) -> None:
        state = self.ledger.read(ReadState(notebook=caller.notebook))
        body = state_body(state, shared_with=caller.shared_with)
        reply({"id": ask.id, "ok": True, "state": body, "previous": previous_body(state)})

    def _spend(self, caller: Caller, ask: Ask, reply: Reply) -> None:
        fields.known_only(ask.body, ("amount", "tool", "already_paid", "category", "agent_id", "note"))
        if "amount" not in ask.body:
            raise InvalidRequestError("A spend needs an amount in US dollars, for example 0.05.")
        request = Spend(
            key=ask.id,
            origin=origin_of(caller, ask),
            expires_at=expiry_of(ask),
            notebook=caller.notebook,
            amount=money.parse_positive(ask.body["amount"]),
            tool=fields.optional_text(ask.body, "tool", "tool") or "unknown",
            already_paid=fields.flag(ask.body, "already_paid"),
            category=fields.optional_text(ask.body, "category", "category"),
            agent_id=fields.optional_text(ask.body, "agent_id", "agent id"),
            note=fields.optional_text(ask.body, "note", "note"),
        )

        def answer(decision: Decision) -> dict[str, Any]:
            state = decision.state
            body = None if state is None else state_body(state, shared_with=caller.shared_with)
            return {"decision": decision_body(decision), "state": body}

        self._decide(caller, request, ask, reply, answer)

    def _hold(self, caller: Caller, ask: Ask, reply: Reply) -> None:
        request = holding.hold_request(caller, ask)
        self._decide(caller, request, ask, reply, lambda decision: holding.held_answer(decision, caller.shared_with))

    def _settle(self, caller: Caller, ask: Ask, reply: Reply) -> None:
        self._resolve(holding.settle_request(caller, ask), caller, ask, reply)

    def _release(self, caller: Caller, ask: Ask, reply: Reply) -> None:
        self._resolve(holding.release_request(caller, ask), caller, ask, reply)

    def _adjust(self, caller: Caller, ask: Ask, reply: Reply) -> None:
        request = holding.adjust_request(caller, ask)
        self._decide(caller, request, ask, reply, lambda done: holding.adjusted_answer(done, caller.shared_with))

    def _resolve(self, request: Request[Resolved], caller: Caller, ask: Ask, reply: Reply) -> None:
        finish = holding.finish_request(caller, ask)

        def report(answer: dict[str, Any]) -> None:
            if finish is None or not answer["ok"]:
                reply(answer)
                return
            try:
                self.ledger.submit(finish).add_done_callback(lambda filed: told(filed, answer))
            except AumOSGovernanceError as error:
                self._log.warning("How a governed act ended could not be reported: %s", error)
                reply(answer)

        def told(filed: Future[Report], answer: dict[str, Any]) -> None:
            # What was spent is settled whether or not a person could be told how it went.
            error = filed.exception()
            if error is not None:
                self._log.warning("How a governed act ended could not be reported: %s", error)
            reply(answer)

        self._decide(
            caller, request, ask, report, lambda resolved: holding.resolved_answer(resolved, caller.shared_with)
        )

    def _decide_within(self, caller: Caller, ask: Ask, reply: Reply) -> None:
        request, answer = session_requests.DECIDED[ask.op](caller, self.terms, ask)
        self._decide(caller, request, ask, reply, answer)

    def _read(self, caller: Caller, ask: Ask, reply: Reply) -> None:
        reply({"id": ask.id, "ok": True, **session_requests.READ[ask.op](self.ledger, caller, ask.body)})

    def _close(self, caller: Caller, ask: Ask, reply: Reply) -> None:
        request = CloseSession(
            key=ask.id,
            origin=origin_of(caller, ask),
            expires_at=expiry_of(ask),
            notebook=caller.notebook,
            terms=self.terms,
        )
        self._decide(
            caller, request, ask, reply, lambda state: {"state": state_body(state, shared_with=caller.shared_with)}
        )

    def _cancel(self, caller: Caller, ask: Ask, reply: Reply) -> None:
        fields.known_only(ask.body, ("of", "act", "delivered"))
        of = fields.text(ask.body, "of", "id of the ask to cancel")
        if of == ask.id:
            raise InvalidRequestError("A request cannot cancel itself; name the id of another one.")
        if fields.flag(ask.body, "act"):
            self._answer_with(self.acting.cancel(caller, ask), ask, reply, lambda done: cancel_body(done, None))
            return
        request = Void(
            key=ask.id,
            origin=origin_of(caller, ask),
            expires_at=expiry_of(ask),
            notebook=caller.notebook,
            of=of,
            delivered=fields.flag(ask.body, "delivered"),
        )
        self._decide(caller, request, ask, reply, lambda done: cancel_body(done, caller.shared_with))

    def _decide(
        self,
        caller: Caller,
        request: Request[AnswerT],
        ask: Ask,
        reply: Reply,
        answer: Callable[[AnswerT], dict[str, Any]],
    ) -> None:
        if not caller.blocks:
            self._answer_with(self.ledger.submit(request), ask, reply, answer)
            return
        try:
            message = {"id": ask.id, "ok": True, **answer(self.ledger.execute(request))}
        except Exception as error:  # noqa: BLE001 - an asker must always get an answer
            message = self._failure(ask, error)
        reply(message)

    def _answer_with(
        self,
        future: Future[AnswerT],
        ask: Ask,
        reply: Reply,
        answer: Callable[[AnswerT], dict[str, Any]],
    ) -> None:
        def done(future: Future[AnswerT]) -> None:
            try:
                message = {"id": ask.id, "ok": True, **answer(future.result())}
            except BaseException as error:  # noqa: BLE001 - an asker must always get an answer
                message = self._failure(ask, error)
            reply(message)

        future.add_done_callback(done)

    def _failure(self, ask: Ask, error: BaseException) -> dict[str, Any]:
        if isinstance(error, AumOSGovernanceError):
            return error_answer(ask.id, error.code, error.message)
        # What failed inside is for whoever runs the service; the asker needs to know that nothing was decided.
        self._log.error("The governance ask %s failed inside.", ask.op, exc_info=error)
        return error_answer(
            ask.id,
            "INTERNAL",
            f"The governance service failed inside ({type(error).__name__}), so there is no decision; its log says"
            " more.",
        )


def _new_key() -> str:
    return uuid.uuid4().hex
