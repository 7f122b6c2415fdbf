"""The gateway's keys: what they were issued to, and the requests that issue, bind, revoke and list them.

The ledger has a key's SHA-256 and never the key itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from .facts import NotebookKey
from .queries import Query
from .requests import Request

__all__ = [
    "KERNEL",
    "KEY_PATH",
    "KINDS",
    "RUN",
    "TERMINAL",
    "USER",
    "BindKey",
    "GatewayKey",
    "IssueKey",
    "ListKeys",
    "RevokeKeys",
    "RevokedKeys",
]

KERNEL: Final = "kernel"
TERMINAL: Final = "terminal"
USER: Final = "user"
RUN: Final = "run"
KINDS: Final = (KERNEL, TERMINAL, USER, RUN)
"""What a key may be issued to: a kernel, a terminal, a user's own program, or a command that a user runs."""
KEY_PATH: Final = "key:"
"""Begins the path of the document that a user's own key has; the key's name follows."""


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """A key of the gateway, valid or revoked."""

    key_id: str
    """Random, and no secret."""
    digest: str = field(repr=False)
    """SHA-256 of the key, in hex."""
    owner: str
    root: str
    kind: str
    """One of `KINDS`."""
    name: str
    """What users see."""
    notebook: NotebookKey | None
    """The document of its calls, by its path now. None for a kernel's, which has its kernel's; where a terminal has no
    notebook yet; and where the notebook was deleted."""
    subject: str
    """The kernel's id, or the terminal's name; else empty."""
    server: str
    """The server whose kernel or terminal it is, by the name under which it attends the ledger; else empty."""
    issued_at: int
    issued_by: str
    revoked_at: int | None = None
    revoked_by: str | None = None


@dataclass(frozen=True, slots=True)
class RevokedKeys:
    """Which of the keys were valid until now."""

    key_ids: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueKey(Request[GatewayKey]):
    """Record a new key, which the caller made.

    Raises NotAllowedError for a key of the kinds ``user`` and ``run`` that no user requests, and ConflictError where a
    valid key of the kind ``user`` has this name or the id is taken.
    """

    key_id: str
    digest: str
    owner: str
    root: str
    kind: str
    name: str
    notebook: NotebookKey | None = None
    """Not for a kernel's."""
    subject: str = ""
    server: str = ""
    replaces: bool = False
    """Whether the valid keys of the same kind, subject and server are revoked: those of the process before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindKey(Request[GatewayKey]):
    """Give a terminal's key another document. Raises NotFoundError for no such valid key."""

    key_id: str
    notebook: NotebookKey


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeKeys(Request[RevokedKeys]):
    """Revoke keys, all in one transaction; those that are revoked already stay so. Raises NotFoundError for no key."""

    key_ids: tuple[str, ...]
    why: str
    """For the record."""
    notebook: NotebookKey | None = None
    """The notebook under which the record is found, where a key itself does not say: that of a kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKeys(Query[tuple[GatewayKey, ...]]):
    """The valid keys of an owner and root, oldest first."""

    owner: str
    root: str
