"""Fills a ledger with one notebook that has very many records, before the server starts."""

from __future__ import annotations

import getpass
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.facts import NotebookKey, Origin
from aumos_governance.ledger.contract.queries import AuditQuery
from aumos_governance.ledger.contract.requests import OpenSession
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.ledger.rules import chain

from .application import Application

_TOOLS = ("gpt-4o", "claude", "embedding", "search")
_SECOND = 1_000_000


def database(application: Application) -> Path:
    """Return the path of the application's ledger."""
    return application.root.parent / "data" / "aumos_governance" / "ledger.sqlite"


def fill(application: Application, name: str, records: int) -> None:
    """Write a session with a valid chain of ``records`` audit records for a notebook."""
    file = database(application)
    # Two records for each second, the last one now.
    begun = time.time_ns() // 1000 - records * _SECOND // 2
    ledger = open_ledger(f"sqlite:///{file}", clock=lambda: begun)
    notebook = NotebookKey(getpass.getuser(), str(application.root), name)
    ledger.execute(OpenSession(key="", origin=Origin("kernel"), notebook=notebook, terms=SessionTerms()))
    first = ledger.read(AuditQuery(limit=1)).records[0]
    ledger.close()
    # Written directly into the tables, since the ledger's operations would take a minute.
    rows = list(_rows(first, records - 1))
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.executemany(f"INSERT INTO audit VALUES ({','.join('?' * len(chain.AUDIT_COLUMNS))})", rows)
        connection.execute(
            "UPDATE chains SET count = ?, head = ? WHERE chain = ?", (records, rows[-1][-1], first.chain)
        )
        connection.execute("COMMIT")


def tamper(application: Application, seq: int) -> None:
    """Change a record of the longest chain in the database, as a program with access to the file could."""
    with closing(sqlite3.connect(database(application))) as connection:
        longest = "(SELECT chain FROM chains ORDER BY count DESC LIMIT 1)"
        connection.execute(f"UPDATE audit SET tool = 'forged' WHERE chain = {longest} AND seq = ?", (seq,))
        connection.commit()


def _rows(first: Any, count: int) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(7)
    head, at = first.hash, first.at
    for seq in range(2, count + 2):
        at += _SECOND // 2
        denied = seq % 100 == 0
        fields = (
            first.chain, seq, f"{chance.getrandbits(128):032x}", at, "spend", "deny" if denied else "allow", "kernel",
            first.notebook, first.notebook_id, "BUDGET_EXCEEDED" if denied else None,
            '["Would exceed budget"]' if denied else "[]", f"agent-{seq % 5}", chance.choice(_TOOLS), None, None,
            "cell", seq, 1000, 0 if denied else 1000, 0, None, f'{{"number":{seq}}}', head,
        )  # fmt: skip
        head = chain.link(fields)
        yield (*fields, head)
