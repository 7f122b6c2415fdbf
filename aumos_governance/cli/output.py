"""Functions that write the commands' output to stdout, stderr or a file."""

from __future__ import annotations

import io
import json
import os
import select
import shutil
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import AumOSGovernanceError
from ..printing import printable


class OutputError(AumOSGovernanceError):
    """Raised when the output cannot be written to stdout or to the file."""

    default_code = "OUTPUT_FAILED"


def print_lines(lines: Iterable[str]) -> None:
    """Print lines for users. Control characters, and characters that the terminal's encoding lacks, are escaped."""
    _write(("".join(f"{printable(line)}\n" for line in lines)).encode(_encoding(), "backslashreplace"))


def print_json(body: Any) -> None:
    """Print a body as JSON in ASCII, for programs."""
    # DEL is the only ASCII control character that json.dumps does not escape.
    _write(json.dumps(body, indent=2).replace("\x7f", "\\u007f").encode() + b"\n")


def notify(sentence: str) -> None:
    """Print a sentence to stderr."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{printable(sentence)}\n".encode(_encoding(), "backslashreplace").decode(_encoding()))


def terminal_width() -> int | None:
    """Return the number of characters in a line of the terminal; None if stdout is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def write_file(parts: Iterable[bytes], name: str | None) -> int:
    """Write ``parts`` to the file ``name``, or to stdout for None and "-", and return their length in bytes.

    A regular file is replaced only once all parts are written, so it is never incomplete; a device or a pipe is
    written to directly. Raises OutputError, BrokenPipeError if the reader of stdout has closed the pipe, and the errors
    of the iterator ``parts``.
    """
    if name is None or name == "-":
        return sum(map(_write, parts))
    path = Path(name)
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                return sum(map(file.write, parts))
        return _replace(path, parts)
    except OSError as error:
        raise OutputError(f"The file {name} cannot be written: {error.strerror or error}.") from error


def detach_stdout() -> None:
    """Redirect stdout from its closed pipe to the null device, so that the interpreter prints no error on exit."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def _replace(path: Path, parts: Iterable[bytes]) -> int:
    # In the same folder, so that it replaces the file atomically. Only its owner can read it, as is true of the ledger.
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            length = sum(map(file.write, parts))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    return length


def _write(data: bytes) -> int:
    try:
        descriptor = _descriptor()
        if descriptor is None:
            sys.stdout.write(data.decode(_encoding()))
        else:
            _write_all(descriptor, data)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"The output cannot be written: {error.strerror or error}.") from error
    return len(data)


def _descriptor() -> int | None:
    try:
        sys.stdout.flush()
        return sys.stdout.fileno()
    except io.UnsupportedOperation:
        # stdout is not a file of the operating system, for example when another program calls `main` and captures it.
        return None


def _write_all(descriptor: int, data: bytes) -> None:
    # Python's own stream, if it is unbuffered, drops the bytes that a pipe does not accept at once.
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            select.select((), (descriptor,), ())


def _encoding() -> str:
    return getattr(sys.stdout, "encoding", None) or "utf-8"
