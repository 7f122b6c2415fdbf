"""What every request has, and the requests about sessions and notebooks."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Generic, TypeVar

from ...types import TrustLevel
from .facts import NotebookKey, Opened, Origin, SessionState
from .terms import SessionTerms

__all__ = [
    "ChangeSession",
    "CloseSession",
    "DeleteNotebook",
    "JoinNotebooks",
    "MoveNotebook",
    "OpenSession",
    "Request",
    "ResponseT_co",
    "new_key",
]

ResponseT_co = TypeVar("ResponseT_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Generic[ResponseT_co]):
    """A change. A repeated ``key`` with the same content (``expires_at`` aside) gets the stored response.

    Keys are kept for at least 24 hours. An empty key, for which nothing is stored, is for callers in the ledger's own
    process, which lose no response.

    Raises, from `Ledger.execute`: IdempotencyError when the key came with other content before, ExpiredError
    when it is read after ``expires_at``, LedgerError when the storage fails.
    """

    key: str
    origin: Origin
    expires_at: int | None = None


def new_key() -> str:
    """A key that no other request has."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession(Request[Opened]):
    """Request a session, for a kernel or the server; `terms.plan_open` decides the outcome.

    Without an open session one is opened. With one, it is resumed, or changed where the values differ, or
    closed and followed by a new one when ``new`` is set. Raises NotAllowedError.
    """

    notebook: NotebookKey
    terms: SessionTerms
    trust_level: TrustLevel | None = None
    budget: int | None = None
    agent_id: str | None = None
    new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSession(Request[Opened]):
    """A user's change of values; opens a session at the defaults where none is open.

    Raises NotAllowedError above the terms' maxima.
    """

    notebook: NotebookKey
    terms: SessionTerms
    trust_level: TrustLevel | None = None
    budget: int | None = None
    agent_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSession(Request[SessionState]):
    """Close the open session; with none open the response is the state as it is, and nothing is recorded.

    Raises NotAllowedError for a kernel in strict mode.
    """

    notebook: NotebookKey
    terms: SessionTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveNotebook(Request[int]):
    """A notebook, or a folder with all beneath it, got another path; returns how many notebooks moved.

    A notebook that lay at the new path before is kept as a deleted one.
    """

    owner: str
    root: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteNotebook(Request[int]):
    """A notebook, or a folder with all beneath it, is gone: its sessions are closed, its records stay.

    Returns how many notebooks that were.
    """

    owner: str
    root: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinNotebooks(Request[int]):
    """Notebooks turned out to be the same file under another name; returns how many were joined or renamed.

    ``pairs`` are two keys each: the one that a notebook was known by, and the one that it is to be known by. Where both
    are known, they become one notebook: what both spent counts against the ceilings of the one, of two open sessions
    the older one stays and the other is closed, and what that one held keeps counting. No record is changed.
    """

    pairs: tuple[tuple[NotebookKey, NotebookKey], ...]
