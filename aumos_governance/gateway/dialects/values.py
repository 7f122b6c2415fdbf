"""Checks of values that a provider may read more generously than they are measured here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import ConfigurationError

__all__ = ["check_flag", "check_whole"]


def check_whole(body: Mapping[str, Any], name: str) -> None:
    """Raises ConfigurationError where this is neither left out nor a whole number: ``"900000"`` is measured as none."""
    value = body.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise ConfigurationError(f"{name} must be a whole number, not {str(value)[:40]!r}, so nothing was sent.")


def check_flag(body: Mapping[str, Any], name: str) -> None:
    """Raises ConfigurationError where this is neither left out nor true or false."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be true or false, not {str(value)[:40]!r}, so nothing was sent.")
