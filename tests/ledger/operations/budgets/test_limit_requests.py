"""What is recorded of calls that wait at a limit on money."""

from __future__ import annotations

from typing import Any

import pytest

from aumos_governance.errors import InvalidRequestError
from aumos_governance.ledger.contract.facts import Limit
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.limits import LimitEvent, RecordLimitRequest
from aumos_governance.types import GovernanceOutcome
from tests.ledger.kit import BY_USER, CENT, KERNEL, NOTEBOOK, USD, closing, key, opening, records, state


def waits(event: LimitEvent, **values: Any) -> RecordLimitRequest:
    given = {"key": key(), "origin": KERNEL, "notebook": NOTEBOOK, "event": event, "amount": 3 * CENT}
    return RecordLimitRequest(**given | {"needs": 2 * CENT, "tool": "gpt-4o"} | values)


def test_what_waits_at_a_limit_is_no_decision_and_says_what_it_needs(ledger: Ledger) -> None:
    session_id = ledger.execute(opening(agent_id="planner")).state.session_id
    before = state(ledger).seq
    limit = Limit("category", "llm", 4 * CENT, USD)
    recorded = ledger.execute(waits(LimitEvent.REQUESTED, limit=limit))
    record = records(ledger)[-1]
    assert (record.record_id, record.at, record.chain) == (recorded.record_id, recorded.at, session_id)
    assert (record.event, record.outcome, record.amount) == (LimitEvent.REQUESTED.value, None, 3 * CENT)
    assert (record.agent_id, record.tool) == ("planner", "gpt-4o")
    assert record.detail == {"needs": "0.02", "limit": {"kind": "category", "name": "llm", "allowed": "1"}}
    assert state(ledger).seq == before + 1


def test_what_a_user_denies_is_a_denial_of_all_calls_that_wait(ledger: Ledger) -> None:
    ledger.execute(opening(agent_id="planner"))
    ledger.execute(waits(LimitEvent.DENIED, origin=BY_USER, count=4, agent_id="writer"))
    record = records(ledger)[-1]
    assert (record.event, record.outcome, record.actor) == (LimitEvent.DENIED.value, GovernanceOutcome.DENY, "ann")
    assert (record.agent_id, record.detail) == ("writer", {"calls": 4})


@pytest.mark.parametrize("was_open", [True, False])
def test_with_no_session_open_it_stands_in_the_ledger_s_chain(ledger: Ledger, was_open: bool) -> None:
    if was_open:
        ledger.execute(opening(agent_id="planner"))
        ledger.execute(closing())
    ledger.execute(waits(LimitEvent.REQUESTED))
    record = records(ledger)[-1]
    assert (record.chain, record.agent_id, record.detail) == ("ledger", None, {"needs": "0.02"})


@pytest.mark.parametrize("field", ["amount", "needs"])
def test_what_is_no_amount_is_refused(ledger: Ledger, field: str) -> None:
    ledger.execute(opening())
    with pytest.raises(InvalidRequestError, match=field):
        ledger.execute(waits(LimitEvent.REQUESTED, **{field: 0.5}))
    assert len(records(ledger)) == 1
