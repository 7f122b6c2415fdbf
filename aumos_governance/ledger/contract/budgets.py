"""The requests that set ceilings beyond a session's own: within it, and around it."""

from __future__ import annotations

from dataclasses import dataclass

from ...types import BudgetPeriod
from .budget_facts import BudgetState, EnvelopeKind, EnvelopeSpec
from .facts import NotebookKey
from .requests import Request

__all__ = ["ConfigureEnvelopes", "SetBudget", "SetCeiling"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureEnvelopes(Request[bool]):
    """The envelopes that a server's configuration puts around the sessions of its owner and root.

    Open sessions are enclosed from now on; what was spent before does not count in an envelope that is new.
    With another period an envelope is a new one. Answers whether anything changed, which is then recorded.
    Raises ConfigurationError for two envelopes of one name, or a ceiling that is none.

    What servers share (an ``owner`` or ``team`` ceiling) is only created here. Once stored it is around all sessions
    of the owner under any root, until `SetCeiling` changes it; `ListCeilings` tells what stands.
    """

    owner: str
    root: str
    envelopes: tuple[EnvelopeSpec, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCeiling(Request[bool]):
    """Another amount or period for a stored ceiling that servers share, or with None as ``ceiling`` none any more.

    Open sessions are enclosed from now on. Without a period the ceiling keeps its own. What was spent in an earlier
    period counts again when that is set again. Answers whether anything changed, which is then recorded.
    Raises NotFoundError for a ceiling that is not stored, InvalidAmountError, and InvalidRequestError where the period
    must be named: a lifted ceiling has none, and one of an earlier version may have several.
    """

    encloses: EnvelopeKind
    subject: str
    """The owner; nothing for a team."""
    name: str
    ceiling: int | None
    period: BudgetPeriod | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBudget(Request[BudgetState]):
    """A budget of one category within the notebook's open session.

    The same again changes nothing. With ``create`` another ceiling is a ConflictError, without it the ceiling
    is changed, or BudgetNotFoundError. The period is set once. Raises NotFoundError when no session is open, and with
    ``tighten_only`` NotAllowedError for a higher ceiling.
    """

    notebook: NotebookKey
    category: str
    ceiling: int
    period: BudgetPeriod = BudgetPeriod.MONTHLY
    create: bool = True
    tighten_only: bool = False
