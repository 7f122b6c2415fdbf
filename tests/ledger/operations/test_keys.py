"""Idempotency keys and expiry: a repeated request is executed once, and none after its expiry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aumos_governance.errors import ExpiredError, IdempotencyError, InvalidAmountError, InvalidRequestError
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.requests import Request
from aumos_governance.ledger.contract.terms import SessionTerms
from tests.ledger.kit import (
    CENT,
    HOUR,
    KERNEL,
    NOTEBOOK,
    OTHER,
    SECOND,
    USD,
    Backend,
    FakeClock,
    at,
    balance,
    closing,
    move,
    opening,
    records,
    spend,
    void,
)


def test_a_request_that_comes_again_gets_the_same_response(backend: Backend) -> None:
    ledger = backend.open()
    requests: list[Request[object]] = [
        opening(),
        spend(),
        spend(20 * USD),
        closing(),
        spend(),
        void("unknown"),
        move("a", "b"),
    ]
    responses = [ledger.execute(request) for request in requests]
    count = len(records(ledger))
    assert [ledger.execute(request) for request in requests] == responses
    if backend.durable:
        ledger.close()
        ledger = backend.open()
        assert [ledger.execute(request) for request in requests] == responses
    assert len(records(ledger)) == count
    assert balance(ledger).spent == CENT


def test_a_retry_may_differ_in_what_the_client_does_not_choose(ledger: Ledger) -> None:
    ledger.execute(opening())
    request = spend(expires_at=FakeClock().now + 60 * SECOND)
    response = ledger.execute(request)
    later = replace(request, expires_at=None, origin=replace(KERNEL, incarnation="two"))
    assert ledger.execute(later) == response
    wish = opening(OTHER)
    opened = ledger.execute(wish)
    assert ledger.execute(replace(wish, terms=SessionTerms(strict=True))) == opened


def test_a_retry_after_a_rename_is_the_same_request(ledger: Ledger) -> None:
    ledger.execute(opening())
    request = spend()
    response = ledger.execute(request)
    ledger.execute(move(NOTEBOOK.path, "renamed.ipynb"))
    assert ledger.execute(replace(request, notebook=at("renamed.ipynb"))) == response
    assert ledger.execute(request) == response
    ledger.execute(opening(OTHER))
    with pytest.raises(IdempotencyError):
        ledger.execute(replace(request, notebook=OTHER))


def test_a_key_with_other_content_is_an_error(ledger: Ledger) -> None:
    ledger.execute(opening())
    request = spend()
    ledger.execute(request)
    for other in (
        replace(request, amount=2 * CENT),
        replace(request, tool="other"),
        replace(request, already_paid=True),
        replace(request, origin=replace(KERNEL, actor="someone")),
        opening(key=request.key),
        void("x", key=request.key),
    ):
        with pytest.raises(IdempotencyError, match="used before with other content"):
            ledger.execute(other)
    assert balance(ledger).spent == CENT
    assert len(records(ledger)) == 2


def test_keys_of_other_scopes_are_other_keys(ledger: Ledger) -> None:
    ledger.execute(opening())
    request = spend()
    ledger.execute(request)
    ledger.execute(replace(request, amount=2 * CENT, origin=replace(KERNEL, scope="kernel-2")))
    assert balance(ledger).spent == 3 * CENT


def test_a_denied_response_is_kept_and_an_error_is_not(ledger: Ledger) -> None:
    denied = spend()
    assert not ledger.execute(denied).allowed
    wrong = spend(0)
    with pytest.raises(InvalidAmountError):
        ledger.execute(wrong)
    ledger.execute(opening())
    assert not ledger.execute(denied).allowed
    assert ledger.execute(replace(wrong, amount=CENT)).allowed


def test_keys_are_kept_for_a_day(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    request = spend()
    response = ledger.execute(request)
    backend.clock.advance(24 * HOUR)
    for _ in range(3):
        ledger.execute(spend())
    assert ledger.execute(request) == response


def test_responses_are_forgotten_long_after(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    request = spend()
    ledger.execute(request)
    backend.clock.advance(72 * HOUR)
    for _ in range(3):
        ledger.execute(spend())
    ledger.execute(request)
    assert balance(ledger).spent == 5 * CENT


def test_a_request_of_great_length_is_refused(ledger: Ledger) -> None:
    ledger.execute(opening())
    with pytest.raises(InvalidRequestError, match="longer than"):
        ledger.execute(spend(tool="x" * 70_000))
    assert ledger.execute(spend(tool="back\\u0000slash")).allowed
    assert ledger.execute(spend(tool="Grüße 🙂")).tool == "Grüße 🙂"
    assert records(ledger)[-1].tool == "Grüße 🙂"
    assert ledger.verify().ok


def test_nothing_is_done_after_a_requests_expiry(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    request = spend(expires_at=backend.clock.now + 10 * SECOND)
    late = spend(expires_at=backend.clock.now + 10 * SECOND)
    response = ledger.execute(request)
    backend.clock.advance(11 * SECOND)
    with pytest.raises(ExpiredError):
        ledger.execute(late)
    assert balance(ledger).spent == CENT
    # A request that was executed in time still gets its response.
    assert ledger.execute(request) == response
