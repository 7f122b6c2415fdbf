"""Checks that the modules for the providers' APIs share: of fields in a request's body, and of free requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...errors import ConfigurationError
from ...integrations.guarding.calls import ApiRequest


def check_whole(body: Mapping[str, Any], name: str) -> None:
    """Raise ConfigurationError if the field ``name`` of ``body`` has a value that is neither null nor a whole number.

    The gateway ignores the text ``"900000"``, but a provider may read it as a number, so that the call could cost more
    than the gateway computed.
    """
    value = body.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise ConfigurationError(f"{name} must be a whole number, not {str(value)[:40]!r}, so nothing was sent.")


def check_flag(body: Mapping[str, Any], name: str) -> None:
    """Raise ConfigurationError if the field ``name`` of ``body`` has a value that is not null, true or false."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be true or false, not {str(value)[:40]!r}, so nothing was sent.")


def forwards(request: ApiRequest, free: re.Pattern[str]) -> bool:
    """Whether the pattern ``free`` matches the request's method and path, such as ``GET /models``.

    HEAD is treated as GET. An API's `ProviderApi.forwards` calls this with its pattern for free requests.
    """
    method = request.method.upper()
    return free.fullmatch(f"{'GET' if method == 'HEAD' else method} {request.plain_path}") is not None
