"""Returns the `ProviderApi` of an upstream's dialect."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from .api import ProviderApi


@cache
def api_of(dialect: str) -> ProviderApi:
    """Return the API of a dialect, from the module of the same name.

    The module is imported at the first call, since it loads large tables of prices.
    """
    return cast("ProviderApi", import_module(f".{dialect}", __package__).API)
