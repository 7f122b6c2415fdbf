"""The time of the ledger's decisions on SQLite, compared with raw writes to the disk in the same run.

A decision is durable: it is on the disk before the caller gets it.
"""

from __future__ import annotations

import itertools
import os
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.charges import Spend
from aumos_governance.ledger.contract.facts import NotebookKey, Origin
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.requests import OpenSession
from aumos_governance.ledger.contract.terms import SessionTerms

from .results import Results

NOTEBOOK = NotebookKey("ann", "/srv", "hot.ipynb")
ORIGIN = Origin("kernel", scope="bench", incarnation="one", cell_id="cell", execution_count=1)
_numbers = itertools.count()


_process = os.urandom(8).hex()


def key() -> str:
    """Return a new idempotency key like those of the package's client: random text of this process, and a number."""
    return f"{_process}-{next(_numbers):08x}"


def opened(url: str) -> Ledger:
    ledger = open_ledger(url)
    request = OpenSession(key=key(), origin=ORIGIN, notebook=NOTEBOOK, terms=SessionTerms(), budget=10**18)
    ledger.execute(request)
    return ledger


def spend() -> Spend:
    return Spend(key=key(), origin=ORIGIN, notebook=NOTEBOOK, amount=1000, tool="gpt-4o")


def timed(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1e6


def disk(folder: Path) -> Callable[[], Any]:
    """Return a function that appends 4 KiB to a file in this folder and waits until they are on the disk."""
    descriptor = os.open(folder / "raw", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    page = os.urandom(4096)

    def write() -> None:
        os.write(descriptor, page)
        os.fdatasync(descriptor)

    return write


def one_caller(results: Results, folder: Path, rounds: int) -> None:
    """Measure the time of ``rounds`` decisions of one caller, each after a raw write to the same disk."""
    ledger, raw = opened(f"sqlite:///{folder}/one.db"), disk(folder)
    requests = [spend() for _ in range(rounds)]
    synced, decided = [], []
    for send in requests:
        synced.append(timed(raw))
        decided.append(timed(lambda send=send: ledger.execute(send)))
    ledger.close()
    base, decision = statistics.median(synced), statistics.median(decided)
    results.add("raw 4 KiB fdatasync", base, "us")
    results.add(
        "durable decision, one caller", decision, "us", max(1.5 * base, base + 250), f"{decision / base:.2f} x raw"
    )


def own_cost(results: Results, folder: Path, rounds: int) -> None:
    """Measure the CPU time of a decision if a hundred of them share one transaction; ``rounds`` transactions."""
    ledger = opened(f"sqlite:///{folder}/own.db")
    # In this thread alone: with the ledger's own thread, the switches between threads would be measured as well.
    ledger._writer.close()  # type: ignore[attr-defined]
    transaction = ledger._transaction  # type: ignore[attr-defined]
    batches = [[spend() for _ in range(100)] for _ in range(rounds)]
    costs = []
    for batch in batches:
        start = time.thread_time()
        transaction(batch)
        costs.append((time.thread_time() - start) * 1e4)
    ledger.close()
    results.add("durable decision, own cost at a batch of 100", statistics.median(costs), "us", 45)


def callers(results: Results, folder: Path, counts: tuple[int, ...], seconds: float) -> None:
    """Measure how many decisions a second callers get in all, for each number of callers in ``counts``.

    Each measurement takes ``seconds``.
    """
    points = []
    for count in counts:
        ledger = opened(f"sqlite:///{folder}/callers-{count}.db")
        rate = rate_of([ledger] * count, seconds)
        ledger.close()
        points.append((count, rate))
        results.add(
            f"durable decision, {count} callers", 1e6 / rate, "us", 100 if count == 100 else None, f"{rate:,.0f}/s"
        )
    results.series["SQLite, one process"] = points


def rate_of(ledgers: list[Ledger], seconds: float) -> float:
    """Return how many decisions a second are made if one thread for each item makes one request after another.

    The items may be the same ledger, which then has several callers.
    """
    done = [0] * len(ledgers)
    stop = threading.Event()
    ready = threading.Barrier(len(ledgers) + 1)

    def send(number: int) -> None:
        ledger = ledgers[number]
        ready.wait()
        while not stop.is_set():
            ledger.execute(spend())
            done[number] += 1

    threads = [threading.Thread(target=send, args=(number,)) for number in range(len(ledgers))]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    stop.wait(seconds)
    total, elapsed = sum(done), time.perf_counter() - start
    stop.set()
    for thread in threads:
        thread.join()
    return total / elapsed
