"""No text from a ledger or a server can control the terminal that shows it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from aumos_governance.kernel.text.card import audit_html
from aumos_governance.kernel.text.display import audit_rows
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.charges import Hold, KernelGone, Spend
from aumos_governance.ledger.contract.facts import NotebookKey, Origin
from aumos_governance.ledger.contract.requests import OpenSession
from aumos_governance.ledger.contract.terms import SessionTerms
from tests.cli.conftest import Run
from tests.ledger.rules.harmful import CONTROLS, MARKS

KERNEL = Origin("kernel", scope="kernel:1", incarnation="1:one")


def fill(path: Path, payload: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = NotebookKey("ann", f"/srv/{payload}", f"{payload}.ipynb")
    with closing(open_ledger(f"sqlite:///{path}")) as ledger:
        ledger.execute(OpenSession(key="", origin=KERNEL, notebook=notebook, terms=SessionTerms(), agent_id=payload))
        ledger.execute(Spend(key="", origin=KERNEL, notebook=notebook, amount=1_000, tool=payload))
        ledger.execute(Hold(key="", origin=KERNEL, notebook=notebook, amount=1_000, tool=payload))
        ledger.execute(KernelGone(key="", origin=Origin("server"), incarnation="1:one"))


@pytest.mark.parametrize("payload", CONTROLS + MARKS)
def test_commands_write_out_what_a_terminal_would_act_on(tmp_path: Path, run: Run, payload: str) -> None:
    path = tmp_path / "data" / "aumos_governance" / "ledger.sqlite"
    fill(path, payload)
    commands = [("status",), ("audit",), ("verify",), ("status", "--json"), ("audit", "--json"), ("export",)]
    for command in commands:
        ended = run(*command)
        for text in (ended.out, ended.err):
            assert all(line.isprintable() for line in text.split("\n")), (command, text)
    assert json.loads(run("audit", "--json").out)["records"][-1]["tool"] == payload
    with closing(sqlite3.connect(path)) as connection, connection:
        # Names in the tables themselves, which a finding contains.
        connection.execute("UPDATE charges SET tool = tool || ?", (payload,))
        connection.execute("UPDATE audit SET chain = chain || ? WHERE chain <> 'ledger'", (payload,))
        connection.execute("UPDATE chains SET chain = chain || ? WHERE chain <> 'ledger'", (payload,))
    ended = run("verify")
    assert ended.code == 1
    assert all(line.isprintable() for line in ended.out.split("\n")), ended.out


def test_damage_has_a_code_of_its_own(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "data" / "aumos_governance" / "ledger.sqlite"
    fill(path, "x")
    assert run("verify").code == 0
    assert run("verify").lines[2].startswith("Checked against the records: 2 charges, 1 sessions, 1 notebooks,")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE balances SET spent = spent - 1")
    ended = run("verify")
    assert ended.code == 1
    assert ended.lines[0].startswith("NOT OK: spent of balances ")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE charges SET tool = CAST('x' AS BLOB)")
    ended = run("verify")
    assert ended.code == 3
    assert "DAMAGED" in ended.out
    body = json.loads(run("verify", "--json").out)
    assert {finding["code"] for finding in body["findings"]} == {"ROW_DIFFERS", "DAMAGED"}


@pytest.mark.parametrize("payload", [*CONTROLS, *MARKS, "<img src=x onerror=alert(1)>", "</td><script>"])
def test_what_the_notebook_shows_of_names_is_text(payload: str) -> None:
    record = {
        "at": "2026-11-22T12:00:00.250000Z",
        "event": "spend",
        "outcome": "allow",
        "amount": "1",
        "tool": payload,
        "actor": payload,
        "reasons": [payload],
        "cell": {"id": payload, "count": 1},
        "agent_id": payload,
        "code": None,
    }
    shown = audit_html([record])
    for text in [shown, *(part for row in audit_rows([record]) for part in row)]:
        assert text.isprintable()
    assert "<img" not in shown
    assert "<script" not in shown
