"""The commands if no server runs: they read the ledger, print that they do, and change nothing."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.charges import Hold, KernelGone, Spend
from aumos_governance.ledger.contract.facts import NotebookKey, Origin
from aumos_governance.ledger.contract.requests import OpenSession
from aumos_governance.ledger.contract.terms import SessionTerms
from tests.cli.conftest import Ended, Run, command, environment

KERNEL = Origin("kernel", scope="kernel:1", incarnation="1:one")


def fill(path: Path, notebook: NotebookKey, spends: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(open_ledger(f"sqlite:///{path}")) as ledger:
        ledger.execute(OpenSession(key="", origin=KERNEL, notebook=notebook, terms=SessionTerms()))
        requested = [
            Spend(key="", origin=KERNEL, notebook=notebook, amount=1_000, tool="t" * 300) for _ in range(spends)
        ]
        for future in [ledger.submit(spend) for spend in requested]:
            assert future.result().allowed


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """The ledger file that this user's servers have by default."""
    path = tmp_path / "data" / "aumos_governance" / "ledger.sqlite"
    fill(path, NotebookKey("ann", "/srv/ann", "a.ipynb"), 3)
    return path


def test_the_default_file_is_read_and_named(ledger: Path, run: Run) -> None:
    before = ledger.read_bytes()
    ended = run("status")
    assert ended.code == 0
    assert ended.err == f"No governed server of this user runs here, so this is read from the ledger {ledger}.\n"
    assert ended.lines[0] == f"Ledger {ledger}, root /srv/ann, owner ann"
    assert ended.lines[2].startswith("a.ipynb   open     L2 Suggest   $10.00  $0.000003  ")
    assert run("verify", "--path", "a.ipynb").lines[0] == "OK: 4 records in 1 chain are as they were written."
    assert ledger.read_bytes() == before
    assert [path.name for path in ledger.parent.iterdir()] == ["ledger.sqlite"]


def test_the_ledger_of_the_configuration_is_read(tmp_path: Path, run: Run) -> None:
    fill(tmp_path / "elsewhere.sqlite", NotebookKey("ann", "/srv/ann", "b.ipynb"), 1)
    url = f"sqlite:///{tmp_path}/elsewhere.sqlite"
    (tmp_path / "config").mkdir()
    file = tmp_path / "config" / "jupyter_server_config.py"
    file.write_text(f"c.GovernanceExtension.database_url = {url!r}")
    assert "b.ipynb" in run("status").out
    file.write_text("raise RuntimeError('half written')")
    ended = run("verify")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[-1] == (
        "Jupyter's configuration cannot be read (RuntimeError: half written); name the ledger with --database-url."
    )


def test_nothing_to_read_is_one_sentence(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "data" / "aumos_governance" / "ledger.sqlite"
    for name in ("status", "audit", "verify", "export"):
        sentence = (
            f"No governed server of this user runs here, and its ledger was not found: There is no ledger {path}."
        )
        sentence += " Set JUPYTER_DATA_DIR to the data folder of the server, or name the ledger with --database-url.\n"
        assert run(name) == Ended(2, "", sentence)
    assert not (tmp_path / "data").exists()


def test_a_changed_record_is_named(ledger: Path, run: Run) -> None:
    with closing(sqlite3.connect(ledger)) as connection, connection:
        connection.execute("UPDATE audit SET amount = 1 WHERE seq = 3")
    ended = run("verify")
    assert ended.code == 1
    assert ended.lines[0].startswith("NOT OK: Record 3 of session ")
    assert ended.lines[0].endswith(" was changed after it was written.")
    body = json.loads(run("verify", "--json").out)
    assert (body["ok"], body["seq"]) == (False, 3)


def test_what_a_user_must_decide_is_found(ledger: Path, run: Run) -> None:
    with closing(open_ledger(f"sqlite:///{ledger}")) as opened:
        notebook = NotebookKey("ann", "/srv/ann", "a.ipynb")
        hold = opened.execute(Hold(key="", origin=KERNEL, notebook=notebook, amount=2_000_000_000))
        opened.execute(KernelGone(key="", origin=Origin("server"), incarnation="1:one"))
    ended = run("status")
    assert ended.code == 1
    assert ended.lines[-1] == (
        f"The hold {hold.charge_id} of $2.00 in a.ipynb has an unknown outcome: its kernel is gone, and a user must"
        " state what the call cost."
    )


def test_a_notebook_that_two_roots_reach_is_shown_once(ledger: Path, run: Run) -> None:
    fill(ledger, NotebookKey("ann", "/srv", "b.ipynb"), 1)
    shown = run("status").out
    assert shown.count("a.ipynb") == 1
    assert "ann/a.ipynb" in shown
    for path in ("a.ipynb", "ann/a.ipynb", "/srv/ann/a.ipynb"):
        assert run("verify", "--path", path).lines[0] == "OK: 4 records in 1 chain are as they were written."


def test_one_path_under_two_roots_must_be_distinguished(ledger: Path, run: Run) -> None:
    fill(ledger, NotebookKey("ann", "/srv/other", "a.ipynb"), 1)
    ended = run("audit", "--path", "a.ipynb")
    assert ended.code == 2
    assert "has several notebooks 'a.ipynb' (/srv/ann/a.ipynb of ann, /srv/other/a.ipynb of ann)" in ended.err
    assert len(run("audit", "--path", "/srv/other/a.ipynb").lines) == 1 + 2


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [("export",), ("audit", "-n", "5000")])
def test_a_reader_that_has_enough_ends_it_without_a_word(
    ledger: Path, arguments: tuple[str, ...], unbuffered: str
) -> None:
    # Far more output than a pipe can buffer.
    fill(ledger, NotebookKey("ann", "/srv/ann", "a.ipynb"), 3_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "aumos_governance.cli", *arguments, "--database-url", f"sqlite:///{ledger}"],
        env=environment(ledger.parents[2], PYTHONUNBUFFERED=unbuffered),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        assert process.stdout.readline().endswith(b"\n")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


def test_what_an_encoding_lacks_is_written_out(ledger: Path) -> None:
    fill(ledger, NotebookKey("ann", "/srv/ann", "übung/日本.ipynb"), 1)
    ended = command(ledger.parents[2], "status", PYTHONIOENCODING="ascii")
    assert "\\xfcbung/\\u65e5\\u672c.ipynb  open" in ended.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "The following arguments are required: COMMAND; see jupyter governance --help."),
        (("audit", "-n", "0"), "Argument -n/--last: must be a whole number of at least 1, not '0'; see jupyter"),
        (("verify", "--database-url", "x"), "The database URL names no ledger; use sqlite:///path/to/file.db or"),
        (("verify", "--server", "h", "--database-url", "x"), "Use either --server or --database-url, not both."),
        (("verify", "--server", "http://127.0.0.1:1"), "The server http://127.0.0.1:1/ does not respond: "),
        (("status", "--server", "ftp://x"), "'ftp://x' is not the URL of a server; use one like http://"),
        (("export", "--json", "--format", "csv"), "With --json the records go to stdout as jsonl;"),
    ],
)
def test_a_mistake_is_one_sentence(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(sentence)
    assert ended.err.count("\n") == 1


def test_help_states_the_exit_codes(run: Run) -> None:
    for arguments in (("--help",), ("verify", "--help")):
        ended = run(*arguments)
        assert (ended.code, ended.err) == (0, "")
        assert "exit codes:" in ended.out
