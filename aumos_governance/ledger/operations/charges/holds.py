"""The operations that end holds, or mark them as unresolved when their kernel has ended, and the list of open holds.

A hold is an amount that is held before a paid call. It ends when it is settled with the true cost, when it is released,
or when it expires. An unresolved hold stays open until a user settles or releases it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from .... import money
from ....errors import ConflictError, InvalidAmountError, InvalidRequestError, NotAllowedError, NotFoundError
from ....types import GovernanceOutcome
from ...contract.budgets import ChargeState, HeldCharge, Resolved
from ...contract.charges import ExpireHolds, KernelGone, KernelsPresent, Release, Settle
from ...contract.facts import Origin
from ...contract.queries import ListHolds
from ...rules.chain import check_text
from ...transaction.rows import ApprovalRow, ChargeRow, EstimateRow
from ...transaction.selections import (
    COUNTING_HOLDS,
    DUE_APPROVALS,
    DUE_HOLDS,
    HOLDS_OF_KERNEL,
    HOLDS_OF_SERVER,
    PENDING_OF_KERNEL,
    PENDING_OF_SERVER,
)
from ...transaction.work import Work, record
from ..approvals.approvals import withdraw
from ..balances import balances_of, change_balances, check_sums, state_of
from ..reach import key_under, may_name, page, session_and_notebook
from ..registry import operation, reader

_NONE: Final[Mapping[str, Any]] = {}
_MOST_COUNTS: Final = 32
"""The most numbers that ``usage``, the provider's counts in a settlement, may have."""
_MOST_COUNTED: Final = 1 << 53
"""Each number in a settlement's ``usage`` must be smaller than this: then every JSON parser reads it exactly."""
_COUNTED: Final = re.compile(r"[A-Za-z0-9_.]{1,100}")
_SOURCES: Final = frozenset({"kind", "provider", "key"})
"""The names that a settlement's ``source`` may have. The record's detail has them beside names that a verification
reads, such as ``estimated``; so none of those names may be added here."""
_LONGEST_SOURCE: Final = 1_000
"""The longest text in a settlement's ``source``, in characters, which is the limit for any text of a request."""
_OPEN = (ChargeState.HELD, ChargeState.UNRESOLVED)
_LEDGER = Origin("ledger")
_UNRESOLVED = ChargeState.UNRESOLVED.value


@operation(Settle)
def settle(work: Work, request: Settle) -> Resolved:
    """Execute `Settle`: end a hold, and charge the true cost of its call."""
    amount = request.amount
    if type(amount) is not int or not 0 <= amount <= money.MAX_NANO:
        raise InvalidAmountError(
            "The cost that settles a hold must be a whole number of nano-dollars, from 0 to 1000000000 US dollars."
        )
    _check_usage(request.usage)
    _check_source(request.source)
    # An expired hold is settled as well, since the money was spent.
    charge = _held(work, request.hold_id, request.origin, (*_OPEN, ChargeState.EXPIRED))
    resolved = _resolve(
        work,
        charge,
        request.origin,
        ChargeState.SETTLED,
        amount,
        estimated=request.estimated,
        usage=request.usage,
        source=request.source,
    )
    if request.estimated:
        work.add(EstimateRow(charge.id, request.reference, amount, work.now))
    return resolved


@operation(Release)
def release(work: Work, request: Release) -> Resolved:
    """Execute `Release`: end a hold whose call cost nothing."""
    charge = _held(work, request.hold_id, request.origin, _OPEN)
    return _resolve(work, charge, request.origin, ChargeState.RELEASED, 0)


@operation(KernelGone)
def kernel_gone(work: Work, request: KernelGone) -> int:
    """Execute `KernelGone`: mark the open holds of a kernel that has ended as unresolved; return their number.

    A user must then settle or release them. The kernel's pending approval requests are withdrawn.
    """
    holds = work.select(HOLDS_OF_KERNEL, request.incarnation)
    pending = work.select(PENDING_OF_KERNEL, request.incarnation)
    return _leave(work, holds, pending, request.origin)


@operation(KernelsPresent)
def kernels_present(work: Work, request: KernelsPresent) -> int:
    """Execute `KernelsPresent`: mark the open holds of a server's kernels that no longer run as unresolved.

    The pending approval requests of these kernels are withdrawn. Returns the number of holds.
    """
    present = set(request.incarnations)

    def is_gone(row: ChargeRow | ApprovalRow) -> bool:
        return row.incarnation not in present and row.incarnation.partition("/")[0] not in request.servers

    holds = work.select(HOLDS_OF_SERVER, request.owner, request.root)
    pending = work.select(PENDING_OF_SERVER, request.owner, request.root)
    return _leave(
        work,
        [charge for charge in holds if is_gone(charge)],
        [approval for approval in pending if is_gone(approval)],
        request.origin,
    )


@operation(ExpireHolds)
def expire_holds(work: Work, request: ExpireHolds) -> int:
    """Execute `ExpireHolds`: release the expired holds and withdraw the expired approval requests.

    Returns the number of holds.
    """
    return expire(work, request.origin)


def expire(work: Work, origin: Origin = _LEDGER) -> int:
    """Release all expired holds and withdraw all expired approval requests; return the number of holds.

    Every transaction begins with this. ``origin`` is the actor in the records, by default the ledger itself.
    """
    holds = work.select(DUE_HOLDS, work.now)
    pending = work.select(DUE_APPROVALS, work.now)
    for charge in holds:
        _resolve(work, charge, origin, ChargeState.EXPIRED, 0)
    for approval in pending:
        withdraw(work, approval, origin, "No decision in time")
    return len(holds)


def _held(work: Work, hold_id: str, origin: Origin, states: tuple[ChargeState, ...]) -> ChargeRow:
    """Return the hold with this id if the caller may settle or release it now.

    Raises NotFoundError if the caller has no such hold, ConflictError if its state is not among ``states``, and
    NotAllowedError for a user while the hold's kernel still runs.
    """
    charge = work.find(ChargeRow, hold_id)
    if charge is None or not (origin.person or origin.scope == charge.scope) or not may_name(work, origin, charge):
        raise NotFoundError(f"There is no hold {hold_id!r} that this caller may settle or release.")
    state = ChargeState(charge.state)
    if state not in states:
        raise ConflictError(f"The hold {hold_id!r} is {state} already, so nothing was changed.")
    if origin.person and origin.scope != charge.scope and state is ChargeState.HELD:
        raise NotAllowedError(
            f"The kernel of the hold {hold_id!r} still runs and will settle or release it; a user can do so once the"
            " kernel has ended."
        )
    return charge


def _resolve(
    work: Work,
    charge: ChargeRow,
    origin: Origin,
    outcome: ChargeState,
    spent: int,
    *,
    estimated: bool = False,
    usage: Mapping[str, Any] = _NONE,
    source: Mapping[str, Any] = _NONE,
) -> Resolved:
    """End a hold and record this; ``outcome`` is its final state, and ``spent`` its cost in nano-USD."""
    held = charge.amount if charge.state in _OPEN else 0
    session, notebook = session_and_notebook(work, charge.session_id)
    balances = balances_of(work, charge.envelopes, charge.at)
    check_sums(work, notebook, session, balances, max(0, spent - held), spent)
    overrun = spent > held
    reasons, detail = _caveats(spent, held, estimated) if overrun or estimated else ((), None)
    if usage or source:
        detail = {**source, **(detail or {}), **({"usage": dict(usage)} if usage else {})}
    charge.state = outcome.value
    charge.spent = spent
    charge.resolved_at = work.now
    charge.resolved_by = origin.actor
    work.save(charge)
    change_balances(work, notebook, session, balances, spent=spent, held=-held)
    record_id = record(
        work,
        session.id,
        notebook,
        origin,
        _EVENTS[outcome],
        outcome=GovernanceOutcome.ALLOW_WITH_CAVEAT if reasons else GovernanceOutcome.ALLOW,
        reasons=reasons,
        agent_id=charge.agent_id,
        tool=charge.tool,
        amount=spent,
        spent_delta=spent,
        held_delta=-held,
        charge_id=charge.id,
        detail=detail,
    )
    return Resolved(charge.id, outcome, held, spent, overrun, record_id, state_of(work, notebook), estimated)


def _check_usage(usage: Mapping[str, Any]) -> None:
    if len(usage) > _MOST_COUNTS or not all(
        _COUNTED.fullmatch(name) and type(count) is int and 0 <= count < _MOST_COUNTED for name, count in usage.items()
    ):
        raise InvalidRequestError(
            f"A settlement's usage must be at most {_MOST_COUNTS} whole numbers, each from 0 to 9007199254740991 and"
            " named by letters, digits, underscores and dots."
        )


def _check_source(source: Mapping[str, Any]) -> None:
    texts = source.values()
    if not source.keys() <= _SOURCES or not all(type(text) is str and len(text) <= _LONGEST_SOURCE for text in texts):
        raise InvalidRequestError(
            f"A settlement's source may have only the keys {', '.join(sorted(_SOURCES))}, each with a text of at most"
            f" {_LONGEST_SOURCE} characters."
        )
    check_text(*texts)


def _caveats(spent: int, held: int, estimated: bool) -> tuple[tuple[str, ...], dict[str, Any]]:
    reasons, detail = [], {}
    if spent > held:
        reasons.append(f"Cost {money.display(spent)}, more than the {money.display(held)} held")
        detail["overrun"] = True
    if estimated:
        reasons.append(f"Estimated: {money.display(spent)} is counted, and what was truly spent is not known")
        detail["estimated"] = True
    return tuple(reasons), detail


_EVENTS = {ChargeState.SETTLED: "settle", ChargeState.RELEASED: "release", ChargeState.EXPIRED: "expire"}


def _leave(work: Work, holds: list[ChargeRow], pending: list[ApprovalRow], origin: Origin) -> int:
    for charge in holds:
        session, notebook = session_and_notebook(work, charge.session_id)
        charge.state = ChargeState.UNRESOLVED.value
        work.save(charge)
        work.touch(notebook)
        record(
            work,
            session.id,
            notebook,
            origin,
            "unresolved",
            agent_id=charge.agent_id,
            tool=charge.tool,
            amount=charge.amount,
            charge_id=charge.id,
            reasons=("The kernel that made the hold is gone",),
        )
    for approval in pending:
        withdraw(work, approval, origin, "Its kernel is gone")
    return len(holds)


@reader(ListHolds)
def list_holds(work: Work, query: ListHolds) -> tuple[HeldCharge, ...]:
    """Execute `ListHolds`: return one page of the open holds, oldest first."""
    found = page(work, query, COUNTING_HOLDS, lambda row: not query.unresolved_only or row.state == _UNRESOLVED)
    return tuple(
        HeldCharge(
            row.id,
            key_under(notebook, query.root),
            row.session_id,
            ChargeState(row.state),
            row.amount,
            row.tool,
            row.agent_id,
            row.category,
            row.at,
            row.until,
        )
        for row, notebook in found
    )
