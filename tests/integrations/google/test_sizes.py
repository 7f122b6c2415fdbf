"""The upper bound of the input of a request to Gemini, by its turns, parts, media and other fields."""

from __future__ import annotations

import base64
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from aumos_governance.integrations.google.models import CONTEXT_TOKENS
from aumos_governance.integrations.google.sizes import Size, size_of
from tests.integrations.google.gemini import MILLION, MODEL, THREE, held

LIMITED: dict[str, Any] = {"generationConfig": {"maxOutputTokens": 1000}}
MEDIA = {"audio", "image", "video"}


def blob(mime: str, length: int = 30_000) -> dict[str, Any]:
    return {"inlineData": {"mimeType": mime, "data": base64.b64encode(bytes(length)).decode()}}


def contents(*parts: Any) -> list[Any]:
    return [{"role": "user", "parts": list(parts)}]


def sized(*parts: Any, model: str = THREE) -> Size:
    return size_of({"contents": contents(*parts)}, model)


def test_a_turn_and_each_of_its_parts_have_a_frame() -> None:
    assert size_of({"contents": [{"role": "user"}]}, MODEL) == Size(16)
    assert sized({"text": "abc"}, {"text": "de"}) == Size(16 + 16 + 3 + 16 + 2)
    turns = contents({"text": "abc"}) + contents({"text": "de"})
    assert size_of({"contents": turns, "systemInstruction": {"parts": {"text": "f"}}}, MODEL) == Size(3 * 32 + 6)


@pytest.mark.parametrize("wrap", [lambda text: text, lambda text: {"parts": text}, lambda text: {"parts": [text]}])
def test_a_turn_or_part_that_is_a_mere_text_is_bounded_by_its_bytes(wrap: Callable[[str], Any]) -> None:
    text = "\u00fc" * 500
    assert 1_000 <= size_of({"contents": [wrap(text)]}, MODEL).tokens < 1_100


def test_a_turn_with_a_field_that_is_not_known_may_be_of_any_length() -> None:
    for more in ({"attachment": "files/x"}, {"more_parts": [{"text": "x"}]}):
        size = size_of({"contents": [{"role": "user", "parts": [{"text": "abc"}], **more}]}, MODEL)
        assert (size.unseen, size.kinds) == (True, MEDIA)
    assert sized({"text": "abc"}).unseen is False


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        ({"text": "\u00fc", "thought": True}, 2 + len("true")),
        ({"functionCall": {"name": "f", "args": {"a": 1}}}, len('{"name": "f", "args": {"a": 1}}')),
        ({"function_response": {"name": "f", "response": {"a": 1}}}, len('{"name": "f", "response": {"a": 1}}')),
        (
            {"functionResponse": {"name": "f", "response": {}, "parts": [{"text": "abc"}]}},
            16 + 3 + len('{"name": "f", "response": {}}'),
        ),
        ({"text": "", "codeExecutionResult": None}, 0),
    ],
    ids=str,
)
def test_a_part_is_bounded_by_the_bytes_of_all_that_it_holds(part: dict[str, Any], tokens: int) -> None:
    assert sized(part) == Size(32 + tokens)


class TestMedia:
    @pytest.mark.parametrize("value", ["data", 5, ["image/png"], {}, {"mimeType": 5, "data": "eA=="}, {"data": 5}])
    @pytest.mark.parametrize("name", ["inlineData", "fileData"])
    def test_a_blob_that_is_none_or_states_no_type_is_not_to_be_seen(self, name: str, value: Any) -> None:
        size = sized({name: value})
        assert (size.unseen, size.kinds) == (True, MEDIA)

    @pytest.mark.parametrize("value", ["look", 5, [{"name": "look"}]])
    def test_a_response_of_a_function_that_is_no_object_is_not_to_be_seen(self, value: Any) -> None:
        size = sized({"functionResponse": value})
        assert (size.unseen, size.kinds) == (True, MEDIA)

    def test_a_text_file_without_any_data_adds_nothing(self) -> None:
        for data in (None, 5, ["x"]):
            assert sized({"inlineData": {"mimeType": "text/csv", "data": data}}) == Size(32)

    @pytest.mark.parametrize(("model", "tokens"), [(MODEL, 50_000), (THREE, 2_240)])
    def test_an_image_counts_as_its_model_counts_it(self, model: str, tokens: int) -> None:
        uploaded = {"fileData": {"mimeType": " Image/PNG", "fileUri": "files/x"}}
        shown = {"functionResponse": {"name": "look", "response": {}, "parts": [blob("image/png")]}}
        rest = 16 + len('{"name": "look", "response": {}}')
        for part, more in ((blob("image/png"), 0), (uploaded, 0), (shown, rest)):
            assert sized(part, model=model) == Size(32 + tokens + more, {"image"})

    @pytest.mark.parametrize(("stated", "tokens"), [(9_000, 9_000), (70, 2_240), (None, 2_240)])
    def test_a_stated_resolution_counts(self, stated: int | None, tokens: int) -> None:
        resolution = {"mediaResolution": {"numTokens": stated}}
        added = sized({**blob("image/png"), **resolution}).tokens - sized({"text": "", **resolution}).tokens
        assert added == tokens

    @pytest.mark.parametrize(("length", "seconds"), [(0, 1), (600, 1), (750, 2), (75_000, 101)])
    def test_sound_is_bounded_by_the_slowest_speech_at_its_own_price(self, length: int, seconds: int) -> None:
        assert sized(blob("audio/ogg", length)) == Size(32 + 32 * seconds, {"audio"})
        sound, text = contents(blob("audio/ogg", length)), contents({"text": ""})
        assert held(contents=sound, **LIMITED) - held(contents=text, **LIMITED) > 32 * seconds / MILLION

    def test_a_text_file_is_bounded_by_its_bytes(self) -> None:
        assert 30_000 <= sized(blob("text/csv")).tokens < 30_200

    @pytest.mark.parametrize("length", range(1, 9))
    def test_a_text_in_base64_has_at_most_as_many_tokens_as_bytes(self, length: int) -> None:
        assert length <= sized(blob("text/plain", length)).tokens - 32 <= length + 3

    @pytest.mark.parametrize(
        "hidden",
        [
            blob("video/mp4"),
            blob("application/pdf"),
            {"fileData": {"mimeType": "video/mp4", "fileUri": "https://youtu.be/x"}},
            {"file_data": {"file_uri": "https://generativelanguage.googleapis.com/v1beta/files/x"}},
            {"somethingNew": {"x": 1}},
        ],
    )
    def test_what_is_not_to_be_seen_is_bounded_by_the_context_at_its_dearest_price(self, hidden: Any) -> None:
        assert held(contents=contents(hidden), **LIMITED) == (CONTEXT_TOKENS + 1000 * Decimal("2.5")) / MILLION
