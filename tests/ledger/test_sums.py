"""Sums at the limits of the columns: checked when each charge is made, and read without a limit, on all backends."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from aumos_governance.errors import AumOSGovernanceError, InvalidAmountError, InvalidRequestError
from aumos_governance.ledger.contract.agreements import AskApproval, GrantConsent, Record
from aumos_governance.ledger.contract.budgets import EnvelopeKind, EnvelopeSpec
from aumos_governance.ledger.contract.charges import Correct
from aumos_governance.ledger.contract.facts import NotebookKey, Origin
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditSums
from aumos_governance.ledger.contract.requests import Request
from aumos_governance.types import GovernanceOutcome
from tests.ledger.charges import hold, settle
from tests.ledger.kit import (
    BY_USER,
    KERNEL,
    NOTEBOOK,
    OTHER,
    SECOND,
    Backend,
    at,
    balance,
    change,
    closing,
    key,
    opening,
    records,
    spend,
    state,
)
from tests.ledger.rich import configure

MOST = 2**63 - 1
BILLION = 10**18


def fill(ledger: Ledger, notebook: NotebookKey = NOTEBOOK, *, billions: int = 9) -> None:
    """Spend so many billions of USD, which only an amount that was paid already can be."""
    for _ in range(billions):
        assert ledger.execute(spend(BILLION, notebook, already_paid=True, tool="big")).allowed


def top_up(ledger: Ledger, notebook: NotebookKey = NOTEBOOK) -> None:
    """Spend all that can still be added up, to the last nano-dollar."""
    ledger.execute(spend(MOST - 9 * BILLION, notebook, already_paid=True, tool="big"))


def refused(ledger: Ledger, request: Request[Any]) -> None:
    before = records(ledger)
    with pytest.raises(InvalidAmountError, match="more than the ledger can add up"):
        ledger.execute(request)
    assert records(ledger) == before


def test_a_balance_ends_with_its_column(ledger: Ledger) -> None:
    ledger.execute(opening())
    fill(ledger)
    top_up(ledger)
    assert balance(ledger).spent == MOST
    assert balance(ledger).over == MOST - balance(ledger).limit
    refused(ledger, spend(1, already_paid=True))
    assert ledger.execute(spend(1)).code == "BUDGET_EXCEEDED"
    assert ledger.verify().ok


def test_what_closed_sessions_spent_ends_with_its_column_too(ledger: Ledger) -> None:
    ledger.execute(opening())
    fill(ledger)
    # Closing and opening sessions always works: only a charge that would not fit in their sum is refused.
    ledger.execute(opening(new=True))
    refused(ledger, spend(BILLION, already_paid=True))
    top_up(ledger)
    refused(ledger, spend(1, already_paid=True))
    ledger.execute(closing())
    previous = state(ledger).previous
    assert previous is not None
    assert (previous.sessions, previous.spent) == (2, MOST)
    ledger.execute(opening(new=True))
    ledger.execute(closing())
    assert ledger.verify().ok


def test_a_late_settlement_leaves_room_for_the_session_that_is_open(ledger: Ledger) -> None:
    ledger.execute(opening())
    held = ledger.execute(hold(1)).charge_id
    ledger.execute(opening(new=True))
    fill(ledger)
    refused(ledger, settle(held, BILLION))
    assert ledger.execute(settle(held, 5)).spent == 5
    ledger.execute(closing())
    previous = state(ledger).previous
    assert previous is not None
    assert previous.spent == 9 * BILLION + 5
    assert ledger.verify().ok


def test_a_late_settlement_adds_all_of_it_to_what_closed_sessions_spent(ledger: Ledger) -> None:
    ledger.execute(opening(budget=BILLION))
    held = ledger.execute(hold(BILLION)).charge_id
    ledger.execute(opening(new=True))
    fill(ledger)
    refused(ledger, settle(held, MOST - 9 * BILLION + 1))
    ledger.execute(settle(held, MOST - 9 * BILLION))
    ledger.execute(closing())
    previous = state(ledger).previous
    assert previous is not None
    assert previous.spent == MOST
    assert ledger.verify().ok


def test_a_settlement_within_its_hold_always_fits(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(change(budget=BILLION))
    held = ledger.execute(hold(BILLION)).charge_id
    fill(ledger, billions=8)
    refused(ledger, spend(BILLION, already_paid=True))
    assert ledger.execute(settle(held, BILLION)).spent == BILLION
    assert ledger.verify().ok


def test_an_envelope_of_many_sessions_ends_with_its_column(ledger: Ledger) -> None:
    team = EnvelopeSpec("team", BILLION, EnvelopeKind.TEAM)
    ledger.execute(configure("ann", "/srv/ann", team))
    for number in range(10):
        notebook = at(f"{number}.ipynb")
        ledger.execute(opening(notebook))
        request = spend(BILLION, notebook, already_paid=True)
        if number < 9:
            assert ledger.execute(request).allowed
        else:
            refused(ledger, request)
    assert ledger.verify().ok


def test_what_another_session_holds_counts_in_the_envelope_of_both(ledger: Ledger) -> None:
    ledger.execute(configure(NOTEBOOK.owner, NOTEBOOK.root, EnvelopeSpec("all", BILLION, EnvelopeKind.OWNER)))
    for notebook in (NOTEBOOK, OTHER):
        ledger.execute(opening(notebook, budget=BILLION))
    assert ledger.execute(hold(BILLION)).allowed
    fill(ledger, OTHER, billions=8)
    refused(ledger, spend(MOST - 9 * BILLION + 1, OTHER, already_paid=True))
    top_up(ledger, OTHER)
    assert ledger.verify().ok


def test_sums_of_records_have_no_end(ledger: Ledger) -> None:
    for notebook in (NOTEBOOK, OTHER, at("third.ipynb")):
        ledger.execute(opening(notebook, agent_id="planner"))
        fill(ledger, notebook)
    (correction,) = [record.charge_id for record in records(ledger, event="spend")][:1]
    ledger.execute(Correct(key=key(), origin=BY_USER, charge_id=correction or "", amount=3, reason="three"))
    spent = 27 * BILLION - 3
    assert spent > MOST
    for by, name in (("tool", "big"), ("agent", "planner"), ("day", "2026-09-21")):
        (found,) = ledger.read(AuditSums(by=by))
        assert (found.name, found.spent) == (name, spent)
    (only,) = ledger.read(AuditSums(by="tool", notebook=OTHER))
    assert only.spent == 9 * BILLION
    assert ledger.verify().ok


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("day", ["2026-09-30", "2026-10-01"]),
        ("hour", ["2026-09-30T23:00Z", "2026-10-01T00:00Z"]),
        ("minute", ["2026-09-30T23:59Z", "2026-10-01T00:00Z"]),
    ],
)
def test_a_stretch_of_time_ends_where_the_next_one_begins(backend: Backend, by: str, names: list[str]) -> None:
    ledger = backend.open(clock=lambda: backend.clock.now)
    midnight = int(datetime(2026, 10, 1, tzinfo=timezone.utc).timestamp()) * SECOND
    for backend.clock.now in (midnight - 1, midnight):
        ledger.execute(spend(1))
    found = ledger.read(AuditSums(by=by))
    assert [(each.name, each.records, each.denied) for each in found] == [(name, 1, 1) for name in names]


def test_a_sum_below_nothing_is_one_as_well(ledger: Ledger) -> None:
    ledger.execute(opening())
    charge = ledger.execute(spend(10, tool="t")).charge_id
    ledger.execute(Correct(key=key(), origin=BY_USER, charge_id=charge or "", amount=7, reason="seven"))
    (found,) = ledger.read(AuditSums(event="correct"))
    assert (found.spent, found.records) == (-7, 1)


ABOUT = {"key": "", "origin": KERNEL, "notebook": NOTEBOOK}


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, 10**400])
@pytest.mark.parametrize("name", ["execution_count", "expires_at", "until", "consent", "approval", "asked", "record"])
def test_a_number_that_no_column_can_hold_is_refused_alike(ledger: Ledger, name: str, number: int) -> None:
    ledger.execute(opening())
    before = records(ledger)
    with pytest.raises(InvalidRequestError, match="must be a whole number of at most 64 bits"):
        ledger.execute(with_number(name, number))
    assert records(ledger) == before
    assert ledger.execute(spend(SECOND)).allowed


def with_number(name: str, number: int) -> Request[Any]:
    if name == "execution_count":
        return spend(origin=Origin("kernel", scope="k", execution_count=number))
    if name == "expires_at":
        return spend(expires_at=number)
    if name == "until":
        return hold(until=number)
    if name == "consent":
        return GrantConsent(**ABOUT, agent_id="a", data_type="names", purpose=None, granted_by="ann", until=number)
    if name == "record":
        return Record(**ABOUT, event="log", outcome=GovernanceOutcome.ALLOW, amount=number)
    amount = {"amount": number} if name == "asked" else {"until": number}
    return AskApproval(**ABOUT, digest="d", shown="{}", **amount)


@pytest.mark.parametrize("event", ["spend", "open", "trust", "correct"])
def test_no_caller_writes_records_by_which_rows_are_proven(ledger: Ledger, event: str) -> None:
    ledger.execute(opening())
    request = Record(**ABOUT, event=event, outcome=GovernanceOutcome.ALLOW)
    with pytest.raises(AumOSGovernanceError, match="which the ledger writes itself"):
        ledger.execute(request)
    assert ledger.verify().ok
