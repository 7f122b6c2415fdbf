"""Parses request bodies, JSON objects or forms; computes how much memory they take; and writes the JSON to send."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from .refusals import RefusedError

LARGE: Final = 256 * 1024
"""A body of more bytes than this is parsed, measured and written in a thread, so that other calls go on meanwhile."""
_WIDE: Final = re.compile(r"\\u[dD][89abAB]")
"""Matches the escape of a character above U+FFFF; each character of a string that contains one takes 4 bytes."""
_BYTE_ORDER_MARK: Final = "\ufeff"
_DENSE: Final = 1024 * 1024
"""`memory_of` counts every ``,``, ``:``, ``[`` and ``{``. If that gives more bytes than this number, it counts again
without the characters in strings, since those begin no value. Finding the strings takes time, so smaller bodies are
not counted again."""
_TEXT: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_STEP: Final = 256 * 1024
"""The most characters of a string that `json.dumps` gets at a time, since it lets no other thread run meanwhile."""


def text_of(content: bytes) -> str:
    """Decode a JSON body. Raises RefusedError if it is not UTF-8, the encoding that JSON between programs must have."""
    try:
        # A reader may ignore a byte order mark: https://www.rfc-editor.org/rfc/rfc8259#section-8.1.
        return content.decode().removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError:
        raise _no_object() from None


def memory_of(text: str) -> int:
    """Return an upper bound, in bytes, of the memory that the parsed values of a JSON text take."""
    # An escape such as \u4e2d may make the string with it 2 or 4 bytes a character, where the JSON text has only 1.
    characters = sys.getsizeof(text)
    if "\\u" in text:
        characters = max(characters, len(text) * (4 if _WIDE.search(text) else 2))
    marks = _marks(text)
    return characters + (marks if marks <= _DENSE else sum(map(_marks, _between(text))))


def _marks(text: str) -> int:
    # Upper bounds in bytes of CPython's objects: a number, an empty list, a dict with the name and slot of one entry,
    # and a string without its characters.
    return 100 * (text.count(",") + text.count(":") + text.count("[")) + 250 * text.count("{")


def _between(text: str) -> Iterator[str]:
    at = 0
    for found in _TEXT.finditer(text):
        yield text[at : found.start()]
        at = found.end()
    yield text[at:]


def object_of(text: str) -> Mapping[str, Any]:
    """Parse a JSON object; return an empty dict for an empty text. Raises RefusedError for any other JSON."""
    if not text:
        return {}
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise _no_object()
    return body


def _no_object() -> RefusedError:
    return RefusedError(
        HTTPStatus.BAD_REQUEST,
        "INVALID_REQUEST",
        "AumOS Governance: the request body is not a JSON object, so its cost cannot be known and it was not sent; send"
        " a JSON object.",
    )


def json_bytes(body: Mapping[str, Any]) -> bytes:
    """Return ``body`` as the JSON that `json.dumps` returns, but encode long strings piece by piece.

    Between the pieces other threads can run.
    """
    pieces: list[bytes] = []
    try:
        _write(body, pieces.append)
    except RecursionError:
        return json.dumps(body).encode()
    return b"".join(pieces)


def _write(value: object, put: Callable[[bytes], None]) -> None:
    if isinstance(value, str) and len(value) > _STEP:
        put(b'"')
        for at in range(0, len(value), _STEP):
            put(json.dumps(value[at : at + _STEP])[1:-1].encode())
        put(b'"')
    elif isinstance(value, dict):
        separator = b"{"
        for name, member in value.items():
            put(separator + json.dumps(name).encode() + b": ")
            _write(member, put)
            separator = b", "
        put(b"}" if value else b"{}")
    elif isinstance(value, list) and any(isinstance(item, (str, dict, list)) for item in value):
        separator = b"["
        for item in value:
            put(separator)
            _write(item, put)
            separator = b", "
        put(b"]")
    else:
        put(json.dumps(value).encode())


def fields_of(content: bytes, content_type: str) -> tuple[Mapping[str, Any], tuple[int, ...]]:
    """Return the plain fields of a form, and the sizes of its files in bytes.

    Raises RefusedError for a form that two parsers could read differently: the form is forwarded unchanged, so the
    provider must read the same values from it as this function.
    """
    fields: dict[str, Any] = {}
    files: list[tuple[str, int]] = []
    for part in _parts_of(content, content_type):
        head, separator, value = part.partition(b"\r\n\r\n")
        name, is_file = _named(head)
        if not separator:
            raise _no_form()
        if is_file:
            files.append((name, len(value)))
            continue
        text = _text(value)
        if name.endswith("[]"):
            values = fields.setdefault(name[:-2], [])
            if not isinstance(values, list):
                raise _no_form()
            values.append(text)
        elif name in fields:
            # It is not known which of the two values the provider reads.
            raise _no_form()
        else:
            fields[name] = {"true": True, "false": False}.get(text, text)
    if any(name.removesuffix("[]") in fields for name, _ in files):
        raise _no_form()
    return fields, tuple(size for _, size in files)


_BOUNDARY: Final = re.compile(
    r"multipart/form-data *; *boundary=(\"?)([0-9A-Za-z'()+_,./:=?-]{1,70})\1 *", re.IGNORECASE
)
_DISPOSITION: Final = re.compile(
    r"""form-data;[ ]*name="([^"\\\r\n;]*)"(;[ ]*filename="(?:[^"\\\r\n]|\\.)*")?(;[ ]*filename\*=[^;"\s]+)?""",
    re.IGNORECASE,
)
_PART_HEADERS: Final = frozenset({"content-disposition", "content-type", "content-length"})
"""The headers of a part that do not change how its value is read."""


def _parts_of(content: bytes, content_type: str) -> list[bytes]:
    boundary = _BOUNDARY.fullmatch(content_type.strip())
    if boundary is None:
        raise _no_form()
    line = b"--" + boundary[2].encode()
    if not content.startswith(line + b"\r\n"):
        raise _no_form()
    parts = (b"\r\n" + content).split(b"\r\n" + line)
    # Nothing may precede the first boundary line or follow the last one, and each line must end after the boundary.
    if parts[-1] not in (b"--", b"--\r\n") or any(not part.startswith(b"\r\n") for part in parts[1:-1]):
        raise _no_form()
    return [part[2:] for part in parts[1:-1]]


def _named(head: bytes) -> tuple[str, bool]:
    found: re.Match[str] | None = None
    for line in _text(head).split("\r\n"):
        header, separator, value = line.partition(":")
        if not separator or header.lower() not in _PART_HEADERS:
            raise _no_form()
        if header.lower() == "content-disposition":
            if found is not None:
                raise _no_form()
            found = _DISPOSITION.fullmatch(value.strip())
            if found is None:
                raise _no_form()
    if found is None:
        raise _no_form()
    return found[1], found[2] is not None or found[3] is not None


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise _no_form() from None


def _no_form() -> RefusedError:
    return RefusedError(
        HTTPStatus.BAD_REQUEST,
        "INVALID_REQUEST",
        "AumOS Governance: the request's form can be read in several ways, so its cost cannot be known and it was not"
        " sent; send each field once, with plain headers.",
    )
