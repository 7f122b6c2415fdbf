"""Sends the server which cell begins, where it has a gateway: calls of other libraries are recorded with that cell."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from ...clock import monotonic
from ...wire.provider_keys import GATEWAY_ENV

__all__ = ["follow", "unfollow"]

_SECONDS: Final = 1.0
"""The longest wait for a report to be taken in; most often that takes a fraction of a millisecond."""
_PAUSE_SECONDS: Final = 60.0
"""For how long no report is waited for after one that was not taken in, so that a silent server delays few cells."""


class CellReports:
    """The reports of one shell, one at the start of each cell.

    Each is waited for: a call of the cell goes to the gateway another way, and would be recorded with the cell before
    where it came first.
    """

    def __init__(self, shell: Any, *, monotonic: Callable[[], float] = monotonic) -> None:
        self._shell = shell
        self._monotonic = monotonic
        self._tried = False
        self._waits_from = monotonic()

    def begin(self, _: object = None) -> None:
        """Report the cell that begins. The first time this waits for the greeting of the server."""
        from ...errors import AumOSGovernanceError
        from ..requests.session import current_cell, link

        try:
            client = link(self._shell).client
            if client.met:
                seconds = _SECONDS if self._monotonic() >= self._waits_from else 0.0
                if not client.mention("cell", cell=current_cell(self._shell), seconds=seconds) and seconds:
                    self._waits_from = self._monotonic() + _PAUSE_SECONDS
            elif not self._tried:
                # Not again, so that no cell of a kernel whose server is gone has to wait for it.
                self._tried = True
                client.request("cell", cell=current_cell(self._shell))
        except AumOSGovernanceError:
            # Without it calls are recorded with their kernel alone, and what cannot be decided is denied where it is.
            return


def follow(shell: Any) -> None:
    """Report each cell of ``shell`` from now on where the server has a gateway; a second time changes nothing."""
    if os.environ.get(GATEWAY_ENV) and _of(shell) is None:
        shell.events.register("pre_run_cell", CellReports(shell).begin)


def unfollow(shell: Any) -> None:
    """Report no more cells."""
    if (report := _of(shell)) is not None:
        shell.events.unregister("pre_run_cell", report)


def _of(shell: Any) -> Any:
    callbacks = shell.events.callbacks["pre_run_cell"]
    return next((each for each in callbacks if isinstance(getattr(each, "__self__", None), CellReports)), None)
