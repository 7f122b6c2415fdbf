"""What makes two requests the same, what no request may hold, and responses that read as they were written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from aumos_governance.errors import InvalidRequestError
from aumos_governance.ledger.contract.charges import Checks, Hold, Settle
from aumos_governance.ledger.contract.facts import Balance, Decision, Limit, NotebookKey, SessionState
from aumos_governance.ledger.rules.content import MAX_CONTENT, decode, digest, encode
from aumos_governance.types import GovernanceOutcome, TrustLevel
from tests.ledger.charges import hold, settle
from tests.ledger.kit import CENT, KERNEL, OTHER

SAME = hold(CENT, key="k", checks=Checks(realm=None), detail={"n": 1})


@pytest.mark.parametrize(
    "values",
    [
        {"expires_at": 5},
        {"notebook": OTHER},
        {"waits": True},
        {"waits_at_limit": True},
        {"waits_turn": True},
        {"most": 5},
        {"waiting": 3},
        {"origin": replace(KERNEL, incarnation="two")},
    ],
    ids=str,
)
def test_what_a_copy_may_change(values: dict[str, Any]) -> None:
    assert digest(replace(SAME, **values)) == digest(SAME)


@pytest.mark.parametrize(
    "values",
    [
        {"amount": CENT + 1},
        {"tool": "other"},
        {"category": "llm"},
        {"agent_id": "a"},
        {"required_level": TrustLevel.L2_SUGGEST},
        {"approval_id": "a"},
        {"digest": "d"},
        {"note": "n"},
        {"until": 5},
        {"least": 0},
        {"checks": Checks(realm="ann")},
        {"checks": None},
        {"detail": {"n": 2}},
        {"origin": replace(KERNEL, actor="other")},
        {"origin": replace(KERNEL, person=True)},
        {"origin": replace(KERNEL, cell_id="c9")},
        {"origin": replace(KERNEL, execution_count=9)},
        {"key": "another"},
    ],
    ids=str,
)
def test_what_makes_it_another_request(values: dict[str, Any]) -> None:
    assert digest(replace(SAME, **values)) != digest(SAME)


def test_bounds_are_compared_by_the_least_amount() -> None:
    assert digest(replace(SAME, least=1)) != digest(replace(SAME, least=2))


def test_a_request_without_a_key_is_compared_with_none() -> None:
    assert digest(replace(SAME, key="")) == ""
    with pytest.raises(InvalidRequestError):
        digest(replace(SAME, key="", note="\0"))


@pytest.mark.parametrize(
    "values",
    [
        {"note": "\0"},
        {"note": "half \ud800"},
        {"detail": {"deep": [{"x": "\0"}]}},
        {"detail": {"\0": 1}},
        {"detail": {"x": float("nan")}},
        {"detail": {"x": object()}},
        {"checks": Checks(purpose="\0")},
    ],
    ids=["nul", "surrogate", "nul within", "nul in a name", "nan", "object", "nul in a part"],
)
def test_what_cannot_be_recorded_is_no_request(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        digest(replace(SAME, **values))


def test_a_backslash_is_text() -> None:
    assert digest(replace(SAME, note="\\u0000"))


def test_a_request_has_a_greatest_length() -> None:
    def longest(more: int) -> Hold:
        return replace(SAME, note="n" * more)

    size = 1
    while size < MAX_CONTENT:
        size *= 2
    low, high = 0, size
    while high - low > 1:
        middle = (low + high) // 2
        try:
            digest(longest(middle))
        except InvalidRequestError:
            high = middle
        else:
            low = middle
    # What it holds beside the note is a few hundred bytes.
    assert 64 * 1024 - 1000 < low < 64 * 1024


def test_the_usage_of_a_settlement_is_for_the_record_alone() -> None:
    request: Settle = settle("h", CENT, key="k")
    assert digest(replace(request, usage={"tokens": 1}, source={"kind": "gateway"})) == digest(request)
    assert digest(replace(request, estimated=True)) != digest(request)


@pytest.mark.parametrize(
    "response",
    [
        None,
        True,
        3,
        Decision(GovernanceOutcome.DENY, ("a", "b"), "r", CENT, "t", "CODE", limit=Limit("session", "", 2, 1)),
        Decision(GovernanceOutcome.ALLOW, (), "r", 0, "", level=TrustLevel.L3_ACT_APPROVE),
        Decision(
            GovernanceOutcome.ALLOW,
            (),
            "r",
            0,
            "",
            state=SessionState(NotebookKey("ann", "/srv", "a"), 3, balance=Balance(3, 2, 1)),
        ),
    ],
    ids=str,
)
def test_a_response_reads_as_it_was_written(response: object) -> None:
    assert decode(encode(response)) == response


def test_what_an_earlier_version_wrote_reads_with_the_defaults_of_what_it_had_not() -> None:
    """Fields are only ever appended to a response, with a default."""
    response = Decision(GovernanceOutcome.DENY, ("a",), "r", CENT, "t", "CODE")
    name, values = json.loads(encode(response))
    for fewer in range(6, len(values) + 1):
        assert decode(json.dumps([name, values[:fewer]])) == response
