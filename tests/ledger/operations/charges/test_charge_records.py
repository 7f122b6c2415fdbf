"""What the audit trail says of each charge, in full: nothing that was requested is missing, and nothing is added."""

from __future__ import annotations

from typing import Any

import pytest

from aumos_governance.ledger.contract.audit_facts import AuditEntry
from aumos_governance.ledger.contract.charges import Checks, ExpireHolds
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.types import ActionKind, GovernanceOutcome, TrustLevel
from tests.ledger.charges import correct, gone, hold, release, settle
from tests.ledger.kit import BY_USER, CENT, KERNEL, NOTEBOOK, SECOND, SERVER, USD, Backend, key, opening, records, spend

ALLOW, CAVEAT, DENY = GovernanceOutcome.ALLOW, GovernanceOutcome.ALLOW_WITH_CAVEAT, GovernanceOutcome.DENY
REQUESTED: dict[str, Any] = {
    "agent_id": "writer",
    "tool": "gpt-4o",
    "action_type": "read",
    "resource": "r1",
    "note": "a chapter",
    "detail": {"scope": "mail"},
}
STATED = {"scope": "mail", "note": "a chapter"}
"""What of the request is in the detail of its record."""


def fields_of(record: AuditEntry, *without: str) -> dict[str, Any]:
    """The record's fields that say what happened, as far as they say anything."""
    fields = (
        "event outcome code reasons agent_id tool action_type resource cell_id execution_count amount spent_delta"
        " held_delta charge_id detail"
    )
    given = {name: getattr(record, name) for name in fields.split() if name not in without}
    return {name: value for name, value in given.items() if value not in (None, (), 0, {})}


def by_kernel(event: str, amount: int, detail: dict[str, Any], **values: Any) -> dict[str, Any]:
    requested = {name: REQUESTED[name] for name in ("agent_id", "tool", "action_type", "resource")}
    fields = {"event": event, "outcome": ALLOW, **requested, "cell_id": "c1", "execution_count": 3}
    return {**fields, "amount": amount, "detail": {**STATED, **detail}, **values}


def test_a_spend_is_recorded_as_it_was_requested(ledger: Ledger) -> None:
    session = ledger.execute(opening(agent_id="planner")).state.session_id
    decision = ledger.execute(spend(CENT, **REQUESTED))
    record = records(ledger)[-1]
    assert fields_of(record) == by_kernel("spend", CENT, {}, spent_delta=CENT, charge_id=decision.charge_id)
    assert (record.chain, record.notebook, record.actor) == (session, NOTEBOOK.path, "kernel")
    assert (decision.amount, decision.tool, decision.level) == (CENT, "gpt-4o", TrustLevel.L2_SUGGEST)


def test_a_hold_is_recorded_as_it_was_requested(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    until = backend.clock.now + SECOND
    decision = ledger.execute(hold(CENT, until=until, **REQUESTED))
    recorded = by_kernel("hold", CENT, {"until": until}, held_delta=CENT, charge_id=decision.charge_id)
    assert fields_of(records(ledger)[-1]) == recorded


@pytest.mark.parametrize(("fits", "more"), [(True, {}), (False, {"overrun": True})])
def test_what_was_paid_already_is_an_overrun_only_where_it_does_not_fit(
    ledger: Ledger, fits: bool, more: dict[str, Any]
) -> None:
    ledger.execute(opening(budget=USD))
    amount = USD if fits else USD + 1
    decision = ledger.execute(spend(amount, already_paid=True, **REQUESTED))
    record = records(ledger)[-1]
    assert record.detail == {**STATED, "already_paid": True, **more}
    assert (decision.overrun, decision.outcome) == (not fits, ALLOW if fits else CAVEAT)
    assert (record.outcome, record.code, record.spent_delta) == (decision.outcome, decision.code, amount)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"amount": USD + 1}, "BUDGET_EXCEEDED"),
        ({"required_level": TrustLevel.L3_ACT_APPROVE}, "TRUST_LEVEL_INSUFFICIENT"),
        ({"kind": ActionKind.ACT}, "SUGGESTED"),
        ({"checks": Checks(data_type="mail")}, "CONSENT_DENIED"),
    ],
    ids=str,
)
@pytest.mark.parametrize("request_of", [spend, hold])
def test_a_refusal_is_recorded_as_it_was_requested(
    ledger: Ledger, request_of: Any, values: dict[str, Any], code: str
) -> None:
    ledger.execute(opening(budget=USD))
    decision = ledger.execute(request_of(**{"amount": CENT, **REQUESTED, **values}))
    event = request_of.__name__
    refused = by_kernel(event, values.get("amount", CENT), {}, outcome=DENY, code=code, reasons=decision.reasons)
    assert fields_of(records(ledger)[-1]) == refused
    assert (decision.allowed, decision.code, decision.charge_id, decision.overrun) == (False, code, None, False)
    assert decision.tool == "gpt-4o"


@pytest.mark.parametrize("request_of", [spend, hold])
def test_with_no_session_open_a_request_is_recorded_in_the_ledger_s_chain(ledger: Ledger, request_of: Any) -> None:
    decision = ledger.execute(request_of(CENT, **REQUESTED))
    record = records(ledger)[-1]
    refused = by_kernel(request_of.__name__, CENT, {}, outcome=DENY, code="NO_SESSION", reasons=decision.reasons)
    assert fields_of(record) == refused
    assert (record.chain, decision.tool, decision.amount) == ("ledger", "gpt-4o", CENT)


@pytest.mark.parametrize("ends", ["settle", "release", "expire"])
def test_the_end_of_a_hold_is_recorded_with_nothing_that_did_not_happen(backend: Backend, ends: str) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    hold_id = ledger.execute(hold(CENT, until=backend.clock.now + SECOND, **REQUESTED)).charge_id
    if ends == "expire":
        backend.clock.advance(2 * SECOND)
        ledger.execute(ExpireHolds(key=key(), origin=SERVER))
        caller: dict[str, Any] = {}
    else:
        resolved = ledger.execute(settle(hold_id, CENT) if ends == "settle" else release(hold_id))
        assert (resolved.estimated, resolved.overrun, resolved.held) == (False, False, CENT)
        caller = {"cell_id": "c1", "execution_count": 3}
    spent = {"amount": CENT, "spent_delta": CENT} if ends == "settle" else {}
    assert fields_of(records(ledger)[-1]) == {
        "event": ends,
        "outcome": ALLOW,
        "agent_id": "writer",
        "tool": "gpt-4o",
        "charge_id": hold_id,
        "held_delta": -CENT,
        **caller,
        **spent,
    }


def test_a_hold_whose_kernel_is_gone_is_recorded_with_what_is_held(ledger: Ledger) -> None:
    ledger.execute(opening())
    hold_id = ledger.execute(hold(CENT, **REQUESTED)).charge_id
    ledger.execute(gone())
    record = records(ledger)[-1]
    assert fields_of(record, "reasons") == {
        "event": "unresolved",
        "outcome": ALLOW,
        "agent_id": "writer",
        "tool": "gpt-4o",
        "amount": CENT,
        "charge_id": hold_id,
    }


def test_a_correction_is_recorded_with_what_it_is_of_and_why(ledger: Ledger) -> None:
    ledger.execute(opening())
    charge_id = ledger.execute(spend(3 * CENT, **REQUESTED)).charge_id
    ledger.execute(correct(charge_id, CENT))
    record = records(ledger)[-1]
    assert fields_of(record, "detail") == {
        "event": "correct",
        "outcome": ALLOW,
        "reasons": ("double",),
        "agent_id": "writer",
        "tool": "gpt-4o",
        "amount": CENT,
        "spent_delta": -CENT,
        "charge_id": charge_id,
    }
    assert record.actor == BY_USER.actor


def test_the_listeners_of_a_notebook_hear_of_every_request_on_record(ledger: Ledger) -> None:
    """A notebook's ``seq`` rises with each change of its state, and with each refusal."""
    seen = [ledger.execute(opening(budget=USD)).state.seq]

    def rises() -> None:
        state = ledger.execute(spend(2 * USD)).state
        assert state is not None
        # The refused spend itself, and what was done before it.
        seen.append(state.seq)

    rises()
    assert seen[-1] == seen[-2] + 1
    decision = ledger.execute(hold(CENT, origin=KERNEL))
    rises()
    assert seen[-1] == seen[-2] + 2
    ledger.execute(gone())
    rises()
    assert seen[-1] == seen[-2] + 2
    ledger.execute(settle(decision.charge_id, CENT, origin=BY_USER))
    rises()
    assert seen[-1] == seen[-2] + 2
