"""Bodies that are declared as tables of their fields, from which functions that write and read them are generated.

The generated functions are as fast as hand-written ones. Each is compiled when it is first used: kernels write requests
and read responses, servers do the reverse, so neither compiles what only the other needs.
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
"""For `Field.omitted`: the body lacks the field if the value is None."""
EMPTY: Final = "not {}"
"""For `Field.omitted`: the body lacks the field if the value is false or empty."""


class Field(NamedTuple):
    """One field of a body, and how its value is written from an object and read into an object."""

    name: str
    """The field's name in the body."""
    write: str = "{}"
    """The Python expression for the field's value in the body, in which ``{}`` stands for the object's value."""
    read: str | None = "{}"
    """The Python expression for the object's value, in which ``{}`` stands for the field's value and ``body`` for the
    body. None if the field is not read."""
    of: str | None = None
    """The attribute of the object that has the value; "" for the object itself, None for an attribute called
    ``name``."""
    takes: str | None = None
    """The parameter of the object's class for the value; None for a parameter called ``name``. "" if there is none, and
    only ``derived`` expressions use the value."""
    omitted: str | None = None
    """`ABSENT` or `EMPTY` if the body may lack the field; None if it always has it."""
    kept: bool = True
    """Whether the object has the value. If not, `Shape.write` leaves the field out, and only `Shape.body` writes it."""
    late: bool = False
    """Whether bodies of an earlier version lack the field; it is then read as null."""


class Shape:
    """The fields of one kind of body, in order.

    ``made`` is the name of the class that `read` returns, one of the ledger's contract or ``dict``; with "" it returns
    the value of the only field. ``given`` are parameters of that class which are not in the body, each with an
    expression in which ``key``, ``origin``, ``expires_at``, ``notebook`` and ``terms`` may be used. A ``checked`` body
    may only have fields of the table.
    """

    def __init__(
        self,
        made: str,
        *members: Field,
        given: Mapping[str, str] | None = None,
        derived: Mapping[str, str] | None = None,
        checked: bool = False,
        names: Mapping[str, Any] | None = None,
    ) -> None:
        """Declare the fields.

        ``derived`` are parameters of the class ``made``, each with an expression in which ``name_`` is the value that
        was read from the field ``name``. ``names`` are further names that expressions use, with their values.
        """
        self.made = made
        self.members = members
        self._given = given or {}
        self._derived = derived or {}
        self._checked = checked
        self._known = frozenset(member.name for member in members)
        self._names = names or {}

    @cached_property
    def read(self) -> Callable[..., Any]:
        """The function ``read(body)``, which returns the object that a body describes.

        For a request it is ``read(body, key, origin, expires_at, notebook, terms)``. It raises the errors of `fields`
        for an invalid value, and InvalidRequestError for an unknown field.
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
        # Without a class, the value of the only field is returned.
        lines.append(
            f" return {self.made}({self._arguments(values)})" if self.made else f" return {next(iter(values.values()))}"
        )
        return self._function("read", lines)

    @cached_property
    def write(self) -> Callable[..., dict[str, Any]]:
        """The function ``write(it)``, for a response ``write(it, shared_with=...)``, which returns an object's body."""
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
        """The function ``body(name=value, ...)``, which returns the body with the fields that are not None."""
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
        # The first arguments are positional, as far as the class allows it, since that is faster than by keyword.
        members = getattr(_expression_names()[self.made], "__match_args__", ())
        positional = list(takewhile(values.__contains__, members))
        return ", ".join(
            [values[name] for name in positional]
            + [f"{name}={values[name]}" for name in values if name not in positional]
        )

    def _function(self, name: str, lines: list[str]) -> Callable[..., Any]:
        # Python's dataclasses use exec as well. All code that is executed here is written in this package.
        names = {**_expression_names(), **self._names, "_known_": self._known}
        exec("\n".join(lines), names)  # noqa: S102
        return names[name]  # type: ignore[no-any-return]


def _value(member: Field) -> str:
    place = member.name if member.of is None else member.of
    return f"it.{place}" if place else "it"


def _filled(expression: str | None, value: str) -> str:
    return (expression or "").replace("{}", value)


def _expression_names() -> dict[str, Any]:
    """Return the names that the fields' expressions may use, with their values."""
    # Imported here, so that a kernel imports the ledger's contract only once it sends a request.
    from ..ledger.contract import agreements, audit_facts, budgets, charges, facts, queries, requests

    return {
        **{
            name: getattr(module, name)
            for module in (agreements, audit_facts, budgets, charges, facts, queries, requests, types, fields)
            for name in module.__all__
        },
        "dict": dict,
        # A lookup in these dicts takes a fifth of the time of calling the enumeration.
        "OUTCOMES": {outcome.value: outcome for outcome in types.GovernanceOutcome},
        "CHARGE_STATES": {state.value: state for state in budgets.ChargeState},
        "LABELS": {level: level.label() for level in types.TrustLevel},
        "parse": money.parse,
        "to_text": money.to_text,
        "signed": _signed,
        "time_text": time_text,
        "time_micros": time_micros,
    }


def _signed(text: str) -> int:
    return -money.parse(text[1:]) if text.startswith("-") else money.parse(text)
