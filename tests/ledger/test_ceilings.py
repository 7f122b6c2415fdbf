"""A shared ceiling applies once it is stored: only a user's decision changes it, and that is recorded."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine

from aumos_governance.errors import InvalidAmountError, InvalidRequestError, NotFoundError
from aumos_governance.ledger.contract.agreements import Record
from aumos_governance.ledger.contract.budgets import EnvelopeKind, EnvelopeSpec
from aumos_governance.ledger.contract.facts import Balance, NotebookKey
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListCeilings, ListEnvelopes
from aumos_governance.ledger.reading import open_reader
from aumos_governance.ledger.rules import chain
from aumos_governance.ledger.sql import migrate
from aumos_governance.ledger.transaction import schema
from aumos_governance.types import BudgetPeriod, GovernanceOutcome
from tests.ledger.kit import BY_USER, CENT, NOTEBOOK, USD, Backend, key, opening, records, spend
from tests.ledger.kit import closing as ending
from tests.ledger.rich import configure, set_ceiling

MONTHLY, DAILY, LIFETIME = BudgetPeriod.MONTHLY, BudgetPeriod.DAILY, BudgetPeriod.LIFETIME
TEAM = EnvelopeSpec("class", 3 * USD, EnvelopeKind.TEAM, MONTHLY)
MINE = EnvelopeSpec("mine", 2 * USD, EnvelopeKind.OWNER)
SECOND = NotebookKey("ann", "/srv/second", "b.ipynb")
BOBS = NotebookKey("bob", "/srv/bob", "b.ipynb")


def stands(ledger: Ledger, owner: str | None = None) -> list[tuple[str, str, BudgetPeriod | None, int]]:
    found = ledger.read(ListCeilings(owner=owner))
    return [(ceiling.name, ceiling.subject, ceiling.period, ceiling.balance.limit) for ceiling in found]


def around(ledger: Ledger, notebook: NotebookKey = NOTEBOOK) -> dict[str, int]:
    found = ledger.read(ListEnvelopes(notebook=notebook))
    return {ceiling.name: ceiling.balance.limit for ceiling in found if ceiling.kind != "session"}


def test_the_first_configuration_stands_and_the_last_opener_does_not_win(ledger: Ledger) -> None:
    ledger.execute(configure("ann", "/srv/ann", TEAM, MINE))
    ledger.execute(configure("bob", "/srv/bob", replace(TEAM, ceiling=1000 * USD, period=BudgetPeriod.YEARLY)))
    for notebook in (NOTEBOOK, BOBS):
        ledger.execute(opening(notebook, budget=9 * USD))
    assert around(ledger) == {"mine": 2 * USD, "class": 3 * USD}
    assert around(ledger, BOBS) == {"class": 3 * USD}
    assert not ledger.execute(spend(4 * USD, BOBS)).allowed
    ledger.execute(configure("ann", "/srv/ann", replace(TEAM, ceiling=50 * USD), replace(MINE, ceiling=9 * USD)))
    ledger.execute(opening(new=True))
    assert around(ledger) == {"mine": 2 * USD, "class": 3 * USD}
    assert stands(ledger) == [("mine", "ann", LIFETIME, 2 * USD), ("class", "", MONTHLY, 3 * USD)]
    (*_, last) = records(ledger, event="configure")
    assert last.detail["to"][1]["ceiling"] == "50"
    assert last.detail["shared"] == [
        {"name": "mine", "kind": "owner", "period": "lifetime", "ceiling": "2"},
        {"name": "class", "kind": "team", "period": "monthly", "ceiling": "3"},
    ]
    assert ledger.verify().findings == ()


def test_a_second_server_of_the_user_without_envelopes_strips_nothing(ledger: Ledger) -> None:
    ledger.execute(configure("ann", "/srv/ann", TEAM, MINE, EnvelopeSpec("here", USD, EnvelopeKind.SERVER)))
    ledger.execute(opening())
    ledger.execute(configure("ann", "/srv/second"))
    ledger.execute(opening(SECOND))
    ledger.execute(opening(replace(SECOND, root="embedded")))
    assert around(ledger, SECOND) == around(ledger, replace(SECOND, root="embedded"))
    assert around(ledger, SECOND) == {"mine": 2 * USD, "class": 3 * USD}
    # Not even the server whose configuration created them.
    ledger.execute(configure("ann", "/srv/ann"))
    assert around(ledger) == {"mine": 2 * USD, "class": 3 * USD}
    ledger.execute(ending())
    ledger.execute(opening())
    assert around(ledger) == {"mine": 2 * USD, "class": 3 * USD}
    assert not ledger.execute(spend(3 * USD, SECOND)).allowed
    assert stands(ledger, "bob") == []
    assert ledger.verify().findings == ()


def test_what_one_server_brings_is_around_the_users_open_sessions_elsewhere(ledger: Ledger) -> None:
    ledger.execute(configure("ann", "/srv/second", EnvelopeSpec("here", USD, EnvelopeKind.SERVER)))
    ledger.execute(opening(SECOND))
    ledger.execute(configure("ann", "/srv/ann", TEAM, EnvelopeSpec("here", 5 * USD, EnvelopeKind.SERVER)))
    assert around(ledger, SECOND) == {"here": USD, "class": 3 * USD}
    (*_, last) = records(ledger, event="configure")
    assert len(last.detail["elsewhere"]) == 1
    assert ledger.verify().findings == ()


def test_a_user_changes_a_ceiling_on_record(ledger: Ledger) -> None:
    ledger.execute(configure("ann", "/srv/ann", TEAM))
    ledger.execute(configure("bob", "/srv/bob", TEAM))
    for notebook in (NOTEBOOK, BOBS):
        ledger.execute(opening(notebook, budget=9 * USD))
    ledger.execute(spend(2 * USD))
    assert ledger.execute(set_ceiling("class", 5 * USD))
    assert ledger.execute(set_ceiling("class", 5 * USD)) is False
    assert ledger.execute(spend(2 * USD, BOBS)).allowed
    # A ceiling with another period has sums of its own.
    assert ledger.execute(set_ceiling("class", 3 * USD, DAILY))
    assert ledger.execute(spend(3 * USD)).allowed
    assert not ledger.execute(spend(CENT, BOBS)).allowed
    assert ledger.execute(set_ceiling("class", None))
    assert around(ledger) == around(ledger, BOBS) == {}
    assert ledger.execute(spend(CENT, BOBS)).allowed
    assert stands(ledger) == [("class", "", None, 0)]
    (lifted,) = ledger.read(ListCeilings())
    assert (lifted.balance, lifted.period_start) == (Balance(0, 0, 0), 0)
    # A lifted ceiling stays lifted, regardless of any server's configuration.
    ledger.execute(configure("ann", "/srv/ann", replace(TEAM, ceiling=USD)))
    ledger.execute(configure("eve", "/srv/eve", TEAM))
    ledger.execute(opening(new=True))
    assert around(ledger) == {}
    (*_, configured) = records(ledger, event="configure")
    assert configured.detail["shared"] == [{"name": "class", "kind": "team", "period": None, "ceiling": None}]
    with pytest.raises(InvalidRequestError, match="was lifted; name the period"):
        ledger.execute(set_ceiling("class", USD))
    assert ledger.execute(set_ceiling("class", 9 * USD, MONTHLY))
    assert around(ledger) == around(ledger, BOBS) == {"class": 9 * USD}
    (found, *_) = ledger.read(ListCeilings())
    assert found.balance.spent == 4 * USD
    changes = records(ledger, event="ceiling")
    assert [record.actor for record in changes] == [BY_USER.actor] * 4
    assert [record.detail["to"] for record in changes] == [
        [{"period": "monthly", "ceiling": "5"}],
        [{"period": "daily", "ceiling": "3"}],
        [],
        [{"period": "monthly", "ceiling": "9"}],
    ]
    assert [len(record.detail["around"]) for record in changes] == [0, 2, 2, 2]
    assert ledger.verify().findings == ()


def test_what_cannot_be_set(ledger: Ledger) -> None:
    ledger.execute(configure("ann", "/srv/ann", MINE, EnvelopeSpec("here", USD, EnvelopeKind.SERVER)))
    before = records(ledger)
    for name, subject in (("mine", "bob"), ("other", "ann")):
        with pytest.raises(NotFoundError, match=f"There is no owner ceiling '{name}'"):
            ledger.execute(set_ceiling(name, USD, kind=EnvelopeKind.OWNER, subject=subject))
    with pytest.raises(InvalidRequestError, match="can be changed only in its server's configuration"):
        ledger.execute(set_ceiling("here", USD, kind=EnvelopeKind.SERVER))
    for wrong in (-1, 10**18 + 1, 0.5):
        with pytest.raises(InvalidAmountError):
            ledger.execute(set_ceiling("mine", wrong, kind=EnvelopeKind.OWNER, subject="ann"))  # type: ignore[arg-type]
    assert records(ledger) == before
    with pytest.raises(InvalidRequestError):
        ledger.execute(
            Record(key=key(), origin=BY_USER, event="ceiling", notebook=NOTEBOOK, outcome=GovernanceOutcome.ALLOW)
        )


@pytest.mark.parametrize("table", ["ceilings", "memberships", "envelopes"])
def test_a_ceiling_that_was_changed_by_sql_is_found_and_no_record_launders_it(database: Backend, table: str) -> None:
    with closing(database.open()) as ledger:
        ledger.execute(configure("ann", "/srv/ann", TEAM))
        ledger.execute(configure("ann", "/srv/second"))
    assert database.run_sql is not None
    database.run_sql(
        {
            "ceilings": "UPDATE ceilings SET envelopes = ''",
            "memberships": "UPDATE memberships SET ceilings = '[]'",
            "envelopes": "UPDATE envelopes SET ceiling = 1000000000000 WHERE kind = 'team'",
        }[table]
    )
    with closing(database.open()) as ledger:
        assert {finding.table for finding in ledger.verify().findings} == {table}
        ledger.execute(configure("ann", "/srv/second", EnvelopeSpec("here", USD, EnvelopeKind.SERVER)))
        assert {finding.table for finding in ledger.verify().findings} == {table}


# ---- several processes


def test_two_servers_that_make_one_ceiling_at_once_agree(postgresql: Backend) -> None:
    ledgers = [postgresql.open(), postgresql.open()]
    for number in range(20):
        name = f"class-{number}"
        owners = [f"ann-{number}", f"bob-{number}"]
        pending = [
            ledger.submit(configure(owner, "/srv", replace(TEAM, name=name, ceiling=(place + 1) * USD)))
            for place, (ledger, owner) in enumerate(zip(ledgers, owners, strict=True))
        ]
        assert [future.result() for future in pending] == [True, True]
        mine, theirs = (stands(ledger, owner) for ledger, owner in zip(ledgers, owners, strict=True))
        assert mine == theirs
        assert mine[0][3] in (USD, 2 * USD)
    assert ledgers[0].verify().findings == ()


def test_no_session_that_is_opened_meanwhile_escapes(postgresql: Backend) -> None:
    """Race the first ceiling of a user under another root, and a lifted one that is set again, with openings."""
    first, second = postgresql.open(), postgresql.open()
    for number in range(20):
        owner = f"ann-{number}"
        notebook = replace(SECOND, owner=owner)
        first.execute(configure(owner, "/srv/second"))
        pending = [second.submit(opening(notebook)), first.submit(configure(owner, "/srv/ann", TEAM))]
        for future in pending:
            future.result()
        assert around(first, notebook) == {"class": 3 * USD}
    period = DAILY
    for number in range(10):
        notebook = replace(SECOND, owner="ann-0", path=f"{number}.ipynb")
        changed = first.submit(set_ceiling("class", 3 * USD, period))
        second.submit(opening(notebook)).result()
        changed.result()
        (found,) = [one for one in second.read(ListEnvelopes(notebook=notebook)) if one.kind == "team"]
        assert found.period is period
        period = MONTHLY if period is DAILY else DAILY
    assert first.verify().findings == ()


# ---- ledgers of earlier versions


def test_an_earlier_ledger_gets_the_ceilings_of_its_configurations(database: Backend) -> None:
    yearly = replace(TEAM, ceiling=7 * USD, period=BudgetPeriod.YEARLY)
    with closing(database.open()) as ledger:
        # A ceiling that was never used, with two amounts by two servers; and a period that only one of them has.
        ledger.execute(configure("ann", "/srv/ann", TEAM, MINE))
        ledger.execute(opening())
        ledger.execute(configure("eve", "/srv/eve"))
    make_earlier(database, {"bob": [replace(TEAM, ceiling=1000 * USD)], "tom": [yearly]})
    with pytest.raises(Exception, match="start a server on it to upgrade it"):
        open_reader(database.url)
    with closing(database.open()) as ledger:
        assert sorted(stands(ledger), key=str) == [
            ("class", "", MONTHLY, 3 * USD),
            ("class", "", BudgetPeriod.YEARLY, 7 * USD),
            ("mine", "ann", LIFETIME, 2 * USD),
        ]
        assert ledger.verify().findings == ()
        ledger.execute(opening(BOBS))
        assert around(ledger, BOBS) == {"class": 7 * USD}
        with pytest.raises(InvalidRequestError, match="has several periods; name"):
            ledger.execute(set_ceiling("class", USD))
        assert ledger.verify().findings == ()
        # The amount is proven from the next record on.
        ledger.execute(configure("bob", "/srv/bob"))
        assert ledger.verify().findings == ()
        assert database.run_sql is not None
        database.run_sql("UPDATE envelopes SET ceiling = 1000000000000 WHERE kind = 'team' AND period = 'monthly'")
        assert [finding.table for finding in ledger.verify().findings] == ["envelopes"]
        ledger.execute(set_ceiling("class", USD, DAILY))
        assert around(ledger) == {"mine": 2 * USD, "class": USD}


def make_earlier(database: Backend, more: dict[str, list[EnvelopeSpec]]) -> None:
    """Restore the tables of revision 0003, with records of its version and more recorded configurations."""
    assert database.run_sql is not None
    for owner, specs in more.items():
        text = [[spec.name, spec.ceiling, spec.encloses.value, spec.period.value] for spec in specs]
        _run(database, "INSERT INTO configurations VALUES (?, ?, ?)", owner, f"/srv/{owner}", chain.dumps(text))
    columns = ", ".join(f'"{name}"' for name in chain.AUDIT_COLUMNS)
    rows = _run(database, f"SELECT {columns} FROM audit WHERE chain = 'ledger' ORDER BY seq")
    at, event = chain.AUDIT_COLUMNS.index("detail"), chain.AUDIT_COLUMNS.index("event")
    made = list(map(list, rows))
    for number, (owner, specs) in enumerate(more.items()):
        row = list(next(found for found in rows if found[event] == "configure"))
        to = [
            {"name": spec.name, "ceiling": str(spec.ceiling // USD), "encloses": spec.encloses.value}
            | {"period": spec.period.value}
            for spec in specs
        ]
        row[chain.AUDIT_COLUMNS.index("record_id")] = f"{number:032x}"
        row[at] = chain.dumps({"owner": owner, "root": f"/srv/{owner}", "from": [], "to": to, "around": {}})
        made.append(row)
    head = ""
    _run(database, "DELETE FROM audit WHERE chain = 'ledger'")
    for seq, row in enumerate(made, 1):
        detail = json.loads(row[at])
        detail.pop("shared", None)
        content = [row[0], seq, *row[2:at], chain.dumps(detail), head]
        head = chain.link(content)
        marks = ", ".join("?" * len(chain.AUDIT_COLUMNS))
        _run(database, f"INSERT INTO audit ({columns}) VALUES ({marks})", *content, head)
    _run(database, "UPDATE chains SET count = ?, head = ? WHERE chain = 'ledger'", len(made), head)
    earlier = columns_of("0003")
    for table in reversed(schema.metadata.sorted_tables):
        if table.name not in earlier:
            _run(database, f"DROP TABLE {table.name}")
            continue
        for column in set(table.c.keys()) - earlier[table.name]:
            _run(database, f"ALTER TABLE {table.name} DROP COLUMN {column}")
    _run(database, f"UPDATE {migrate.VERSION_TABLE} SET version_num = '0003'")


def columns_of(revision: str) -> dict[str, set[str]]:
    """Return the tables of a revision with the names of their columns."""
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        tables = MetaData()
        tables.reflect(connection)
    engine.dispose()
    return {table.name: set(table.c.keys()) for table in tables.sorted_tables}


def _run(database: Backend, text: str, *values: Any) -> list[tuple[Any, ...]]:
    if database.name == "sqlite":
        with closing(sqlite3.connect(Path(database.url.removeprefix("sqlite:///")))) as connection, connection:
            return connection.execute(text, values).fetchall()
    with psycopg.connect(database.url) as connection:
        done = connection.execute(text.replace("?", "%s"), values)  # type: ignore[call-overload]
        return done.fetchall() if done.description else []
