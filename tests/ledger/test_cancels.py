"""Asks that nobody waits for any more are taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aumos_governance.errors import (
    ConflictError,
    IdempotencyError,
)
from aumos_governance.ledger.base import Balance, Ledger
from tests.ledger.kit import (
    CENT,
    KERNEL,
    PERSON,
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
    ask = spend(3 * CENT, tool="gpt-4o")
    charged = ledger.execute(ask)
    voided = ledger.execute(void(ask.key))
    assert voided.voided
    assert voided.state == state(ledger)
    assert balance(ledger) == Balance(10 * USD, 2 * CENT, 0)
    record = records(ledger)[-1]
    assert (record.event, record.spent_delta, record.charge_id) == ("void", -3 * CENT, charged.charge_id)
    assert (record.tool, record.agent_id) == ("gpt-4o", "planner")
    # A second cancel changes nothing, and the ask is not answered any more.
    assert ledger.execute(void(ask.key)).voided
    assert balance(ledger).spent == 2 * CENT
    assert len(records(ledger)) == 4
    with pytest.raises(ConflictError, match="cancelled"):
        ledger.execute(ask)
    with pytest.raises(IdempotencyError):
        ledger.execute(replace(ask, amount=CENT))


def test_an_ask_cancelled_before_it_comes_is_refused(ledger: Ledger) -> None:
    ledger.execute(opening())
    ask = spend()
    assert ledger.execute(void(ask.key)).voided
    with pytest.raises(ConflictError, match="cancelled"):
        ledger.execute(ask)
    assert balance(ledger).spent == 0
    assert len(records(ledger)) == 1


def test_a_cancel_that_comes_after_the_expiry_takes_back_what_was_not_heard(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    ask = spend(expires_at=backend.clock.now + 10 * SECOND)
    ledger.execute(ask)
    backend.clock.advance(11 * SECOND)
    assert ledger.execute(void(ask.key)).voided
    assert balance(ledger).spent == 0
    assert records(ledger)[-1].detail == {"ask": ask.key, "late": True}
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


def test_only_an_allowed_spend_of_the_same_scope_is_taken_back(ledger: Ledger) -> None:
    wish = opening()
    ledger.execute(wish)
    denied = spend(11 * USD)
    ledger.execute(denied)
    assert not ledger.execute(void(denied.key)).voided
    assert not ledger.execute(void(wish.key)).voided
    ask = spend()
    ledger.execute(ask)
    ledger.execute(void(ask.key, origin=replace(KERNEL, scope="kernel-2")))
    ledger.execute(void(ask.key, origin=PERSON))
    assert balance(ledger).spent == CENT
    assert len(records(ledger)) == 3


def test_a_cancel_reaches_a_closed_session(ledger: Ledger) -> None:
    ledger.execute(opening())
    ask = spend(3 * CENT)
    ledger.execute(ask)
    ledger.execute(closing())
    ledger.execute(opening())
    assert ledger.execute(void(ask.key)).voided
    assert balance(ledger).spent == 0
    previous = state(ledger).previous
    assert previous is not None
    assert previous.spent == 0
    assert ledger.verify().ok
