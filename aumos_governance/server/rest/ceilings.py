"""The differences between the shared ceilings in the ledger and those in this server's configuration.

The first server that is configured with a shared ceiling stores it in the ledger. Later changes of a configuration have
no effect on it, so the server logs and shows the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ... import money
from ...ledger.contract.budgets import CeilingState, EnvelopeKind, EnvelopeSpec

_SHARED: Final = (EnvelopeKind.OWNER, EnvelopeKind.TEAM)


def differences(configured: Iterable[EnvelopeSpec], ceilings: Sequence[CeilingState]) -> list[dict[str, Any]]:
    """Return the entries of ``ceilings_differ`` in ``GET config``, one for each ceiling that differs.

    ``configured`` are the envelopes of this server's configuration, and ``ceilings`` the shared ceilings in the ledger
    for the server's owner. In an entry, ``configured`` has the configured limit and period, or null if no envelope of
    this name and kind is configured. ``stands`` has those in the ledger; it is empty if the ceiling was lifted.
    """
    wanted = {(spec.encloses, spec.name): _figures(spec.ceiling, spec.period) for spec in configured}
    names = dict.fromkeys((ceiling.kind, ceiling.name) for ceiling in ceilings)
    found = []
    for kind, name in [*names, *(key for key in wanted if key[0] in _SHARED and key not in names)]:
        stands = [
            _figures(ceiling.balance.limit, ceiling.period)
            for ceiling in ceilings
            if (ceiling.kind, ceiling.name) == (kind, name) and ceiling.period is not None
        ]
        mine = wanted.get((kind, name))
        if stands != ([] if mine is None else [mine]):
            found.append({"name": name, "kind": kind.value, "configured": mine, "stands": stands})
    return found


def difference_sentence(difference: Mapping[str, Any]) -> str:
    """Return a sentence for users that states an entry of `differences`, and the command that changes the ceiling."""
    stands = " and ".join(map(_text, difference["stands"]))
    mine = difference["configured"]
    return (
        f"The {difference['kind']} ceiling {difference['name']!r} {f'is {stands}' if stands else 'was removed'} in the"
        f" ledger, unlike in this server's configuration ({'no such envelope' if mine is None else _text(mine)}); only"
        " the command jupyter governance ceiling changes it."
    )


def _figures(ceiling: int, period: str) -> dict[str, str]:
    return {"limit": money.to_text(ceiling), "period": str(period)}


def _text(figures: Mapping[str, str]) -> str:
    return f"{money.display(money.parse(figures['limit']))} {figures['period']}"
