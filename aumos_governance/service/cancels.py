"""What became of an action that was cancelled."""

from __future__ import annotations

from dataclasses import replace

from ..ledger.contract.base import Found, Voided

__all__ = ["act_voided"]


def act_voided(after_yes: Voided, at_once: Voided) -> Voided:
    """What became of an action, whose hold is made at once, or, where a user has to approve it, after that.

    ``voided`` says whether it has not begun and will not.
    """
    met = after_yes if after_yes.found in (Found.CHARGE, Found.RESOLVED, Found.NO_CHARGE) else at_once
    return replace(met, voided=met.voided or met.found is Found.NO_CHARGE, state=None)
