"""OpenAI's paid calls that make images, speak texts, or transcribe sound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from ...errors import ConfigurationError
from ..guarding.calls import ApiRequest, Cost, Meter, UsageMissingError
from ..pricing.rates import Rates
from ..pricing.seen import Seen
from ..pricing.sizes import AUDIO_BYTES_A_SECOND, AUDIO_TOKENS_A_SECOND, size_of
from .events import EventMeter

_IMAGE_OUTPUT: Final = 8_192
"""The tokens held for a generated image; the largest image in high quality has 6,240."""
_PARTIAL_IMAGE: Final = 100
"""The tokens held for each partial image of a stream."""
_IMAGE_INPUT: Final = 10_400
"""The most tokens of an uploaded image: 4,160 for its tiles, and 6,240 for high fidelity."""
_LONGEST_SOUND: Final = 25 * 1024 * 1024
"""The most bytes of a file that can be transcribed."""
_SPOKEN_TOKENS: Final = 8
"""The most audio tokens for one character of spoken text."""
_WRITTEN_TOKENS: Final = 10
"""The most text tokens for one second of transcribed speech."""

_IMAGE_USAGE: Final = {
    "input_tokens": ("input_tokens",),
    "input_text_tokens": ("input_tokens_details", "text_tokens"),
    "input_image_tokens": ("input_tokens_details", "image_tokens"),
    "output_tokens": ("output_tokens",),
    "output_text_tokens": ("output_tokens_details", "text_tokens"),
    "output_image_tokens": ("output_tokens_details", "image_tokens"),
}
_SOUND_USAGE: Final = {
    "input_tokens": ("input_tokens",),
    "input_text_tokens": ("input_token_details", "text_tokens"),
    "input_audio_tokens": ("input_token_details", "audio_tokens"),
    "output_tokens": ("output_tokens",),
}


class _MediaCall:
    """The base class of paid calls for images and sound; it keeps the request's fields and the sizes of its files."""

    body = None
    quoted: Rates | None = None

    def __init__(self, request: ApiRequest) -> None:
        self.model = str(request.body.get("model") or self._default)
        self._request = request.body
        self._files = request.files

    _default = "unknown"

    def meter(self) -> Meter:
        """Return a new meter for the stream of this call's response."""
        return EventMeter()


class ImageCall(_MediaCall):
    """A paid call of ``images.generate``, ``images.edit`` or ``images.create_variation``."""

    name = "images"
    _default = "dall-e-2"

    def worst(self, rates: Rates) -> Decimal:
        """Return the most USD that the call can cost for the prompt, the uploaded images and ``n`` new images."""
        request = self._request
        input_tokens = size_of(request.get("prompt") or "").tokens + len(self._files) * _IMAGE_INPUT
        each = _IMAGE_OUTPUT + _number(request.get("partial_images"), 0) * _PARTIAL_IMAGE
        return rates.bound(input_tokens, each * _number(request.get("n"), 1), kinds=("image", "cache_write"))

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Return the cost of the usage that the response reports. Raises UsageMissingError if it reports none."""
        used = read_usage(response, _IMAGE_USAGE, ("input_tokens", "output_tokens"))
        if "output_image_tokens" not in used and rates.has("output_image_mtok"):
            used["output_image_tokens"] = used["output_tokens"] - used.get("output_text_tokens", 0)
        return Cost(rates.cost(used))


class SpeechCall(_MediaCall):
    """A paid call of ``audio.speech``.

    If the model is priced by the character, the cost is known before the call. Other models report their usage only in
    a stream; without a stream, the held amount is charged as an estimate.
    """

    name = "audio.speech"

    def worst(self, rates: Rates) -> Decimal:
        """Return the most USD that the call can cost, computed from the length of the text."""
        text = str(self._request.get("input") or "")
        if rates.flat is None and rates.has("input_mchars"):
            return rates.cost({"input_characters": len(text)})
        text_tokens = size_of([text, self._request.get("instructions") or ""]).tokens
        return rates.bound(text_tokens, len(text) * _SPOKEN_TOKENS + _PARTIAL_IMAGE, kinds=("audio",))

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Return the cost of the text's characters or, for other models, of the usage that the response reports.

        Raises UsageMissingError if this usage is missing.
        """
        if rates.flat is None and rates.has("input_mchars"):
            return Cost(self.worst(rates))
        return Cost(rates.cost(read_usage(response, _SOUND_USAGE, ("input_tokens", "output_tokens"))))


class TranscriptionCall(_MediaCall):
    """A paid call of ``audio.transcriptions`` or ``audio.translations``, priced by the second or by tokens."""

    name = "audio.transcriptions"

    def worst(self, rates: Rates) -> Decimal:
        """Return the most USD that the call can cost, computed from the sizes of the uploaded files."""
        sizes = [_LONGEST_SOUND if size is None else min(size, _LONGEST_SOUND) for size in self._files]
        seconds = sum(size // AUDIO_BYTES_A_SECOND + 1 for size in sizes)
        if rates.flat is None and rates.has("audio_hours", "input_audio_hours"):
            return rates.cost(_by_time(seconds))
        text_tokens = size_of(self._request.get("prompt") or "").tokens
        return rates.bound(seconds * AUDIO_TOKENS_A_SECOND + text_tokens, seconds * _WRITTEN_TOKENS, kinds=("audio",))

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Return the cost of the seconds or tokens that the response reports.

        Raises UsageMissingError if it reports neither.
        """
        usage = response.get("usage")
        seconds = usage.get("seconds") if isinstance(usage, Mapping) else response.get("duration")
        if seconds is None:
            return Cost(rates.cost(read_usage(response, _SOUND_USAGE, ("input_tokens", "output_tokens"))))
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < 1e9:
            raise UsageMissingError("The response does not state the duration of the sound.")
        return Cost(rates.cost(_by_time(seconds)))


def read_usage(
    response: Mapping[str, Any], names: Mapping[str, tuple[str, ...]], required: Iterable[str]
) -> dict[str, int | float]:
    """Return the counts of a response's usage by genai-prices' units.

    ``names`` maps each unit to the path of its count in the usage. Raises UsageMissingError if the count of a unit in
    ``required`` is missing, or a value is no number of 0 or more.
    """
    usage = response.get("usage")
    if not isinstance(usage, Mapping):
        raise UsageMissingError("The response has no usage.")
    read: dict[str, int | float] = {}
    for unit, path in names.items():
        value: Any = usage
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is None and unit not in required:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e12:
            raise UsageMissingError(f"The response's usage has no {'.'.join(path)}.")
        read[unit] = value
    if not any(read.values()):
        raise UsageMissingError("The response's usage counts nothing.")
    return read


def _by_time(seconds: float) -> dict[str, int | float]:
    return {"audio_seconds": seconds, "input_audio_seconds": seconds}


def _number(value: object, least: int) -> int:
    """Return a number in a request, at least ``least``, which is also the result if the number is not set.

    Raises ConfigurationError for a text that is no whole number.
    """
    # A multipart form has numbers as text. The server may read text other than digits as a larger number.
    text = str(value)
    if isinstance(value, (str, float)) and not (text.isascii() and text.isdigit()):
        raise ConfigurationError(f"Nothing was sent: {text[:20]!r} in the request must be a whole number, in digits.")
    return max(least, int(text)) if text.isdigit() else least
