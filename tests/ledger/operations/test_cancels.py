"""Requests that their clients have given up are cancelled, and their charges taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aumos_governance.errors import ConflictError, ExpiredError, IdempotencyError, InvalidRequestError
from aumos_governance.ledger.contract.facts import Balance, Found
from aumos_governance.ledger.contract.ledger import Ledger
from tests.ledger.kit import (
    BY_USER,
    CENT,
    HOUR,
    KERNEL,
    SECOND,
    USD,
    Backend,
    balance,
    closing,
    opening,
    records,
    spend,
    state,
    void,
)


def test_a_cancel_takes_an_allowed_spend_back(ledger: Ledger) -> None:
    ledger.execute(opening(agent_id="planner"))
    ledger.execute(spend(2 * CENT))
    request = spend(3 * CENT, tool="gpt-4o")
    charged = ledger.execute(request)
    voided = ledger.execute(void(request.key))
    assert voided.voided
    assert voided.state == state(ledger)
    assert balance(ledger) == Balance(10 * USD, 2 * CENT, 0)
    record = records(ledger)[-1]
    assert (record.event, record.spent_delta, record.charge_id) == ("void", -3 * CENT, charged.charge_id)
    assert (record.tool, record.agent_id) == ("gpt-4o", "planner")
    # A second cancel changes nothing, and the request gets no response any more.
    assert ledger.execute(void(request.key)).voided
    assert balance(ledger).spent == 2 * CENT
    assert len(records(ledger)) == 4
    with pytest.raises(ConflictError, match="cancelled"):
        ledger.execute(request)
    with pytest.raises(IdempotencyError):
        ledger.execute(replace(request, amount=CENT))


def test_a_request_cancelled_before_it_comes_is_refused(ledger: Ledger) -> None:
    ledger.execute(opening())
    request = spend()
    assert ledger.execute(void(request.key)).voided
    with pytest.raises(ConflictError, match="cancelled"):
        ledger.execute(request)
    assert balance(ledger).spent == 0
    assert len(records(ledger)) == 1


def test_a_cancel_that_comes_after_the_expiry_takes_back_what_was_not_heard(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    request = spend(expires_at=backend.clock.now + 10 * SECOND)
    ledger.execute(request)
    backend.clock.advance(11 * SECOND)
    assert ledger.execute(void(request.key)).voided
    assert balance(ledger).spent == 0
    assert records(ledger)[-1].detail == {"ask": request.key, "late": True, "answered": True}
    assert ledger.verify().ok


def test_the_record_says_that_the_response_had_arrived(ledger: Ledger) -> None:
    ledger.execute(opening())
    heard, unheard = spend(), spend()
    ledger.execute(heard)
    ledger.execute(unheard)
    assert ledger.execute(replace(void(heard.key), delivered=True)).voided
    assert ledger.execute(void(unheard.key)).voided
    delivered, plain = records(ledger)[-2:]
    assert delivered.detail == {"ask": heard.key, "delivered": True}
    assert plain.detail == {"ask": unheard.key}
    assert delivered.reasons != plain.reasons
    assert balance(ledger).spent == 0


def test_the_record_says_that_the_response_was_sent_long_before(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    used, crossed = spend(), spend()
    ledger.execute(used)
    backend.clock.advance(2 * SECOND)
    ledger.execute(crossed)
    ledger.execute(void(used.key))
    ledger.execute(void(crossed.key))
    assert [record.detail for record in records(ledger)[-2:]] == [
        {"ask": used.key, "answered": True},
        {"ask": crossed.key},
    ]


def test_only_an_allowed_spend_of_the_same_scope_is_taken_back(ledger: Ledger) -> None:
    wish = opening()
    ledger.execute(wish)
    denied = spend(11 * USD)
    ledger.execute(denied)
    assert not ledger.execute(void(denied.key)).voided
    assert not ledger.execute(void(wish.key)).voided
    request = spend()
    ledger.execute(request)
    ledger.execute(void(request.key, origin=replace(KERNEL, scope="kernel-2")))
    ledger.execute(void(request.key, origin=BY_USER))
    assert balance(ledger).spent == CENT
    assert len(records(ledger)) == 3


def test_a_cancel_reaches_a_closed_session(ledger: Ledger) -> None:
    ledger.execute(opening())
    request = spend(3 * CENT)
    ledger.execute(request)
    ledger.execute(closing())
    ledger.execute(opening())
    assert ledger.execute(void(request.key)).voided
    assert balance(ledger).spent == 0
    previous = state(ledger).previous
    assert previous is not None
    assert previous.spent == 0
    assert ledger.verify().ok


def test_the_response_names_what_was_found(ledger: Ledger) -> None:
    wish = opening()
    ledger.execute(wish)
    spent, denied = spend(), spend(11 * USD)
    ledger.execute(spent)
    ledger.execute(denied)
    found = {of: ledger.execute(void(of)).found for of in (spent.key, denied.key, wish.key, "never came")}
    assert list(found.values()) == [Found.CHARGE, Found.NO_CHARGE, Found.NO_CHARGE, Found.NOTHING]
    assert {of: ledger.execute(void(of)).found for of in found} == found, "a second cancel is answered the same"


def test_a_cancel_of_what_may_have_been_forgotten_says_so(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    request = spend(3 * CENT)
    ledger.execute(request)
    backend.clock.advance(49 * HOUR)
    # The next request makes the ledger purge the keys that are older than two days.
    ledger.execute(spend(CENT))
    for _ in range(2):
        response = ledger.execute(void(request.key))
        assert (response.voided, response.found) == (False, Found.UNKNOWN)
    assert balance(ledger).spent == 4 * CENT, "it stands"
    assert [record.event for record in records(ledger)] == ["open", "spend", "spend"]
    with pytest.raises(ConflictError, match="cancelled"):
        ledger.execute(request)
    assert ledger.verify().ok


def test_a_request_cannot_cancel_itself(ledger: Ledger) -> None:
    ledger.execute(opening())
    itself = void("itself", key="itself")
    with pytest.raises(InvalidRequestError, match="itself"):
        ledger.execute(itself)
    assert [record.event for record in records(ledger)] == ["open"]
    # The refused request left nothing, and its key can still be used.
    ledger.execute(spend(key="itself"))
    assert balance(ledger).spent == CENT


def test_no_request_expires_after_its_key_is_forgotten(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    with pytest.raises(InvalidRequestError, match="48 hours"):
        ledger.execute(spend(expires_at=backend.clock.now + 48 * HOUR + SECOND))
    request = spend(expires_at=backend.clock.now + 48 * HOUR)
    ledger.execute(request)
    backend.clock.advance(49 * HOUR)
    ledger.execute(spend())
    # The key is purged, and a copy of the request does nothing.
    with pytest.raises(ExpiredError):
        ledger.execute(request)
    assert balance(ledger).spent == 2 * CENT
