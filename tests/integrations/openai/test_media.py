"""The holds and costs of images and sound, and their usage reports."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from aumos_governance.errors import ConfigurationError
from aumos_governance.integrations.guarding.calls import ApiRequest, Cost, Paid, UsageMissingError
from aumos_governance.integrations.openai.calls import PROVIDER
from aumos_governance.integrations.openai.media import read_usage
from aumos_governance.integrations.pricing.prices import Prices, Rates
from aumos_governance.integrations.pricing.sizes import size_of
from tests.integrations.till import needs_prices_of_0_2

NAMES = {"input_tokens": ("into",), "input_image_tokens": ("details", "image"), "output_tokens": ("out",)}
REQUIRED = ("input_tokens", "output_tokens")
STATED = {"input_mtok": 1_000_000, "output_mtok": 2_000_000}
"""One dollar for a token of input, two for one of output."""


def rates(**more: Any) -> Rates:
    return Prices(price={**STATED, **more}).rates("mine", provider="openai")


def paid(path: str, files: tuple[int | None, ...] = (), **body: Any) -> Paid:
    found = PROVIDER.paid(ApiRequest("post", path, {"model": "mine", **body}, files=files))
    assert found is not None
    return found


# ---- reports


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        ({"into": 5, "out": 7}, {"input_tokens": 5, "output_tokens": 7}),
        ({"into": 5, "out": 0}, {"input_tokens": 5, "output_tokens": 0}),
        ({"into": 0, "out": 0.5}, {"input_tokens": 0, "output_tokens": 0.5}),
        ({"into": 5, "out": 7, "details": None}, {"input_tokens": 5, "output_tokens": 7}),
        ({"into": 5, "out": 7, "details": 3}, {"input_tokens": 5, "output_tokens": 7}),
        (
            {"into": 5, "out": 7, "details": {"image": 2}},
            {"input_tokens": 5, "input_image_tokens": 2, "output_tokens": 7},
        ),
        ({"into": 5, "out": 999_999_999_999}, {"input_tokens": 5, "output_tokens": 999_999_999_999}),
    ],
)
def test_a_report_is_read_by_its_names(usage: dict[str, Any], read: dict[str, Any]) -> None:
    assert read_usage({"usage": usage}, NAMES, REQUIRED) == read


@pytest.mark.parametrize(
    "usage",
    [
        *(None, [], "5", {}, {"into": 5}, {"out": 5}, {"into": 5, "out": None}, {"into": 0, "out": 0}),
        *({"into": 5, "out": wrong} for wrong in (True, "7", -1, 10**12, float("nan"), [7])),
        {"into": 5, "out": 7, "details": {"image": True}},
        {"into": 5, "out": 7, "details": {"image": -1}},
    ],
    ids=repr,
)
def test_what_is_no_report_is_charged_as_held(usage: Any) -> None:
    with pytest.raises(UsageMissingError):
        read_usage({"usage": usage}, NAMES, REQUIRED)


def test_a_response_without_a_report_is_charged_as_held() -> None:
    with pytest.raises(UsageMissingError):
        read_usage({}, NAMES, REQUIRED)


# ---- images


@pytest.mark.parametrize(("n", "times"), [(None, 1), (1, 1), (3, 3), ("3", 3), (0, 1)])
def test_each_image_is_held_for(n: Any, times: int) -> None:
    assert paid("/images/generations", prompt="abc", n=n).worst(rates()) == 5 + 2 * 8_192 * times


@pytest.mark.parametrize("n", ["x", "+5", " 5", "5.0", "\u0665", 5.0])
def test_a_number_that_can_be_read_in_two_ways_is_refused(n: Any) -> None:
    with pytest.raises(ConfigurationError, match="whole number, in digits"):
        paid("/images/generations", prompt="abc", n=n).worst(rates())


def test_images_on_the_way_and_those_that_are_given_are_held_for() -> None:
    assert paid("/images/generations", partial_images=3).worst(rates()) == 2 + 2 * (8_192 + 3 * 100)
    assert paid("/images/edits", files=(10, None)).worst(rates()) == 2 + 2 * 10_400 + 2 * 8_192


@pytest.mark.parametrize(
    ("details", "prices", "cost"),
    [
        ({}, {}, 10 + 2 * 20),
        ({}, {"output_image_mtok": 5_000_000}, 10 + 5 * 20),
        ({"text_tokens": 4}, {"output_image_mtok": 5_000_000, "output_text_mtok": 2_000_000}, 10 + 2 * 4 + 5 * 16),
        ({"image_tokens": 15}, {"output_image_mtok": 5_000_000}, 10 + 2 * 5 + 5 * 15),
    ],
)
def test_an_image_is_charged_at_its_own_price(details: dict[str, int], prices: dict[str, int], cost: int) -> None:
    response = {"usage": {"input_tokens": 10, "output_tokens": 20, "output_tokens_details": details}}
    assert paid("/images/generations").cost(rates(**prices), response) == Cost(Decimal(cost))


# ---- sound


def test_speech_is_held_for_by_its_text() -> None:
    call = paid("/audio/speech", input="x" * 10, instructions="yy")
    assert call.worst(rates()) == size_of(["x" * 10, "yy"]).tokens + 2 * (10 * 8 + 100)
    by_character = rates(input_mchars=3_000_000)
    assert call.worst(by_character) == 30
    assert call.cost(by_character, {}) == Cost(Decimal(30))
    response = {"usage": {"input_tokens": 10, "output_tokens": 20}}
    assert call.cost(rates(), response) == Cost(Decimal(50))
    with pytest.raises(UsageMissingError):
        call.cost(rates(), {})


@needs_prices_of_0_2
@pytest.mark.parametrize(
    ("sizes", "seconds"), [((749,), 1), ((750,), 2), ((None,), 34_953), ((10**9,), 34_953), ((749, 750), 3)]
)
def test_a_sound_is_held_for_by_its_length(sizes: tuple[int | None, ...], seconds: int) -> None:
    call = paid("/audio/transcriptions", sizes, prompt="abc")
    assert call.worst(rates()) == 5 + 25 * seconds + 2 * 10 * seconds
    assert call.worst(rates(audio_hours=3_600)) == seconds


@needs_prices_of_0_2
@pytest.mark.parametrize(
    ("response", "cost"),
    [
        ({"usage": {"seconds": 7}}, 7),
        ({"duration": 7.5}, "7.5"),
        ({"usage": {"input_tokens": 10, "output_tokens": 20}}, 50),
        ({"usage": {"input_tokens": 10, "output_tokens": 20}, "duration": 7}, 50),
        ({"duration": 0}, 0),
    ],
)
def test_a_sound_is_charged_by_its_seconds_or_its_tokens(response: dict[str, Any], cost: Any) -> None:
    call = paid("/audio/transcriptions", (749,))
    assert call.cost(rates(audio_hours=3_600), response) == Cost(Decimal(cost))


@needs_prices_of_0_2
@pytest.mark.parametrize("seconds", [True, "7", -1, 1e9, float("nan")])
def test_a_length_that_is_none_is_charged_as_held(seconds: Any) -> None:
    with pytest.raises(UsageMissingError):
        paid("/audio/transcriptions", (749,)).cost(rates(audio_hours=3_600), {"duration": seconds})


def test_a_form_without_a_model_is_for_the_usual_one() -> None:
    image = PROVIDER.paid(ApiRequest("post", "/images/variations", {}))
    assert image is not None
    assert image.model == "dall-e-2"
