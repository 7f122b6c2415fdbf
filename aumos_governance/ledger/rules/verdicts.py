"""The reasons for refusing a charge or an action: their codes, sentences and limits."""

from __future__ import annotations

from typing import Final, NamedTuple

from ... import money
from ...types import ActionKind, TrustLevel
from ..contract.facts import Limit, Origin


class Refusal(NamedTuple):
    """A reason for refusing a charge or an action: a stable code, a sentence, and the limit that forbids it, if any."""

    code: str
    reason: str
    limit: Limit | None = None


APPROVAL_REQUIRED: Final = "APPROVAL_REQUIRED"
BUDGET_EXCEEDED: Final = "BUDGET_EXCEEDED"
BUDGET_HELD: Final = "BUDGET_HELD"
"""The code of an undecided hold: it would exceed a limit now, but not if the holds of live callers were released."""
_NO_SESSION: Final = "NO_SESSION"
_OF_NOTEBOOK: Final = Refusal(_NO_SESSION, "Governance is not active for this notebook; start it with %governance")
_OF_ENGINE: Final = Refusal(_NO_SESSION, "This engine's governance session was closed; a new engine opens the next one")


def no_session(origin: Origin) -> Refusal:
    """Return the refusal of a request for a notebook or engine without an open session."""
    return _OF_ENGINE if origin.actor == "engine" else _OF_NOTEBOOK


def level_refusal(kind: ActionKind, required: TrustLevel, actual: int) -> Refusal | None:
    """Return the refusal of an action of this kind if ``actual`` is below the required trust level, else None."""
    if actual >= required:
        return None
    what = "A governed action" if kind is ActionKind.ACT else "A call"
    return Refusal(
        "TRUST_LEVEL_INSUFFICIENT",
        f"{what} needs trust level {_level(required)}, and this notebook is at {_level(actual)}",
        Limit("level", "", int(required), actual),
    )


def action_refusal(required: TrustLevel, actual: int, *, approved: bool) -> Refusal | None:
    """Return the refusal of a governed action, or None if it may run.

    At L1 and L2 an action is only suggested, and at L3 it needs a user's approval.
    """
    if TrustLevel.L0_OBSERVER < actual < TrustLevel.L3_ACT_APPROVE:
        return Refusal("SUGGESTED", f"Not run: at {_level(actual)} a governed action is only suggested")
    refusal = level_refusal(ActionKind.ACT, max(required, TrustLevel.L1_MONITOR), actual)
    if refusal is None and actual == TrustLevel.L3_ACT_APPROVE and not approved:
        return Refusal(APPROVAL_REQUIRED, f"At {_level(actual)} a governed action needs a user's approval")
    return refusal


def agent_refusal(agent_id: str, required: int, actual: int, scope: str | None) -> Refusal:
    """Return the refusal of an action that an agent's own trust level forbids."""
    where = f" in scope {scope!r}" if scope else ""
    return Refusal(
        "TRUST_LEVEL_INSUFFICIENT",
        f"Agent {agent_id!r} has trust level {_level(actual)}{where}, and this needs {_level(required)}",
        Limit("agent", agent_id, int(required), actual),
    )


def no_consent(agent_id: str, data_type: str, purpose: str | None) -> Refusal:
    """Return the refusal of a use of data that no consent covers."""
    what = f" for {purpose!r}" if purpose else ""
    return Refusal("CONSENT_DENIED", f"No consent lets agent {agent_id!r} use {data_type!r}{what}")


def no_budget(category: str) -> Refusal:
    """Return the refusal of a charge to a category that has no budget."""
    return Refusal("BUDGET_NOT_FOUND", f"There is no budget {category!r}", Limit("category", category))


def over_budget(total: int, ceiling: int, envelope: str = "budget", kind: str = "session", name: str = "") -> Refusal:
    """Return the refusal of an amount that would exceed an envelope's ceiling.

    ``total`` is the sum, in nano-USD, that would be spent and held in the envelope with the requested amount.
    ``envelope`` names the envelope in the sentence; ``kind`` and ``name`` identify it in the `Limit`.
    """
    return Refusal(
        BUDGET_EXCEEDED,
        f"Would exceed {envelope} ({money.display(total)} > {money.display(ceiling)})",
        Limit(kind, name, total, ceiling),
    )


def _level(level: int) -> str:
    named = TrustLevel(level)
    return f"{named.short()} ({named.label()})"
