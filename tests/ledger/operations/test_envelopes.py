from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from aumos_governance.errors import (
    BudgetNotFoundError,
    ConfigurationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
)
from aumos_governance.ledger.contract.budgets import BudgetState, ConfigureEnvelopes, EnvelopeKind, EnvelopeSpec
from aumos_governance.ledger.contract.facts import Balance, NotebookKey
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListBudgets, ListEnvelopes
from aumos_governance.ledger.operations.balances import period_start
from aumos_governance.types import BudgetPeriod
from tests.ledger.charges import hold, settle
from tests.ledger.kit import (
    BY_USER,
    CENT,
    HOUR,
    NOTEBOOK,
    OTHER,
    SERVER,
    USD,
    Backend,
    balance,
    budget,
    closing,
    key,
    opening,
    records,
    spend,
    void,
)

DAY = 24 * HOUR


def configure(ledger: Ledger, *specs: EnvelopeSpec, owner: str = "ann", root: str = "/srv/ann") -> bool:
    request = ConfigureEnvelopes(key=key(), origin=SERVER, owner=owner, root=root, envelopes=specs)
    return ledger.execute(request)


def envelopes(ledger: Ledger, notebook: NotebookKey = NOTEBOOK) -> dict[str, Balance]:
    return {found.name: found.balance for found in ledger.read(ListEnvelopes(notebook=notebook))}


def budgets(ledger: Ledger, **values: Any) -> tuple[BudgetState, ...]:
    return ledger.read(ListBudgets(**{"notebook": NOTEBOOK} | values))


# ---- configured envelopes


def test_a_charge_must_fit_in_all_envelopes(ledger: Ledger) -> None:
    assert configure(
        ledger,
        EnvelopeSpec("class", 90 * CENT, EnvelopeKind.SERVER),
        EnvelopeSpec("each notebook", 60 * CENT, EnvelopeKind.NOTEBOOK, BudgetPeriod.MONTHLY),
    )
    ledger.execute(opening(budget=1 * USD))
    ledger.execute(opening(OTHER, budget=1 * USD))
    found = ledger.read(ListEnvelopes(notebook=NOTEBOOK))
    assert [(envelope.name, envelope.kind) for envelope in found] == [
        ("budget", "session"),
        ("each notebook", "notebook"),
        ("class", "server"),
    ]
    assert ledger.execute(spend(60 * CENT)).allowed
    denied = ledger.execute(spend(CENT))
    assert denied.reasons == ("Would exceed the monthly ceiling 'each notebook' ($0.61 > $0.60)",)
    denied = ledger.execute(hold(40 * CENT, notebook=OTHER))
    assert denied.reasons == ("Would exceed the lifetime ceiling 'class' ($1.00 > $0.90)",)
    assert denied.code == "BUDGET_EXCEEDED"
    reserved = ledger.execute(hold(30 * CENT, notebook=OTHER))
    assert envelopes(ledger, OTHER) == {
        "budget": Balance(1 * USD, 0, 30 * CENT),
        "each notebook": Balance(60 * CENT, 0, 30 * CENT),
        "class": Balance(90 * CENT, 60 * CENT, 30 * CENT),
    }
    ledger.execute(settle(reserved.charge_id, 10 * CENT))
    request = spend(5 * CENT, OTHER)
    ledger.execute(request)
    ledger.execute(void(request.key, OTHER))
    assert envelopes(ledger, OTHER)["class"] == Balance(90 * CENT, 70 * CENT, 0)
    assert envelopes(ledger) == {
        "budget": Balance(1 * USD, 60 * CENT, 0),
        "each notebook": Balance(60 * CENT, 60 * CENT, 0),
        "class": Balance(90 * CENT, 70 * CENT, 0),
    }


def test_a_new_session_does_not_escape_what_is_around_it(ledger: Ledger) -> None:
    configure(ledger, EnvelopeSpec("each notebook", 50 * CENT, EnvelopeKind.NOTEBOOK))
    ledger.execute(opening())
    ledger.execute(spend(40 * CENT))
    ledger.execute(opening(new=True))
    assert not ledger.execute(spend(20 * CENT)).allowed
    ledger.execute(closing())
    ledger.execute(opening())
    assert ledger.execute(spend(10 * CENT)).allowed
    assert envelopes(ledger)["each notebook"].spent == 50 * CENT


def test_who_shares_an_envelope(ledger: Ledger) -> None:
    elsewhere, bob = replace(NOTEBOOK, root="/srv/two"), replace(NOTEBOOK, owner="bob")
    kinds = [EnvelopeSpec(kind.value, 1 * USD, kind) for kind in EnvelopeKind]
    for notebook in (NOTEBOOK, elsewhere, bob):
        configure(ledger, *kinds, owner=notebook.owner, root=notebook.root)
        ledger.execute(opening(notebook))
    ledger.execute(opening(OTHER))
    ledger.execute(spend(CENT))
    spent = {
        name: {envelope: found.spent for envelope, found in envelopes(ledger, notebook).items()}
        for name, notebook in (("same", OTHER), ("owner", elsewhere), ("team", bob))
    }
    assert spent["same"] == {"budget": 0, "notebook": 0, "owner": CENT, "server": CENT, "team": CENT}
    assert spent["owner"] == {"budget": 0, "notebook": 0, "owner": CENT, "server": 0, "team": CENT}
    assert spent["team"] == {"budget": 0, "notebook": 0, "owner": 0, "server": 0, "team": CENT}


def test_a_period_starts_anew_and_a_hold_stays_in_its_own(backend: Backend) -> None:
    ledger = backend.open()
    configure(ledger, EnvelopeSpec("daily", 50 * CENT, EnvelopeKind.OWNER, BudgetPeriod.DAILY))
    ledger.execute(opening())
    ledger.execute(spend(20 * CENT))
    reserved = ledger.execute(hold(30 * CENT))
    assert not ledger.execute(spend(CENT)).allowed
    backend.clock.advance(DAY)
    assert envelopes(ledger)["daily"] == Balance(50 * CENT, 0, 0)
    assert ledger.execute(spend(50 * CENT)).allowed
    # A settlement counts on the day on which the hold was made.
    ledger.execute(settle(reserved.charge_id, 30 * CENT))
    assert envelopes(ledger)["daily"] == Balance(50 * CENT, 50 * CENT, 0)
    assert balance(ledger).spent == 100 * CENT
    backend.clock.advance(-DAY)
    assert envelopes(ledger)["daily"] == Balance(50 * CENT, 50 * CENT, 0)


def test_a_changed_configuration_counts_from_now_on(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(spend(40 * CENT))
    assert configure(ledger, EnvelopeSpec("class", 50 * CENT, EnvelopeKind.SERVER))
    assert not configure(ledger, EnvelopeSpec("class", 50 * CENT, EnvelopeKind.SERVER))
    assert envelopes(ledger)["class"] == Balance(50 * CENT, 0, 0)
    reserved = ledger.execute(hold(50 * CENT))
    assert configure(ledger, EnvelopeSpec("class", 20 * CENT, EnvelopeKind.SERVER))
    assert envelopes(ledger)["class"].over == 30 * CENT
    assert configure(ledger)
    assert set(envelopes(ledger)) == {"budget"}
    assert ledger.execute(spend(CENT)).allowed
    # A charge is resolved in the envelopes to which it was made, even if they no longer enclose anything.
    ledger.execute(settle(reserved.charge_id, 30 * CENT))
    assert configure(ledger, EnvelopeSpec("class", 40 * CENT, EnvelopeKind.SERVER))
    assert envelopes(ledger)["class"] == Balance(40 * CENT, 30 * CENT, 0)
    found = records(ledger, event="configure")
    assert len(found) == 4
    assert found[0].chain == "ledger"
    assert found[0].detail["to"] == [{"name": "class", "ceiling": "0.5", "encloses": "server", "period": "lifetime"}]
    assert ledger.verify().ok


@pytest.mark.parametrize(
    "specs",
    [
        [EnvelopeSpec("a", 1, EnvelopeKind.OWNER), EnvelopeSpec("a", 1, EnvelopeKind.TEAM)],
        [EnvelopeSpec("", 1, EnvelopeKind.OWNER)],
        [EnvelopeSpec("a", -1, EnvelopeKind.OWNER)],
        [EnvelopeSpec("a", 1.5, EnvelopeKind.OWNER)],  # type: ignore[arg-type]
    ],
)
def test_configurations_that_cannot_be(ledger: Ledger, specs: list[EnvelopeSpec]) -> None:
    with pytest.raises(ConfigurationError):
        configure(ledger, *specs)
    assert records(ledger) == []


# ---- budgets of categories


def test_a_category_has_a_ceiling_of_its_own(ledger: Ledger) -> None:
    with pytest.raises(NotFoundError):
        ledger.execute(budget("research", USD))
    ledger.execute(opening(budget=1 * USD))
    created = ledger.execute(budget("research", 50 * CENT))
    assert (created.created, created.changed) == (True, False)
    assert created.balance == Balance(50 * CENT, 0, 0)
    with pytest.raises(BudgetNotFoundError):
        ledger.execute(spend(CENT, category="other"))
    assert ledger.execute(spend(40 * CENT, category="research")).allowed
    denied = ledger.execute(spend(20 * CENT, category="research"))
    assert denied.reasons == ("Would exceed budget 'research' ($0.60 > $0.50)",)
    assert ledger.execute(spend(60 * CENT)).allowed
    denied = ledger.execute(spend(1 * CENT, category="research"))
    assert denied.reasons == ("Would exceed budget ($1.01 > $1.00)",)
    (found,) = budgets(ledger)
    assert (found.category, found.period, found.charges) == ("research", BudgetPeriod.MONTHLY, 1)
    assert found.balance == Balance(50 * CENT, 40 * CENT, 0)
    assert balance(ledger).spent == 100 * CENT
    assert records(ledger, event="spend")[0].detail == {"category": "research"}


def test_a_budget_is_created_once_and_changed_on_purpose(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(budget("b", 50 * CENT))
    ledger.execute(budget("a", 1 * USD, period=BudgetPeriod.DAILY))
    same = ledger.execute(budget("b", 50 * CENT))
    assert (same.created, same.changed) == (False, False)
    with pytest.raises(ConflictError, match=r"change it with set_limit\('b', limit\)"):
        ledger.execute(budget("b", 60 * CENT))
    with pytest.raises(ConflictError, match="a daily budget 'a'"):
        ledger.execute(budget("a", 1 * USD, period=BudgetPeriod.WEEKLY))
    ledger.execute(spend(30 * CENT, category="b"))
    lowered = ledger.execute(budget("b", 20 * CENT, create=False))
    assert lowered.changed
    assert lowered.balance.over == 10 * CENT
    assert not ledger.execute(budget("b", 20 * CENT, create=False)).changed
    with pytest.raises(BudgetNotFoundError):
        ledger.execute(budget("c", 1, create=False))
    with pytest.raises(InvalidRequestError):
        ledger.execute(budget("", 1))
    assert [found.category for found in budgets(ledger)] == ["a", "b"]
    assert [found.category for found in budgets(ledger, category="b")] == ["b"]
    assert budgets(ledger, category="c") == ()
    assert budgets(ledger, notebook=OTHER) == ()
    assert [record.detail["to"] for record in records(ledger, event="budget")] == ["0.5", "1", "0.2"]


def test_a_new_session_has_no_budgets_yet(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(budget("a", 1))
    ledger.execute(opening(new=True))
    assert budgets(ledger) == ()
    assert ledger.execute(budget("a", 2, origin=BY_USER)).created


def test_a_budgets_period_rolls(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    ledger.execute(budget("a", 10 * CENT, period=BudgetPeriod.WEEKLY))
    ledger.execute(spend(10 * CENT, category="a"))
    assert not ledger.execute(spend(1, category="a")).allowed
    backend.clock.advance(7 * DAY)
    assert budgets(ledger)[0].balance == Balance(10 * CENT, 0, 0)
    assert budgets(ledger)[0].period_start > 0
    assert ledger.execute(spend(10 * CENT, category="a")).allowed


# ---- periods


@pytest.mark.parametrize(
    ("period", "start"),
    [
        (BudgetPeriod.DAILY, (2026, 11, 22)),
        (BudgetPeriod.WEEKLY, (2026, 11, 16)),
        (BudgetPeriod.MONTHLY, (2026, 11, 1)),
        (BudgetPeriod.YEARLY, (2026, 1, 1)),
    ],
)
def test_periods_are_calendar_periods_in_utc(period: BudgetPeriod, start: tuple[int, int, int]) -> None:
    begins = int(datetime(*start, tzinfo=timezone.utc).timestamp()) * 1_000_000
    # A Sunday, the last microsecond of its ISO week.
    sunday = int(datetime(2026, 11, 22, 23, 59, 59, tzinfo=timezone.utc).timestamp()) * 1_000_000 + 999_999
    assert period_start(period, sunday) == begins
    assert period_start(period, begins) == begins
    assert period_start(period, begins - 1) < begins
    assert period_start(BudgetPeriod.LIFETIME, sunday) == 0
    with pytest.raises(ValueError, match="The period must be one of daily, "):
        period_start("hourly", sunday)
