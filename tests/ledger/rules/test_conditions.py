"""Conditions in SQL: in the same words for an index and for a statement."""

from __future__ import annotations

import pytest

from aumos_governance.ledger.transaction.conditions import (
    Condition,
    among,
    at_most,
    differs,
    equal,
    given,
    has,
    missing,
    present,
)


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (equal("state", "held"), "state = 'held'"),
        (differs("outcome", "allow"), "outcome <> 'allow'"),
        (among("state", "held", "unresolved"), "state IN ('held', 'unresolved')"),
        (missing("until"), "until IS NULL"),
        (present("until"), "until IS NOT NULL"),
    ],
)
def test_a_condition_of_constants_is_written_with_or_without_its_table(condition: Condition, text: str) -> None:
    assert not condition.is_given
    assert condition.text() == text
    assert condition.text("charges") == f"charges.{text}"


@pytest.mark.parametrize("condition", [given("id"), at_most("until"), has("envelopes")])
def test_a_condition_that_is_given_its_value_is_not_written_with_constants(condition: Condition) -> None:
    assert condition.is_given
