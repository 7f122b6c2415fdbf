"""The command ``jupyter governance run``: it runs another command with a key for a notebook, and then revokes the key.

With this key, the command's calls of models go through the server's gateway and are charged to the notebook's budget.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ..errors import AumOSGovernanceError, InvalidRequestError
from . import output
from .own_terminal import require_own_terminal
from .server_source import ServerSource

_NOT_FOUND: Final = 127
_NOT_RUN: Final = 126
_BY_SIGNAL: Final = 128
"""The sum of this and a signal's number is the exit code of a program that the signal ended, as shells report it (POSIX
shell, 2.8.2)."""
_PASSED_ON: Final = ("SIGTERM", "SIGHUP", "SIGQUIT")
_MAX_NAME: Final = 200


def run(options: Namespace, server: ServerSource) -> int:
    """Run the command in ``options.argv`` until it exits, and return its exit code.

    Raises AumOSGovernanceError if the command is missing, or if the server issues no key for it; the command is not run
    then.
    """
    require_own_terminal("A command can only be run with a notebook's key")
    command = options.argv[1:] if options.argv[:1] == ["--"] else options.argv
    if not command:
        raise InvalidRequestError(
            "The command is missing; add it after --, as in run --notebook a.ipynb -- python train.py."
        )
    path = _path_below(server.root, options.notebook)
    with _Child.signals() as child:
        created = server.create_key({"kind": "run", "name": shlex.join(command)[:_MAX_NAME], "path": path})
        try:
            return child.run(command, _environment(os.environ, created))
        finally:
            try:
                server.revoke_key(created["key"]["id"])
            except AumOSGovernanceError as error:
                output.notify(
                    f"The key {created['key']['id']} of the command could not be revoked ({error.message}); revoke it"
                    f" with jupyter governance key revoke {created['key']['id']}."
                )


class _Child:
    """The process of the command that is run. It gets the signals that this process receives."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: int | None = None
        """The number of the latest signal that this process received; None if it has received none."""

    @classmethod
    @contextmanager
    def signals(cls) -> Iterator[_Child]:
        """Within the context, pass this process's signals on to the command that `run` starts.

        Otherwise a signal such as SIGTERM would end this process before it has revoked the key.
        """
        child = cls()
        numbers = [getattr(signal, name) for name in _PASSED_ON if hasattr(signal, name)]
        before = {signal.SIGINT: signal.signal(signal.SIGINT, child._interrupt)}
        before.update({number: signal.signal(number, child._pass_on) for number in numbers})
        try:
            yield child
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run the command with these environment variables until it exits, and return its exit code as a shell would.

        That is 127 if the command was not found, 126 if it cannot be run, and 128 plus a signal's number if the signal
        ended it. If a signal arrived before, the command is not run.
        """
        if self._early is not None:
            return _BY_SIGNAL + self._early
        try:
            # Handlers that are Python functions are not inherited, so the command starts with the default ones.
            process = subprocess.Popen(command, env=dict(environment))  # noqa: S603 - the user's own command
        except FileNotFoundError:
            output.notify(f"The command {command[0]!r} was not found.")
            return _NOT_FOUND
        except OSError as error:
            output.notify(f"The command {command[0]!r} cannot be run: {error.strerror or error}.")
            return _NOT_RUN
        self._process = process
        self._send_early()
        code = process.wait()
        return code if code >= 0 else _BY_SIGNAL - code

    def _send_early(self) -> None:
        if self._process is not None and self._early is not None:
            self._process.send_signal(self._early)

    def _interrupt(self, number: int, frame: object) -> None:
        # A terminal sends Ctrl+C to the command as well, and the command might treat a second one differently.
        if self._process is None or not sys.stdin.isatty():
            self._pass_on(number, frame)

    def _pass_on(self, number: int, frame: object) -> None:
        self._early = number
        if self._process is not None:
            self._process.send_signal(number)


def _environment(inherited: Mapping[str, str], created: Mapping[str, Any]) -> dict[str, str]:
    kept = {name: value for name, value in inherited.items() if name not in created["withheld"]}
    return {**kept, **created["environment"]}


def _path_below(root: str | None, notebook: str) -> str:
    """Return the path of a notebook relative to the server's root folder.

    ``notebook`` is this path already, or else the path of the notebook's file on this machine, as the user typed it.
    ``root`` is None if the server's root folder is not known.
    """
    file = Path(notebook).expanduser().resolve()
    if root is not None and file.is_file() and file.is_relative_to(Path(root).resolve()):
        return file.relative_to(Path(root).resolve()).as_posix()
    return notebook
