"""Where a provider's key comes from: a file, a variable of the server's environment, or a command."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from ...errors import ConfigurationError

__all__ = ["CommandKey", "FileKey", "VariableKey", "no_key"]

_COMMAND_SECONDS: Final = 30.0
_COMMAND_PAUSE: Final = 60.0
"""Seconds between two runs of a command whose keys are refused."""
_LONGEST: Final = 16384
"""Characters of a key; tokens of clouds have some thousands."""


def no_key() -> None:
    """For a server that needs no key."""


class FileKey:
    """A key in a file, which is read again when the file has changed.

    A file that other users of the machine may read or write is refused, except one that another user owns or that is
    mounted read-only, as Docker and Kubernetes mount secrets: its mode is not for this server to choose.
    """

    def __init__(self, where: str, path: str) -> None:
        """``where`` names the setting, for messages. Raises ConfigurationError where the file gives no key."""
        self._where = where
        self._path = Path(path).expanduser()
        self._lock = threading.Lock()
        self._read: tuple[tuple[int, int, int, int], str] | None = None
        self()

    def __call__(self) -> str:
        """The key that the file holds now. Raises ConfigurationError."""
        with self._lock:
            try:
                status = self._path.stat()
                mark = (status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode)
                if self._read is None or self._read[0] != mark:
                    self._check(status)
                    self._read = mark, _key(f"{self._where} is {str(self._path)!r}, whose content", self._content())
            except OSError as error:
                raise ConfigurationError(
                    f"{self._where} is {str(self._path)!r}, which cannot be read ({error.strerror or error}); name a"
                    " file that holds the key and nothing else."
                ) from None
            return self._read[1]

    def _content(self) -> str:
        with self._path.open("rb") as file:
            return file.read(4 * _LONGEST).decode("utf-8", "replace")

    def _check(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise ConfigurationError(f"{self._where} is {str(self._path)!r}, which is no file.")
        if os.name != "posix" or status.st_uid != os.getuid() or not status.st_mode & 0o007:
            return
        if not os.statvfs(self._path).f_flag & os.ST_RDONLY:
            raise ConfigurationError(
                f"{self._where} is {str(self._path)!r}, which other users of this machine can use; allow only its"
                " owner, with chmod 600."
            )


class VariableKey:
    """A key in a variable of the server's environment, as it is when the server starts."""

    def __init__(self, where: str, name: str, environment: Mapping[str, str]) -> None:
        """Raises ConfigurationError where the variable holds no key."""
        if not environment.get(name):
            raise ConfigurationError(
                f"{where} is {name!r}, but the server has no such environment variable; set it before the server"
                " starts."
            )
        self._key = _key(f"{where} is {name!r}, whose value", environment[name])

    def __call__(self) -> str:
        return self._key


class CommandKey:
    """A key that a command prints: it is run without a shell, when the server starts and when its key was refused."""

    def __init__(
        self,
        where: str,
        command: Sequence[str],
        seconds: float = _COMMAND_SECONDS,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises ConfigurationError where the command gives no key within ``seconds``."""
        self._command = list(command)
        self._shown = f"{where} runs {command[0]!r}, which"
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._refused: str | None = None
        self._next = monotonic()
        """When it may run again."""
        self._key = self._run()

    def __call__(self) -> str:
        """The key; another one where it was refused, unless the command ran again a moment ago.

        Raises ConfigurationError.
        """
        with self._lock:
            if self._key == self._refused and self._monotonic() >= self._next:
                self._next = self._monotonic() + _COMMAND_PAUSE
                self._key = self._run()
            return self._key

    def refuse(self, key: str) -> None:
        """The provider refused this key; may be called in any thread, and does not wait."""
        self._refused = key

    def _run(self) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - the server's administrator configures it
                self._command, stdin=subprocess.DEVNULL, capture_output=True, timeout=self._seconds, check=False
            )
        except subprocess.TimeoutExpired:
            raise ConfigurationError(f"{self._shown} printed no key within {self._seconds:g} seconds.") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", error)
            raise ConfigurationError(f"{self._shown} cannot be started ({reason}).") from None
        if done.returncode:
            # What it printed may be a secret.
            raise ConfigurationError(
                f"{self._shown} failed with exit status {done.returncode}; run it by hand to see why."
            )
        return _key(f"{self._shown} printed something that", done.stdout.decode("utf-8", "replace"))


def _key(what: str, text: str) -> str:
    """The key in a text; a message never shows the text."""
    key = text.strip().lstrip("\ufeff")
    if not key:
        raise ConfigurationError(f"{what} is empty; it must be the provider's key.")
    if len(key) > _LONGEST or not key.isascii() or not all("!" <= character <= "~" for character in key):
        raise ConfigurationError(f"{what} is no key: a key is one word of visible ASCII characters.")
    return key
