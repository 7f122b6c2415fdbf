"""What became of a request that was cancelled, as the response to the cancel says it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..ledger.contract.facts import Found, Voided
from ..wire.bodies import state_body

__all__ = ["act_voided", "cancel_body"]


def cancel_body(result: Voided, shared_with: str | None) -> dict[str, Any]:
    """The response; ``state`` is there where something stands, as an opening or a closing that was executed."""
    state = None if result.voided else result.state
    return {
        "voided": result.voided,
        "found": None if result.found is None else result.found.value,
        "state": None if state is None else state_body(state, shared_with=shared_with),
    }


def act_voided(after_yes: Voided, at_once: Voided) -> Voided:
    """What became of an action, whose hold is made at once, or, where a user has to approve it, after that.

    ``voided`` says whether it has not begun and will not.
    """
    met = after_yes if after_yes.found in (Found.CHARGE, Found.RESOLVED, Found.NO_CHARGE) else at_once
    return replace(met, voided=met.voided or met.found is Found.NO_CHARGE, state=None)
