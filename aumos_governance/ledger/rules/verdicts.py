"""Why a charge is refused: pure rules and their wording."""

from __future__ import annotations

from typing import Final, NamedTuple

from ... import money
from ...types import ActionKind, TrustLevel
from ..contract.facts import Limit, Origin

__all__ = [
    "APPROVAL_REQUIRED",
    "BUDGET_EXCEEDED",
    "BUDGET_HELD",
    "Refusal",
    "action_refusal",
    "agent_refusal",
    "level_refusal",
    "no_budget",
    "no_consent",
    "no_session",
    "over_budget",
]


class Refusal(NamedTuple):
    """A reason not to do something: a stable word, a sentence, and the limit that binds, where one does."""

    code: str
    reason: str
    limit: Limit | None = None


APPROVAL_REQUIRED: Final = "APPROVAL_REQUIRED"
BUDGET_EXCEEDED: Final = "BUDGET_EXCEEDED"
BUDGET_HELD: Final = "BUDGET_HELD"
"""Of what is undecided: it fits when the holds of live callers end."""
_NO_SESSION: Final = "NO_SESSION"
_OF_NOTEBOOK: Final = Refusal(_NO_SESSION, "Governance is not active for this notebook; start it with %governance")
_OF_ENGINE: Final = Refusal(_NO_SESSION, "This engine's governance session was closed; a new engine opens the next one")


def no_session(origin: Origin) -> Refusal:
    """The refusal of all requests while no session is open, with what the user can do."""
    return _OF_ENGINE if origin.actor == "engine" else _OF_NOTEBOOK


def level_refusal(kind: ActionKind, required: TrustLevel, actual: int) -> Refusal | None:
    """What forbids an action of this kind at this level, if anything."""
    if actual >= required:
        return None
    what = "A governed action" if kind is ActionKind.ACT else "A call"
    return Refusal(
        "TRUST_LEVEL_INSUFFICIENT",
        f"{what} needs trust level {_level(required)}, and this notebook is at {_level(actual)}",
        Limit("level", "", int(required), actual),
    )


def action_refusal(required: TrustLevel, actual: int, *, approved: bool) -> Refusal | None:
    """The refusal of a governed action, if any: levels below L3 only suggest it, and L3 needs a user's approval."""
    if TrustLevel.L0_OBSERVER < actual < TrustLevel.L3_ACT_APPROVE:
        return Refusal("SUGGESTED", f"Not run: at {_level(actual)} a governed action is only suggested")
    refusal = level_refusal(ActionKind.ACT, max(required, TrustLevel.L1_MONITOR), actual)
    if refusal is None and actual == TrustLevel.L3_ACT_APPROVE and not approved:
        return Refusal(APPROVAL_REQUIRED, f"At {_level(actual)} a governed action needs a user's approval")
    return refusal


def agent_refusal(agent_id: str, required: int, actual: int, scope: str | None) -> Refusal:
    """Why an agent's own level forbids an action."""
    where = f" in scope {scope!r}" if scope else ""
    return Refusal(
        "TRUST_LEVEL_INSUFFICIENT",
        f"Agent {agent_id!r} has trust level {_level(actual)}{where}, and this needs {_level(required)}",
        Limit("agent", agent_id, int(required), actual),
    )


def no_consent(agent_id: str, data_type: str, purpose: str | None) -> Refusal:
    """Why data may not be used."""
    what = f" for {purpose!r}" if purpose else ""
    return Refusal("CONSENT_DENIED", f"No consent lets agent {agent_id!r} use {data_type!r}{what}")


def no_budget(category: str) -> Refusal:
    """Why nothing can be charged to a category."""
    return Refusal("BUDGET_NOT_FOUND", f"There is no budget {category!r}", Limit("category", category))


def over_budget(total: int, ceiling: int, envelope: str = "budget", kind: str = "session", name: str = "") -> Refusal:
    """``total`` is what would be spent and held with the amount requested, in the envelope of this kind and name."""
    return Refusal(
        BUDGET_EXCEEDED,
        f"Would exceed {envelope} ({money.display(total)} > {money.display(ceiling)})",
        Limit(kind, name, total, ceiling),
    )


def _level(level: int) -> str:
    named = TrustLevel(level)
    return f"{named.short()} ({named.label()})"
