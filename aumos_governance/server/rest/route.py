"""The types that describe a route of the REST interface; `table.py` lists all routes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ...ledger.contract.facts import NotebookKey
from ...service.users import User
from .context import Context

Body = dict[str, Any]
QueryT = TypeVar("QueryT")


@dataclass(frozen=True, slots=True)
class Parameters(Generic[QueryT]):
    """The query parameters of a route. All others are refused, since they may be misspelt filters."""

    names: tuple[str, ...]
    read: Callable[[Mapping[str, str], Callable[[str], NotebookKey]], QueryT]
    """Returns the route's query, given the request's parameters and `Context.key`. Must not block.

    Raises InvalidRequestError, which names the invalid parameter.
    """


@dataclass(frozen=True, slots=True)
class Request(Generic[QueryT]):
    """A request that was authenticated and authorized, with the fields that the function of its route uses."""

    query: QueryT
    """The result of the route's `Parameters.read`."""
    user: User
    one_user: bool
    """Whether the server has no user names, so that all users who log in are its owner."""
    id: str
    """The part of the path at ``{id}``; empty if the route's path has none."""
    body: Mapping[str, Any]
    """The JSON object of the body; empty for a GET. The route knows all its fields, but must validate their values."""
    key: str | None
    """The value of the header Idempotency-Key; always None for a GET."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file as the response, sent part by part."""

    parts: Generator[bytes, None, None]
    """The file's parts; getting the next one may block."""
    content_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Route(Generic[QueryT]):
    """A route: an HTTP method and a path, with the function that returns the response to a request."""

    method: str
    path: str
    """The path below `PREFIX`; ``{id}`` matches one part of it."""
    query: Parameters[QueryT]
    response: Callable[[Context, Request[QueryT]], Body | Download]
    """Returns the response. It is called in a thread, and so may block. Raises the errors of `errors.py`."""
    body: tuple[str, ...] = ()
    """The fields that the request's body may have. An empty body is the same as ``{}``."""
    needs: tuple[str, str] | None = None
    """A further permission that the user needs: the action and the resource, as the server's authorizer names them."""
    long: bool | Callable[[Mapping[str, str]], bool] = False
    """Whether a request with these parameters may read the whole audit record; such requests have their own thread."""
