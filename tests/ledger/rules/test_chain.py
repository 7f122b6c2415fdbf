"""The canonical JSON is what the standard library writes, whichever encoder writes it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aumos_governance.errors import InvalidRequestError
from aumos_governance.ledger.rules.chain import digest, dumps, encode, encoder_with, link

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXT
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


def by_the_book(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@settings(deadline=None)
@given(VALUES)
def test_is_the_standard_librarys(value: Any) -> None:
    assert dumps(value) == by_the_book(value)
    assert encode(value) == by_the_book(value).encode()


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_read_as_it_was(value: float) -> None:
    assert json.loads(dumps([value, None])) == [value, None]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}, object(), {1, 2}])
def test_refuses_what_json_cannot_hold(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        dumps(value)


def test_refuses_half_a_character() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode(["\ud800"])


def test_requests_objects_from_the_caller() -> None:
    assert encoder_with(lambda value: [type(value).__name__])([frozenset(), 2**80]) == b'[["frozenset"],%d]' % 2**80


@pytest.mark.parametrize("wrong", ["\0", "a\0b", "half \ud800"])
def test_a_record_holds_no_text_that_no_database_can_store(wrong: str) -> None:
    with pytest.raises(InvalidRequestError, match="cannot be recorded"):
        link(["ledger", 1, wrong])


@pytest.mark.parametrize("text", ["\\u0000", "plain", ""])
def test_a_record_s_hash_is_the_digest_of_its_columns(text: str) -> None:
    assert link(["ledger", 1, text]) == digest(["ledger", 1, text])
