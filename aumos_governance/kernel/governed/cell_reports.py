"""Reports to the server which cell starts, so that calls of libraries through the gateway are recorded with their cell.

Without a gateway no cell is reported, since the requests of this package state their cell themselves.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from ...clock import monotonic
from ...wire.provider_keys import GATEWAY_ENV

_SECONDS: Final = 1.0
"""The longest time, in seconds, that a cell's start waits for the server to acknowledge the report. Usually it takes a
fraction of a millisecond."""
_PAUSE_SECONDS: Final = 60.0
"""How long, in seconds, cells start without waiting for an acknowledgement after one did not arrive. So a server that
does not respond delays few cells."""


class CellReports:
    """Reports the start of each cell of one IPython shell to the server.

    The cell's code starts when the server has acknowledged the report, or after `_SECONDS`. Calls reach the gateway
    over another connection, and a call that arrived before the report would be recorded with the previous cell.
    """

    def __init__(self, shell: Any, *, monotonic: Callable[[], float] = monotonic) -> None:
        self._shell = shell
        self._monotonic = monotonic
        self._tried = False
        self._waits_from = monotonic()

    def begin(self, _: object = None) -> None:
        """Report the cell that starts; IPython calls this before each cell.

        The first report also waits for the server's greeting. Without a server's response, the cell starts unreported.
        """
        from ...errors import AumOSGovernanceError
        from ..requests.connection import connect, current_cell

        try:
            client = connect(self._shell).client
            if client.met:
                seconds = _SECONDS if self._monotonic() >= self._waits_from else 0.0
                if not client.notify("cell", cell=current_cell(self._shell), seconds=seconds) and seconds:
                    self._waits_from = self._monotonic() + _PAUSE_SECONDS
            elif not self._tried:
                # Only the first cell waits for a greeting, so that a server that is gone does not delay each cell.
                self._tried = True
                client.request("cell", cell=current_cell(self._shell))
        except AumOSGovernanceError:
            # Without a report, calls through the gateway are recorded with their kernel only.
            return


def follow(shell: Any) -> None:
    """Report the start of each cell of ``shell`` from now on, if the server has a gateway.

    A second call changes nothing.
    """
    if os.environ.get(GATEWAY_ENV) and _of(shell) is None:
        shell.events.register("pre_run_cell", CellReports(shell).begin)


def unfollow(shell: Any) -> None:
    """Stop reporting the cells of ``shell``; the opposite of `follow`."""
    if (report := _of(shell)) is not None:
        shell.events.unregister("pre_run_cell", report)


def _of(shell: Any) -> Any:
    callbacks = shell.events.callbacks["pre_run_cell"]
    return next((each for each in callbacks if isinstance(getattr(each, "__self__", None), CellReports)), None)
