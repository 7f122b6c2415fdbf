"""Sends the server which cell begins, where it has a gateway: calls of other libraries are recorded with that cell."""

from __future__ import annotations

import os
from typing import Any

from ...wire.provider_keys import GATEWAY_ENV

__all__ = ["follow", "unfollow"]


class CellReports:
    """The reports of one shell, one at the start of each cell."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._tried = False

    def begin(self, _: object = None) -> None:
        """Report the cell that begins. The first time this waits for the greeting of the server, later for nothing."""
        from ...errors import AumOSGovernanceError
        from ..requests.session import current_cell, link

        try:
            client = link(self._shell).client
            if client.met:
                client.mention("cell", cell=current_cell(self._shell))
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
