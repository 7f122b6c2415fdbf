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
    """The query parameters of a route. Requests with others are refused, since these may be misspelt filters."""

    names: tuple[str, ...]
    read: Callable[[Mapping[str, str], Callable[[str], NotebookKey]], QueryT]
    """Returns the parsed query, given the request's parameters and `Context.key`. Must not block.

    Raises InvalidRequestError, which names the invalid parameter.
    """


@dataclass(frozen=True, slots=True)
class Request(Generic[QueryT]):
    """A REST request that was authenticated and authorized, as the function behind its route gets it."""

    query: QueryT
    """The result of the route's `Parameters.read`."""
    user: User
    one_user: bool
    """Whether the server has no user names, so that every user who logs in to it is its owner."""
    id: str
    """The part of the path at ``{id}``; empty if the route's path has none."""
    body: Mapping[str, Any]
    """The JSON object in the body; empty for a GET. It has only fields in `Route.body`, whose values were not validated
    yet."""
    key: str | None
    """The value of the header ``Idempotency-Key``; None if it is missing, and for a GET."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is sent as the response, part by part."""

    parts: Generator[bytes, None, None]
    """Yields the file's parts, and may block at each."""
    content_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Route(Generic[QueryT]):
    """A route of the REST interface: an HTTP method and a path, with the function that makes the response."""

    method: str
    path: str
    """The path below ``aumos-governance/v1/``, such as ``holds/{id}/settle``. ``{id}`` stands for one part of the
    path."""
    query: Parameters[QueryT]
    response: Callable[[Context, Request[QueryT]], Body | Download]
    """Returns the body of the response, or a file. It is called in a thread, so it may block. Raises the errors of
    `errors.py`."""
    body: tuple[str, ...] = ()
    """The fields that the request's body may have. An empty body is the same as ``{}``."""
    needs: tuple[str, str] | None = None
    """A further permission that the user needs: an action and a resource of the server's authorizer, such as ``write``
    and ``contents``."""
    long: bool | Callable[[Mapping[str, str]], bool] = False
    """Whether a request may read the whole audit record, always or as a function of its query parameters. Such requests
    are executed in a thread of their own, so that they do not delay the others."""
