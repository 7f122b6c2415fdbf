"""``jupyter governance ceiling``: it shows shared ceilings, and only a user changes them, with a record."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.budgets import ConfigureEnvelopes, EnvelopeKind, EnvelopeSpec
from aumos_governance.ledger.contract.facts import Origin
from aumos_governance.ledger.contract.queries import AuditQuery
from aumos_governance.owner import owner
from aumos_governance.types import BudgetPeriod
from aumos_governance.wire.protocol import KERNEL_ENV, STRICT_ENV
from tests.cli.conftest import Run, command

USD = 1_000_000_000


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "aumos_governance" / "ledger.sqlite"
    path.parent.mkdir(parents=True)
    team = EnvelopeSpec("class", 3 * USD, EnvelopeKind.TEAM, BudgetPeriod.MONTHLY)
    with closing(open_ledger(f"sqlite:///{path}")) as ledger:
        for name in ("ann", "bob"):
            mine = EnvelopeSpec("mine", 2 * USD, EnvelopeKind.OWNER)
            ledger.execute(
                ConfigureEnvelopes(key="", origin=Origin("server"), owner=name, root="/srv", envelopes=(team, mine))
            )
    return path


def changes(path: Path) -> list[tuple[str, object]]:
    with closing(open_ledger(f"sqlite:///{path}")) as ledger:
        assert ledger.verify().ok
        page = ledger.read(AuditQuery(event="ceiling", oldest_first=True))
        return [(record.actor, record.detail["to"]) for record in page.records]


def test_ceilings_are_listed(ledger: Path, run: Run) -> None:
    ended = run("ceiling", "list")
    assert (ended.code, ended.err) == (0, "")
    assert [line.split() for line in ended.lines] == [
        ["CEILING", "KIND", "OF", "PERIOD", "LIMIT", "SPENT", "HELD", "REMAINING"],
        ["mine", "owner", "ann", "lifetime", "$2.00", "$0.00", "$0.00", "$2.00"],
        ["mine", "owner", "bob", "lifetime", "$2.00", "$0.00", "$0.00", "$2.00"],
        ["class", "team", "monthly", "$3.00", "$0.00", "$0.00", "$3.00"],
    ]


def test_a_ceiling_is_set_and_lifted_on_record(ledger: Path, run: Run) -> None:
    ended = run("ceiling", "set", "class", "5", "--yes", "--json")
    assert ended.code == 0
    assert ended.err == "The team ceiling 'class': from $3.00 monthly to $5.00 monthly. The change was recorded.\n"
    assert '"limit": "5"' in ended.out
    assert run("ceiling", "set", "class", "5", "--yes").err.endswith("It had this value already.\n")
    assert run("ceiling", "lift", "class", "--yes").code == 0
    ended = run("ceiling", "set", "class", "1", "--yes")
    assert (ended.code, ended.err) == (
        2,
        "The team ceiling 'class' was lifted; name the period that it is to have.\n",
    )
    assert run("ceiling", "set", "class", "1", "--period", "daily", "--yes").code == 0
    assert run("ceiling", "set", "mine", "1", "--user", "bob", "--yes").code == 0
    assert changes(ledger) == [
        (owner(), [{"period": "monthly", "ceiling": "5"}]),
        (owner(), []),
        (owner(), [{"period": "daily", "ceiling": "1"}]),
        (owner(), [{"period": "lifetime", "ceiling": "1"}]),
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("set", "clas", "5", "--yes"), "There is no shared ceiling 'clas'"),
        (("set", "mine", "5", "--yes"), "Several ceilings are named 'mine'; choose one with --kind or --user."),
        (("set", "class", "-5", "--yes"), "ceiling"),
        (("lift", "class", "--user", "ann", "--yes"), "There is no shared ceiling 'class'"),
    ],
)
def test_what_cannot_be_changed_is_one_sentence(
    ledger: Path, run: Run, arguments: tuple[str, ...], sentence: str
) -> None:
    ended = run("ceiling", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err
    assert changes(ledger) == []


@pytest.mark.parametrize("name", [KERNEL_ENV, STRICT_ENV])
def test_a_cell_is_no_users_decision(ledger: Path, run: Run, name: str) -> None:
    for arguments in (("set", "class", "1000"), ("lift", "class")):
        ended = run("ceiling", *arguments, "--yes", **{name: "1"})
        assert (ended.code, ended.out) == (2, "")
        assert f"not in a notebook or in a strict server ({name} is set here)" in ended.err
    assert run("ceiling", "list", **{name: "1"}).code == 0
    assert changes(ledger) == []


def test_without_confirmation_nothing_is_changed(ledger: Path, tmp_path: Path) -> None:
    ended = command(tmp_path, "ceiling", "set", "class", "5")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.endswith("Nothing was changed; confirm it with --yes.\n")
    assert changes(ledger) == []


def test_no_ledger_is_made(tmp_path: Path, run: Run) -> None:
    for arguments in (("list",), ("lift", "class", "--yes")):
        assert run("ceiling", *arguments).code == 2
    assert not (tmp_path / "data").exists()
