"""Measures the visible output in a response of Google's API, whole or one event of a stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..pricing.seen import Seen
from ..pricing.usage import weight
from .fields import field_of, listed, mapping_of


def see(body: Mapping[str, Any], seen: Seen) -> None:
    """Add the visible output of all candidates in ``body``, a response or one event of a stream, to ``seen``."""
    for candidate in listed(body.get("candidates")):
        if isinstance(candidate, Mapping):
            for part in listed(mapping_of(candidate, "content").get("parts")):
                if isinstance(part, Mapping):
                    _see_part(part, seen)


def _see_part(part: Mapping[str, Any], seen: Seen) -> None:
    text = part.get("text")
    if isinstance(text, str):
        if part.get("thought"):
            seen.reasoning += weight(text)
        else:
            seen.text += weight(text)
    call = mapping_of(part, "functionCall")
    if call:
        arguments = call.get("args")
        seen.tools += weight(str(call.get("name") or "")) + (weight(json.dumps(arguments)) if arguments else 0)
    code = mapping_of(part, "executableCode").get("code")
    seen.tools += weight(code) if isinstance(code, str) else 0
    blob = field_of(part, "inlineData")
    if isinstance(blob, Mapping):
        data = blob.get("data")
        seen.media += len(data) if isinstance(data, str) else 1
