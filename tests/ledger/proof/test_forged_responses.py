"""A stored response that was forged does not agree with the charge or the record that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from aumos_governance.ledger.contract.audit_facts import Recorded
from aumos_governance.ledger.contract.budgets import Adjusted, Corrected, Resolved
from aumos_governance.ledger.contract.facts import Decision
from aumos_governance.ledger.proof.findings import named
from aumos_governance.ledger.transaction.rows import ResponseRow
from aumos_governance.types import ActionKind, GovernanceOutcome, TrustLevel
from tests.ledger.charges import hold
from tests.ledger.kit import at, opening
from tests.ledger.rich import rich_in_memory

WAITING = "an action that waits"


@pytest.fixture(scope="module")
def stored() -> Iterator[Any]:
    """A ledger on which everything was done; each test restores what it changes."""
    with rich_in_memory() as ledger:
        careful = at("careful.ipynb")
        ledger.execute(opening(careful, trust_level=TrustLevel.L3_ACT_APPROVE))
        act = {"kind": ActionKind.ACT, "required_level": TrustLevel.L3_ACT_APPROVE, "waits": True}
        waiting = ledger.execute(hold(0, notebook=careful, key=WAITING, **act))
        assert (waiting.outcome, waiting.code) == (GovernanceOutcome.DENY, "APPROVAL_REQUIRED")
        yield ledger


def findings(ledger: Any, wanted: Callable[[ResponseRow], bool], **values: Any) -> list[tuple[str, str, bool]]:
    """Return what a verification finds after the first wanted response got these values: code, column, is its row."""
    row = next(row for row in ledger._store.tables[ResponseRow].values() if wanted(row))
    before, changed = row.answer, replace(row.answer, **values)
    assert changed != before
    row.answer = changed
    try:
        found = ledger.verify().findings
    finally:
        row.answer = before
    assert ledger.verify().ok
    about = named((row.scope, row.key))
    assert all("'another'" in each.problem for each in found if each.problem.startswith("charge_id "))
    return [(each.code, each.problem.partition(" ")[0], each.record == about) for each in found]


def charged(row: ResponseRow) -> bool:
    return isinstance(row.answer, Decision) and row.charge_id is not None


def denied(row: ResponseRow) -> bool:
    return isinstance(row.answer, Decision) and row.answer.code == "BUDGET_EXCEEDED" and row.charge_id is None


def undecided(row: ResponseRow) -> bool:
    return row.key == WAITING


def of_type(kind: type[Any]) -> Callable[[ResponseRow], bool]:
    return lambda row: isinstance(row.answer, kind)


@pytest.mark.parametrize(
    ("wanted", "values"),
    [
        (charged, {"amount": 1}),
        (charged, {"tool": "other"}),
        (denied, {"amount": 1}),
        (denied, {"outcome": GovernanceOutcome.ALLOW}),
        (denied, {"record_id": "another"}),
        (undecided, {"amount": 1}),
        (undecided, {"outcome": GovernanceOutcome.ALLOW}),
        (undecided, {"code": "BUDGET_EXCEEDED"}),
        (undecided, {"record_id": "another"}),
        *((of_type(kind), {"record_id": "another"}) for kind in (Resolved, Corrected, Adjusted, Recorded)),
    ],
)
def test_a_response_that_states_something_else_than_its_charge_or_record_is_named(
    stored: Any, wanted: Callable[[ResponseRow], bool], values: dict[str, Any]
) -> None:
    assert findings(stored, wanted, **values) == [("ROW_DIFFERS", "answer", True)]


@pytest.mark.parametrize("kind", [Resolved, Corrected, Adjusted])
def test_a_response_about_another_charge_than_its_record_is_named(stored: Any, kind: type[Any]) -> None:
    found = findings(stored, of_type(kind), charge_id="another")
    assert found == [("ROW_DIFFERS", "charge_id", True), ("ROW_DIFFERS", "answer", True)]


def test_a_decision_about_another_charge_than_its_row_is_named(stored: Any) -> None:
    assert findings(stored, charged, charge_id="another") == [("ROW_DIFFERS", "charge_id", True)]
