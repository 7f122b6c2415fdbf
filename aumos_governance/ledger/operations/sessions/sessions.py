"""The operations that open, change and close a governance session of a notebook.

The rules in `contract.terms` decide what a request may do; the operations write the changes and record them.
"""

from __future__ import annotations

from typing import Any

from .... import money
from ....errors import InvalidAmountError, InvalidRequestError
from ....types import BudgetPeriod, TrustLevel
from ...contract.facts import NotebookKey, Opened, Origin, SessionState
from ...contract.requests import ChangeSession, CloseSession, OpenSession
from ...contract.terms import LastSession, Plan, Value, check_close, plan_change, plan_open
from ...rules.chain import LEDGER_CHAIN
from ...rules.files import lies_in
from ...transaction.rows import BalanceRow, ChainRow, EnvelopeRow, NotebookRow, SessionRow
from ...transaction.work import Work, record
from ..balances import open_session_of, own_envelope, state_at
from ..budgets.enclosures import enclose
from ..registry import operation


@operation(OpenSession)
def open_session(work: Work, request: OpenSession) -> Opened:
    """Execute `OpenSession`: open, resume or change a notebook's session, as the rules of `plan_open` decide."""
    _check_values(request)
    plan = plan_open(
        request.terms,
        _last_session(work, request.notebook),
        actor=request.origin.actor,
        trust_level=request.trust_level,
        budget=request.budget,
        agent_id=request.agent_id,
        new=request.new,
    )
    return _carry_out(work, request, plan)


@operation(ChangeSession)
def change_session(work: Work, request: ChangeSession) -> Opened:
    """Execute `ChangeSession`: change a session's values for a user, or open a session, as `plan_change` decides."""
    _check_values(request)
    plan = plan_change(
        request.terms,
        _last_session(work, request.notebook),
        actor=request.origin.actor,
        trust_level=request.trust_level,
        budget=request.budget,
        agent_id=request.agent_id,
    )
    return _carry_out(work, request, plan)


@operation(CloseSession)
def close_session(work: Work, request: CloseSession) -> SessionState:
    """Execute `CloseSession`: close the notebook's open session, if there is one, and return the notebook's state."""
    notebook = work.notebook(request.notebook)
    session = open_session_of(work, notebook)
    if notebook is None or session is None:
        return state_at(work, request.notebook)
    check_close(request.terms, by_person=request.origin.person)
    close(work, notebook, session, request.origin)
    return state_at(work, request.notebook)


def close(work: Work, notebook: NotebookRow, session: SessionRow, origin: Origin, why: str | None = None) -> None:
    """Close an open session and record it, with the reason ``why`` if it is set. The session's open holds stay open."""
    envelope = own_envelope(work, session)
    balance = work.balance(envelope.id, 0)
    session.closed_at = work.now
    work.save(session)
    notebook.closed_sessions += 1
    notebook.closed_spent += balance.spent
    notebook.closed_budget = envelope.ceiling
    notebook.closed_at = work.now
    work.touch(notebook)
    detail: dict[str, Any] = {"spent": money.to_text(balance.spent), "budget": money.to_text(envelope.ceiling)}
    if balance.held:
        detail["held"] = money.to_text(balance.held)
    if why is not None:
        detail["why"] = why
    record(work, session.id, notebook, origin, "close", agent_id=session.agent_id, detail=detail)
    # The ledger-wide chain records the end of the session's chain, so that a removed end of either chain is detected.
    end = work.get(ChainRow, session.id)
    record(
        work,
        LEDGER_CHAIN,
        notebook,
        origin,
        "close",
        detail={"session": session.id, "count": end.count, "head": end.head},
    )


def _carry_out(work: Work, request: OpenSession | ChangeSession, plan: Plan) -> Opened:
    notebook = work.notebook_or_new(request.notebook)
    known_by = notebook.root
    if not lies_in(notebook, request.notebook.owner, request.notebook.root):
        # A symbolic link below the request's root leads to the notebook, and the server of that root must list it.
        work.relocate(notebook, request.notebook.root, request.notebook.path)
    session = open_session_of(work, notebook)
    if plan.close_first and session is not None:
        close(work, notebook, session, request.origin, "a new session was requested")
        # Pages of records are sorted by time, and the old session's end must come before the new one's start.
        work.now += 1
    # For a verification: the root of the server whose ceilings apply, and the root that the notebook had until now.
    place = {"root": request.notebook.root, **({} if notebook.root == known_by else {"was": known_by})}
    if plan.open_new:
        _open(work, notebook, request.origin, plan, place)
    elif session is not None and _differs(work, session, plan):
        _change(work, notebook, session, request.origin, plan)
    if session is not None and not plan.open_new:
        _enclose_more(work, notebook, session, request.origin, place)
    return Opened(state_at(work, request.notebook), plan.open_new, plan.changed, plan.notes)


def _open(work: Work, notebook: NotebookRow, origin: Origin, plan: Plan, place: dict[str, str]) -> None:
    id = work.new_id()
    envelope = work.add(
        EnvelopeRow(work.new_id(), "session", "budget", BudgetPeriod.LIFETIME.value, plan.budget.value, id)
    )
    work.add(BalanceRow(envelope.id, 0))
    session = work.add(
        SessionRow(
            id=id,
            notebook_id=notebook.id,
            trust_level=plan.trust.value,
            trust_set_by=plan.trust.set_by,
            trust_by_person=plan.trust.by_person,
            budget_set_by=plan.budget.set_by,
            budget_by_person=plan.budget.by_person,
            agent_id=plan.agent_id,
            opened_at=work.now,
            opened_by=origin.actor,
            closed_at=None,
            envelope_id=envelope.id,
        )
    )
    enclose(work, notebook, session, place["root"])
    work.add(ChainRow(session.id))
    notebook.session_id = session.id
    work.touch(notebook)
    detail: dict[str, Any] = {
        "trust_level": plan.trust.value,
        "trust_set_by": plan.trust.set_by,
        "trust_by_person": plan.trust.by_person,
        "budget": money.to_text(plan.budget.value),
        "budget_set_by": plan.budget.set_by,
        "budget_by_person": plan.budget.by_person,
    }
    record(work, session.id, notebook, origin, "open", agent_id=plan.agent_id, detail=detail)
    record(
        work,
        LEDGER_CHAIN,
        notebook,
        origin,
        "open",
        detail={
            "session": session.id,
            "count": 1,
            "head": work.get(ChainRow, session.id).head,
            "around": session.outer_envelopes,
            **place,
        },
    )


def _enclose_more(
    work: Work, notebook: NotebookRow, session: SessionRow, origin: Origin, place: dict[str, str]
) -> None:
    """Put the ceilings of the server that makes the request around a session that is open already.

    A server with another root folder may have opened the session. ``place`` has the request's ``root`` and, if the
    notebook was moved to it now, under ``was`` the root that the ledger had stored before. Any change is recorded.
    """
    if enclose(work, notebook, session, place["root"]) or "was" in place:
        work.save(session)
        detail = {"session": session.id, "around": session.outer_envelopes, **place}
        record(work, LEDGER_CHAIN, notebook, origin, "enclose", detail=detail)


def _differs(work: Work, session: SessionRow, plan: Plan) -> bool:
    # The comparison includes who set a value, so a user who confirms the same value is recorded as well.
    stands = _values(work, session)
    return (plan.trust, plan.budget, plan.agent_id) != stands and plan.changed


def _change(work: Work, notebook: NotebookRow, session: SessionRow, origin: Origin, plan: Plan) -> None:
    trust, budget, agent_id = _values(work, session)
    detail: dict[str, Any] = {}
    if plan.trust != trust:
        detail["trust_level"] = _step(trust.value, plan.trust.value, trust, plan.trust)
        session.trust_level = plan.trust.value
        session.trust_set_by = plan.trust.set_by
        session.trust_by_person = plan.trust.by_person
    if plan.budget != budget:
        before, after = money.to_text(budget.value), money.to_text(plan.budget.value)
        detail["budget"] = _step(before, after, budget, plan.budget)
        envelope = own_envelope(work, session)
        envelope.ceiling = plan.budget.value
        work.save(envelope)
        session.budget_set_by = plan.budget.set_by
        session.budget_by_person = plan.budget.by_person
    if plan.agent_id != agent_id:
        detail["agent_id"] = {"from": agent_id, "to": plan.agent_id, "by": origin.actor}
        session.agent_id = plan.agent_id
    work.save(session)
    work.touch(notebook)
    record(work, session.id, notebook, origin, "change", agent_id=session.agent_id, detail=detail)


def _step(before: object, after: object, old: Value, new: Value) -> dict[str, Any]:
    return {"from": before, "to": after, "by": new.set_by, "by_person": new.by_person, "was_set_by": old.set_by}


def _last_session(work: Work, key: NotebookKey) -> LastSession | None:
    """Return the values of the notebook's newest session, open or closed, or None if it never had a session."""
    notebook = work.notebook(key)
    if notebook is None or notebook.session_id is None:
        return None
    session = work.get(SessionRow, notebook.session_id)
    trust, budget, agent_id = _values(work, session)
    return LastSession(session.closed_at is None, trust, budget, agent_id)


def _values(work: Work, session: SessionRow) -> tuple[Value, Value, str | None]:
    """Return a session's trust level, budget in nano-USD, and agent."""
    ceiling = own_envelope(work, session).ceiling
    return (
        Value(session.trust_level, session.trust_set_by, bool(session.trust_by_person)),
        Value(ceiling, session.budget_set_by, bool(session.budget_by_person)),
        session.agent_id,
    )


def _check_values(request: OpenSession | ChangeSession) -> None:
    budget = request.budget
    if budget is not None and (type(budget) is not int or not 0 <= budget <= money.MAX_NANO):
        raise InvalidAmountError("A budget must be a whole number of nano-dollars, from 0 to 1000000000 US dollars.")
    if request.trust_level is not None and not isinstance(request.trust_level, TrustLevel):
        raise InvalidRequestError("A trust level must be one of L0 to L5.")
    if request.agent_id == "":
        raise InvalidRequestError("agent_id must be a non-empty string.")
