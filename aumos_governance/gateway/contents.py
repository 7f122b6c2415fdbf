"""Parses and writes the request bodies of clients, which are JSON objects or forms, and computes the memory they take.

`Body` in the module `bodies` uses these functions.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from .refusals import RefusedError

LARGE: Final = 256 * 1024
"""The size in bytes above which a body is parsed, measured and written in a thread, so that other calls are served
meanwhile."""
_WIDE: Final = re.compile(r"\\u[dD][89abAB]")
"""Matches the JSON escape of a character above U+FFFF, such as an emoji. If a string contains such a character, CPython
stores every character of the string in 4 bytes."""
_BYTE_ORDER_MARK: Final = "\ufeff"
_DENSE: Final = 1024 * 1024
"""The result, in bytes, above which `memory_of` counts a second time. Its first count is fast, but too high for long
texts: it includes the commas, colons and brackets inside strings, which begin no value."""
_TEXT: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_STEP: Final = 256 * 1024
"""The most characters of a string that are passed to `json.dumps` in one call. Other threads can run only between its
calls."""


def text_of(content: bytes) -> str:
    """Return the text of a JSON body.

    Raises RefusedError if the body is not UTF-8, the only encoding that
    https://www.rfc-editor.org/rfc/rfc8259#section-8.1 allows for JSON that programs exchange.
    """
    try:
        # A reader may ignore a byte order mark: https://www.rfc-editor.org/rfc/rfc8259#section-8.1.
        return content.decode().removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError:
        raise _no_object() from None


def memory_of(text: str) -> int:
    """Return the most bytes of memory that the values in a JSON text can take when `object_of` has parsed it."""
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
    """Return the object that a JSON text contains, or an empty dict for an empty text.

    Raises RefusedError if the text is not JSON, or its value is not an object.
    """
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
    """Return ``body`` as JSON, with the same bytes as `json.dumps` makes.

    Long strings are encoded in pieces of `_STEP` characters, since other threads cannot run while `json.dumps` does.
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
    """Return the fields of a ``multipart/form-data`` body that are not files, and the sizes of its files in bytes.

    The gateway forwards the form unchanged and computes the cost from these values. So it raises RefusedError for a
    form from which the provider could read other values, for example one that has a field twice.
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
"""The headers that one part of a form may have. Any other header could change how the provider reads the part's
value."""


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
