"""The three sources of a provider's key: a file, a variable of the server's environment, or a command.

An administrator chooses one for each provider, in the setting ``providers``. Each source is a function without
arguments that returns the key to send with the next request to the provider.
"""

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
"""The shortest time, in seconds, between two runs of a key command. It limits how often the command runs if the
provider refuses every key that it prints."""
_LONGEST: Final = 16384
"""The most characters that a key may have. Access tokens of cloud providers have a few thousand."""


def no_key() -> None:
    """Return None; this is the key source of an upstream that needs no key, such as a local Ollama server."""


class FileKey:
    """A key in a file. The file is read again when it has changed.

    If the file belongs to the server's own user, a mode that lets all other users of the machine use it is an error.
    Files of another owner, and files on a read-only mount such as secrets of Docker and Kubernetes, are exempt, since
    this server cannot change their mode.
    """

    def __init__(self, where: str, path: str) -> None:
        """Read the file at ``path`` for the first time.

        ``where`` is the setting that names the file, for error messages, such as
        ``GovernanceExtension.providers['openai']['key_file']``. Raises ConfigurationError if the file cannot be used or
        contains no key.
        """
        self._where = where
        self._path = Path(path).expanduser()
        self._lock = threading.Lock()
        self._read: tuple[tuple[int, int, int, int], str] | None = None
        self()

    def __call__(self) -> str:
        """Return the key that the file contains now.

        Raises ConfigurationError if it cannot be used or contains no key.
        """
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
    """A key in a variable of the server's environment. The variable is read only once, when the server starts."""

    def __init__(self, where: str, name: str, environment: Mapping[str, str]) -> None:
        """Read the key from the variable ``name`` of ``environment``.

        ``where`` is the setting that names the variable, for error messages. Raises ConfigurationError if the variable
        is missing, empty, or contains something that is not a key.
        """
        if not environment.get(name):
            raise ConfigurationError(
                f"{where} is {name!r}, but the server has no such environment variable; set it before the server"
                " starts."
            )
        self._key = _key(f"{where} is {name!r}, whose value", environment[name])

    def __call__(self) -> str:
        return self._key


class CommandKey:
    """A key that a command prints, such as ``pass show openai``.

    The command runs without a shell: once when the server starts, and again after the provider has refused the key.
    """

    def __init__(
        self,
        where: str,
        command: Sequence[str],
        seconds: float = _COMMAND_SECONDS,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Run ``command``, a program and its arguments, to get the first key.

        ``where`` is the setting that names the command, for error messages. Raises ConfigurationError if the command
        fails, or does not print a key within ``seconds``.
        """
        self._command = list(command)
        self._shown = f"{where} runs {command[0]!r}, which"
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._refused: str | None = None
        self._next = monotonic()
        """The earliest time, on the clock ``monotonic``, at which the command may run again."""
        self._key = self._run()

    def __call__(self) -> str:
        """Return the current key. If the provider has refused it, run the command first to get a new key.

        The command runs at most once in `_COMMAND_PAUSE` seconds; in between, the refused key is returned again. Raises
        ConfigurationError if the command prints no key.
        """
        with self._lock:
            if self._key == self._refused and self._monotonic() >= self._next:
                self._next = self._monotonic() + _COMMAND_PAUSE
                self._key = self._run()
            return self._key

    def refuse(self, key: str) -> None:
        """Note that the provider refused ``key``, so that the next request for the key runs the command again.

        May be called from any thread, and does not wait for the command.
        """
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
    """Return ``text`` as a key, without the white space around it.

    Raises ConfigurationError if the text is not a key. The message begins with ``what``, which names where the text was
    found, and never contains the text itself, since it may be a secret.
    """
    key = text.strip().lstrip("\ufeff")
    if not key:
        raise ConfigurationError(f"{what} is empty; it must be the provider's key.")
    if len(key) > _LONGEST or not key.isascii() or not all("!" <= character <= "~" for character in key):
        raise ConfigurationError(f"{what} is not a key: a key is one word of visible ASCII characters.")
    return key
