"""Reports each starting cell to a server with a gateway, so that the gateway records libraries' calls with the cell."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from ...clock import monotonic
from ...wire.provider_keys import GATEWAY_ENV

_SECONDS: Final = 1.0
"""The longest time, in seconds, that a cell waits for the server to acknowledge its report. It usually takes a fraction
of a millisecond."""
_PAUSE_SECONDS: Final = 60.0
"""After a report was not acknowledged, cells do not wait for this number of seconds, so that a server that does not
respond delays few cells."""


class CellReports:
    """Sends a report at the start of each cell of one shell.

    The cell waits for the acknowledgement: its calls reach the gateway over another connection, and a call that
    arrived before the report would be recorded with the previous cell.
    """

    def __init__(self, shell: Any, *, monotonic: Callable[[], float] = monotonic) -> None:
        self._shell = shell
        self._monotonic = monotonic
        self._tried = False
        self._waits_from = monotonic()

    def begin(self, _: object = None) -> None:
        """Report the cell that begins. The first report also waits for the server's response to a hello."""
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
    """Report each cell of ``shell`` from now on, if the server has a gateway; a second call changes nothing."""
    if os.environ.get(GATEWAY_ENV) and _of(shell) is None:
        shell.events.register("pre_run_cell", CellReports(shell).begin)


def unfollow(shell: Any) -> None:
    """Stop reporting the cells of ``shell``."""
    if (report := _of(shell)) is not None:
        shell.events.unregister("pre_run_cell", report)


def _of(shell: Any) -> Any:
    callbacks = shell.events.callbacks["pre_run_cell"]
    return next((each for each in callbacks if isinstance(getattr(each, "__self__", None), CellReports)), None)
