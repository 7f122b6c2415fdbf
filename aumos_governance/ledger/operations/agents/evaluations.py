"""The operations that charge nothing and only write a record: the check of an action, and a record of a caller's own.

`evaluate` decides whether an agent's action is allowed. `append_record` records a decision that the caller made itself,
such as an SDK engine's.
"""

from __future__ import annotations

from functools import lru_cache

from .... import money
from ....errors import InvalidAmountError, InvalidRequestError
from ....types import ActionKind, GovernanceOutcome, TrustLevel
from ...contract.agreements import Evaluate, Record
from ...contract.audit_facts import Recorded
from ...contract.facts import Decision
from ...rules.chain import LEDGER_CHAIN, OWN_EVENTS, check_whole
from ...rules.verdicts import Refusal, agent_refusal, level_refusal, no_budget, no_consent, no_session
from ...transaction.rows import BalanceRow, EnvelopeRow, SessionRow
from ...transaction.work import Work, record
from ..balances import category_id, enclosing_ids, open_session_of, over_ceiling, period_start
from ..registry import operation
from .trust import agent_level, check_named, find_consent, realm_in


@operation(Record)
def append_record(work: Work, request: Record) -> Recorded:
    """Execute `Record`: append an audit record of a decision that the caller, and not the ledger, made.

    Raises InvalidRequestError for an event in `OWN_EVENTS`. Only the ledger may record these, since a verification
    computes from them what the tables must contain.
    """
    if request.event in OWN_EVENTS:
        raise InvalidRequestError(
            f"A record's event cannot be {request.event!r}, which the ledger writes itself; name another event."
        )
    check_whole(amount=request.amount)
    notebook = work.notebook_or_new(request.notebook)
    session = open_session_of(work, notebook)
    record_id = record(
        work,
        LEDGER_CHAIN if session is None else session.id,
        notebook,
        request.origin,
        request.event,
        outcome=request.outcome,
        code=request.code,
        reasons=request.reasons,
        agent_id=request.agent_id or (None if session is None else session.agent_id),
        tool=request.tool,
        action_type=request.action_type,
        resource=request.resource,
        amount=request.amount,
        detail=request.detail,
    )
    return Recorded(record_id, work.now)


@operation(Evaluate)
def evaluate(work: Work, request: Evaluate) -> Decision:
    """Execute `Evaluate`: check whether an agent's action is allowed, and record the decision; charge nothing."""
    if request.realm is not None and not request.agent_id:
        check_named(agent_id=request.agent_id)
    amount = request.amount
    if amount is not None and (type(amount) is not int or not 0 <= amount <= money.MAX_NANO):
        raise InvalidAmountError("An amount must be a whole number of nano-dollars, from 0 to 1000000000 US dollars.")
    # Rows are read by `Work.peek`, since this operation changes no row except the end of the chain.
    notebook = work.peek_notebook(request.notebook) or work.notebook_or_new(request.notebook)
    session = None if notebook.session_id is None else work.peek(SessionRow, notebook.session_id)
    if session is not None and session.closed_at is not None:
        session = None
    reasons: list[str] = []
    outcome = GovernanceOutcome.ALLOW
    found: Refusal | None = None
    if session is None:
        found = no_session(request.origin)
    elif request.required_level is not None:
        found = _trust(work, request, session, request.required_level, reasons)
    if found is None and session is not None and amount is not None:
        found = _budget(work, session, request.category, amount, reasons)
        if found is not None and found.code == "BUDGET_EXCEEDED" and request.overdraft:
            outcome = GovernanceOutcome.ALLOW_WITH_CAVEAT
            reasons.append(found.reason)
    caveat = found if outcome is GovernanceOutcome.ALLOW_WITH_CAVEAT else None
    if found is caveat and session is not None and request.data_type is not None:
        found = _consent(work, request, session, request.data_type, reasons) or caveat
    if found is not caveat and found is not None:
        outcome = GovernanceOutcome.DENY
        reasons.append(found.reason)
    code = None if found is None else found.code
    given = tuple(reasons)
    record_id = record(
        work,
        LEDGER_CHAIN if session is None else session.id,
        notebook,
        request.origin,
        "evaluate",
        outcome=outcome,
        code=code,
        reasons=given,
        agent_id=request.agent_id or (None if session is None else session.agent_id),
        action_type=request.action_type,
        resource=request.resource,
        amount=amount or 0,
        detail=request.detail,
    )
    limit = None if found is None else found.limit
    return Decision(outcome, given, record_id, amount or 0, request.action_type or "", code, limit=limit)


def _trust(
    work: Work, request: Evaluate, session: SessionRow, required: TrustLevel, reasons: list[str]
) -> Refusal | None:
    agent_id = request.agent_id or session.agent_id
    if agent_id:
        level = agent_level(work, realm_in(session, request.realm), agent_id, request.scope, request.default_level)
        if level < required:
            return agent_refusal(agent_id, required, level, request.scope)
        if request.realm is None:
            level = min(level, session.trust_level)
        if level >= required:
            reasons.append(_enough_trust(agent_id, int(level), int(required)))
    # The session's level limits every agent in it.
    return level_refusal(ActionKind.CALL, required, session.trust_level)


def _budget(work: Work, session: SessionRow, category: str | None, amount: int, reasons: list[str]) -> Refusal | None:
    envelopes, inner = enclosing_ids(session), None
    if category:
        inner = category_id(session.id, category)
        envelopes = f"{inner} {envelopes}"
    left = None
    for id in envelopes.split():
        envelope = work.peek(EnvelopeRow, id)
        if envelope is None:
            if category and id == inner:
                return no_budget(category)
            raise LookupError(f"There is no envelope {id}")
        balance = work.peek(BalanceRow, id, period_start(envelope.period, work.now))
        counted = 0 if balance is None else balance.spent + balance.held
        if counted + amount > envelope.ceiling:
            return over_ceiling(envelope, counted + amount)
        if left is None:
            left = envelope.ceiling - counted
    reasons.append(_enough_budget(category, left or 0, amount))
    return None


# Cached, since agents make the same requests over and over.
@lru_cache(maxsize=512)
def _enough_trust(agent_id: str, level: int, required: int) -> str:
    return f"Agent {agent_id!r} has trust level L{level}, and L{required} is needed"


@lru_cache(maxsize=512)
def _enough_budget(category: str | None, left: int, amount: int) -> str:
    name = f"Budget {category!r}" if category else "The budget"
    return f"{name} has {money.display(left)} left, and {money.display(amount)} is requested"


def _consent(work: Work, request: Evaluate, session: SessionRow, data_type: str, reasons: list[str]) -> Refusal | None:
    agent_id = request.agent_id or session.agent_id or ""
    row = find_consent(work, realm_in(session, request.realm), agent_id, data_type, request.purpose)
    if row is not None:
        reasons.append(f"{row.granted_by!r} lets agent {agent_id!r} use {data_type!r}")
    elif request.default_deny:
        return no_consent(agent_id, data_type, request.purpose)
    else:
        reasons.append(f"No consent covers {data_type!r}, which is allowed by default")
    return None
