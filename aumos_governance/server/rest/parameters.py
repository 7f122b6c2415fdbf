"""The query parameters that several REST routes have in common: a notebook's path, and the page of a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ...wire import fields
from ..identity.notebook_map import clean_path
from .route import Parameters


class Page(NamedTuple):
    """The query parameters that select one page of a list."""

    path: str | None
    """The path of the notebook whose entries are listed; None for all notebooks."""
    after: str
    """The value of ``after`` in the response with the page before; empty for the first page."""
    limit: int
    """The number of entries in the page, unless fewer are left."""


def _page(parameters: Mapping[str, str], _: Any) -> Page:
    return Page(None, parameters.get("after", ""), _limit(parameters))


def _notebook_page(parameters: Mapping[str, str], _: Any) -> Page:
    path = parameters.get("path")
    after = fields.optional_text(parameters, "after", "after")
    return Page(None if path is None else clean_path(path), after or "", _limit(parameters))


def _any_notebook(parameters: Mapping[str, str], _: Any) -> str | None:
    path = parameters.get("path")
    return None if path is None else clean_path(path)


def _limit(parameters: Mapping[str, str]) -> int:
    return fields.whole(parameters, "limit", default=100, least=1, most=1_000)


NONE: Final = Parameters((), lambda parameters, _: None)
NOTEBOOK: Final = Parameters(("path",), lambda parameters, _: clean_path(parameters.get("path", "")))
ANY_NOTEBOOK: Final = Parameters(("path",), _any_notebook)
"""An optional parameter ``path``, of a notebook. Without it, the request is about all notebooks."""
PAGE: Final = Parameters(("after", "limit"), _page)
NOTEBOOK_PAGE: Final = Parameters(("path", "after", "limit"), _notebook_page)
