"""`Shape`, the declaration of a kind of JSON body as a table of fields, from which functions are generated.

One function writes the body of an object, another makes the object of a body. They are Python code, compiled at their
first use, and as fast as hand-written functions. Kernels write requests and read responses, and servers do the reverse,
so neither compiles functions that only the other needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import takewhile
from typing import Any, Final, NamedTuple

from .. import money, types
from ..clock import time_micros, time_text
from . import fields

ABSENT: Final = "{} is None"
"""A value of `Field.omitted`: the field is left out of a body if the object's value is None."""
EMPTY: Final = "not {}"
"""A value of `Field.omitted`: the field is left out of a body if the object's value is false or empty."""


class Field(NamedTuple):
    """One field of a JSON body, and how it corresponds to an attribute of a Python object.

    Two Python expressions convert the object's value to the field's value, and back.
    """

    name: str
    """The field's name in the body."""
    write: str = "{}"
    """The Python expression for the field's value in the body. In it, ``{}`` is replaced by the object's value."""
    read: str | None = "{}"
    """The Python expression for the object's value. In it, ``{}`` is replaced by the field's value, and ``body`` is the
    whole body. None if the field is not read."""
    of: str | None = None
    """The object's attribute that has the value; None if the attribute has the field's name, and "" if the value is the
    object itself."""
    takes: str | None = None
    """The parameter of the object's class that gets the value when the body is read; None if the parameter has the
    field's name, and "" if only the shape's ``derived`` expressions use the value."""
    omitted: str | None = None
    """When the field is left out of a body: `ABSENT` or `EMPTY`; None if it is always written."""
    kept: bool = True
    """Whether the object has the value. If not, `Shape.write` leaves the field out, and only `Shape.body` writes it."""
    late: bool = False
    """Whether the field may be missing in bodies of an earlier version; a missing field is then read as null."""


class Shape:
    """One kind of JSON body: its fields, and the generated functions `read`, `write` and `body`.

    There is one object for each kind of body, made when its module is imported.
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
        """Declare the fields of the body. All expressions are Python source code.

        Args:
            made: The name of the class that `read` makes an object of: a class of the ledger's contract, or ``dict``.
                With "", `read` returns the value of the only field.
            members: The fields, in order.
            given: Arguments of the class ``made`` that are not in the body, as expressions by parameter name. In an
                expression, ``key``, ``origin``, ``expires_at``, ``notebook`` and ``terms`` are the arguments of `read`.
            derived: Arguments of the class ``made`` that are computed from fields, as expressions by parameter name. In
                an expression, ``tool_`` for example is the value that was read from the field ``tool``.
            checked: Whether `read` raises InvalidRequestError for a field that is not in ``members``.
            names: Further names that the expressions of the fields may use, with their values.

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

        For a request the function is ``read(body, key, origin, expires_at, notebook, terms)``. It raises the errors of
        `fields` for an invalid value, and InvalidRequestError for an unknown field of a ``checked`` body.
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
        # If `made` is "", the value of the only field is returned.
        lines.append(
            f" return {self.made}({self._arguments(values)})" if self.made else f" return {next(iter(values.values()))}"
        )
        return self._function("read", lines)

    @cached_property
    def write(self) -> Callable[..., dict[str, Any]]:
        """The function ``write(it)``, which returns the body of an object on the wire.

        For a response the function is ``write(it, shared_with)``. If the notebook uses the kernel and session of
        another notebook, ``shared_with`` is the path of that notebook, and otherwise None.
        """
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
        """The function ``body(name=value, ...)``, which returns a body with the fields whose values are not None."""
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
    """Return the names that the expressions of all fields may use, such as ``to_text``, with their values."""
    # Imported here, so that a kernel imports the ledger's contract only once it sends a request.
    from ..ledger.contract import agreements, audit_facts, budgets, charges, facts, queries, requests

    return {
        **{
            name: value
            for module in (agreements, audit_facts, budgets, charges, facts, queries, requests, types, fields)
            for name, value in vars(module).items()
            if not name.startswith("_")
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
