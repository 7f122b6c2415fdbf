"""The base class of requests, and the requests that change sessions and notebooks."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Generic, TypeVar

from ...types import TrustLevel
from .facts import NotebookKey, Opened, Origin, SessionState
from .terms import SessionTerms

ResponseT_co = TypeVar("ResponseT_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Generic[ResponseT_co]):
    """Base class of all requests for a change. `Ledger.execute` returns the response, a ``ResponseT_co``.

    ``key`` is the idempotency key: a request with the same key and content (except for ``expires_at``) gets the stored
    response. Keys are kept for at least 48 hours. With an empty key nothing is stored; it is for callers in the
    ledger's own process, which cannot lose a response.

    `Ledger.execute` raises IdempotencyError if the key was used with other content, ExpiredError if the ledger gets the
    request after ``expires_at``, and LedgerError if the storage fails.
    """

    key: str
    origin: Origin
    expires_at: int | None = None


def new_key() -> str:
    """Return a key that no other request has."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession(Request[Opened]):
    """Open a notebook's session, for a kernel or the server, by the rules of `terms.plan_open`.

    An open session is resumed, or changed if the values differ; with ``new`` it is closed, and a new session is opened.
    Raises NotAllowedError if the rules forbid it.
    """

    notebook: NotebookKey
    terms: SessionTerms
    trust_level: TrustLevel | None = None
    budget: int | None = None
    agent_id: str | None = None
    new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSession(Request[Opened]):
    """Change a session's values as a user has decided. If no session is open, first open one with the defaults.

    Raises NotAllowedError for values above the policy's maxima.
    """

    notebook: NotebookKey
    terms: SessionTerms
    trust_level: TrustLevel | None = None
    budget: int | None = None
    agent_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSession(Request[SessionState]):
    """Close the open session and return the state. If no session is open, nothing is changed or recorded.

    Raises NotAllowedError for a kernel in strict mode.
    """

    notebook: NotebookKey
    terms: SessionTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveNotebook(Request[int]):
    """Change the path of a notebook, or of all notebooks in a folder, after it was moved. Returns their number.

    A notebook that was at the new path before is marked as deleted.
    """

    owner: str
    root: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteNotebook(Request[int]):
    """Mark a notebook, or all notebooks in a folder, as deleted, and close the open sessions. Their records stay.

    Returns the number of notebooks.
    """

    owner: str
    root: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinNotebooks(Request[int]):
    """Rename notebooks, or join two into one, because two names are the same file. Returns the number of changes.

    Each pair has a notebook's former name and its new name. If there are notebooks under both names, they become one:
    the ceilings of the joined notebook include the spending of both. Of two open sessions the older session stays open
    and the other is closed; holds of the closed session stay pending. No record is changed.
    """

    pairs: tuple[tuple[NotebookKey, NotebookKey], ...]
