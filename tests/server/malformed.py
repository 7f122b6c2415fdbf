"""Malformed wire requests: values of every wrong kind, for every field of every operation."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["BODIES", "CHARGE", "NASTY", "RAW", "attacks", "nested"]


def nested(levels: int, *, lists: bool = False) -> Any:
    """Return JSON objects, or lists, that are nested to this number of levels."""
    value: Any = 1
    for _ in range(levels):
        value = [value] if lists else {"a": value}
    return value


NASTY: Final[dict[str, Any]] = {
    "NaN": float("nan"),
    "infinity": float("inf"),
    "400 digits": 10**400,
    "400 digits below 0": -(10**400),
    "65 bits": 2**64,
    "64 bits": 2**63,
    "a large float": 1e308,
    "below 0": -1,
    "a fraction": 0.1,
    "true": True,
    "null": None,
    "empty text": "",
    "digits as text": "9" * 5_000,
    "half a character": "\ud800",
    "NUL": "a\0b",
    "a bidi mark": "\u202e",
    "long text": "x" * 100_000,
    "a list": [],
    "an object": {},
    "65 levels": nested(65),
    "970 levels": nested(970),
    "lists of 970 levels": nested(970, lists=True),
    "half a character within": {"\ud800": "\udfff"},
    "NUL within": {"a": "\0"},
    "NaN within": {"a": float("nan")},
    "400 digits within": {"a": 10**400},
    "a long name": {"x" * 100_000: 1},
}

CHARGE: Final = "a charge"
"""A placeholder for the id or reference of a charge that is made for the request."""
_ACTION: Final = {
    "amount": "0.01",
    "required_level": 1,
    "category": None,
    "agent_id": "a",
    "action_type": "x",
    "resource": "r",
    "scope": "s",
    "data_type": None,
    "purpose": None,
    "detail": {},
}
BODIES: Final[dict[str, dict[str, Any]]] = {
    "hello": {"version": "1", "python": "3", "incarnation": "one"},
    "open": {"trust_level": 2, "budget": "1000", "agent_id": "a", "new": False},
    "status": {},
    "cell": {},
    "spend": {
        "amount": "0.01",
        "tool": "t",
        "already_paid": False,
        "category": None,
        "agent_id": "a",
        "note": "n",
        "at_limit": "deny",
    },
    "hold": {
        **_ACTION,
        "tool": "t",
        "kind": "call",
        "until": None,
        "least": "0.005",
        "most": "0.01",
        "at_limit": "deny",
        "waits_turn": 0.01,
    },
    "settle": {
        "hold_id": CHARGE,
        "amount": "0.001",
        "estimated": False,
        "reference": None,
        "usage": {"input": 1},
        "source": {"kind": "library"},
        "report_id": "x",
        "result": "y",
    },
    "release": {"hold_id": CHARGE, "report_id": "x", "result": "r"},
    "adjust": {"amount": "0.001", "hold_id": CHARGE},
    "adjust by reference": {"amount": "0.001", "reference": CHARGE},
    "authorize": {**_ACTION, "tool": "t", "shown": {"code": "x"}, "timeout": 0.01, "wait": False, "at_limit": "deny"},
    "evaluate": {**_ACTION, "refused": {"code": "CLOSED", "reason": "r", "tool": "t"}},
    "trust": {"agent_id": "a", "level": 2, "scope": "s", "assigned_by": "x"},
    "agents": {},
    "budget": {"category": "c", "limit": "1", "period": "daily", "create": True},
    "budgets": {"category": "c"},
    "consent": {"agent_id": "a", "data_type": "d", "purpose": "p", "granted_by": "g", "until": None},
    "consents": {"agent_id": "a", "data_type": "d", "purpose": "p"},
    "audit": {
        "limit": 3,
        "agent_id": "a",
        "outcome": "deny",
        "event": "e",
        "tool": "t",
        "action_type": "x",
        "resource": "r",
        "since": 1,
        "until": 2,
        "decisions": False,
        "oldest_first": False,
        "count": False,
        "cursor": None,
    },
    "cancel": {"of": "x", "act": False, "delivered": False},
    "close": {},
}
"""Valid requests, by the operation's name and a word for the variant."""
_ENVELOPE: Final = ("id", "op", "exp", "cell", "cell.id", "cell.count", "another")


def attacks(soak: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield requests with one wrong value, by name; without ``soak`` only every ninth."""
    every = 1 if soak else 9
    values = itertools.count()
    for op, body in BODIES.items():
        inner_fields = (
            f"{outer}.{inner}" for outer, value in body.items() if isinstance(value, dict) for inner in value
        )
        for field in (*body, *inner_fields, *_ENVELOPE):
            for name, value in NASTY.items():
                number = next(values)
                if number % every:
                    continue
                if field == "wait":
                    # True and null are valid, and let the action wait for a user.
                    continue
                request: dict[str, Any] = {"id": f"n{number}", "op": op.split()[0], "exp": time.time() + 60, **body}
                outer, _, inner = field.partition(".")
                request[outer] = {**body.get(outer, {}), inner: value} if inner else value
                yield f"{op} {field} {name}", request


RAW: Final[dict[str, tuple[str, str]]] = {
    "400 digits": ('{"id": "i", "op": "status", "exp": ' + "9" * 400 + "}", "exp"),
    "4,000 digits": ('{"id": "i", "op": "status", "exp": ' + "9" * 4_000 + "}", "exp"),
    "NaN": ('{"id": "i", "op": "status", "exp": NaN}', "exp"),
    "infinity": ('{"id": "i", "op": "status", "exp": Infinity}', "exp"),
    "1e999": ('{"id": "i", "op": "status", "exp": 1e999}', "exp"),
    "a year ahead": ('{"id": "i", "op": "spend", "amount": "1", "exp": %.0f}' % (time.time() + 3e7), "48 hours"),
    "itself": ('{"id": "i", "op": "cancel", "of": "i", "exp": EXP}', "itself"),
    "an act itself": ('{"id": "i", "op": "cancel", "of": "i", "act": true, "exp": EXP}', "itself"),
    "970 levels": (
        '{"id": "i", "op": "hold", "amount": "1", "exp": EXP, "detail": ' + '{"a":' * 970 + "1" + "}" * 971,
        "nested",
    ),
    "400 digits of until": (
        '{"id": "i", "op": "hold", "amount": "1", "until": ' + "9" * 400 + ', "exp": EXP}',
        "until",
    ),
    "half a character": ('{"id": "\\ud800", "op": "status", "exp": EXP}', "id"),
    "half a character of a cell": ('{"id": "i", "op": "status", "exp": EXP, "cell": {"id": "\\udc00"}}', "cell"),
    "no object": ("7", "object"),
    "a list": ("[[]]", "object"),
    "an id of a number": ('{"id": 7, "op": "status", "exp": EXP}', "id"),
    "a long id": ('{"id": "' + "x" * 100_000 + '", "op": "status", "exp": EXP}', "id"),
}
"""The text of a request, with ``EXP`` in place of an expiry, and a word of the error message."""
