"""The caller of a request, and the ledger's terms for it: origin, expiry and request."""

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
"""Sends a message about a request to its client: its response, or that it waits."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A kernel that makes a request, identified by its transport, and the notebook that it serves."""

    notebook: NotebookKey
    scope: str
    """The namespace of the caller's idempotency keys; each kernel id has a separate namespace."""
    incarnation: str = ""
    """The name of the kernel's process, which changes at each restart of the kernel."""
    shared_with: str | None = None
    """The path of the other notebook whose session this kernel uses."""
    socket: Mapping[str, Any] | None = None
    """The local socket that the response to a ``hello`` offers: its ``address``, a ``token`` and a ``secret``."""
    attending: Callable[[], AbstractContextManager[None]] = nullcontext
    """Returns a context manager to submit requests in. They are executed before the end of the process is reported.
    Raises UnavailableError if the process has ended."""
    blocks: bool = False
    """Whether the thread that submits the request may be blocked until its response, since it does nothing else."""
    actor: str = "kernel"
    """The name in the audit records: ``kernel``, or the kind and name of a gateway key that is not a kernel's."""
    cell: Cell | None = None
    """The cell that the request belongs to; None for the cell that the request itself states."""


def origin_of(caller: Caller, wire_request: WireRequest) -> Origin:
    """Return the caller and the cell of a request as the ledger records them."""
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
    """Return the ledger request for a wire request of this operation; raises the errors of `wire.fields`."""
    return operation.request.read(
        wire_request.body,
        wire_request.id,
        origin_of(caller, wire_request),
        expiry_of(wire_request),
        caller.notebook,
        terms,
    )
