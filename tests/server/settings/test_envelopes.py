"""Ceilings over several sessions: read from the settings, put around sessions, and named in errors when exceeded."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from traitlets import TraitError
from traitlets.config import Config
from traitlets.config.loader import DeferredConfigList

from aumos_governance.ledger.contract.budgets import CeilingState, EnvelopeKind, EnvelopeSpec, SetCeiling
from aumos_governance.ledger.contract.charges import Spend
from aumos_governance.ledger.contract.facts import Balance, Origin
from aumos_governance.ledger.contract.requests import OpenSession
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.server.extension import GovernanceExtension
from aumos_governance.server.rest.ceilings import difference_sentence, differences
from aumos_governance.server.settings.envelope_traits import read_envelopes
from aumos_governance.types import BudgetPeriod
from tests.server.described import check

USD = 1_000_000_000
KERNEL = Origin("kernel", scope="kernel-1")
GOOD = {"name": "class-5", "kind": "team", "ceiling": "100", "period": "monthly"}
_keys = (f"envelope-key-{number}" for number in itertools.count(1))


def configured(envelopes: Any) -> tuple[EnvelopeSpec, ...]:
    extension = GovernanceExtension(config=Config({"GovernanceExtension": {"envelopes": envelopes}}))
    return read_envelopes(extension.envelopes)


# ---- the setting


def test_envelopes_are_read_with_what_they_enclose() -> None:
    assert configured([GOOD, {"name": "each", "kind": "notebook", "ceiling": 2.5}]) == (
        EnvelopeSpec("class-5", 100 * USD, EnvelopeKind.TEAM, BudgetPeriod.MONTHLY),
        EnvelopeSpec("each", 5 * USD // 2, EnvelopeKind.NOTEBOOK, BudgetPeriod.LIFETIME),
    )
    assert configured([]) == configured(()) == ()


@pytest.mark.parametrize("kind", ["owner", "user"])
def test_an_owner_may_be_called_a_user(kind: str) -> None:
    assert configured([{**GOOD, "kind": kind}])[0].encloses is EnvelopeKind.OWNER


@pytest.mark.parametrize("ceiling", ["$0.50", 0.5, Decimal("0.500")])
def test_a_ceiling_is_the_same_however_it_is_written(ceiling: Any) -> None:
    assert configured([{**GOOD, "ceiling": ceiling}])[0].ceiling == USD // 2


def test_a_command_line_has_one_dict_for_each() -> None:
    written = DeferredConfigList([str(GOOD), '{"name": "all", "kind": "server", "ceiling": 9}'])
    assert [spec.name for spec in configured(written)] == ["class-5", "all"]


EXAMPLE = "{'name': 'class-5', 'kind': 'team', 'ceiling': '100', 'period': 'monthly'}"
LIST = f" must be a list of envelopes, for example [{EXAMPLE}]."
AMOUNT = "but must be an amount from 0 to 1000000000 US dollars with at most 9 decimals."
KINDS = "but must be one of notebook, owner, server, team, user."
PERIODS = "but must be one of daily, weekly, monthly, yearly, lifetime."


@pytest.mark.parametrize(
    ("envelopes", "sentence"),
    [
        ("class-5", f"[0] is 'class-5', but must be a dict, for example {EXAMPLE}."),
        (GOOD, LIST),
        (5, LIST),
        (["class-5"], f"[0] is 'class-5', but must be a dict, for example {EXAMPLE}."),
        (DeferredConfigList(["{"]), f"[0] is '{{', but must be a dict, for example {EXAMPLE}."),
        (
            [GOOD, {**GOOD, "celing": 5}],
            "[1] has the unknown field 'celing'; the fields are name, kind, ceiling, period.",
        ),
        ([{"name": "a", "kind": "team"}], f"[0] has no ceiling; an envelope is, for example, {EXAMPLE}."),
        ([{**GOOD, "name": None}], f"[0] has no name; an envelope is, for example, {EXAMPLE}."),
        ([{**GOOD, "name": " "}], "[0].name is ' ', but must be text of 1 to 1000 characters."),
        ([{**GOOD, "name": 5}], "[0].name is 5, but must be text of 1 to 1000 characters."),
        ([{**GOOD, "kind": "planet"}], f"[0].kind is 'planet', {KINDS}"),
        ([{**GOOD, "kind": ["team"]}], f"[0].kind is ['team'], {KINDS}"),
        ([{**GOOD, "ceiling": -1}], f"[0].ceiling is -1, {AMOUNT}"),
        ([{**GOOD, "ceiling": "nan"}], f"[0].ceiling is 'nan', {AMOUNT}"),
        ([{**GOOD, "ceiling": True}], f"[0].ceiling is True, {AMOUNT}"),
        ([{**GOOD, "period": "hourly"}], f"[0].period is 'hourly', {PERIODS}"),
        ([GOOD, GOOD], " has two envelopes with the name 'class-5'; each needs a name of its own."),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(envelopes: Any, sentence: str) -> None:
    with pytest.raises(TraitError) as refused:
        configured(envelopes)
    assert str(refused.value) == f"GovernanceExtension.envelopes{sentence}"


# ---- on a server


NESTED = [GOOD, {"name": "each notebook", "kind": "notebook", "ceiling": "3"}]


@pytest.fixture
def governance_config(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"envelopes": getattr(request, "param", NESTED)}


def spend(extension: Any, path: str, amount: int) -> Any:
    key, ledger = extension._notebooks.key(path), extension._ledger
    ledger.execute(OpenSession(key=next(_keys), origin=KERNEL, notebook=key, terms=SessionTerms()))
    return ledger.execute(Spend(key=next(_keys), origin=KERNEL, notebook=key, amount=amount, tool="gpt-4o"))


async def test_the_ceilings_around_a_session_are_listed_inner_before_outer(rest: Any, extension: Any) -> None:
    assert (await rest("GET", "envelopes", path="a.ipynb")).body == {"envelopes": []}
    assert spend(extension, "a.ipynb", 2 * USD).allowed
    assert spend(extension, "b.ipynb", USD).allowed
    body = (await rest("GET", "envelopes", path="/a.ipynb")).body
    check("Envelopes", body)
    inner, outer = body["envelopes"]
    assert inner == {
        "name": "each notebook",
        "kind": "notebook",
        "period": "lifetime",
        "period_start": None,
        "limit": "3",
        "spent": "2",
        "held": "0",
        "remaining": "1",
        "over": "0",
        "charges": 1,
    }
    assert (outer["name"], outer["kind"], outer["spent"], outer["remaining"]) == ("class-5", "team", "3", "97")
    assert outer["period_start"].endswith("-01T00:00:00.000000Z")


async def test_a_denial_names_the_ceiling_that_is_too_small(rest: Any, extension: Any) -> None:
    assert spend(extension, "a.ipynb", 2 * USD).allowed
    denied = spend(extension, "a.ipynb", 2 * USD)
    assert (denied.allowed, denied.code) == (False, "BUDGET_EXCEEDED")
    assert denied.reasons == ("Would exceed the lifetime ceiling 'each notebook' ($4.00 > $3.00)",)
    await rest("POST", "close", path="a.ipynb")
    assert not spend(extension, "a.ipynb", 2 * USD).allowed, "a fresh session does not escape what is around it"
    (record, *_) = (await rest("GET", "audit", outcome="deny")).body["records"]
    assert "'each notebook'" in record["reasons"][0]


async def test_the_configuration_is_on_record(rest: Any) -> None:
    (record,) = (await rest("GET", "audit", event="configure")).body["records"]
    assert record["actor"] == "server"
    assert [envelope["name"] for envelope in record["detail"]["to"]] == ["each notebook", "class-5"]


@pytest.mark.parametrize("governance_config", [[]], indirect=True)
async def test_without_envelopes_nothing_is_recorded(rest: Any, extension: Any) -> None:
    assert spend(extension, "a.ipynb", USD).allowed
    assert (await rest("GET", "envelopes", path="a.ipynb")).body == {"envelopes": []}
    assert (await rest("GET", "audit", event="configure")).body["records"] == []


# ---- ceilings in the ledger that differ from the configuration


async def test_what_stands_otherwise_is_shown_until_a_user_changes_it(rest: Any, extension: Any) -> None:
    check("Config", (await rest("GET", "config")).body)
    assert (await rest("GET", "config")).body["ceilings_differ"] == []

    def change(ceiling: int | None, period: BudgetPeriod) -> None:
        extension._ledger.execute(
            SetCeiling(
                key=next(_keys),
                origin=Origin("ann", person=True),
                encloses=EnvelopeKind.TEAM,
                subject="",
                name="class-5",
                ceiling=ceiling,
                period=period,
            )
        )

    change(3 * USD, BudgetPeriod.DAILY)
    body = (await rest("GET", "config")).body
    check("Config", body)
    configured = {"limit": "100", "period": "monthly"}
    assert body["ceilings_differ"] == [
        {"name": "class-5", "kind": "team", "configured": configured, "stands": [{"limit": "3", "period": "daily"}]}
    ]
    assert difference_sentence(body["ceilings_differ"][0]) == (
        "The team ceiling 'class-5' is $3.00 daily in the ledger, unlike in this server's configuration"
        " ($100.00 monthly); only the command jupyter governance ceiling changes it."
    )
    change(None, BudgetPeriod.DAILY)
    (found,) = (await rest("GET", "config")).body["ceilings_differ"]
    assert found == {"name": "class-5", "kind": "team", "configured": configured, "stands": []}
    change(100 * USD, BudgetPeriod.MONTHLY)
    assert (await rest("GET", "config")).body["ceilings_differ"] == []


def test_a_server_without_envelopes_differs_from_what_stands() -> None:
    stands = CeilingState(EnvelopeKind.OWNER, "ann", "mine", BudgetPeriod.DAILY, 0, Balance(USD, 0, 0))
    lifted = CeilingState(EnvelopeKind.OWNER, "ann", "gone", None, 0, Balance(0, 0, 0))
    (found,) = differences((), [stands, lifted])
    assert found == {
        "name": "mine",
        "kind": "owner",
        "configured": None,
        "stands": [{"limit": "1", "period": "daily"}],
    }
    assert "(no such envelope)" in difference_sentence(found)
