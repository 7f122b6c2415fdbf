"""The requests that charge amounts, at once or in two phases, and the requests that adjust, correct or void charges.

Amounts are in nano-USD.
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
    """Further checks of a charge: of the agent's own trust level, then the budgets, then the consent."""

    realm: str | None = ""
    """The realm, which separates the agents of different owners. With None the agents' levels within the session
    apply."""
    scope: str | None = None
    default_level: TrustLevel | None = None
    """The level of an agent whose level was not set. The lower of the agent's and the session's level applies; with
    None, only the session's level applies."""
    data_type: str | None = None
    purpose: str | None = None
    default_deny: bool = True
    """Whether a use of data is denied if no consent covers it."""
    overdraft: bool = False
    """Whether an amount that would exceed a limit is allowed, with a caveat. The amount is then not charged; the caller
    must record the cost as a spend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charging(Request[Decision]):
    """Base class of `Spend` and `Hold`.

    The charge is denied, with a record, if the amount would exceed an envelope's ceiling, the trust level is too low,
    or no session is open. A governed action (``ActionKind.ACT``) needs more: below L3 it is only suggested (code
    ``SUGGESTED``), and at L3 it needs the ``approval_id`` of an approval with the same ``digest`` (else code
    ``APPROVAL_REQUIRED``); the charge uses up the approval.

    Raises BudgetNotFoundError if ``category`` is set and the session has no budget for it; with ``checks`` the charge
    is denied instead, with a record.

    With ``waits_at_limit``, a charge that only a limit on money forbids is left undecided: the response is the denial
    with an empty ``record_id``, nothing is recorded, and the same request can be made again with the same key.
    """

    notebook: NotebookKey
    amount: int
    tool: str = "unknown"
    kind: ActionKind = ActionKind.CALL
    required_level: TrustLevel = TrustLevel.L1_MONITOR
    category: str | None = None
    agent_id: str | None = None
    """The agent of the charge; None for the session's agent."""
    action_type: str | None = None
    resource: str | None = None
    note: str | None = None
    """The caller's description of the charge; never a prompt."""
    approval_id: str | None = None
    digest: str | None = None
    checks: Checks | None = None
    """With None only the session's level and the agent's level within the session are checked."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Further values for the record: JSON values, never a prompt or a key."""
    waits_at_limit: bool = False
    """Whether the caller waits at a limit on money, and repeats the request when it may stay within the limit."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Spend(Charging):
    """Charge an amount at once.

    With ``already_paid`` the money is spent already: if a limit or the trust level forbids the amount, it is still
    recorded in full, with the flag ``overrun`` and the outcome ``allow_with_caveat``. Without an open session it is
    denied, with a record, since there is no balance to charge.
    """

    already_paid: bool = False


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Charging):
    """Hold an amount, which may be 0, until it is settled with the true cost or released.

    The hold belongs to the caller's scope and incarnation, and to the current period. The hold ends automatically only
    if ``until`` is set. Closing the session does not change the hold.

    With ``least`` the hold is *bounded*: ``amount`` is the request's worst case, and the decision states the amount
    that was granted. The granted amount is the smallest of the worst case, ``most``, and a share of the remainder of
    each envelope, but at least ``least``. The share is the remainder, divided by the number of requests that need some
    of it: the pending holds of live callers in the envelope, ``waiting``, this request, and a request that may follow,
    so that a first long call leaves room for another. If less than ``least`` remains, the hold is denied, as a hold of
    ``least`` would be. The record has the worst case and the granted amount. A copy of the request is granted the same
    amount as the first request, even if ``most``, ``waiting`` or the envelopes have changed.

    With ``waits_turn``, a hold that would stay within the limits without the holds of live callers is left undecided,
    as with ``waits_at_limit``, but with the code ``BUDGET_HELD``. Holds of unknown outcome do not justify waiting.
    """

    until: int | None = None
    """When the ledger releases the hold automatically; None for never."""
    least: int | None = None
    """The smallest amount that is of use to the caller; None to hold exactly ``amount``."""
    most: int | None = None
    """The most that may be granted, at least ``least``; None for ``amount``."""
    waiting: int = 0
    """The number of other requests that wait for their turn at the same limits, as far as the caller knows."""
    waits_turn: bool = False
    """Whether the caller waits for other holds to end, and then repeats the request."""
    waits: bool = False
    """Whether the caller requests an approval next if one is needed. Then nothing is denied yet, and the record has no
    outcome."""
    hold_id: str | None = None
    """The id of the hold, from `new_id`, for a caller that may have to release the hold before it gets the response.
    With None the ledger makes the id."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Settle(Request[Resolved]):
    """Replace a hold with its true cost, which may be 0.

    A cost above the hold is recorded in full with the flag ``overrun``, since the money is spent; so is a settlement
    after the hold has expired. A kernel settles its own holds, even late; a user settles unresolved holds. Raises
    NotFoundError if the caller has no such hold, NotAllowedError for a user while the hold's kernel runs, and
    ConflictError if the hold was settled or released already.
    """

    hold_id: str
    amount: int
    estimated: bool = False
    """Whether the true cost is not known and ``amount`` is a bound; the outcome is then ``allow_with_caveat``."""
    reference: str | None = None
    """For an estimated charge, the provider's id of its response. `Adjust` finds the charge by this id later."""
    usage: Mapping[str, Any] = field(default_factory=dict)
    """The usage that the provider counted, such as tokens by kind, as whole numbers; only written to the record."""
    source: Mapping[str, Any] = field(default_factory=dict)
    """The call's origin, with the texts ``kind``, ``provider`` and ``key``; only written to the record."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Request[Resolved]):
    """Release a hold whose call cost nothing. Raises the same errors as `Settle`, and is for the same callers."""

    hold_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjust(Request[Adjusted]):
    """Replace an estimated charge, once, with the true cost (0 or more) that a later response of the provider states.

    The charge must belong to the caller's scope or to the notebook. The request names the charge by the id of its hold,
    or by the ``reference`` that it was settled with. If several charges have the same reference, the latest charge that
    was not adjusted yet is adjusted. Both amounts stay on record. A cost above the estimate is recorded in full; for a
    cost below the estimate, the spent amount in the charge's period falls by the difference.

    Raises NotFoundError if there is no such charge, and ConflictError, with nothing changed, with the code
    ``NOT_ESTIMATED``, ``ADJUSTED_ALREADY``, or ``CORRECTED`` if a user has corrected the charge.
    """

    notebook: NotebookKey
    amount: int
    charge_id: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelGone(Request[int]):
    """Mark the open holds of a kernel whose process has ended as unresolved, and withdraw its approval requests.

    Returns the number of holds.
    """

    incarnation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelsPresent(Request[int]):
    """State the kernels of a starting server. All other kernels of its owner and root are treated as gone.

    Kernels of other running servers, whose names are in ``servers``, are not treated as gone: their incarnations begin
    with the server's name and a slash. Returns how many holds became unresolved.
    """

    owner: str
    root: str
    incarnations: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireHolds(Request[int]):
    """Release the holds, and withdraw the approval requests, whose ``until`` has passed. Returns the number of holds.

    Every transaction does this as well; this request is for times without other requests.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Correct(Request[Corrected]):
    """Reduce a charge by all or part of its amount, for a user, by a new entry with a reason.

    No existing record is changed. Raises NotAllowedError if the caller is not a user, NotFoundError if there is no such
    charge, and ConflictError for more than the amount that is still charged.
    """

    charge_id: str
    amount: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Void(Request[Voided]):
    """Cancel the request with the key ``of`` in the same scope, whether it has arrived or not.

    A spend, or a hold of a live caller, is reversed, with a ``void`` record. A request that has not arrived yet is
    refused when it arrives. A cancel is not a refund: it is for a client that has given a request up. The record has
    ``late`` in its detail if the cancel came after the request's ``expires_at``, and ``answered`` if the request was
    executed a second or more before the cancel, regardless of ``delivered``.

    The ledger deletes old keys, so it may not find a request that it has executed. If the notebook is old enough for
    that, the response has `Found.UNKNOWN`. Raises InvalidRequestError for a request that would cancel itself.
    """

    notebook: NotebookKey
    of: str
    delivered: bool = False
    """Whether the response had reached the client, and the client did not pass the response on to its caller. The
    record then has ``delivered`` in its detail."""


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A charge that was not confirmed to its caller, since it is not known whether it was committed."""

    session_id: str
    charge_id: str
    scope: str = ""
    key: str = ""
    """The idempotency key of the charge's request, within ``scope``; empty if the request had no key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack(Request[int]):
    """Reverse unconfirmed charges that were committed after all. Returns how many charges were reversed.

    Each of these charges gets a ``void`` record, and its request is refused as cancelled if it is sent again. A charge
    that was settled, released or corrected in the meantime is not changed.
    """

    charges: tuple[Unconfirmed, ...]
