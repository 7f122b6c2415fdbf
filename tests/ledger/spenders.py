"""Processes whose threads spend as fast as they can, and then report the results.

Usage: spenders.py URL PROCESSES THREADS SECONDS. It prints "ready" when all have opened the ledger, starts at a line of
input, and ends when each process has printed a line of JSON. The processes are forks of one that has no ledger open.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

# Modules that a ledger imports when it is opened are imported once, here.
import aumos_governance.ledger.sql.postgres.database
import aumos_governance.ledger.sql.sqlite.database  # noqa: F401
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.charges import Spend
from aumos_governance.ledger.contract.ledger import Ledger
from tests.ledger.kit import CENT, KERNEL, NOTEBOOK


class Spender(threading.Thread):
    def __init__(self, ledger: Ledger, name: str, seconds: float) -> None:
        super().__init__(name=name)
        self.allowed = self.denied = 0
        self.slowest = 0.0
        self.errors: list[str] = []
        self._ledger = ledger
        self._seconds = seconds

    def run(self) -> None:
        chance = random.Random(self.name)
        end, number = time.monotonic() + self._seconds, 0
        full = False
        # On a slow disk they run longer, until not even one cent fits.
        while (start := time.monotonic()) < end or not (full or self.errors):
            number += 1
            amount = chance.choice((CENT, 2 * CENT, 3 * CENT))
            request = Spend(key=f"{self.name}-{number}", origin=KERNEL, notebook=NOTEBOOK, amount=amount)
            try:
                decision = self._ledger.execute(request)
            except Exception as error:  # noqa: BLE001 - it is reported, and fails the test
                self.errors.append(repr(error))
            else:
                self.allowed += amount * decision.allowed
                self.denied += not decision.allowed
                full = full or (amount == CENT and not decision.allowed)
            self.slowest = max(self.slowest, time.monotonic() - start)


def crowd(url: str, name: str, threads: int, seconds: float, ready: int, go: int) -> None:
    ledger = open_ledger(url)
    spenders = [Spender(ledger, f"{name}-{number}", seconds) for number in range(threads)]
    os.write(ready, b".")
    os.read(go, 1)
    for spender in spenders:
        spender.start()
    for spender in spenders:
        spender.join()
    ledger.close()
    reported = {
        "allowed": sum(spender.allowed for spender in spenders),
        "denied": sum(spender.denied for spender in spenders),
        "errors": [error for spender in spenders for error in spender.errors][:3],
        "slowest": max(spender.slowest for spender in spenders),
    }
    # Each line is one write, so that the lines of several processes do not mix.
    os.write(1, f"{json.dumps(reported)}\n".encode())


def main(url: str, processes: str, threads: str, seconds: str) -> None:
    is_ready, ready = os.pipe()
    go, gone = os.pipe()
    for number in range(int(processes)):
        if os.fork() == 0:
            os.close(gone)
            code = 1
            try:
                crowd(url, f"p{number}", int(threads), float(seconds), ready, go)
                code = 0
            finally:
                os._exit(code)
    for _ in range(int(processes)):
        os.read(is_ready, 1)
    print("ready", flush=True)
    sys.stdin.readline()
    # All start at once when this pipe is closed.
    os.close(gone)
    for _ in range(int(processes)):
        assert os.wait()[1] == 0


if __name__ == "__main__":
    main(*sys.argv[1:])
