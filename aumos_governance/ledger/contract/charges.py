"""The requests that charge amounts to a notebook's budgets, and the requests that change such charges later.

An amount is charged at once (`Spend`) or in two phases: a `Hold` before a paid call, and a `Settle` with the true cost
after it, or a `Release` if the call cost nothing. Later a charge can be adjusted, corrected or cancelled. Amounts are
in nano-USD, times in microseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...frozen import quick
from ...types import ActionKind, TrustLevel
from .budgets import Adjusted, Corrected, Resolved
from .facts import Decision, NotebookKey, Voided
from .requests import Request


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """The checks that a charge must pass besides the limits on money: of the agent's own trust level and of consent."""

    realm: str | None = ""
    """The namespace in which the agent's trust level and consents are looked up: an owner's name for the agents of the
    owner's engines, or None for the agents within the notebook's open session."""
    scope: str | None = None
    """The scope whose trust level applies to the agent, such as ``"mail"``; None for the level that was set for all
    scopes."""
    default_level: TrustLevel | None = None
    """The level of an agent whose level was not set. The lower of the agent's and the session's level applies; with
    None the agent's level is not checked, and only the session's level applies."""
    data_type: str | None = None
    """The type of data that the action uses, such as ``"health_data"``; None if no consent is needed."""
    purpose: str | None = None
    """The purpose that the data is used for; None if the action names no purpose."""
    default_deny: bool = True
    """Whether a use of data is denied if no consent covers it."""
    overdraft: bool = False
    """Whether a charge that would exceed a limit is allowed, with a caveat. Its amount is then not charged: the caller
    must record the cost with a `Spend` that is ``already_paid``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charging(Request[Decision]):
    """Base class of `Spend` and `Hold`: a request to charge ``amount`` nano-USD to a notebook.

    The ledger denies the charge, and records the denial, if the amount would exceed a budget or ceiling, if the trust
    level is too low, or if no session is open. A governed action (``ActionKind.ACT``) needs more: at L1 and L2 it is
    denied with the code ``SUGGESTED``, since actions are only suggested to the user. At L3 it needs a user's approval,
    named by ``approval_id``, whose ``digest`` is the same as the request's; otherwise it is denied with the code
    ``APPROVAL_REQUIRED``. An allowed charge uses the approval up.

    Raises BudgetNotFoundError if ``category`` is set and the session has no budget for it. If the request has
    ``checks``, such a charge is denied instead, and the denial is recorded.
    """

    notebook: NotebookKey
    amount: int
    tool: str = "unknown"
    kind: ActionKind = ActionKind.CALL
    required_level: TrustLevel = TrustLevel.L1_MONITOR
    category: str | None = None
    agent_id: str | None = None
    """The agent that the charge is for; None for the session's agent."""
    action_type: str | None = None
    resource: str | None = None
    note: str | None = None
    """The caller's description of the charge; never a prompt."""
    approval_id: str | None = None
    digest: str | None = None
    checks: Checks | None = None
    """The checks of the agent's trust level and consent. With None, the session's level and the agent's level within
    the session are checked, and no consent."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Further JSON values that the audit record gets; never a prompt or a key."""
    waits_at_limit: bool = False
    """Whether the caller wants to wait if only a limit on money forbids the charge. The response is then an undecided
    denial (see `Decision.undecided`), and nothing is recorded. The caller makes the same request again, with the same
    key, when the limit may allow it."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Spend(Charging):
    """Charge an amount at once, for a cost that is known.

    With ``already_paid`` the money is spent already. So even if a limit or the trust level forbids the amount, it is
    charged in full, with the flag ``overrun`` and the outcome ``allow_with_caveat``. Only without an open session is it
    denied, and the denial recorded, since there is no budget to charge.
    """

    already_paid: bool = False


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Charging):
    """Hold an amount before a paid call, until `Settle` charges the true cost or `Release` ends the hold.

    The amount may be 0. While the hold is open, the held amount is not available for other charges, in the period in
    which the hold was made. Only the caller can end the hold, or a user once the caller's kernel has ended; closing the
    session does not end it. The ledger ends it automatically only if ``until`` is set.

    With ``least`` or ``most`` the hold is *bounded*: ``amount`` is the worst case of the call, and the ledger may grant
    less, so that several calls can run at the same time. The decision states the granted amount: the smallest of the
    worst case, ``most``, and a share of what remains under each limit, but at least ``least``. The share is the
    remainder divided by the number of requests that need a part of it: the open holds of live callers, the ``waiting``
    requests, this request, and one that may follow. If less than ``least`` remains, the hold is denied. The record has
    the worst case and the granted amount. A copy of the request is granted the same amount as the first, even if
    ``most``, ``waiting`` or the limits have changed.
    """

    until: int | None = None
    """The time when the ledger releases the hold automatically; None for never."""
    least: int | None = None
    """The smallest amount that is of use to the caller; None for ``amount``."""
    most: int | None = None
    """The most that may be granted, at least ``least``; None for ``amount``."""
    waiting: int = 0
    """The number of other requests that wait for their turn at the same limits, as far as the caller knows."""
    waits_turn: bool = False
    """Whether the caller wants to wait if the hold would stay within all limits once the open holds of live callers
    have ended. The response is then undecided, as with ``waits_at_limit``, with the code ``BUDGET_HELD``. Holds of
    unknown outcome are no reason to wait, since they may stay open for long."""
    waits: bool = False
    """Whether the caller will request a user's approval if the action needs one. The action is then not denied yet, so
    its record has no outcome."""
    hold_id: str | None = None
    """The id of the new hold, made with `new_id`, for a caller that may have to release the hold before it gets the
    response. With None the ledger makes the id."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Settle(Request[Resolved]):
    """End a hold and charge the true cost of its call, ``amount`` nano-USD, which may be 0.

    A cost above the hold is charged in full with the flag ``overrun``, since the money is spent. For the same reason an
    expired hold can still be settled. A kernel settles its own holds, even late; a user settles unresolved holds, whose
    kernel has ended.

    Raises NotFoundError if the caller has no such hold, NotAllowedError for a user while the hold's kernel runs, and
    ConflictError if the hold was settled, released or voided already.
    """

    hold_id: str
    amount: int
    estimated: bool = False
    """Whether the true cost is not known, and ``amount`` is only an estimate of it; the outcome is then
    ``allow_with_caveat``."""
    reference: str | None = None
    """For an estimated charge, an id of the provider's response, such as ``"openai/resp_1"``. `Adjust` finds the charge
    by it when the true cost is known."""
    usage: Mapping[str, Any] = field(default_factory=dict)
    """The usage that the provider counted, such as tokens by kind, as whole numbers. It is only recorded, and does not
    change the cost."""
    source: Mapping[str, Any] = field(default_factory=dict)
    """Where the call came from, as texts under the names ``kind``, ``provider`` and ``key``. They are only recorded."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Request[Resolved]):
    """End a hold whose call cost nothing; the held amount becomes available again.

    The same callers may release a hold as may settle it, and the errors are those of `Settle`. An expired hold cannot
    be released, since the ledger has released it already; this raises ConflictError.
    """

    hold_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjust(Request[Adjusted]):
    """Replace an estimated charge by its true cost, ``amount`` nano-USD, which a later response of the provider states.

    The request names the charge either by ``charge_id``, the id of its hold, or by the ``reference`` that it was
    settled with. If several charges have this reference, the latest one that was not adjusted yet is adjusted. The
    charge must belong to the caller's scope or to the notebook.

    The spent amount, in the period in which the charge was made, rises or falls by the difference. The audit records
    keep both amounts. Raises NotFoundError if there is no such charge. Raises ConflictError with the code
    ``NOT_ESTIMATED`` if the charge is not an estimate, ``ADJUSTED_ALREADY`` if it was adjusted before, and
    ``CORRECTED`` if a user has corrected it.
    """

    notebook: NotebookKey
    amount: int
    charge_id: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelGone(Request[int]):
    """Mark the open holds of a kernel whose process has ended as unresolved, and withdraw its approval requests.

    A server makes this request when it sees the end of the process, whose id is ``incarnation``. The holds then wait
    for a user to settle or release them. Returns the number of these holds.
    """

    incarnation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelsPresent(Request[int]):
    """State which kernels still run, when a server starts; all others of its owner and root are treated as ended.

    ``incarnations`` are the ids of the running kernel processes. ``servers`` are the names of the other servers that
    run: their kernels, whose ids begin with the server's name and a slash, are not treated as ended. The open holds of
    an ended kernel become unresolved, and its approval requests are withdrawn. Returns the number of these holds.
    """

    owner: str
    root: str
    incarnations: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireHolds(Request[int]):
    """Release the holds, and withdraw the approval requests, whose ``until`` has passed. Returns the number of holds.

    Every transaction does this first. So a server needs this request only while no other requests arrive.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Correct(Request[Corrected]):
    """Reduce a charge by ``amount`` nano-USD, for a ``reason`` that a user states, for example after a refund.

    The correction is an entry of its own; no existing record is changed. Raises NotAllowedError if the caller is not a
    user, NotFoundError if there is no such charge, and ConflictError if ``amount`` is more than what is still charged.
    """

    charge_id: str
    amount: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Void(Request[Voided]):
    """Cancel another request of the same caller, which the client no longer waits for, whether it has arrived or not.

    ``of`` is the other request's idempotency key. If that request made a spend, or a hold that is still open, the
    ledger reverses the charge and writes a ``void`` record. If it has not arrived yet, the ledger refuses it when it
    arrives.

    A cancel is not a refund: it is for a client that has given the request up. So that a user can judge later whether
    the call was made all the same, the detail of the record has ``late`` if the cancel came after the request's
    ``expires_at``. It has ``answered`` if the request was executed a second or more before the cancel, so that the
    response had probably reached the client.

    The ledger deletes old keys, so it may not find a request that it has executed. If the notebook is old enough for
    that, the response has `Found.UNKNOWN`. Raises InvalidRequestError for a request that would cancel itself.
    """

    notebook: NotebookKey
    of: str
    delivered: bool = False
    """Whether the response to the other request had reached the client, but the client did not hand it over to its
    caller. The record then has ``delivered`` in its detail."""


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A charge whose caller got an error, since the connection to the database broke during the commit.

    So it is not known whether the charge was committed; if it was, `TakeBack` reverses it.
    """

    session_id: str
    charge_id: str
    scope: str = ""
    key: str = ""
    """The idempotency key of the request that made the charge; empty if the request had no key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack(Request[int]):
    """Reverse those unconfirmed charges that were committed after all. Returns the number of reversed charges.

    The ledger itself makes this request, once the database responds again. Each reversed charge gets a ``void`` record,
    and the ledger refuses its request as cancelled if the request is sent again. A charge that was settled, released or
    corrected in the meantime is not changed.
    """

    charges: tuple[Unconfirmed, ...]
