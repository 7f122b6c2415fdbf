"""A process whose threads spend as fast as they can, and then tells what came of it.

Usage: spenders.py URL NAME THREADS SECONDS. Says "ready", starts on a line of input, answers one line of JSON.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.base import Ledger, Spend
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
        while (start := time.monotonic()) < end:
            number += 1
            amount = chance.choice((CENT, 2 * CENT, 3 * CENT))
            request = Spend(key=f"{self.name}-{number}", origin=KERNEL, notebook=NOTEBOOK, amount=amount)
            try:
                decision = self._ledger.execute(request)
            except Exception as error:  # noqa: BLE001 - it is told, and must not be
                self.errors.append(repr(error))
            else:
                self.allowed += amount * decision.allowed
                self.denied += not decision.allowed
            self.slowest = max(self.slowest, time.monotonic() - start)


def main(url: str, name: str, threads: str, seconds: str) -> None:
    ledger = open_ledger(url)
    spenders = [Spender(ledger, f"{name}-{number}", float(seconds)) for number in range(int(threads))]
    print("ready", flush=True)
    sys.stdin.readline()
    for spender in spenders:
        spender.start()
    for spender in spenders:
        spender.join()
    ledger.close()
    said = {
        "allowed": sum(spender.allowed for spender in spenders),
        "denied": sum(spender.denied for spender in spenders),
        "errors": [error for spender in spenders for error in spender.errors],
        "slowest": max(spender.slowest for spender in spenders),
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
