"""One line of a cell's output that gives way to the next."""

from __future__ import annotations

import uuid
from typing import Any

__all__ = ["Notice"]


class Notice:
    """Shows one line at a time. A front end shows the last one; a terminal, which removes nothing, shows all."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._id = f"aumos-governance-{uuid.uuid4().hex}"
        self.shown = ""
        """The line that is shown now; empty before the first one."""

    def say(self, line: str) -> None:
        """Show the line in place of the one before."""
        # Set before it is published: an interrupt during that must find something to replace.
        update, self.shown = bool(self.shown), line
        self._shell.display_pub.publish({"text/plain": line}, transient={"display_id": self._id}, update=update)
