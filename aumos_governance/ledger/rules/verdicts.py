"""The reasons for which the ledger refuses a charge or an action, each with a stable code and a sentence for users.

The sentences become the ``reasons`` of decisions and audit records.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ... import money
from ...types import ActionKind, TrustLevel
from ..contract.facts import Limit, Origin


class Refusal(NamedTuple):
    """A reason for refusing a charge or an action: a stable code, a sentence for users, and the limit concerned.

    ``limit`` is None if no limit is the reason, but, for example, a missing consent.
    """

    code: str
    reason: str
    limit: Limit | None = None


APPROVAL_REQUIRED: Final = "APPROVAL_REQUIRED"
BUDGET_EXCEEDED: Final = "BUDGET_EXCEEDED"
BUDGET_HELD: Final = "BUDGET_HELD"
"""The code of a hold that is not decided yet: it exceeds a limit now, but would not once the open holds of other live
callers have ended, so its caller waits for that."""
_NO_SESSION: Final = "NO_SESSION"
_OF_NOTEBOOK: Final = Refusal(_NO_SESSION, "Governance is not active for this notebook; start it with %governance")
_OF_ENGINE: Final = Refusal(_NO_SESSION, "This engine's governance session was closed; a new engine opens the next one")


def no_session(origin: Origin) -> Refusal:
    """Return the reason for refusing a charge or action, since the notebook or SDK engine has no open session."""
    return _OF_ENGINE if origin.actor == "engine" else _OF_NOTEBOOK


def level_refusal(kind: ActionKind, required: TrustLevel, actual: int) -> Refusal | None:
    """Return the reason for refusing an action if ``actual``, the trust level that applies, is too low, else None."""
    if actual >= required:
        return None
    what = "A governed action" if kind is ActionKind.ACT else "A call"
    return Refusal(
        "TRUST_LEVEL_INSUFFICIENT",
        f"{what} needs trust level {_level(required)}, and this notebook is at {_level(actual)}",
        Limit("level", "", int(required), actual),
    )


def action_refusal(required: TrustLevel, actual: int, *, approved: bool) -> Refusal | None:
    """Return the reason for refusing a governed action at the trust level ``actual``, or None if the action may run.

    At L1 and L2 an action is not run but only suggested to the user. At L3 it needs a user's approval; ``approved`` is
    True if it has one.
    """
    if TrustLevel.L0_OBSERVER < actual < TrustLevel.L3_ACT_APPROVE:
        return Refusal("SUGGESTED", f"Not run: at {_level(actual)} a governed action is only suggested")
    refusal = level_refusal(ActionKind.ACT, max(required, TrustLevel.L1_MONITOR), actual)
    if refusal is None and actual == TrustLevel.L3_ACT_APPROVE and not approved:
        return Refusal(APPROVAL_REQUIRED, f"At {_level(actual)} a governed action needs a user's approval")
    return refusal


def agent_refusal(agent_id: str, required: int, actual: int, scope: str | None) -> Refusal:
    """Return the reason for refusing an action if the agent's own trust level, ``actual``, is below the required one.

    ``scope`` is the scope of the agent's work that the level was looked up for, None for all scopes.
    """
    where = f" in scope {scope!r}" if scope else ""
    return Refusal(
        "TRUST_LEVEL_INSUFFICIENT",
        f"Agent {agent_id!r} has trust level {_level(actual)}{where}, and this needs {_level(required)}",
        Limit("agent", agent_id, int(required), actual),
    )


def no_consent(agent_id: str, data_type: str, purpose: str | None) -> Refusal:
    """Return the reason for refusing an agent's use of a type of data that no consent covers."""
    what = f" for {purpose!r}" if purpose else ""
    return Refusal("CONSENT_DENIED", f"No consent lets agent {agent_id!r} use {data_type!r}{what}")


def no_budget(category: str) -> Refusal:
    """Return the reason for refusing a charge to a category that has no budget in the session."""
    return Refusal("BUDGET_NOT_FOUND", f"There is no budget {category!r}", Limit("category", category))


def over_budget(total: int, ceiling: int, envelope: str = "budget", kind: str = "session", name: str = "") -> Refusal:
    """Return the reason for refusing a charge that would exceed a budget or ceiling.

    ``total`` is the sum, in nano-USD, that would be spent and held under it with the requested amount, and ``ceiling``
    the most that is allowed. ``envelope`` is its name in the sentence; ``kind`` and ``name`` identify it in the
    `Limit`.
    """
    return Refusal(
        BUDGET_EXCEEDED,
        f"Would exceed {envelope} ({money.display(total)} > {money.display(ceiling)})",
        Limit(kind, name, total, ceiling),
    )


def _level(level: int) -> str:
    named = TrustLevel(level)
    return f"{named.short()} ({named.label()})"
