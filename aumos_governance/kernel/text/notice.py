"""One line of a cell's output that gives way to the next."""

from __future__ import annotations

import uuid
from typing import Any

__all__ = ["Notice"]


class Notice:
    """Says one thing at a time. A front end shows the last one; a terminal, which takes nothing back, shows all."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._id = f"aumos-governance-{uuid.uuid4().hex}"
        self.said = ""
        """What stands there now; empty before anything was said."""

    def say(self, line: str) -> None:
        """Show the line in place of the one before."""
        # Said before it is shown: an interrupt that comes while it is must find something to replace.
        update, self.said = bool(self.said), line
        self._shell.display_pub.publish({"text/plain": line}, transient={"display_id": self._id}, update=update)
