"""The keys with which programs use the gateway, and the requests that issue, bind, revoke and list these keys.

The gateway serves the APIs of AI providers to programs, such as a command in a terminal, and forwards their paid calls.
The key that a program uses determines which notebook a call is charged to. The ledger stores a key's SHA-256 and never
the key itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from .facts import NotebookKey
from .queries import Query
from .requests import Request

KERNEL: Final = "kernel"
TERMINAL: Final = "terminal"
USER: Final = "user"
RUN: Final = "run"
KINDS: Final = (KERNEL, TERMINAL, USER, RUN)
"""The kinds of keys, by holder: a kernel, a terminal, a user's own program, or a single command that a user runs."""
KEY_PATH: Final = "key:"
"""The beginning of the path ``key:<name>``, which a key of kind ``user`` has in place of a notebook's path. The key has
a governance session under this path, and calls with the key are charged to that session."""


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """A key of the gateway as the ledger stores it, valid or revoked. It does not contain the key itself."""

    key_id: str
    """A random id that names the key in requests and records. The id is not secret."""
    digest: str = field(repr=False)
    """The SHA-256 of the key itself, in hexadecimal."""
    owner: str
    root: str
    kind: str
    """The kind of program that holds the key: ``kernel``, ``terminal``, ``user`` or ``run``, as `KINDS` explains."""
    name: str
    """The key's name as users see it."""
    notebook: NotebookKey | None
    """The notebook that calls with the key are charged to, with its current path. None for a kernel's key, whose calls
    are charged to the kernel's notebook. None also for a terminal that has no notebook yet, and if the notebook was
    deleted."""
    subject: str
    """The id of the kernel, or the name of the terminal, that holds the key; empty for other kinds of keys."""
    server: str
    """The name, as in `Ledger.attending`, of the server that runs this kernel or terminal; empty for other kinds."""
    issued_at: int
    issued_by: str
    revoked_at: int | None = None
    revoked_by: str | None = None


@dataclass(frozen=True, slots=True)
class RevokedKeys:
    """The response to `RevokeKeys`: the ids of the keys that it revoked, and their number.

    Keys that had been revoked before are not included.
    """

    key_ids: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueKey(Request[GatewayKey]):
    """Store a new key of the gateway by its SHA-256, ``digest``; the caller has made the key itself.

    Raises NotAllowedError for a key of kind ``user`` or ``run`` if the caller is not a user. Raises ConflictError if
    any key has the same id, or if a valid key of kind ``user`` has the same name.
    """

    key_id: str
    digest: str
    owner: str
    root: str
    kind: str
    name: str
    notebook: NotebookKey | None = None
    """The notebook that calls with the key are charged to. None for a kernel's key, and for the key of a terminal that
    has no notebook yet."""
    subject: str = ""
    """The id of the kernel, or the name of the terminal, that gets the key; empty for other kinds of keys."""
    server: str = ""
    """The name, as in `Ledger.attending`, of the server that runs this kernel or terminal; empty for other kinds."""
    replaces: bool = False
    """Whether to revoke the valid keys of the same kind, subject and server first: those of a kernel or terminal
    process that ended before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindKey(Request[GatewayKey]):
    """Set the notebook that calls with a terminal's key are charged to from now on.

    Raises NotFoundError if there is no valid key with this id, and InvalidRequestError for a key of another kind.
    """

    key_id: str
    notebook: NotebookKey


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeKeys(Request[RevokedKeys]):
    """Revoke all the keys with these ids, or none: the gateway refuses calls with a revoked key, and it stays revoked.

    Keys that were revoked before are not changed. Raises NotFoundError, and revokes nothing, if an id is unknown.
    """

    key_ids: tuple[str, ...]
    why: str
    """The reason, which the audit record gets."""
    notebook: NotebookKey | None = None
    """The notebook that the audit record names if the key itself has none, as a kernel's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKeys(Query[tuple[GatewayKey, ...]]):
    """Find the valid keys, oldest first, that the server of this owner and root folder has issued."""

    owner: str
    root: str
