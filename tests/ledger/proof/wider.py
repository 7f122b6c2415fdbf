"""Fills and verifies a ledger whose tables each have one more last column, as a later version may add one.

Usage: wider.py URL KIND. The tables have been widened by then, by the statements of `widening`. Writes what
verifications of the whole ledger, of one session, and of what lies under each of two folders find, as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import field, make_dataclass
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[3]))

from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.transaction import tables

NAME: Final = "later"
VALUES: Final = {"BIGINT": 7, "TEXT": "seven"}
"""By the type of the column: its value in each row."""


def widening(names: Iterable[str], kind: str) -> str:
    """Return the statements that add the column to all tables."""
    added = f"{NAME} {kind} NOT NULL DEFAULT '{VALUES[kind]}'"
    return "".join(f"ALTER TABLE {name} ADD COLUMN {added};" for name in names)


def declare_wider(value: Any) -> None:
    """Add the column to every table that is declared from now on. Must be called before `rows` is imported."""
    declare = tables.table

    def table(*about: Any, **more: Any) -> Callable[[type[tables.Row]], type[tables.Row]]:
        def declared(kind: type[tables.Row]) -> type[tables.Row]:
            later = [(NAME, type(value), field(default=value))]
            return declare(*about, **more)(make_dataclass(kind.__name__, later, bases=(kind,), eq=False, slots=True))

        return declared

    tables.table = table  # type: ignore[assignment]


def found(ledger: Ledger, session_id: str | None) -> list[list[Any]]:
    """Return the results of verifications: the problems, and how many rows of each table are proven."""
    parts = (ledger.verify(under=("ann", root)) for root in ("/srv/ann", "/srv/link"))
    results = ledger.verify(), ledger.verify(session_id), *parts
    return [[[finding.problem for finding in result.findings], dict(result.covered)] for result in results]


def main(url: str, kind: str) -> None:
    declare_wider(VALUES[kind])
    from aumos_governance.ledger import open_ledger
    from tests.ledger.kit import FakeClock, state
    from tests.ledger.rich import fill_richly

    clock = FakeClock()
    with closing(open_ledger(url, clock=clock)) as ledger:
        fill_richly(ledger, clock)
        print(json.dumps(found(ledger, state(ledger).session_id)))


if __name__ == "__main__":
    main(*sys.argv[1:])
