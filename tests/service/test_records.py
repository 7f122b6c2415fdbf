"""Audit records exported as files: all of them, with memory that does not grow with their number."""

from __future__ import annotations

import json
import tracemalloc
from collections import deque
from pathlib import Path

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.charges import Spend
from aumos_governance.ledger.contract.facts import NotebookKey, Origin
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditQuery
from aumos_governance.ledger.contract.requests import OpenSession
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.service.records import Records

KERNEL = Origin("kernel", scope="kernel-1")
MANY = 12_000


def fill(ledger: Ledger, notebook: NotebookKey, count: int) -> None:
    terms = SessionTerms(default_budget=10**15)
    ledger.execute(OpenSession(key="", origin=KERNEL, notebook=notebook, terms=terms))
    spends = [
        ledger.submit(Spend(key="", origin=KERNEL, notebook=notebook, amount=1, tool="gpt-4o"))
        for _ in range(count - 1)
    ]
    deque((spend.result() for spend in spends), maxlen=0)


def peak(records: Records, notebook: NotebookKey, form: str) -> int:
    """Return the most bytes that an export allocates at any moment."""
    tracemalloc.start()
    try:
        deque(records.export(AuditQuery(notebook=notebook), form), maxlen=0)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_an_export_takes_no_more_memory_for_more_records(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    few, many = (NotebookKey("ann", "/srv", f"{name}.ipynb") for name in ("few", "many"))
    fill(ledger, few, MANY // 4)
    fill(ledger, many, MANY)
    records = Records(ledger)
    parts = list(records.export(AuditQuery(notebook=many, oldest_first=True), "jsonl"))
    assert max(map(len, parts)) < 1024 * 1024
    lines = b"".join(parts).splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, MANY + 1))
    for form in ("jsonl", "csv"):
        assert peak(records, many, form) < peak(records, few, form) + 512 * 1024
    ledger.close()
