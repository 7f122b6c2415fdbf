"""Checks of values that a provider could read differently than they are measured here, and of free requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...errors import ConfigurationError
from ...integrations.guarding.calls import ApiRequest


def check_whole(body: Mapping[str, Any], name: str) -> None:
    """Raise ConfigurationError unless the field ``name`` of ``body`` is left out, null or a whole number.

    A provider may read the text ``"900000"`` as a number, but the gateway would measure the request as if the field
    were left out.
    """
    value = body.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise ConfigurationError(f"{name} must be a whole number, not {str(value)[:40]!r}, so nothing was sent.")


def check_flag(body: Mapping[str, Any], name: str) -> None:
    """Raise ConfigurationError unless the field ``name`` of ``body`` is left out, null, true or false."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be true or false, not {str(value)[:40]!r}, so nothing was sent.")


def forwards(request: ApiRequest, free: re.Pattern[str]) -> bool:
    """Whether ``free`` matches the request's method and path, such as ``GET /models``; HEAD is treated as GET."""
    method = request.method.upper()
    return free.fullmatch(f"{'GET' if method == 'HEAD' else method} {request.plain_path}") is not None
