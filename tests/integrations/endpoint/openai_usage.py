"""Usage reports in the form of each of OpenAI's APIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .replies import Reply, Tokens

Usage = Mapping[str, Any] | None


def of_chat(reply: Reply) -> Usage:
    tokens = reply.usage
    if not isinstance(tokens, Tokens):
        return tokens
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {
            "cached_tokens": tokens.cached,
            "audio_tokens": tokens.audio_input,
            **({"cache_write_tokens": tokens.cache_written} if tokens.cache_written else {}),
        },
        "completion_tokens_details": {
            "reasoning_tokens": tokens.reasoning,
            "audio_tokens": tokens.audio_output,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def of_response(reply: Reply) -> Usage:
    tokens = reply.usage
    if not isinstance(tokens, Tokens):
        return tokens
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": tokens.cache_written},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.input + tokens.output,
    }


def of_embedding(reply: Reply) -> Usage:
    tokens = reply.usage
    if not isinstance(tokens, Tokens):
        return tokens
    return {"prompt_tokens": tokens.input, "total_tokens": tokens.input}


def of_image(reply: Reply) -> Usage:
    tokens = reply.usage
    if not isinstance(tokens, Tokens):
        return tokens
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {"image_tokens": tokens.image_input, "text_tokens": tokens.input - tokens.image_input},
        "output_tokens": tokens.output,
        "output_tokens_details": {"image_tokens": tokens.output, "text_tokens": 0},
        "total_tokens": tokens.input + tokens.output,
    }


def of_transcription(reply: Reply) -> Usage:
    tokens = reply.usage
    if not isinstance(tokens, Tokens):
        return tokens
    if tokens.seconds is not None:
        return {"type": "duration", "seconds": tokens.seconds}
    return {
        "type": "tokens",
        "input_tokens": tokens.input,
        "input_token_details": {"audio_tokens": tokens.audio_input, "text_tokens": tokens.input - tokens.audio_input},
        "output_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
    }
