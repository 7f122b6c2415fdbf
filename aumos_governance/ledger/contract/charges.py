"""The requests that charge money, at once or in two phases, and those that set a charge right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...frozen import quick
from ...types import ActionKind, TrustLevel
from .budgets import Adjusted, Corrected, Resolved
from .facts import Decision, NotebookKey, Voided
from .requests import Request

__all__ = [
    "Adjust",
    "Charging",
    "Checks",
    "Correct",
    "ExpireHolds",
    "Hold",
    "KernelGone",
    "KernelsPresent",
    "Release",
    "Settle",
    "Spend",
    "TakeBack",
    "Unconfirmed",
    "Void",
]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What else a charge is checked against: the agent's own level, then the budgets, then consent."""

    realm: str | None = ""
    """Keeps the agents of several owners apart; with None the agents' levels are those within the session."""
    scope: str | None = None
    default_level: TrustLevel | None = None
    """The level of an agent without one. The lower of the agent's level and the session's counts; with None here, the
    session's alone."""
    data_type: str | None = None
    purpose: str | None = None
    default_deny: bool = True
    """Whether the use of data that no consent covers is denied."""
    overdraft: bool = False
    """Whether what does not fit is allowed, with a caveat and without a charge: what it cost is then a spend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charging(Request[Decision]):
    """What a spend and a hold have in common.

    Denied, with a record, when the amount does not fit in every envelope, the level is too low, or no session
    is open. An action also needs a level for actions: below L3 it is only suggested (code ``SUGGESTED``), at L3 it
    needs ``approval_id`` (else code ``APPROVAL_REQUIRED``), an approval with the same ``digest``, used once.

    Raises BudgetNotFoundError when ``category`` is given and the session has no budget of that name; with ``checks``
    that is denied, with a record.

    With ``waits_at_limit``, what nothing but a limit on money refuses is left undecided: the response is that denial
    with an empty ``record_id``, nothing is recorded, and the key stays free for the same request to come again.
    """

    notebook: NotebookKey
    amount: int
    tool: str = "unknown"
    kind: ActionKind = ActionKind.CALL
    required_level: TrustLevel = TrustLevel.L1_MONITOR
    category: str | None = None
    agent_id: str | None = None
    """The agent of the charge, where that is not the session's agent."""
    action_type: str | None = None
    resource: str | None = None
    note: str | None = None
    """The caller's own description of it; never a prompt."""
    approval_id: str | None = None
    digest: str | None = None
    checks: Checks | None = None
    """With None only the agent's level within the session is looked at, beside the session's own."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """What else the record says: JSON values, never a prompt or a key."""
    waits_at_limit: bool = False
    """Whether the caller waits at a limit on money, and requests the same again when there may be room."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Spend(Charging):
    """Charge at once.

    With ``already_paid`` the money is gone: it is recorded in full, flagged ``overrun`` and outcome
    ``allow_with_caveat`` when it does not fit or the level forbids it. (With no open session it is denied
    and recorded all the same, since there is no balance to charge it to.)
    """

    already_paid: bool = False


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Charging):
    """Hold an amount, to be settled with the true cost or released; 0 is an amount.

    It belongs to the caller's scope and incarnation, and to the period in which it is made. It ends by itself
    only when ``until`` is given. Closing the session leaves it as it is.

    With ``least`` it is *bounded*: ``amount`` is the request's worst case, and the amount that is granted, which the
    decision has, is the smallest of that, ``most``, and a share of what is left in each envelope, but at least
    ``least``. The share is what is left divided by the callers that need some of it: the holds of live callers that are
    open in the envelope, ``waiting``, this request, and one that may come next, so that a first long call leaves room
    for another. Where not even ``least`` is left it is denied, as a hold of that amount. The record has both amounts.
    A copy gets what the first one was granted, whatever ``most``, ``waiting`` and the envelopes are by then.

    With ``waits_turn``, what only the holds of live callers keep from fitting is left undecided, as with
    ``waits_at_limit``, but with the code ``BUDGET_HELD``. Holds of unknown outcome justify no waiting.
    """

    until: int | None = None
    least: int | None = None
    """The smallest amount of use to the caller, in nano-USD; None: ``amount`` is what is held."""
    most: int | None = None
    """The most that may be granted, in nano-USD, at least ``least``; None: ``amount``."""
    waiting: int = 0
    """How many other requests wait for their turn at the same limits, as far as the caller knows."""
    waits_turn: bool = False
    """Whether the caller waits for other holds to end, and requests the same again then."""
    waits: bool = False
    """Whether an approval is requested next where one is needed: then nothing is denied yet, and the record has no
    outcome."""
    hold_id: str | None = None
    """Its identifier, a new one of the ledger's, for a caller that may have to release the hold before it gets the
    response; with None one is made."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Settle(Request[Resolved]):
    """Resolve a hold with what it truly cost; 0 is a cost.

    Above the hold it is recorded in full and flagged ``overrun``: the money is gone. So is a settlement that
    comes after the hold's own expiry. A kernel resolves its own holds, also late ones; a user resolves
    unresolved ones. Raises NotFoundError for no such hold of the caller's, NotAllowedError for a user while
    its kernel lives, ConflictError when it is resolved already.
    """

    hold_id: str
    amount: int
    estimated: bool = False
    """The true cost is not known: ``amount`` is a bound. Flagged, with outcome ``allow_with_caveat``."""
    reference: str | None = None
    """Of an estimate: what the provider calls its response, by which `Adjust` finds the charge later."""
    usage: Mapping[str, Any] = field(default_factory=dict)
    """What the provider counted, such as tokens by kind, for the record alone: whole numbers by name."""
    source: Mapping[str, Any] = field(default_factory=dict)
    """Whose call it was, for the record alone: texts by the names ``kind``, ``provider`` and ``key``."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Request[Resolved]):
    """Resolve a hold that cost nothing. Who may, and what is raised, is as for `Settle`."""

    hold_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjust(Request[Adjusted]):
    """Give an estimated charge its true cost, once, as a later response of the provider states it; 0 is a cost.

    The charge is named by the id of its hold, or by the ``reference`` that it was settled with: then it is the latest
    one of the notebook that is not adjusted yet, or else the latest one. It is one of the caller's scope or of the
    notebook. Both amounts stay on record. More than the estimate is recorded in full, less is given back, in the
    period in which the charge was made.

    Raises NotFoundError for no such charge, and ConflictError, which changes nothing, with the code
    ``NOT_ESTIMATED``, ``ADJUSTED_ALREADY``, or ``CORRECTED`` where a user has corrected the charge.
    """

    notebook: NotebookKey
    amount: int
    charge_id: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelGone(Request[int]):
    """A kernel's process has ended: its open holds become unresolved, its pending approvals withdrawn.

    Returns how many holds that were.
    """

    incarnation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelsPresent(Request[int]):
    """When a server starts: the kernels that there are. All others of its owner and root are gone.

    Those whose incarnation begins with the name of one of ``servers`` and a slash are left to that one. Returns how
    many holds became unresolved.
    """

    owner: str
    root: str
    incarnations: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireHolds(Request[int]):
    """Release the holds, and withdraw the approvals, whose stated time has come.

    It is also done within every transaction; this is for a ledger without transactions. Returns how
    many holds there were.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Correct(Request[Corrected]):
    """A user takes back a charge, or part of it, by an entry with a reason; nothing is edited.

    Raises NotAllowedError where the caller is no user, NotFoundError for no such charge, ConflictError for more
    than what of the charge still counts.
    """

    charge_id: str
    amount: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Void(Request[Voided]):
    """Take back the spend or hold that came, or will come, with the key ``of`` in the same scope.

    It reverses only an allowed spend or an open hold; the reversal is an audit record of its own. A request that has
    not come yet will be refused when it comes. It is no refund: a client cancels what it has given up, which may be
    after the request's own ``expires_at``, when the response was not heard in time; the record then has ``late`` in
    its detail. It has ``answered`` where the response was sent a second before the cancel or earlier, whatever the
    client says of it.

    A request that the ledger does not know may be older than the keys that it keeps: where the notebook is that old,
    the response says so (`Found.UNKNOWN`). Raises InvalidRequestError for a request that would cancel itself.
    """

    notebook: NotebookKey
    of: str
    delivered: bool = False
    """The response had reached the client, which did not hand it over; the record has ``delivered`` in its detail."""


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A charge whose commit is in doubt, and which was not confirmed to its caller."""

    session_id: str
    charge_id: str
    scope: str = ""
    key: str = ""
    """The idempotency key with which it was requested, in ``scope``; empty: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack(Request[int]):
    """Take back those of these charges that were committed after all; returns how many that were.

    Each reversal is a ``void`` record, and the request is refused as a cancelled one when it comes again. A charge that
    was resolved or corrected meanwhile stays as it is.
    """

    charges: tuple[Unconfirmed, ...]
