"""What a request asks for, as a digest: two requests with one key must ask for the same.

Left out are ``key`` (it names the request), ``expires_at`` (a retry may wait longer), ``terms`` (whoever runs
the server may have changed them meanwhile), the kernel's incarnation and the notebook, which the asker does
not choose and which may have been renamed between an ask and its retry; ``waits``, ``waits_at_limit`` and
``waits_turn``, which change the record, or when it is decided; and of a bounded hold ``most`` and ``waiting``, which
are the server's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from hashlib import sha256
from operator import attrgetter
from typing import Any, Final

from ...errors import InvalidRequestError
from ..contract.requests import Request
from .compact import dumps, encoder_with

__all__ = ["check_text", "check_whole", "digest"]

MAX_CONTENT: Final = 64 * 1024
"""The most bytes of UTF-8 that a request may amount to."""

_BEYOND: Final = 2**63
_OF_HOLD: Final = ("least", "most", "waiting", "waits_turn")
_LEFT_OUT: Final = frozenset({"key", "origin", "expires_at", "terms", "notebook", "waits", "waits_at_limit", *_OF_HOLD})
_ORIGIN: Final = ("origin.actor", "origin.person", "origin.cell_id", "origin.execution_count")


_getters: dict[type[Any], Callable[[Any], Any]] = {}


def _getter(kind: type[Any]) -> Callable[[Any], Any]:
    getter = _getters.get(kind)
    if getter is None:
        names = [field.name for field in fields(kind) if field.name not in _LEFT_OUT]
        getter = _getters[kind] = attrgetter(*_ORIGIN, *names)
    return getter


def _value(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in fields(value)]
    raise InvalidRequestError(f"A request cannot hold a {type(value).__name__}.")


_encode = encoder_with(_value)


def digest(request: Request[Any]) -> str:
    """SHA-256, in hex, of the request's content.

    Raises InvalidRequestError when it is too long or holds text that no database can store.
    """
    kind = type(request)
    try:
        text = _encode((kind.__name__, request.key, _getter(kind)(request)))
        if (least := getattr(request, "least", None)) is not None:
            # So the digest of any other hold is what earlier versions made of it.
            text += _encode(least)
        if detail := getattr(request, "detail", None):
            # Of all that is asked, only this can hold a float, and not every float has a JSON form.
            dumps(detail)
    except UnicodeEncodeError:
        raise InvalidRequestError("Text that is not valid Unicode cannot be recorded.") from None
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"The request holds a value that cannot be recorded: {error}.") from None
    if len(text) > MAX_CONTENT:
        raise InvalidRequestError(f"The request is longer than {MAX_CONTENT} bytes.")
    if b"\\u0000" in text:
        _check_values(request)
    return sha256(text).hexdigest()


def check_whole(**numbers: int | None) -> None:
    """Raises InvalidRequestError that names the first number which no column can hold: beyond 64 bits."""
    for name, number in numbers.items():
        if number is not None and not (type(number) is int and -_BEYOND <= number < _BEYOND):
            raise InvalidRequestError(f"{name} must be a whole number of at most 64 bits.")


def check_text(*texts: str) -> None:
    """Raises InvalidRequestError for text that no database can store: half a character, or a NUL."""
    for text in texts:
        _utf8(text)
        if "\0" in text:
            raise InvalidRequestError("Text with a NUL character cannot be recorded.")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidRequestError("Text that is not valid Unicode cannot be recorded.") from None


def _check_values(value: Any) -> None:
    # Reached only when the JSON text holds \u0000, which a backslash in the text can look like too.
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_values(name)
            _check_values(member)
    elif isinstance(value, (list, tuple)):
        for member in value:
            _check_values(member)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            _check_values(getattr(value, field.name))
