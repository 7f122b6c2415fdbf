"""Parts of a verification alone, and what it reports of two faults at once."""

from __future__ import annotations

from aumos_governance.ledger.contract.budgets import EnvelopeKind
from aumos_governance.ledger.operations.balances import envelope_id
from aumos_governance.ledger.proof.shared_ceilings import Configured, SharedCeilings
from tests.ledger.kit import Backend
from tests.ledger.rich import fill_richly

TEAM = EnvelopeKind.TEAM.value


def test_a_shared_ceiling_of_earlier_versions_may_have_each_amount_that_was_configured() -> None:
    id = envelope_id(TEAM, "", "team", "daily")
    envelopes = {id: Configured("team", TEAM, "daily", "", {5_000_000_000})}
    specs = [{"encloses": TEAM, "name": "team", "period": "daily", "ceiling": "7"}]
    SharedCeilings(envelopes).begin({("ann", "/srv"): specs})
    assert envelopes[id].ceilings == {5_000_000_000, 7_000_000_000}


def test_a_head_that_no_record_has_and_a_changed_row_are_both_named(sqlite: Backend) -> None:
    ledger = sqlite.open()
    fill_richly(ledger, sqlite.clock)
    assert sqlite.run_sql is not None
    sqlite.run_sql("UPDATE charges SET tool = 'other' WHERE tool = 'last'")
    found = ledger.verify(known_head="0" * 64)
    assert [(finding.code, finding.table) for finding in found.findings] == [
        ("HEAD_UNKNOWN", None),
        ("ROW_DIFFERS", "charges"),
        ("ROW_DIFFERS", "asks"),
    ]
