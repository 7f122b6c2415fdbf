"""The sources of a provider's key: a file, a variable of the server's environment, or a command."""

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

_COMMAND_SECONDS: Final = 30.0
_COMMAND_PAUSE: Final = 60.0
"""The shortest time, in seconds, between two runs of a key command while the provider refuses its keys."""
_LONGEST: Final = 16384
"""The most characters of a key; access tokens of cloud providers have some thousands."""


def no_key() -> None:
    """Return None: the key of an upstream server that needs no key."""


class FileKey:
    """A key in a file. The file is read again when it has changed.

    A file that other users of the machine may read or write is refused. Exempt are files that another user owns and
    files on a read-only mount, such as secrets of Docker and Kubernetes: this server cannot choose their mode.
    """

    def __init__(self, where: str, path: str) -> None:
        """``where`` names the setting in messages. Raises ConfigurationError if the file contains no key."""
        self._where = where
        self._path = Path(path).expanduser()
        self._lock = threading.Lock()
        self._read: tuple[tuple[int, int, int, int], str] | None = None
        self()

    def __call__(self) -> str:
        """Return the key that is in the file now. Raises ConfigurationError if the file contains no key."""
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
            raise ConfigurationError(
                f"{self._where} is {str(self._path)!r}, which is not a file; name a file that holds the key and nothing"
                " else."
            )
        if os.name != "posix" or status.st_uid != os.getuid() or not status.st_mode & 0o007:
            return
        if not os.statvfs(self._path).f_flag & os.ST_RDONLY:
            raise ConfigurationError(
                f"{self._where} is {str(self._path)!r}, which other users of this machine can use; allow only its"
                " owner, with chmod 600."
            )


class VariableKey:
    """A key in a variable of the server's environment. The variable is read once, when the server starts."""

    def __init__(self, where: str, name: str, environment: Mapping[str, str]) -> None:
        """``where`` names the setting in messages. Raises ConfigurationError if the variable contains no key."""
        if not environment.get(name):
            raise ConfigurationError(
                f"{where} is {name!r}, but the server has no such environment variable; set it before the server"
                " starts."
            )
        self._key = _key(f"{where} is {name!r}, whose value", environment[name])

    def __call__(self) -> str:
        return self._key


class CommandKey:
    """A key that a command prints.

    The command runs without a shell, when the server starts and again after the provider has refused the key.
    """

    def __init__(
        self,
        where: str,
        command: Sequence[str],
        seconds: float = _COMMAND_SECONDS,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Run ``command`` for the first key; ``where`` names the setting in messages.

        Raises ConfigurationError unless the command prints a key within ``seconds``.
        """
        self._command = list(command)
        self._shown = f"{where} runs {command[0]!r}, which"
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._refused: str | None = None
        self._next = monotonic()
        """The time, by the clock ``monotonic``, from which the command may run again."""
        self._key = self._run()

    def __call__(self) -> str:
        """Return the current key; if the provider refused it, run the command for a new key first.

        The command then runs at most once in `_COMMAND_PAUSE` seconds. Raises ConfigurationError if it prints no key.
        """
        with self._lock:
            if self._key == self._refused and self._monotonic() >= self._next:
                self._next = self._monotonic() + _COMMAND_PAUSE
                self._key = self._run()
            return self._key

    def refuse(self, key: str) -> None:
        """Note that the provider refused this key; may be called in any thread, and does not wait."""
        self._refused = key

    def _run(self) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - the server's administrator configures it
                self._command, stdin=subprocess.DEVNULL, capture_output=True, timeout=self._seconds, check=False
            )
        except subprocess.TimeoutExpired:
            raise ConfigurationError(
                f"{self._shown} printed no key within {self._seconds:g} seconds; run it by hand to see why."
            ) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", error)
            raise ConfigurationError(
                f"{self._shown} cannot be started ({reason}); name a program that the server can run."
            ) from None
        if done.returncode:
            # The message does not show the command's output, which may be a secret.
            raise ConfigurationError(
                f"{self._shown} failed with exit status {done.returncode}; run it by hand to see why."
            )
        return _key(f"{self._shown} printed something that", done.stdout.decode("utf-8", "replace"))


def _key(what: str, text: str) -> str:
    """Return the key in ``text``, without surrounding white space.

    Raises ConfigurationError if the text is not a key. ``what`` is the subject of that message, which never shows the
    text.
    """
    key = text.strip().lstrip("\ufeff")
    if not key:
        raise ConfigurationError(f"{what} is empty; it must be the provider's key.")
    if len(key) > _LONGEST or not key.isascii() or not all("!" <= character <= "~" for character in key):
        raise ConfigurationError(f"{what} is not a key: a key is one word of visible ASCII characters.")
    return key
