"""Functions that write the commands' output to stdout, stderr or a file.

Control characters in texts are escaped, since an agent that chose a name could otherwise change the terminal's display.
"""

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
    """Print lines of text for a user to stdout.

    Control characters, and characters that the terminal's encoding lacks, are escaped. Raises OutputError, and
    BrokenPipeError if the reader of stdout has closed the pipe.
    """
    _write(("".join(f"{printable(line)}\n" for line in lines)).encode(_encoding(), "backslashreplace"))


def print_json(body: Any) -> None:
    """Print a body as JSON, in ASCII, to stdout, for programs that read the output. Raises as `print_lines` does."""
    # DEL is the only ASCII control character that json.dumps does not escape.
    _write(json.dumps(body, indent=2).replace("\x7f", "\\u007f").encode() + b"\n")


def notify(sentence: str) -> None:
    """Print a sentence for the user to stderr, such as an error. A stderr that is closed is ignored."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{printable(sentence)}\n".encode(_encoding(), "backslashreplace").decode(_encoding()))


def terminal_width() -> int | None:
    """Return the number of characters in a line of the terminal; None if stdout is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def write_file(parts: Iterable[bytes], name: str | None) -> int:
    """Write an export's parts to the file ``name``, or to stdout if ``name`` is None or "-".

    Returns the length of all parts in bytes. An existing file is replaced only once all parts are written, so it is
    never incomplete; a device or a pipe is written to directly. Raises OutputError, BrokenPipeError if the reader of
    stdout has closed the pipe, and the errors of the iterator ``parts``.
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
    """Redirect stdout to the null device after the reader of its pipe has closed it.

    Otherwise Python would write to the closed pipe when it exits, and print an error.
    """
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
