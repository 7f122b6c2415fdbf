"""A line of a cell's output that can be replaced by another text later."""

from __future__ import annotations

import uuid
from typing import Any


class Notice:
    """One line in a cell's output that can be replaced.

    A front end shows only the latest text; a terminal shows all texts.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._id = f"aumos-governance-{uuid.uuid4().hex}"
        self.shown = ""
        """The text that the line shows now; empty before the first call of `show`."""

    def show(self, line: str) -> None:
        """Show ``line`` in place of the earlier text."""
        # `shown` is set before publishing, so that the text is still replaced after an interrupt in between.
        update, self.shown = bool(self.shown), line
        self._shell.display_pub.publish({"text/plain": line}, transient={"display_id": self._id}, update=update)
