"""Spends, and taking one back."""

from __future__ import annotations

from typing import NamedTuple

from ... import money
from ...errors import InvalidAmountError
from ...types import GovernanceOutcome
from ..base import Decision, Spend, Void, Voided
from ..chain import LEDGER_CHAIN
from ..periods import period_start
from ..rows import AskRow, BalanceRow, ChargeRow, EnvelopeRow, NotebookRow, SessionRow
from ..verdicts import NO_SESSION, Refusal, level_refusal, over_budget
from ..work import Work
from .records import record
from .sessions import open_session_of
from .states import state_at, state_of

__all__ = ["spend", "void"]

_MOST = 2**63 - 1


class Place(NamedTuple):
    """An envelope that encloses a session, with its balance in the period that counts."""

    envelope: EnvelopeRow
    balance: BalanceRow


def spend(work: Work, request: Spend) -> Decision:
    amount = request.amount
    if type(amount) is not int or not 0 < amount <= money.MAX_NANO:
        raise InvalidAmountError("A spend must be more than 0 and at most 1000000000 US dollars, in nano-dollars.")
    notebook = work.notebook(request.notebook)
    session = open_session_of(work, notebook)
    if notebook is None or session is None:
        return _denied_outside(work, request)
    places = envelopes_of(work, session, work.now)
    refusal = level_refusal(request.kind, request.required_level, session.trust_level) or overdraw(places, amount)
    if refusal is not None and not request.already_paid:
        record_id = _record(work, session, notebook, request, GovernanceOutcome.DENY, refusal)
        return Decision(
            GovernanceOutcome.DENY,
            (refusal.reason,),
            record_id,
            amount,
            request.tool,
            refusal.code,
            state=state_of(work, notebook),
        )
    for place in places:
        if place.balance.spent + place.balance.held + amount > _MOST:
            raise InvalidAmountError("The amount is more than the ledger can add up.")
    charge = work.add(ChargeRow(work.new_id(), session.id, "spent", amount, work.now, session.envelopes, request.tool))
    add_spent(work, notebook, session, places, amount)
    outcome = GovernanceOutcome.ALLOW if refusal is None else GovernanceOutcome.ALLOW_WITH_CAVEAT
    record_id = _record(work, session, notebook, request, outcome, refusal, charge.id)
    return Decision(
        outcome,
        () if refusal is None else (refusal.reason,),
        record_id,
        amount,
        request.tool,
        None if refusal is None else refusal.code,
        charge.id,
        refusal is not None,
        state_of(work, notebook),
    )


def void(work: Work, request: Void) -> Voided:
    scope = request.origin.scope
    ask = work.find(AskRow, scope, request.of)
    if ask is None:
        work.add(
            AskRow(
                scope=scope,
                key=request.of,
                digest="",
                at=work.now,
                expires_at=None,
                notebook_id=None,
                charge_id=None,
                cancelled=True,
                answer=None,
            )
        )
        return Voided(True, state_at(work, request.notebook))
    if ask.cancelled:
        return Voided(True, state_at(work, request.notebook))
    charge = None if ask.charge_id is None else work.get(ChargeRow, ask.charge_id)
    late = ask.expires_at is not None and work.now > ask.expires_at
    if charge is None or charge.state != "spent" or late:
        return Voided(False, state_at(work, request.notebook))
    session = work.get(SessionRow, charge.session_id)
    notebook = work.get(NotebookRow, session.notebook_id)
    places = _places(work, charge.envelopes, charge.at)
    if any(place.balance.spent < charge.amount for place in places):
        return Voided(False, state_at(work, request.notebook))
    charge.state = "voided"
    work.save(charge)
    ask.cancelled = True
    work.save(ask)
    add_spent(work, notebook, session, places, -charge.amount)
    record(
        work,
        session.id,
        notebook,
        request.origin,
        "void",
        agent_id=session.agent_id,
        tool=charge.tool,
        amount=charge.amount,
        spent_delta=-charge.amount,
        charge_id=charge.id,
        reasons=("The ask was cancelled",),
        detail={"ask": request.of},
    )
    return Voided(True, state_of(work, notebook))


def envelopes_of(work: Work, session: SessionRow, at: int) -> list[Place]:
    """All envelopes that enclose the session, its own first, with their balances in the period of ``at``."""
    return _places(work, session.envelopes, at)


def overdraw(places: list[Place], amount: int) -> Refusal | None:
    """What keeps ``amount`` from fitting into all envelopes, if anything."""
    for envelope, balance in places:
        total = balance.spent + balance.held + amount
        if total > envelope.ceiling:
            return over_budget(total, envelope.ceiling, envelope.name)
    return None


def add_spent(work: Work, notebook: NotebookRow, session: SessionRow, places: list[Place], delta: int) -> None:
    """Change what is spent in all envelopes; a closed session's sum in its notebook follows."""
    for place in places:
        place.balance.spent += delta
        work.save(place.balance)
    if session.closed_at is not None:
        notebook.closed_spent += delta
    work.touch(notebook)


def _places(work: Work, envelopes: str, at: int) -> list[Place]:
    found = []
    for id in envelopes.split():
        envelope = work.get(EnvelopeRow, id)
        found.append(Place(envelope, work.balance(id, period_start(envelope.period, at))))
    return found


def _denied_outside(work: Work, request: Spend) -> Decision:
    notebook = work.notebook_or_new(request.notebook)
    record_id = record(
        work,
        LEDGER_CHAIN,
        notebook,
        request.origin,
        "spend",
        outcome=GovernanceOutcome.DENY,
        code=NO_SESSION.code,
        reasons=(NO_SESSION.reason,),
        tool=request.tool,
        amount=request.amount,
        detail={"already_paid": True} if request.already_paid else None,
    )
    return Decision(
        GovernanceOutcome.DENY,
        (NO_SESSION.reason,),
        record_id,
        request.amount,
        request.tool,
        NO_SESSION.code,
        state=state_of(work, notebook),
    )


def _record(
    work: Work,
    session: SessionRow,
    notebook: NotebookRow,
    request: Spend,
    outcome: GovernanceOutcome,
    refusal: Refusal | None,
    charge_id: str | None = None,
) -> str:
    return record(
        work,
        session.id,
        notebook,
        request.origin,
        "spend",
        outcome=outcome,
        code=None if refusal is None else refusal.code,
        reasons=() if refusal is None else (refusal.reason,),
        agent_id=session.agent_id,
        tool=request.tool,
        amount=request.amount,
        spent_delta=0 if charge_id is None else request.amount,
        charge_id=charge_id,
        detail={"already_paid": True, "overrun": refusal is not None} if request.already_paid else None,
    )
