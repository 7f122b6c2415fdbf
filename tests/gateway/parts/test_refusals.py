"""Refusals of requests: their status, their code, and whether a client may try again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aumos_governance.errors import ConfigurationError
from aumos_governance.gateway.dialects.anthropic import API as ANTHROPIC
from aumos_governance.gateway.refusals import RefusedError, denial, no_decision, response_of, unmeasured

DENIED = {
    "code": "BUDGET_EXCEEDED",
    "reasons": ["The budget is exhausted"],
    "tool": "gpt-4o",
    "amount": "0.5",
    "limit": {"kind": "session", "asked": "0.25"},
}


def read(response: Any) -> Any:
    return json.loads(response.body)


@pytest.mark.parametrize(
    ("status", "headers", "again"),
    [
        (402, {}, False),
        (400, {}, False),
        (503, {}, False),
        (500, {}, False),
        (502, {}, True),
        (504, {}, True),
        (503, {"retry-after": "1"}, True),
    ],
)
def test_a_client_tries_again_only_where_that_may_help(status: int, headers: dict[str, str], again: bool) -> None:
    response = response_of(RefusedError(status, "CODE", "No.", headers=headers), None)
    assert (response.status, response.headers["x-aumos-code"]) == (status, "CODE")
    assert response.headers.get("x-should-retry") == (None if again else "false")
    assert response.headers["content-type"] == "application/json"
    assert read(response) == {"error": {"message": "No.", "type": "gateway_error", "param": None, "code": "CODE"}}
    assert headers.items() <= dict(response.headers).items()


def test_a_refusal_says_itself_whether_to_try_again() -> None:
    response = response_of(RefusedError(502, "CODE", "No.", headers={"x-should-retry": "false"}), None)
    assert response.headers["x-should-retry"] == "false"


def test_a_refusal_has_the_shape_of_its_api() -> None:
    error = RefusedError(402, "CODE", "No.")
    assert str(error) == "No."
    assert read(response_of(error, ANTHROPIC)) == dict(ANTHROPIC.error(error.refusal))
    assert read(response_of(error, ANTHROPIC)) != read(response_of(error, None))


def test_a_denial_names_what_was_requested_what_is_left_and_what_helps() -> None:
    refusal = denial(DENIED, {"remaining": "0.125"}, "a.ipynb").refusal
    assert (refusal.status, refusal.code) == (402, "BUDGET_EXCEEDED")
    assert "The budget is exhausted; $0.25 for gpt-4o was requested and $0.125 is left" in refusal.message
    assert "raise the budget in the Governance panel" in refusal.message


def test_a_denial_that_says_less_is_still_a_sentence() -> None:
    message = denial(DENIED | {"limit": {"kind": "session"}}, None, "a.ipynb").refusal.message
    assert "$0.50 for gpt-4o was requested; raise" in message
    assert "$0.50 for gpt-4o was requested" in denial(DENIED | {"limit": None}, {}, "a.ipynb").refusal.message
    bare = denial({"code": "BUDGET_EXCEEDED", "amount": True}, {"remaining": 3}, "a.ipynb").refusal.message
    assert "not allowed; $0.00 for the call was requested" in bare
    assert denial({}, None, "").refusal.code == "GOVERNANCE_DENIED"


def test_without_a_session_the_notebook_is_named() -> None:
    refusal = denial({"code": "NO_SESSION"}, None, "a.ipynb").refusal
    assert (refusal.status, refusal.code) == (402, "NO_SESSION")
    assert "governance is not active for a.ipynb" in refusal.message
    assert "for this notebook" in denial({"code": "NO_SESSION"}, None, "").refusal.message


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        ({"code": "INVALID_AMOUNT", "message": "That is no amount."}, 400, "INVALID_AMOUNT"),
        ({"code": "LEDGER_UNAVAILABLE", "message": "The disk is full."}, 503, "LEDGER_UNAVAILABLE"),
        ({}, 503, "UNAVAILABLE"),
    ],
)
def test_what_was_not_decided_is_no_denial(message: dict[str, str], status: int, code: str) -> None:
    refusal = no_decision(message).refusal
    assert (refusal.status, refusal.code) == (status, code)
    assert message.get("message", "") in refusal.message
    assert ("there is no decision" in refusal.message) == (status == 503)


def test_what_cannot_be_measured_has_the_advice_that_helps_here() -> None:
    caused = ConfigurationError("Use govern(cost=0).", cause="The price is not known")
    prices = unmeasured(caused, "PRICE_UNKNOWN", "openai").refusal
    assert (prices.status, prices.code) == (400, "PRICE_UNKNOWN")
    assert prices.message.endswith(
        "The price is not known; the administrator of this Jupyter server can state prices for openai."
    )
    method = unmeasured(caused, "METHOD_UNKNOWN", "openai").refusal
    assert "; make this call without the gateway" in method.message
    other = unmeasured(caused, "METHOD_UNKNOWN", "cohere", "/cohere/compatibility/v1").refusal
    assert other.message.endswith("at the base URL $AUMOS_GOVERNANCE_GATEWAY/cohere/compatibility/v1.")
    plain = unmeasured(ConfigurationError("n must be a whole number."), "METHOD_UNKNOWN", "openai").refusal
    assert plain.message == "AumOS Governance: n must be a whole number."
