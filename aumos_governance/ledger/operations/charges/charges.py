"""The operations that decide whether a spend or a hold is allowed, charge it, and record the decision."""

from __future__ import annotations

from typing import Any

from .... import money
from ....errors import InvalidAmountError, InvalidRequestError
from ....types import ActionKind, GovernanceOutcome, TrustLevel
from ...contract.charges import Charging, Checks, Hold, Spend
from ...contract.facts import UNDECIDED, Decision
from ...rules.chain import LEDGER_CHAIN, check_whole
from ...rules.verdicts import (
    APPROVAL_REQUIRED,
    BUDGET_EXCEEDED,
    BUDGET_HELD,
    Refusal,
    action_refusal,
    agent_refusal,
    level_refusal,
    no_budget,
    no_consent,
    no_session,
)
from ...transaction.rows import ApprovalRow, ChargeRow, NotebookRow, SessionRow
from ...transaction.work import Work, record
from ..agents.trust import agent_level, find_consent, realm_in
from ..balances import balances_of, change_balances, check_sums, envelopes_for, open_session_of, overdraw, state_of
from ..registry import operation
from .shares import bounded, fits_without_live_holds

_LEVELS = tuple(TrustLevel)
_IN_SESSION = Checks(realm=None, default_level=TrustLevel.L5_AUTONOMOUS)
"""The checks of a request without ``checks``: the agent's level within the session and the session's own level apply.

An agent without a level has level L5, so that only the session's level limits it.
"""

_OWN_NAMES = frozenset({"approval", "approval_used", "until"})
"""The names in the detail of a charge's record from which a verification derives rows: only the ledger writes them."""


@operation(Spend)
def spend(work: Work, request: Spend) -> Decision:
    """Execute `Spend`: decide whether the amount may be spent, charge it if so, and record the decision."""
    _check_amount(request.amount, 1)
    _check_detail(request)
    return _charge(work, request, request.already_paid, None)


@operation(Hold)
def hold(work: Work, request: Hold) -> Decision:
    """Execute `Hold`: decide whether the amount may be held, hold it if so, and record the decision."""
    _check_amount(request.amount, 0)
    _check_detail(request)
    check_whole(until=request.until)
    if request.least is not None or request.most is not None:
        request = bounded(work, request)
    return _charge(work, request, False, request)


def _charge(work: Work, request: Charging, already_paid: bool, held: Hold | None) -> Decision:
    event, amount = ("spend" if held is None else "hold"), request.amount
    notebook = work.notebook(request.notebook)
    session = open_session_of(work, notebook)
    if notebook is None or session is None:
        return _denied_outside(work, request, event, already_paid)
    level = _effective_level(work, session, request)
    approval = _approval(work, session, request, level)
    refusal = _level(session, request, level, approval)
    envelopes = envelopes_for(work, session, request.category, missing=None if request.checks is None else "")
    balances = balances_of(work, envelopes, work.now)
    if refusal is None:
        refusal = overdraw(balances, amount) if envelopes else no_budget(request.category or "")
    if request.checks is not None:
        refusal, overdraft = _further(work, session, request, request.checks, refusal)
        if overdraft and not already_paid:
            return _decision(work, request, event, notebook, session, level, refusal, None, already_paid, True)
    if refusal is not None and refusal.code == BUDGET_EXCEEDED and not already_paid:
        if held is not None and held.waits_turn and fits_without_live_holds(work, balances, amount):
            return _undecided(work, request, notebook, level, refusal._replace(code=BUDGET_HELD))
        if request.waits_at_limit:
            return _undecided(work, request, notebook, level, refusal)
    if (refusal is not None and not already_paid) or not envelopes:
        return _decision(work, request, event, notebook, session, level, refusal, None, already_paid)
    check_sums(work, notebook, session, balances, amount)
    charge = work.add(
        ChargeRow(
            work.new_id() if held is None or held.hold_id is None else held.hold_id,
            session.id,
            "spent" if held is None else "held",
            amount,
            amount if held is None else 0,
            0,
            work.now,
            envelopes,
            request.tool,
            request.agent_id or session.agent_id,
            request.category,
            request.origin.scope,
            request.origin.incarnation,
            None if held is None else held.until,
        )
    )
    used = approval is not None and refusal is None
    if approval is not None and used:
        approval.status = "used"
        work.save(approval)
    spent, reserved = (amount, 0) if held is None else (0, amount)
    change_balances(work, notebook, session, balances, spent=spent, held=reserved, charges=1)
    return _decision(work, request, event, notebook, session, level, refusal, charge, already_paid, used=used)


def _decision(
    work: Work,
    request: Charging,
    event: str,
    notebook: NotebookRow,
    session: SessionRow,
    level: int,
    refusal: Refusal | None,
    charge: ChargeRow | None,
    already_paid: bool,
    overdraft: bool = False,
    *,
    used: bool = False,
) -> Decision:
    code, reasons = (None, ()) if refusal is None else (refusal.code, (refusal.reason,))
    outcome = GovernanceOutcome.ALLOW
    if refusal is not None:
        refused = charge is None and not overdraft
        outcome = GovernanceOutcome.DENY if refused else GovernanceOutcome.ALLOW_WITH_CAVEAT
    waits = isinstance(request, Hold) and request.waits and code == APPROVAL_REQUIRED
    if charge is None:
        # No amount changes, but the notebook's listeners must be notified of the refusal.
        work.touch(notebook)
    charge_id = None if charge is None else charge.id
    record_id = record(
        work,
        session.id,
        notebook,
        request.origin,
        event,
        outcome=None if waits else outcome,
        code=code,
        reasons=reasons,
        agent_id=request.agent_id or session.agent_id,
        tool=request.tool,
        action_type=request.action_type,
        resource=request.resource,
        amount=request.amount,
        spent_delta=0 if charge is None else charge.spent,
        held_delta=0 if charge is None or event == "spend" else charge.amount,
        charge_id=charge_id,
        detail=_detail(
            request,
            already_paid,
            charge is not None and refusal is not None,
            used=used,
            approval_not_requested=code == APPROVAL_REQUIRED and not waits,
        ),
    )
    return Decision(
        outcome,
        reasons,
        record_id,
        request.amount,
        request.tool,
        code,
        charge_id,
        charge is not None and refusal is not None,
        state_of(work, notebook),
        _LEVELS[level],
        None if refusal is None else refusal.limit,
    )


def _undecided(work: Work, request: Charging, notebook: NotebookRow, level: int, refusal: Refusal) -> Decision:
    return Decision(
        GovernanceOutcome.DENY,
        (refusal.reason,),
        UNDECIDED,
        request.amount,
        request.tool,
        refusal.code,
        state=state_of(work, notebook),
        level=_LEVELS[level],
        limit=refusal.limit,
    )


def _denied_outside(work: Work, request: Charging, event: str, already_paid: bool) -> Decision:
    notebook = work.notebook_or_new(request.notebook)
    refusal = no_session(request.origin)
    code, reasons = refusal.code, (refusal.reason,)
    outcome = GovernanceOutcome.DENY
    record_id = record(
        work,
        LEDGER_CHAIN,
        notebook,
        request.origin,
        event,
        outcome=outcome,
        code=code,
        reasons=reasons,
        agent_id=request.agent_id,
        tool=request.tool,
        action_type=request.action_type,
        resource=request.resource,
        amount=request.amount,
        detail=_detail(request, already_paid, False),
    )
    return Decision(outcome, reasons, record_id, request.amount, request.tool, code, state=state_of(work, notebook))


def _effective_level(work: Work, session: SessionRow, request: Charging) -> int:
    checks, agent_id = request.checks or _IN_SESSION, request.agent_id or session.agent_id
    if checks.default_level is None or not agent_id:
        return session.trust_level
    own = agent_level(work, realm_in(session, checks.realm), agent_id, checks.scope, checks.default_level)
    # The session's level limits every agent in it.
    return min(own, session.trust_level)


def _level(session: SessionRow, request: Charging, level: int, approval: ApprovalRow | None) -> Refusal | None:
    if request.kind is ActionKind.ACT:
        return action_refusal(request.required_level, level, approved=approval is not None)
    if level >= request.required_level:
        return None
    refusal = level_refusal(request.kind, request.required_level, level)
    agent_id = request.agent_id or session.agent_id
    if refusal is None or level == session.trust_level or agent_id is None:
        return refusal
    scope = None if request.checks is None else request.checks.scope
    return agent_refusal(agent_id, request.required_level, level, scope)


def _further(
    work: Work, session: SessionRow, request: Charging, checks: Checks, refusal: Refusal | None
) -> tuple[Refusal | None, bool]:
    """Apply a charge's remaining checks, overdraft and consent, after those of trust level and budget.

    ``refusal`` is the result of the earlier checks, None if they passed. Returns the refusal after all checks, and
    whether the charge is allowed in spite of it, since the request allows an overdraft.
    """
    overdraft = checks.overdraft and refusal is not None and refusal.code == BUDGET_EXCEEDED
    if checks.data_type is None or not (refusal is None or overdraft):
        return refusal, overdraft
    agent_id = request.agent_id or session.agent_id or ""
    found = find_consent(work, realm_in(session, checks.realm), agent_id, checks.data_type, checks.purpose)
    if found is None and checks.default_deny:
        return no_consent(agent_id, checks.data_type, checks.purpose), False
    return refusal, overdraft


def _approval(work: Work, session: SessionRow, request: Charging, level: int) -> ApprovalRow | None:
    """Return the approval that the request names, or None if this approval does not allow the request's action.

    An approval is needed only at trust level L3. It is valid once, in the session in which it was requested, and only
    for the action that the user saw, which has the same digest.
    """
    if request.approval_id is None or level != TrustLevel.L3_ACT_APPROVE:
        return None
    found = work.find(ApprovalRow, request.approval_id)
    fits = found is not None and found.status == "approved" and found.session_id == session.id
    return found if fits and found is not None and found.digest == request.digest else None


def _detail(
    request: Charging, already_paid: bool, overrun: bool, *, used: bool = False, approval_not_requested: bool = False
) -> dict[str, Any] | None:
    detail: dict[str, Any] = dict(request.detail)
    if already_paid:
        detail["already_paid"] = True
        if overrun:
            detail["overrun"] = True
    if request.category is not None:
        detail["category"] = request.category
    if request.note is not None:
        detail["note"] = request.note
    if request.approval_id is not None:
        detail["approval"] = request.approval_id
        detail["approval_used"] = used
    if isinstance(request, Hold) and request.until is not None:
        detail["until"] = request.until
    if approval_not_requested:
        # Earlier versions recorded a denial before each approval request; this flag distinguishes the two denials.
        detail["approval_requested"] = False
    return detail or None


def _check_amount(amount: int, least: int) -> None:
    if type(amount) is not int or not least <= amount <= money.MAX_NANO:
        more = "more than 0" if least else "at least 0"
        raise InvalidAmountError(
            f"An amount must be a whole number of nano-dollars, {more} and at most 1000000000 US dollars."
        )


def _check_detail(request: Charging) -> None:
    if own := sorted(_OWN_NAMES.intersection(request.detail)):
        raise InvalidRequestError(f"The detail of a charge cannot have the name {own[0]!r}; the ledger records it.")
