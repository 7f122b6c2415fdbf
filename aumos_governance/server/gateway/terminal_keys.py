"""The gateway's keys of JupyterLab terminals: issued when a terminal is opened, revoked when it closes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...gateway.keys import GatewayKeys
from ...gateway.process_environment import ProcessEnvironment


class TerminalKeys:
    """The issuer of terminals' keys. It adds a key to the environment of each new terminal.

    To do so, it wraps methods of the terminal manager (jupyter_server_terminals). They are called on the server's loop.
    """

    def __init__(self, keys: GatewayKeys, environment: ProcessEnvironment) -> None:
        self._keys = keys
        self._environment = environment
        self._opening: str | None = None
        """The name of the terminal that is being opened at this moment; None if there is none."""

    def follow(self, manager: Any) -> None:
        """Issue a separate key to each terminal that ``manager`` opens from now on, and revoke it when it is closed."""
        manager.new_named_terminal = self._named(
            manager.new_named_terminal, lambda *_, **options: options.get("name") or manager._next_available_name()
        )
        manager.get_terminal = self._named(manager.get_terminal, lambda name=None, **_: name)
        new_terminal, on_eof = manager.new_terminal, manager.on_eof

        def new_terminal_with_key(**options: Any) -> Any:
            if self._opening is None:
                return new_terminal(**options)
            _, secret = self._keys.issue_ahead(
                "terminal",
                f"terminal {self._opening}",
                subject=self._opening,
                notebook=self._keys.default_notebook(),
            )
            given = options.get("extra_env") or {}
            # A value of None removes the variable: https://github.com/jupyter/terminado (management.py,
            # _update_removing).
            return new_terminal(**{**options, "extra_env": {**given, **self._environment.changes(secret)}})

        def on_eof_of(terminal: Any) -> Any:
            self._keys.revoke_process("terminal", str(terminal.term_name), "its terminal was closed")
            return on_eof(terminal)

        manager.new_terminal, manager.on_eof = new_terminal_with_key, on_eof_of

    def _named(self, opened: Callable[..., Any], name_of: Callable[..., Any]) -> Callable[..., Any]:
        def open_terminal(*args: Any, **options: Any) -> Any:
            self._opening = str(name_of(*args, **options))
            try:
                return opened(*args, **options)
            finally:
                self._opening = None

        return open_terminal
