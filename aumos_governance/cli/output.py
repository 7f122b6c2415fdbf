"""What goes to a terminal, a pipe or a file."""

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

__all__ = ["OutputError", "let_go_of_stdout", "notify", "print_json", "print_lines", "terminal_width", "write_file"]


class OutputError(AumOSGovernanceError):
    """What was found cannot be written where it should go."""

    default_code = "OUTPUT_FAILED"


def print_lines(lines: Iterable[str]) -> None:
    """Print for users; characters that a terminal would act on, or that its encoding lacks, are escaped."""
    _write(("".join(f"{printable(line)}\n" for line in lines)).encode(_encoding(), "backslashreplace"))


def print_json(body: Any) -> None:
    """Print for programs, in ASCII."""
    # The one character of ASCII that JSON leaves as it is and a terminal does not show.
    _write(json.dumps(body, indent=2).replace("\x7f", "\\u007f").encode() + b"\n")


def notify(sentence: str) -> None:
    """Print a sentence to stderr."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{printable(sentence)}\n".encode(_encoding(), "backslashreplace").decode(_encoding()))


def terminal_width() -> int | None:
    """How wide a line may be; None where no terminal shows it."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def write_file(parts: Iterable[bytes], name: str | None) -> int:
    """Write a stream to a file, or with None to stdout, and return its length in bytes.

    The file is there as a whole or, where the stream fails, not at all; a device or a pipe is written to as it is.
    Raises OutputError, BrokenPipeError where stdout is closed, and what the stream raises.
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


def let_go_of_stdout() -> None:
    """Detach stdout from its closed pipe; without this the interpreter complains when it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _replace(path: Path, parts: Iterable[bytes]) -> int:
    # Beside the file, so that it takes the file's place in one step; readable by its owner alone, as the ledger is.
    handle, made = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            length = sum(map(file.write, parts))
            file.flush()
            os.fsync(file.fileno())
        Path(made).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(made).unlink()
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
        # It is not a file of the system's, as where a program runs this one inside itself.
        return None


def _write_all(descriptor: int, data: bytes) -> None:
    # Python's own stream, where it is unbuffered, drops what a pipe does not take in at once.
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            select.select((), (descriptor,), ())


def _encoding() -> str:
    return getattr(sys.stdout, "encoding", None) or "utf-8"
