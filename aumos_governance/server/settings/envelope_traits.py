"""The trait of the setting ``envelopes``: ceilings over the money of several sessions.

A wrong value raises TraitError, which names the wrong item or field and shows a valid one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from traitlets import List, TraitError

from ... import money
from ...errors import AumOSGovernanceError
from ...ledger.contract.budgets import EnvelopeKind, EnvelopeSpec
from ...types import BUDGET_PERIOD_VALUES, BudgetPeriod
from ...wire import fields
from .traits import full_name, literal, shown

_KINDS: Final = {**{kind.value: kind for kind in EnvelopeKind}, "user": EnvelopeKind.OWNER}
"""The kinds of envelopes by their names in the configuration; ``user`` is another name of ``owner``."""
_EXAMPLE: Final = "{'name': 'class-5', 'kind': 'team', 'ceiling': '100', 'period': 'monthly'}"


class Envelopes(List[Any]):
    """A list of dicts, one for each ceiling, with ``name``, ``kind``, ``ceiling`` in USD and optionally ``period``.

    In the stored value, each dict has all four fields, as text.
    """

    def validate(self, obj: Any, value: Any) -> list[dict[str, str]]:
        name = full_name(self)
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            raise TraitError(f"{name} must be a list of envelopes, for example [{_EXAMPLE}].")
        envelopes = [_envelope(f"{name}[{index}]", item) for index, item in enumerate(value)]
        names = [envelope["name"] for envelope in envelopes]
        twice = next((found for found in names if names.count(found) > 1), None)
        if twice is not None:
            raise TraitError(f"{name} has two envelopes with the name {twice!r}; each needs a name of its own.")
        return envelopes

    def item_from_string(self, s: str, index: int | None = None) -> Any:
        """Return one ceiling's dict from the text of a command line.

        Text that is no Python literal is returned unchanged, so that `validate` refuses it with its message.
        """
        return literal(s)


def read_envelopes(envelopes: Iterable[Mapping[str, str]]) -> tuple[EnvelopeSpec, ...]:
    """Return the setting's ceilings as the ledger's envelopes. The value must be one that `Envelopes` has validated."""
    return tuple(
        EnvelopeSpec(
            name=envelope["name"],
            ceiling=money.parse(envelope["ceiling"]),
            encloses=EnvelopeKind(envelope["kind"]),
            period=BudgetPeriod(envelope["period"]),
        )
        for envelope in envelopes
    )


def _envelope(where: str, item: Any) -> dict[str, str]:
    if not isinstance(item, Mapping):
        raise TraitError(f"{where} is {shown(item)}, but must be a dict, for example {_EXAMPLE}.")
    defaults = {"name": None, "kind": None, "ceiling": None, "period": BudgetPeriod.LIFETIME.value}
    for field in item:
        if field not in defaults:
            raise TraitError(f"{where} has the unknown field {shown(field)}; the fields are {', '.join(defaults)}.")
    given = {**defaults, **item}
    for field, value in given.items():
        if value is None:
            raise TraitError(f"{where} has no {field}; an envelope is, for example, {_EXAMPLE}.")
    return {
        "name": _name(where, given["name"]),
        "kind": _KINDS[_word(f"{where}.kind", given["kind"], _KINDS)].value,
        "ceiling": _ceiling(where, given["ceiling"]),
        "period": _word(f"{where}.period", given["period"], BUDGET_PERIOD_VALUES),
    }


def _name(where: str, value: Any) -> str:
    try:
        return fields.text({"name": value}, "name", "name")
    except AumOSGovernanceError:
        raise TraitError(f"{where}.name is {shown(value)}, but must be text of 1 to 1000 characters.") from None


def _ceiling(where: str, value: Any) -> str:
    try:
        return money.to_text(money.parse(value))
    except AumOSGovernanceError:
        raise TraitError(
            f"{where}.ceiling is {shown(value)}, but must be an amount from 0 to 1000000000 US dollars with at most"
            " 9 decimals."
        ) from None


def _word(where: str, value: Any, words: Iterable[str]) -> str:
    for word in words:
        if value == word:
            return word
    raise TraitError(f"{where} is {shown(value)}, but must be one of {', '.join(words)}.")
