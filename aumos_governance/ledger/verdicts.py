"""Why a charge is refused: pure rules and their wording."""

from __future__ import annotations

from typing import Final, NamedTuple

from .. import money
from ..types import ActionKind, TrustLevel

__all__ = ["NO_SESSION", "Refusal", "level_refusal", "over_budget"]


class Refusal(NamedTuple):
    """A reason not to do something: a stable word and a sentence."""

    code: str
    reason: str


NO_SESSION: Final = Refusal("NO_SESSION", "Governance is not active for this notebook; start it with %governance")


def level_refusal(kind: ActionKind, required: TrustLevel, actual: int) -> Refusal | None:
    """What forbids an action of this kind at this level, if anything."""
    if actual >= required:
        return None
    what = "An act" if kind is ActionKind.ACT else "A call"
    return Refusal(
        "TRUST_LEVEL_INSUFFICIENT",
        f"{what} needs trust level {_level(required)}, and this notebook is at {_level(actual)}",
    )


def over_budget(total: int, ceiling: int, envelope: str = "budget") -> Refusal:
    """``total`` is what would be spent and held with the amount asked for."""
    return Refusal("BUDGET_EXCEEDED", f"Would exceed {envelope} ({money.display(total)} > {money.display(ceiling)})")


def _level(level: int) -> str:
    named = TrustLevel(level)
    return f"{named.short()} ({named.label()})"
