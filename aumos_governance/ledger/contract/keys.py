"""The gateway's keys: their records, and the requests that issue, bind, revoke and list them.

The ledger stores a key's SHA-256 and never the key itself.
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
"""The kinds of keys: issued to a kernel, a terminal, a user's own program, or a command that a user runs."""
KEY_PATH: Final = "key:"
"""The beginning of the path under which the calls of a user's own key are recorded; the key's name follows."""


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """The record of a key of the gateway, valid or revoked."""

    key_id: str
    """A random id, which is not secret."""
    digest: str = field(repr=False)
    """The key's SHA-256, in hexadecimal."""
    owner: str
    root: str
    kind: str
    """One of `KINDS`."""
    name: str
    """The name that users see."""
    notebook: NotebookKey | None
    """The notebook that the key's calls are charged to, with its current path. None for a kernel's key, since its calls
    are charged to the kernel's notebook; for a terminal that has no notebook yet; and after the notebook was
    deleted."""
    subject: str
    """The kernel's id or the terminal's name; empty for other keys."""
    server: str
    """The server of the kernel or terminal, by its name in `Ledger.attending`; empty for other keys."""
    issued_at: int
    issued_by: str
    revoked_at: int | None = None
    revoked_by: str | None = None


@dataclass(frozen=True, slots=True)
class RevokedKeys:
    """The ids and the number of the keys that were valid before they were revoked."""

    key_ids: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueKey(Request[GatewayKey]):
    """Store a new key, which the caller made.

    Raises NotAllowedError for a key of kind ``user`` or ``run`` if the caller is not a user, and ConflictError if a
    valid key of kind ``user`` has the same name, or if any key has the same id.
    """

    key_id: str
    digest: str
    owner: str
    root: str
    kind: str
    name: str
    notebook: NotebookKey | None = None
    """The notebook that the key's calls are charged to; None for a kernel's key."""
    subject: str = ""
    server: str = ""
    replaces: bool = False
    """Whether to revoke the valid keys of the same kind, subject and server: the keys of a previous process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindKey(Request[GatewayKey]):
    """Set the notebook that the calls of a terminal's key are charged to.

    Raises NotFoundError if there is no such valid key.
    """

    key_id: str
    notebook: NotebookKey


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeKeys(Request[RevokedKeys]):
    """Revoke keys, all in one transaction. Keys that were revoked before are not changed.

    Raises NotFoundError for an unknown key.
    """

    key_ids: tuple[str, ...]
    why: str
    """The reason, for the record."""
    notebook: NotebookKey | None = None
    """The notebook that the audit record names if the key has no notebook, for example a kernel's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKeys(Query[tuple[GatewayKey, ...]]):
    """Find the valid keys of an owner and root, oldest first."""

    owner: str
    root: str
