"""The base class of all requests to the ledger, and the requests that change sessions and notebooks.

A *session* is the time in which a notebook is governed, from its opening with a trust level and a budget to its
closing. A notebook has at most one open session.
"""

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
    """Base class of all requests that change the ledger. `Ledger.execute` returns the response, a ``ResponseT_co``.

    ``origin`` is the caller. ``key`` is the idempotency key: if the caller sends the request again with the same key
    and content, it gets the stored response, and nothing is done twice. The ledger keeps keys for at least 48 hours.
    With an empty key the ledger stores no response; such requests are for callers in the ledger's own process, which
    cannot lose a response.

    ``expires_at``, in microseconds since the epoch, may differ between the copies of a request. `Ledger.execute` raises
    ExpiredError if the ledger gets the request later, IdempotencyError if the key was used with other content, and
    LedgerError if the storage fails.
    """

    key: str
    origin: Origin
    expires_at: int | None = None


def new_key() -> str:
    """Return a new idempotency key for a request: 32 random hexadecimal digits."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession(Request[Opened]):
    """Open a notebook's session at the request of a kernel or the server, by the rules of `terms.plan_open`.

    If a session is open already, it continues, with the values that the request sets: ``trust_level``, ``budget`` (in
    nano-USD) and ``agent_id``. With ``new`` it is closed, and a new session is opened. Raises NotAllowedError if the
    server's policy, ``terms``, forbids the session or the values.
    """

    notebook: NotebookKey
    terms: SessionTerms
    trust_level: TrustLevel | None = None
    budget: int | None = None
    agent_id: str | None = None
    new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSession(Request[Opened]):
    """Change the values of a notebook's open session as a user has decided; if no session is open, open one.

    ``trust_level``, ``budget`` (in nano-USD) and ``agent_id`` are changed unless they are None. A new session has the
    defaults of the server's policy, ``terms``, for values that are None. Raises NotAllowedError for a value above the
    policy's maximum.
    """

    notebook: NotebookKey
    terms: SessionTerms
    trust_level: TrustLevel | None = None
    budget: int | None = None
    agent_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSession(Request[SessionState]):
    """Close the notebook's open session and return the notebook's state.

    If no session is open, nothing is changed or recorded. Raises NotAllowedError if the server's policy, ``terms``, is
    strict and the caller is not a user.
    """

    notebook: NotebookKey
    terms: SessionTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveNotebook(Request[int]):
    """Record that a notebook, or a folder with notebooks, was moved or renamed on disk from ``old`` to ``new``.

    Both are paths below ``root``. The notebooks keep their sessions, limits and records under the new path. A notebook
    that the ledger knew at the new path before is marked as deleted. Returns the number of notebooks that were moved.
    """

    owner: str
    root: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteNotebook(Request[int]):
    """Mark the notebook at ``path`` below ``root``, or all notebooks in this folder, as deleted.

    Their open sessions are closed; their audit records stay. Returns the number of notebooks.
    """

    owner: str
    root: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinNotebooks(Request[int]):
    """Join notebooks that turned out to be the same file, for example through a symbolic link.

    Each pair has a notebook's former name and the name that it must have from now on. If the ledger knows only the
    former name, the notebook is renamed. If it knows both, the two notebooks become one, and the ceilings of the joined
    notebook include the spending of both. If both have an open session, the older session stays open and the other is
    closed; holds of the closed session stay pending. No audit record is changed. Returns the number of notebooks that
    were renamed or joined.
    """

    pairs: tuple[tuple[NotebookKey, NotebookKey], ...]
