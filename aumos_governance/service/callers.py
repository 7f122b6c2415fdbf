"""The caller that makes a request of the wire protocol, and functions that make a ledger request from this request.

A caller is a kernel, or a program that uses the gateway with a key of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from ..clock import MICROS
from ..ledger.contract.facts import NotebookKey, Origin
from ..ledger.contract.terms import SessionTerms
from ..wire.operation import Operation
from ..wire.protocol import Cell, WireRequest

Reply = Callable[[dict[str, Any]], None]
"""Sends the client a message about its request: the response, or before it a notice that the request waits."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The kernel or program that makes a request, and the notebook whose session pays for it.

    The transport that received the request sets all fields, so a client cannot choose them.
    """

    notebook: NotebookKey
    scope: str
    """The namespace of the caller's idempotency keys; each kernel id has a separate namespace."""
    incarnation: str = ""
    """The name of the kernel's process, which changes at each restart of the kernel."""
    shared_with: str | None = None
    """The path of the notebook whose session this kernel uses if that is another notebook's; else None."""
    socket: Mapping[str, Any] | None = None
    """The local socket that the response to a ``hello`` offers the kernel for its further requests: the socket's
    ``address``, a ``token`` and a ``secret``. None if there is no socket."""
    attending: Callable[[], AbstractContextManager[None]] = nullcontext
    """Returns a context manager in which the caller's requests must be submitted to the ledger. It makes sure that the
    ledger executes them before it learns of the end of the caller's process. Raises UnavailableError if the process has
    ended."""
    blocks: bool = False
    """Whether the thread that submits this caller's requests may be blocked until the ledger has executed them."""
    actor: str = "kernel"
    """The caller's name in the audit records: ``kernel``, or for a program with a gateway key of its own the kind and
    the name of this key."""
    cell: Cell | None = None
    """The notebook cell that made the request; with None, the request states the cell itself."""


def origin_of(caller: Caller, wire_request: WireRequest) -> Origin:
    """Return the origin of a request, i.e. its caller and its cell, as the ledger records it."""
    cell = wire_request.cell if caller.cell is None else caller.cell
    return Origin(
        actor=caller.actor,
        scope=caller.scope,
        incarnation=caller.incarnation,
        cell_id=cell.id,
        execution_count=cell.count,
    )


def expiry_of(wire_request: WireRequest) -> int:
    """Return the time when the request expires, in microseconds since the epoch."""
    return int(wire_request.exp * MICROS)


def request_of(
    operation: Operation, caller: Caller, wire_request: WireRequest, terms: SessionTerms | None = None
) -> Any:
    """Make the ledger request for a caller's wire request, whose operation (``op``) is ``operation``.

    Returns the ledger request or, for an operation that has several, a dictionary of its fields. ``terms`` are the
    limits of sessions that the server configures; only operations that may open a session need them. Raises the errors
    of `wire.fields` if the body is invalid.
    """
    return operation.request.read(
        wire_request.body,
        wire_request.id,
        origin_of(caller, wire_request),
        expiry_of(wire_request),
        caller.notebook,
        terms,
    )
