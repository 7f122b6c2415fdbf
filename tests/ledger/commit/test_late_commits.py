"""A request that would be committed after its expiry is not done, even if it was decided in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from aumos_governance.errors import ExpiredError
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.charges import Spend
from aumos_governance.ledger.contract.facts import NotebookKey, Origin
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ReadState
from aumos_governance.ledger.contract.requests import OpenSession
from aumos_governance.ledger.contract.terms import SessionTerms

NOTEBOOK = NotebookKey("ada", "/root", "a.ipynb")
ORIGIN = Origin("kernel", scope="kernel:k", incarnation="one")
SECOND = 1_000_000
BEGUN = 10**15


class Clock:
    """A clock that stands still, except that the process may be suspended for a minute before a call."""

    def __init__(self) -> None:
        self.now = BEGUN
        self.stops = 0
        """The number of the call, from now on, at which the process was suspended for a minute."""

    def __call__(self) -> int:
        self.stops -= 1
        if self.stops == 0:
            self.now += 60 * SECOND
        return self.now


def spend(key: str, expires_at: int | None) -> Spend:
    return Spend(key=key, origin=ORIGIN, notebook=NOTEBOOK, amount=10**9, expires_at=expires_at)


def opened(folder: Path, clock: Clock) -> Ledger:
    ledger = open_ledger(f"sqlite:///{folder / 'ledger.sqlite'}", clock=clock)
    ledger.execute(OpenSession(key="o", origin=ORIGIN, notebook=NOTEBOOK, terms=SessionTerms(), budget=10 * 10**9))
    return ledger


def test_a_process_that_stands_still_in_a_transaction_commits_nothing_late(tmp_path: Path) -> None:
    clock = Clock()
    ledger = opened(tmp_path, clock)
    # One call at the transaction's start, one at the request's turn; then the machine is suspended.
    clock.stops = 3
    with pytest.raises(ExpiredError, match="not committed before its expiry"):
        ledger.execute(spend("late", BEGUN + 10 * SECOND))
    assert clock.now > BEGUN
    assert ledger.read(ReadState(notebook=NOTEBOOK)).balance.spent == 0  # type: ignore[union-attr]
    with pytest.raises(ExpiredError):
        ledger.execute(spend("late", BEGUN + 10 * SECOND))
    ledger.execute(spend("next", clock.now + 10 * SECOND))
    assert ledger.read(ReadState(notebook=NOTEBOOK)).balance.spent == 10**9  # type: ignore[union-attr]
    ledger.close()


def test_what_was_done_in_time_gets_the_same_response_later(tmp_path: Path) -> None:
    clock = Clock()
    ledger = opened(tmp_path, clock)
    done = ledger.execute(spend("one", BEGUN + 10 * SECOND))
    clock.stops = 3
    assert ledger.execute(spend("one", BEGUN + 10 * SECOND)) == done
    ledger.close()
