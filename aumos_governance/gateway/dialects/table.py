"""Finds the `ProviderApi` of an upstream by the name of its API: ``openai``, ``anthropic`` or ``google``."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from .api import ProviderApi


@cache
def api_of(dialect: str) -> ProviderApi:
    """Return the `ProviderApi` named ``dialect``, such as ``openai``, from the module of the same name.

    The module is imported only here, since it loads large tables of prices.
    """
    return cast("ProviderApi", import_module(f".{dialect}", __package__).API)
