"""A ledger in a file, used by several processes, some of which are killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aumos_governance.errors import LedgerError
from tests.ledger.kit import (
    CENT,
    USD,
    Backend,
    balance,
    opening,
    records,
    spend,
    state,
)

SPENDER = """
import sys, itertools
sys.path.insert(0, sys.argv[2])
from aumos_governance.ledger import open_ledger
from tests.ledger.kit import NOTEBOOK, KERNEL, CENT
from aumos_governance.ledger.contract.charges import Spend
ledger = open_ledger(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    allowed = 0
    for key in line.split():
        decision = ledger.execute(Spend(key=key, origin=KERNEL, notebook=NOTEBOOK, amount=CENT))
        allowed += decision.allowed
        print(key, int(decision.allowed), flush=True)
"""
ROOT = str(Path(__file__).parent.parent.parent.parent)


def spender(backend: Backend) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SPENDER, backend.url, ROOT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_processes_share_one_ceiling(database: Backend) -> None:
    ledger = database.open()
    ledger.execute(opening(budget=1 * USD))
    processes = [spender(database) for _ in range(2)]
    outputs = []
    for number, process in enumerate(processes):
        assert process.stdin is not None
        process.stdin.write(" ".join(f"p{number}-{index}" for index in range(80)) + "\n")
        process.stdin.close()
    for process in processes:
        assert process.stdout is not None
        with process.stdout as stdout:
            outputs.extend(stdout.read().splitlines())
        assert process.wait() == 0
    assert len(outputs) == 160
    assert sum(line.endswith(" 1") for line in outputs) == 100
    assert balance(ledger).spent == 1 * USD
    assert ledger.verify().ok


def test_what_a_killed_process_had_acknowledged_is_there_once(database: Backend) -> None:
    ledger = database.open()
    ledger.execute(opening(budget=100 * USD))
    ledger.close()
    process = spender(database)
    assert process.stdin is not None
    assert process.stdout is not None
    keys = [f"k{index}" for index in range(5000)]
    process.stdin.write(" ".join(keys) + "\n")
    process.stdin.flush()
    acknowledged = [process.stdout.readline().split()[0] for _ in range(60)]
    process.send_signal(signal.SIGKILL)
    # Lines that came through the pipe before the end were acknowledged as well.
    acknowledged += [line.split()[0] for line in process.stdout.read().splitlines() if re.fullmatch(r"k\d+ 1", line)]
    process.stdin.close()
    process.stdout.close()
    process.wait()
    again = database.open()
    # PostgreSQL may still execute the process's last transaction, whose locks this waits for.
    assert again.execute(spend(CENT, key=acknowledged[0])).allowed
    charged = len(records(again, event="spend"))
    assert len(acknowledged) <= charged <= len(acknowledged) + 1
    assert balance(again).spent == charged * CENT
    for repeated in acknowledged:
        assert again.execute(spend(CENT, key=repeated)).allowed
    assert balance(again).spent == charged * CENT
    assert again.verify().ok


def test_two_processes_may_open_a_fresh_ledger_at_once(sqlite: Backend) -> None:
    processes = [spender(sqlite) for _ in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 0
        assert process.stdout is not None
        process.stdout.close()
    assert sqlite.open().verify().ok


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_gets_an_error_and_does_not_hang(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    child = os.fork()
    if child == 0:
        code = 1
        try:
            for attempt in (lambda: ledger.execute(spend()), lambda: state(ledger)):
                try:
                    attempt()
                except LedgerError as error:
                    code = 0 if "fork" in error.message else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert ledger.execute(spend()).allowed


def test_the_interpreter_ends_with_a_ledger_open(database: Backend) -> None:
    database.open().execute(opening())
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]);"
        "from aumos_governance.ledger import open_ledger; from tests.ledger.kit import spend;"
        "ledger = open_ledger(sys.argv[1]);"
        "[ledger.submit(spend(key=f'exit-{n}')) for n in range(50)]"
    )
    subprocess.run([sys.executable, "-c", code, database.url, ROOT], check=True, timeout=60)
    assert balance(database.open()).spent == 50 * CENT
