"""The time and memory of reading and verifying a million audit records in SQLite."""

from __future__ import annotations

import itertools
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditQuery, AuditSums
from aumos_governance.ledger.contract.requests import OpenSession
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.ledger.rules import chain
from aumos_governance.ledger.transaction.rows import ChargeRow
from aumos_governance.ledger.transaction.tables import columns
from aumos_governance.types import GovernanceOutcome

from .durable import ORIGIN, key
from .results import Results

SESSIONS = 100
BATCH = 10_000
TOOLS = ("gpt-4o", "gpt-4o-mini", "claude", "embedding", "search", "plot", "shell")

WATCHED = """
import sys
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.queries import (AuditQuery, AuditSums)

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096

ledger = open_ledger(sys.argv[1])
ledger.read(AuditQuery(limit=100))
ledger.read(AuditSums())
ledger.verify()
print(resident())
ledger.close()
"""


def filled(folder: Path, records: int) -> Ledger:
    """Return a new ledger with ``records`` audit records in a hundred chains, all of which are intact."""
    url = f"sqlite:///{folder}/audit-{records}.db"
    ledger = open_ledger(url)
    for number in range(SESSIONS):
        notebook = NotebookKey("ann", "/srv", f"{number}.ipynb")
        ledger.execute(OpenSession(key=key(), origin=ORIGIN, notebook=notebook, terms=SessionTerms()))
    opened = ledger.read(AuditQuery(limit=SESSIONS)).records
    ledger.close()
    ends = {record.chain: (record.seq, record.hash, record.notebook, record.notebook_id) for record in opened}
    insert = f"INSERT INTO audit VALUES ({','.join('?' * len(chain.AUDIT_COLUMNS))})"
    charge = f"INSERT INTO charges VALUES ({','.join('?' * len(columns[ChargeRow]))})"
    # Written directly into the tables, which is faster, since only reading is measured.
    with closing(sqlite3.connect(folder / f"audit-{records}.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        envelopes = dict(connection.execute("SELECT id, envelope_id FROM sessions"))
        rows = _rows(ends, records, opened[0].at)
        for _ in range(0, records, BATCH):
            written = list(itertools.islice(rows, BATCH))
            connection.execute("BEGIN")
            connection.executemany(insert, written)
            connection.executemany(charge, _charges(written, envelopes))
            connection.execute("COMMIT")
        connection.execute("BEGIN")
        connection.executemany(
            "UPDATE chains SET count = ?, head = ? WHERE chain = ?",
            [(end[0], end[1], name) for name, end in ends.items()],
        )
        connection.execute(
            "UPDATE balances SET (spent, held, charges) = (SELECT coalesce(sum(spent), 0),"
            " coalesce(sum(amount * (state = 'held')), 0), count(*) FROM charges WHERE envelopes = envelope_id)"
        )
        connection.execute("COMMIT")
    return open_ledger(url)


def _charges(records: list[tuple[Any, ...]], envelopes: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    """Yield the charges' rows that belong to the spends and holds among these rows of audit records.

    ``envelopes`` are the ids of the sessions' budgets, by session.
    """
    column = {name: number for number, name in enumerate(chain.AUDIT_COLUMNS)}
    settled = {row[column["charge_id"]]: row for row in records if row[column["event"]] == "settle"}
    for row in records:
        session, at, event, agent, tool, amount, id = (
            row[column[name]] for name in ("chain", "at", "event", "agent_id", "tool", "amount", "charge_id")
        )
        if id is None or event == "settle":
            continue
        state, spent, ended = "spent", amount, None
        if event == "hold":
            end = settled.get(id)
            state, spent, ended = ("held", 0, None) if end is None else ("settled", end[column["amount"]], end)
        at_end = (None, None) if ended is None else (ended[column["at"]], ended[column["actor"]])
        figures = (id, session, state, amount, spent, 0, at, envelopes[session])
        yield (*figures, tool, agent, None, "kernel", "one", None, *at_end)


def _rows(ends: dict[str, Any], records: int, at: int) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(1)
    names = list(ends)
    held: tuple[str, str, str, str] | None = None
    for number in range(1, records + 1):
        name = chance.choice(names)
        at += chance.randrange(1, 2_000_000)
        denied = chance.random() < 0.01
        tool = "rare" if chance.random() < 0.0005 else chance.choice(TOOLS)
        # The last record of a batch is no hold, since its settlement would be in the next batch.
        event = "spend" if chance.random() < 0.7 or not number % BATCH else "hold"
        agent = f"agent-{chance.randrange(20)}"
        outcome, spent, reserved, charge_id = ("allow", 1000, 0, f"{at:032x}")
        if held is not None:
            # The record after a hold is its settlement.
            name, charge_id, agent, tool = held
            event, denied, reserved, held = "settle", False, -1000, None
        elif denied:
            outcome, spent, charge_id = "deny", 0, None  # type: ignore[assignment]
        elif event == "hold":
            spent, reserved, held = 0, 1000, (name, charge_id, agent, tool)
        seq, head, path, notebook_id = ends[name]
        fields = (
            name, seq + 1, f"{chance.getrandbits(128):032x}", at, event, outcome, "kernel", path, notebook_id, None,
            "[]", agent, tool, None, None, "cell", 1, 1000, spent, reserved, charge_id, "{}", head,
        )  # fmt: skip
        digest = chain.link(fields)
        ends[name] = (seq + 1, digest, path, notebook_id)
        yield (*fields, digest)


def reading(results: Results, folder: Path, records: int) -> None:
    """Measure how long pages with each filter, sums and verification take, and how much memory they need.

    ``records`` is the number of audit records in the ledger; a million for results with limits.
    """
    ledger = filled(folder, records)
    newest = ledger.read(AuditQuery(limit=1)).records[0]
    oldest = ledger.read(AuditQuery(limit=1, oldest_first=True)).records[0]
    middle = (newest.at + oldest.at) // 2
    full = records >= 1_000_000
    filters: dict[str, dict[str, Any]] = {
        "nothing": {},
        "notebook": {"notebook": NotebookKey("ann", "/srv", "5.ipynb")},
        "session": {"session_id": newest.chain},
        "agent": {"agent_id": "agent-3"},
        "outcome deny": {"outcome": GovernanceOutcome.DENY},
        "event": {"event": "hold"},
        "frequent tool": {"tool": "gpt-4o"},
        "rare tool": {"tool": "rare"},
        "since": {"since": middle},
        "until": {"until": middle},
        "time range": {"since": middle, "until": middle + 3600 * 1_000_000},
    }
    slowest, which = 0.0, ""
    for name, values in filters.items():
        for oldest_first in (False, True):
            query = AuditQuery(limit=100, oldest_first=oldest_first, **values)
            median = _median(lambda query=query: ledger.read(query), 21)
            if median > slowest:
                slowest, which = median, name
    results.add(f"audit page of 100 of {records:,}, slowest filter", slowest, "ms", 1 if full else None, which)
    for by, limit in (("tool", 120.0), ("agent", None), ("day", None)):
        median = _median(lambda by=by: ledger.read(AuditSums(by=by)), 5)
        results.add(f"sum by {by} of {records:,}", median, "ms", limit if full else None)
    start = time.perf_counter()
    found = ledger.verify()
    assert found.ok, found.problem
    results.add("verify, each record", (time.perf_counter() - start) / found.checked * 1e6, "us", 8)
    ledger.close()
    empty = f"sqlite:///{folder}/empty.db"
    open_ledger(empty).close()
    grown = _resident(f"sqlite:///{folder}/audit-{records}.db") - _resident(empty)
    results.add(f"memory for {records:,} records in the file", grown / 2**20, "MiB", 20)


def _median(action: Any, rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def _resident(url: str) -> int:
    found = subprocess.run([sys.executable, "-c", WATCHED, url], check=True, capture_output=True, text=True)
    return int(found.stdout)
