"""Starts processes that charge a ledger until they are killed, each a fork of this one, which has no ledger open.

Usage: victims.py URL FILE. For each line of input it starts one, prints its process id, and "gone" when it has ended.
Each acknowledged charge is appended to the file as a line of JSON: the key, the request and the charge.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

# Modules that a ledger imports when it is opened are imported once, here.
import aumos_governance.ledger.sql.postgres.database
import aumos_governance.ledger.sql.sqlite.database  # noqa: F401
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.charges import Hold, Settle
from aumos_governance.ledger.contract.requests import Request
from tests.ledger.kit import CENT, KERNEL, NOTEBOOK, spend

THREADS = 3


def request_for(key: str, what: str, charge_id: str = "") -> Request[Any]:
    """Return the request that a victim makes under a key, to make it again."""
    if what == "spend":
        return spend(CENT, key=key)
    if what == "hold":
        return Hold(key=key, origin=KERNEL, notebook=NOTEBOOK, amount=2 * CENT)
    return Settle(key=key, origin=KERNEL, hold_id=charge_id, amount=CENT)


def acknowledged(file: Path) -> list[tuple[str, str, str]]:
    """Yield the key, the request and the charge of each complete line."""
    return [tuple(json.loads(line)) for line in file.read_text().splitlines() if line.endswith("]")]


def charge(url: str, name: str, file: int) -> None:
    ledger = open_ledger(url)

    def request(key: str, what: str, charge_id: str = "") -> str:
        response = ledger.execute(request_for(key, what, charge_id))
        assert response.charge_id is not None
        # Each line is one write, so that lines do not mix, and it stays when the process is gone. A kill during a write
        # that reaches into the file's next page leaves its first part, so the next line begins on a line of its own.
        os.write(file, f"\n{json.dumps([key, what, response.charge_id])}\n".encode())
        return str(response.charge_id)

    def go_on(thread: int) -> None:
        for number in itertools.count():
            key = f"{name}-{thread}-{number}"
            if number % 3:
                request(key, "spend")
            else:
                request(f"{key}-settle", "settle", request(key, "hold"))

    threads = [threading.Thread(target=go_on, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(url: str, path: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    print("ready", flush=True)
    for number, _ in enumerate(sys.stdin):
        pid = os.fork()
        if pid == 0:
            try:
                charge(url, f"victim-{number}", file)
            finally:
                os._exit(1)
        print(pid, flush=True)
        os.waitpid(pid, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
