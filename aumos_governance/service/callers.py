"""The caller of a request: a kernel as its channel identifies it."""

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

__all__ = ["Caller", "expiry_of", "origin_of", "request_of"]


@dataclass(frozen=True, slots=True)
class Caller:
    """A kernel as its channel identifies it, with the notebook it serves."""

    notebook: NotebookKey
    scope: str
    """The namespace of its idempotency keys: one for each kernel id."""
    incarnation: str = ""
    shared_with: str | None = None
    """The path of the other notebook whose session this kernel uses."""
    socket: Mapping[str, Any] | None = None
    """What a greeting offers: the ``address`` and ``token`` of a local socket."""
    attending: Callable[[], AbstractContextManager[None]] = nullcontext
    """Keeps the kernel's process from leaving meanwhile, and raises UnavailableError where it has left."""
    blocks: bool = False
    """Whether the thread that submits the request may be blocked until its response, since it does nothing else."""
    actor: str = "kernel"
    """Who made the request, as the records name it: ``kernel``, or for a key that is no kernel's its kind and name."""
    cell: Cell | None = None
    """The cell that a kernel runs whose libraries make the request; None: the request says it."""


def origin_of(caller: Caller, wire_request: WireRequest) -> Origin:
    """The caller, as the ledger records it."""
    cell = wire_request.cell if caller.cell is None else caller.cell
    return Origin(
        actor=caller.actor,
        scope=caller.scope,
        incarnation=caller.incarnation,
        cell_id=cell.id,
        execution_count=cell.count,
    )


def expiry_of(wire_request: WireRequest) -> int:
    """When the request expires, as the ledger counts time."""
    return int(wire_request.exp * MICROS)


def request_of(
    operation: Operation, caller: Caller, wire_request: WireRequest, terms: SessionTerms | None = None
) -> Any:
    """What the ledger is requested, as the operation's table reads it; raises what `wire.fields` raises."""
    return operation.request.read(
        wire_request.body,
        wire_request.id,
        origin_of(caller, wire_request),
        expiry_of(wire_request),
        caller.notebook,
        terms,
    )
