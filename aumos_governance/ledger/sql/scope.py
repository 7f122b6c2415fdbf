"""Which notebooks belong to what a server shows, as `files.lies_in` says."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, bindparam, or_

from ..rules.files import range_of
from ..transaction import schema

__all__ = ["of_server", "scope"]

_notebooks = schema.tables["notebooks"].c


def of_server() -> ColumnElement[bool]:
    """The condition; its parameters are what `scope` answers, in this order."""
    below = and_(_notebooks.file >= bindparam("first"), _notebooks.file < bindparam("last"))
    return and_(_notebooks.owner == bindparam("owner"), or_(_notebooks.root == bindparam("root"), below))


def scope(owner: str, root: str) -> tuple[str, str, str, str]:
    """The parameters ``owner``, ``root``, ``first`` and ``last``."""
    return (owner, root, *range_of(root))
