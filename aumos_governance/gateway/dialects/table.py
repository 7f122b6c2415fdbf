"""Finds the API of an upstream."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from .api import ProviderApi

__all__ = ["api_of"]


@cache
def api_of(dialect: str) -> ProviderApi:
    """The API of this name, which is its module's; loaded when it is needed, since a provider's prices are large."""
    return cast("ProviderApi", import_module(f".{dialect}", __package__).API)
