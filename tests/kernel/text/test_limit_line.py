"""The line that a cell shows while a call waits at a limit."""

from __future__ import annotations

import pytest

from aumos_governance.kernel.text.limit_line import limit_text

CALL = {"tool": "gpt-4o", "amount": "1.4"}
DENY = "eny the call under the cell or in the governance panel"


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        ("session", "more than the budget has left. Raise the budget or d"),
        ("category", "more than the budget 'llm' has left. This budget is set by code, not in the panel. D"),
        ("owner", "more than the limit 'llm' has left. Ask its administrator to raise it. D"),
    ],
)
def test_it_names_what_can_be_done_at_this_limit(kind: str, way: str) -> None:
    text = limit_text(CALL, {"needs": "0.4", "limit": {"kind": kind, "name": "llm", "allowed": "1"}})
    assert text.startswith("Waiting at the limit: gpt-4o, $1.40 needs $0.40 ")
    assert way + DENY in text
    assert ("Raise the budget" in text) is (kind == "session")
