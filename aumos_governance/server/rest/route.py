"""What a route of the REST interface is; `table.py` lists all of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ...ledger.contract.facts import NotebookKey
from ...service.users import User
from .context import Context

__all__ = ["Body", "Download", "Parameters", "Request", "Route"]

Body = dict[str, Any]
QueryT = TypeVar("QueryT")


@dataclass(frozen=True, slots=True)
class Parameters(Generic[QueryT]):
    """The query parameters of a route. Every other parameter is refused: it may be a misspelt filter."""

    names: tuple[str, ...]
    read: Callable[[Mapping[str, str], Callable[[str], NotebookKey]], QueryT]
    """Gets what was given and `Context.key`; raises InvalidRequestError, which names the parameter. Must not block."""


@dataclass(frozen=True, slots=True)
class Request(Generic[QueryT]):
    """A request that was authenticated, authorized and validated, as the function of its route gets it."""

    query: QueryT
    """What the route's `Parameters` have read."""
    user: User
    one_user: bool
    """Whether the server knows no names of users, so that all who log in are its owner."""
    id: str
    """What stands for ``{id}`` in the route's path."""
    body: Mapping[str, Any]
    """Empty for a GET. All its fields are known to the route, and their values not yet validated."""
    key: str | None
    """The header Idempotency-Key, which a GET ignores."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file in place of a body, sent part by part."""

    parts: Generator[bytes, None, None]
    """Taking the next part may block."""
    content_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Route(Generic[QueryT]):
    """A method and a path, and the function that serves their requests."""

    method: str
    path: str
    """Below `PREFIX`; ``{id}`` stands for one part of it."""
    query: Parameters[QueryT]
    response: Callable[[Context, Request[QueryT]], Body | Download]
    """Runs in a thread, and so may block. Raises errors of the package."""
    body: tuple[str, ...] = ()
    """The fields that the body may have. No route needs a body: without one it is ``{}``."""
    needs: tuple[str, str] | None = None
    """An action and a resource of the server for which the user needs the permission too."""
    long: bool | Callable[[Mapping[str, str]], bool] = False
    """Whether a request with these parameters may read the whole record. Such requests have a thread of their own."""
