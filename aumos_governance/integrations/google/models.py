"""Published properties of Google's models other than prices, such as the longest response, by the model's name."""

from __future__ import annotations

import re
from typing import Final

from ..pricing.sizes import IMAGE_TOKENS

CONTEXT_TOKENS: Final = 1_048_576
"""The most input tokens of Gemini 2.5 and later: https://ai.google.dev/gemini-api/docs/models. genai-prices rounds the
figure, or has none."""
AUDIO_TOKENS_A_SECOND: Final = 32
"""The most tokens of a second of audio: "Audio: 32 tokens per second" (https://ai.google.dev/gemini-api/docs/tokens).
Later models count no more."""
_OUTPUT: Final = 65_536
"""The most output tokens of Gemini 2.5 to 4 if a request sets no limit:
https://ai.google.dev/gemini-api/docs/models, and
https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/gemini/4-argon ("a single foreground segment
generates up to 65,536 output tokens")."""
_EARLIER_OUTPUT: Final = 8_192
"""The most output tokens of Gemini 1.5 and 2.0: https://ai.google.dev/gemini-api/docs/models."""
_VERSION: Final = re.compile(r"gemini-(?:[a-z]+-)*(?P<major>\d)(?:\.(?P<minor>\d))?(?!\d)")
_SPEAKS: Final = re.compile(r"-tts(?:$|-)")


def version_of(model: str) -> tuple[int, int] | None:
    """Return the version in the name of a Gemini model, or None for a name without a version."""
    found = _VERSION.match(model.lower())
    return (int(found["major"]), int(found["minor"] or 0)) if found else None


def output_tokens(model: str) -> int:
    """Return the most tokens of a model's response to a request without a limit, thoughts included.

    ``maxOutputTokens`` limits thoughts and visible output together: by the page of Gemini 4 above ("output includes
    thinking, function calls, and the final response"), and as measured in
    https://github.com/googleapis/python-genai/issues/2062 and .../811 for Gemini 3 and 2.5.
    """
    version = version_of(model)
    return _EARLIER_OUTPUT if version is not None and version < (2, 5) else _OUTPUT


def thinks(model: str) -> bool:
    """Whether a model may think; its thoughts are charged as output, and its response does not show them.

    https://ai.google.dev/gemini-api/docs/thinking: Gemini 2.5 and later. A model without a version in its name is
    taken for a new model.
    """
    version = version_of(model)
    return version is None or version >= (2, 5)


def bills_each_query(model: str) -> bool:
    """Whether searches for a model are billed for each query, and not once for each request that searches.

    https://ai.google.dev/gemini-api/docs/google-search#pricing: since Gemini 3. A model without a version in its name
    is taken for a new model.
    """
    version = version_of(model)
    return version is None or version >= (3, 0)


def speaks(model: str) -> bool:
    """Whether all output of a model is sound, so that its output price is the price of sound.

    https://ai.google.dev/gemini-api/docs/pricing: the text-to-speech models' output is priced as audio.
    """
    return _SPEAKS.search(model.lower()) is not None


def image_tokens(model: str) -> int:
    """Return the most tokens of an image in the input.

    https://ai.google.dev/gemini-api/docs/media-resolution#token-counts: 2,240 at the highest resolution since Gemini 3;
    earlier models cut a large image into tiles of 258 tokens each.
    """
    version = version_of(model)
    return 2_240 if version is not None and version >= (3, 0) else IMAGE_TOKENS
