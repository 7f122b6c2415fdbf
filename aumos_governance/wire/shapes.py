"""Bodies declared as tables of their fields, each compiled to functions that make it and read it.

What is generated is what one would write by hand, and is as fast. It is compiled when it is first used: a kernel makes
requests and reads responses, a server the reverse, and loading a table costs neither of them anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import takewhile
from typing import Any, Final, NamedTuple

from .. import money, types
from ..clock import time_micros, time_text
from . import fields

__all__ = ["ABSENT", "EMPTY", "Field", "Shape"]

ABSENT: Final = "{} is None"
"""The condition of a field that is left out where it has no value."""
EMPTY: Final = "not {}"
"""The condition of a field that is left out where its value is false or empty."""


class Field(NamedTuple):
    """One field of a body, and where its value lies in the object that the body stands for."""

    name: str
    """In the body."""
    write: str = "{}"
    """An expression of the value, ``{}``, that gives what stands in the body."""
    read: str | None = "{}"
    """An expression of what stands in the body, ``{}``, or of ``body`` itself, that gives the value. None: the object
    does not keep it."""
    of: str | None = None
    """Where the object has the value: an expression behind ``it.``, or empty for the object itself; None: as ``name``
    says."""
    takes: str | None = None
    """The parameter of the object's class that takes the value; None: as ``name`` says. Empty: none does, and the value
    is there for what is derived, called as ``name`` says."""
    omitted: str | None = None
    """`ABSENT` or `EMPTY`, where the body goes without the field; None: it always has it."""
    kept: bool = True
    """Whether the object has the value; if not, `Shape.write` makes no such field, and `Shape.body` does."""
    late: bool = False
    """Bodies of an earlier version have no such field; it is read as null."""


class Shape:
    """The fields of one kind of body, in order.

    ``made`` names the class of what is read from a body, one of the ledger's contract or ``dict``; empty, where it is
    the one value that is read, or is not read at all. ``given`` are the
    parameters of that class that no body has, each with an expression of ``key``, ``origin``, ``expires_at``,
    ``notebook`` and ``terms``. A body that is ``checked`` may have no other fields but these and ``beside``.
    """

    def __init__(
        self,
        made: str,
        *members: Field,
        given: Mapping[str, str] | None = None,
        derived: Mapping[str, str] | None = None,
        checked: bool = False,
        beside: tuple[str, ...] = (),
        names: Mapping[str, Any] | None = None,
    ) -> None:
        """``derived`` are parameters made from what was read, ``name_`` for each; ``names`` what expressions use."""
        self.made = made
        self.members = members
        self._given = given or {}
        self._derived = derived or {}
        self._checked = checked
        self._known = frozenset({*(member.name for member in members), *beside})
        self._names = names or {}

    @cached_property
    def read(self) -> Callable[..., Any]:
        """The function that makes the object from a body: ``read(body)``.

        For a request it is ``read(body, key, origin, expires_at, notebook, terms)``. It raises what `fields` raises for
        an invalid value, and InvalidRequestError for an unknown field.
        """
        lines = ["def read(body, key='', origin=None, expires_at=None, notebook=None, terms=None):"]
        if self._checked:
            lines.append(" if not body.keys() <= _known_: known_only(body, _known_)")
        values: dict[str, str] = {}
        for member in self.members:
            if member.read is not None:
                place = f"body.get({member.name!r})" if member.late else f"body[{member.name!r}]"
                name, value = member.takes or member.name, _filled(member.read, place)
                if self._derived:
                    lines.append(f" {name}_ = {value}")
                    value = f"{name}_"
                if member.takes != "":
                    values[name] = value
                elif not self._derived:
                    lines.append(f" {value}")
        values |= {**self._derived, **self._given}
        # Without a class it is the one value that the body has.
        lines.append(
            f" return {self.made}({self._arguments(values)})" if self.made else f" return {next(iter(values.values()))}"
        )
        return self._function("read", lines)

    @cached_property
    def write(self) -> Callable[..., dict[str, Any]]:
        """``write(it)``, of a response ``write(it, shared_with=...)``: the body of the object."""
        kept = [member for member in self.members if member.kept]
        if any(member.omitted for member in kept):
            lines = ["def write(it, shared_with=None):", " body = {}"]
            for member in kept:
                value = _value(member)
                condition = {None: "", ABSENT: f" if {value} is not None:", EMPTY: f" if {value}:"}[member.omitted]
                lines.append(f"{condition} body[{member.name!r}] = {_filled(member.write, value)}")
            return self._function("write", [*lines, " return body"])
        made = ", ".join(f"{member.name!r}: {_filled(member.write, _value(member))}" for member in kept)
        return self._function("write", ["def write(it, shared_with=None):", f" return {{{made}}}"])

    @cached_property
    def body(self) -> Callable[..., dict[str, Any]]:
        """``body(name=value, ...)``: the body with the fields that are given and not None, in their order."""
        names = [member.name for member in self.members]
        lines = [
            f"def body(*, {', '.join(f'{name}=None' for name in names)}):" if names else "def body():",
            " made = {}",
        ]
        for name, member in zip(names, self.members, strict=True):
            condition = name if member.omitted == EMPTY else f"{name} is not None"
            lines.append(f" if {condition}: made[{name!r}] = {_filled(member.write, name)}")
        return self._function("body", [*lines, " return made"])

    def _arguments(self, values: dict[str, str]) -> str:
        # By place as far as the class takes them so, which is faster than by name.
        made = _vocabulary()[self.made]
        members = () if made is dict or made.__match_args__ == () else made.__match_args__
        placed = list(takewhile(values.__contains__, members))
        return ", ".join(
            [values[name] for name in placed] + [f"{name}={values[name]}" for name in values if name not in placed]
        )

    def _function(self, name: str, lines: list[str]) -> Callable[..., Any]:
        # As dataclasses does it. All that is put together here is written in this package.
        names = {**_vocabulary(), **self._names, "_known_": self._known}
        exec("\n".join(lines), names)  # noqa: S102
        return names[name]  # type: ignore[no-any-return]


def _value(member: Field) -> str:
    place = member.name if member.of is None else member.of
    return f"it.{place}" if place else "it"


def _filled(expression: str | None, value: str) -> str:
    return (expression or "").replace("{}", value)


def _vocabulary() -> dict[str, Any]:
    """What the expressions may name."""
    # Only now: a kernel whose cells use no more than the magics loads none of the ledger.
    from ..ledger.contract import agreements, audit_facts, budgets, charges, facts, queries, requests

    return {
        **{
            name: getattr(module, name)
            for module in (agreements, audit_facts, budgets, charges, facts, queries, requests, types, fields)
            for name in module.__all__
        },
        "dict": dict,
        # By a look into a table, which takes a fifth of the call of the enumeration.
        "OUTCOMES": {outcome.value: outcome for outcome in types.GovernanceOutcome},
        "CHARGE_STATES": {state.value: state for state in budgets.ChargeState},
        "LABELS": {level: level.label() for level in types.TrustLevel},
        "LEVELS": tuple(types.TrustLevel),
        "parse": money.parse,
        "parse_positive": money.parse_positive,
        "to_text": money.to_text,
        "signed": _signed,
        "time_text": time_text,
        "time_micros": time_micros,
    }


def _signed(text: str) -> int:
    return -money.parse(text[1:]) if text.startswith("-") else money.parse(text)
