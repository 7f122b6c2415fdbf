"""Many processes and threads on one ledger, and killed processes: no cent is lost, and none is counted twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, takewhile
from pathlib import Path

import pytest

from aumos_governance.ledger.contract.ledger import Ledger
from tests.ledger.kit import (
    CENT,
    USD,
    Backend,
    balance,
    opening,
    records,
    spend,
)
from tests.ledger.victims import acknowledged, request_for

HERE = Path(__file__).parent.parent


@contextmanager
def program(name: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Start a program of this folder, and wait until it has printed that it is ready."""
    command = [sys.executable, str(HERE / name), *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert stated(process) == "ready"
            yield process
        finally:
            process.kill()


def say(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def stated(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.soak
def test_no_crowd_spends_more_than_the_ceiling(database: Backend, soak: bool) -> None:
    seconds, ceiling = (30, 100 * USD) if soak else (3, 5 * USD)
    ledger = database.open()
    ledger.execute(opening(budget=ceiling))
    with program("spenders.py", database.url, 8, 4, seconds) as process:
        say(process)
        reported = [json.loads(stated(process)) for _ in range(8)]
        assert process.wait() == 0
    assert [error for one in reported for error in one["errors"]] == []
    allowed = sum(one["allowed"] for one in reported)
    assert balance(ledger).spent == allowed == ceiling
    assert sum(one["denied"] for one in reported) > 0
    assert sum(record.spent_delta for record in records(ledger, event="spend", limit=1000)) == allowed
    assert ledger.verify().ok
    assert max(one["slowest"] for one in reported) < 5


@pytest.mark.soak
def test_what_was_acknowledged_before_a_kill_is_there_once(database: Backend, soak: bool, tmp_path: Path) -> None:
    file = tmp_path / "acknowledged"
    file.touch()
    ledger = database.open()
    ledger.execute(opening(budget=100_000 * USD))
    chance, kills = random.Random(), 200 if soak else 10
    with program("victims.py", database.url, file) as process:
        # On a busy machine more kills may be needed until enough spends were acknowledged.
        for _ in takewhile(lambda kill: kill < kills or len(acknowledged(file)) <= 10, count()):
            say(process)
            pid = int(stated(process))
            end = time.monotonic() + chance.uniform(0, 0.4)
            while time.monotonic() < end:
                time.sleep(0.001)
            os.kill(pid, signal.SIGKILL)
            assert stated(process) == "gone"
    reported = acknowledged(file)
    # PostgreSQL may still execute the last process's last transaction, whose locks this waits for.
    assert ledger.execute(request_for(*reported[0])).charge_id == reported[0][2]
    before = balance(ledger)
    check_sums(ledger)
    for key, what, charge_id in reported:
        assert ledger.execute(request_for(key, what, charge_id)).charge_id == charge_id
    assert balance(ledger) == before
    charges = [record.charge_id for record in records(ledger, limit=1000) if record.event in ("spend", "hold")]
    assert len(set(charges)) == len(charges)
    assert {charge_id for _, _, charge_id in reported} <= set(charges)
    check_sums(ledger)


def check_sums(ledger: Ledger) -> None:
    found, all_records = balance(ledger), records(ledger, limit=1000)
    assert sum(record.spent_delta for record in all_records) == found.spent
    assert sum(record.held_delta for record in all_records) == found.held
    assert ledger.verify().ok


def test_two_ledgers_on_one_ceiling_deny_together(database: Backend) -> None:
    ledgers = [database.open(), database.open()]
    ledgers[0].execute(opening(budget=2 * USD))
    pending = [ledgers[number % 2].submit(spend()) for number in range(500)]
    assert sum(future.result().allowed for future in pending) == 200
    assert balance(ledgers[1]).spent == 2 * USD == 200 * CENT
    assert ledgers[0].verify().ok
