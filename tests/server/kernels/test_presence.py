"""The holds of a kernel become unresolved, for a user to resolve, as soon as its process has ended, and not before."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from aumos_governance.errors import LedgerError, UnavailableError
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.charges import Hold, KernelGone
from aumos_governance.ledger.contract.facts import NotebookKey, Origin
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListHolds
from aumos_governance.ledger.contract.requests import OpenSession
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.server.kernels.presence import Departures, Presence

NOTEBOOK = NotebookKey("ada", "/root", "a.ipynb")
LOG = logging.getLogger("presence")


class Manager:
    """A fake kernel manager, with the attributes that name its process."""

    process: object = "first"


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = open_ledger("memory://")
    opening = OpenSession(key="", origin=Origin("kernel"), notebook=NOTEBOOK, terms=SessionTerms())
    ledger.execute(opening)
    yield ledger
    ledger.close()


@pytest.fixture
def manager() -> Manager:
    return Manager()


@pytest.fixture
def presence(ledger: Ledger, manager: Manager) -> Presence:
    return Presence("k", Departures(ledger, LOG), lambda: manager.process)


def hold(ledger: Ledger, presence: Presence, nonce: str) -> str:
    origin = Origin("kernel", scope="kernel:k", incarnation=presence.incarnation(nonce))
    held = ledger.execute(Hold(key="", origin=origin, notebook=NOTEBOOK, amount=1))
    assert held.charge_id is not None
    return held.charge_id


def states(ledger: Ledger) -> dict[str, str]:
    """Return the state of each hold; all requests submitted before have then been executed."""
    ledger.execute(KernelGone(key="", origin=Origin("server"), incarnation="nobody"))
    holds = ledger.read(ListHolds(owner="ada", root="/root"))
    return {held.charge_id: held.state.value for held in holds}


def test_a_process_that_leaves_leaves_its_holds_to_a_user(ledger: Ledger, presence: Presence) -> None:
    presence.meet("one")
    mine = hold(ledger, presence, "one")
    assert states(ledger) == {mine: "held"}
    assert presence.leave() is True
    assert states(ledger) == {mine: "unresolved"}
    assert presence.leave() is False


def test_the_hello_of_another_process_says_that_the_one_before_is_gone(ledger: Ledger, presence: Presence) -> None:
    presence.meet("one")
    mine = hold(ledger, presence, "one")
    presence.meet("one")
    assert states(ledger) == {mine: "held"}, "a second hello is no other process"
    presence.meet("two")
    later = hold(ledger, presence, "two")
    assert states(ledger) == {mine: "unresolved", later: "held"}


def test_another_kernels_nonce_is_another_process(ledger: Ledger, presence: Presence) -> None:
    presence.meet("one")
    mine = hold(ledger, presence, "one")
    other = Presence("other", Departures(ledger, LOG), lambda: None)
    other.meet("one")
    other.leave()
    assert states(ledger) == {mine: "held"}


def test_only_a_process_that_was_replaced_leaves(presence: Presence, manager: Manager) -> None:
    presence.meet("one")
    assert presence.leave_unless_in("first") is False
    assert presence.leave_unless_in(None) is False, "not known"
    manager.process = "second"
    presence.meet("two")
    assert presence.leave_unless_in("second") is False, "its hello came before the look"
    assert presence.leave_unless_in("third") is True
    assert presence.nonce is None


def test_no_request_after_leaving(presence: Presence) -> None:
    with pytest.raises(UnavailableError, match="send a hello first"), presence.attending("one"):
        pass
    presence.meet("one")
    with presence.attending("one"):
        pass
    presence.leave()
    with pytest.raises(UnavailableError) as caught:
        presence.check("one")
    assert caught.value.code == "HELLO_REQUIRED"


def test_a_departure_that_the_ledger_could_not_take_in_is_reported_again(caplog: pytest.LogCaptureFixture) -> None:
    reported: list[Any] = []

    class Full:
        full = True

        def submit(self, request: Any) -> Future[int]:
            future: Future[int] = Future()
            if self.full:
                future.set_exception(LedgerError("The disk is full."))
            else:
                reported.append(request.incarnation)
                future.set_result(1)
            return future

    ledger = Full()
    departures = Departures(ledger, LOG)  # type: ignore[arg-type]
    departures.report("k:one")
    assert "The disk is full." in caplog.text
    ledger.full = False
    departures.report_again()
    departures.report_again()
    assert reported == ["k:one"]


def test_a_closed_ledger_is_no_failure(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    ledger.close()
    Departures(ledger, LOG).report("k:one")
    assert "closed" in caplog.text


def test_what_is_requested_comes_before_the_departure(ledger: Ledger, presence: Presence) -> None:
    presence.meet("one")
    left = threading.Event()

    def leave() -> None:
        presence.leave()
        left.set()

    with presence.attending("one"):
        leaving = threading.Thread(target=leave)
        leaving.start()
        time.sleep(0.02)  # long enough for one that would not wait
        assert not left.is_set()
        mine = hold(ledger, presence, "one")
    leaving.join()
    assert states(ledger) == {mine: "unresolved"}


def test_what_is_requested_while_the_process_leaves_is_reported_gone_too(ledger: Ledger, presence: Presence) -> None:
    with pytest.raises(UnavailableError, match="send a hello first"), presence.staying("one"):
        pass
    presence.meet("one")
    with presence.staying("one"):
        # In the same thread, where leaving must not wait.
        presence.leave()
        mine = hold(ledger, presence, "one")
        assert states(ledger) == {mine: "held"}
    assert states(ledger) == {mine: "unresolved"}


def test_a_request_that_fails_while_the_process_is_replaced_says_so_too(ledger: Ledger, presence: Presence) -> None:
    presence.meet("one")
    mine = ""

    def fail() -> None:
        nonlocal mine
        with presence.staying("one"):
            presence.meet("two")
            mine = hold(ledger, presence, "one")
            raise LedgerError("The disk is full.")

    with pytest.raises(LedgerError):
        fail()
    later = hold(ledger, presence, "two")
    assert states(ledger) == {mine: "unresolved", later: "held"}


def test_a_process_that_stays_keeps_its_holds(ledger: Ledger, presence: Presence) -> None:
    presence.meet("one")
    with presence.staying("one"):
        mine = hold(ledger, presence, "one")
    assert states(ledger) == {mine: "held"}
