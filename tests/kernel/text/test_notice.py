"""A line of output that is replaced by the next one, also after an interrupt in between."""

from __future__ import annotations

from typing import Any

import pytest

from aumos_governance.kernel.text.notice import Notice


class Interrupted:
    """A shell that records what is displayed, and is interrupted at the first display."""

    def __init__(self) -> None:
        self.display_pub = self
        self.shown: list[tuple[str, str, bool]] = []

    def publish(self, data: dict[str, Any], *, transient: dict[str, str], update: bool) -> None:
        self.shown.append((data["text/plain"], transient["display_id"], update))
        if len(self.shown) == 1:
            raise KeyboardInterrupt


def test_what_was_shown_when_the_interrupt_came_is_replaced() -> None:
    shell = Interrupted()
    notice = Notice(shell)
    with pytest.raises(KeyboardInterrupt):
        notice.show("Waiting for approval")
    assert notice.shown
    notice.show("Withdrawn")
    (_, first, _), (_, second, update) = shell.shown
    assert (second, update) == (first, True)
