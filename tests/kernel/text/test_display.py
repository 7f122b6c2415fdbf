"""The text and HTML of the magics for every state that a server can return."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from aumos_governance.kernel.magics import spending
from aumos_governance.kernel.magics.spending import SpendDecision
from aumos_governance.kernel.text import display
from aumos_governance.kernel.text.card import audit_html, status_html

SAMPLES = Path(__file__).parents[2] / "protocol"
STATES: dict[str, dict[str, Any]] = json.loads((SAMPLES / "rest_state.json").read_text("utf-8"))["valid"]
MONEY: list[dict[str, str]] = json.loads((SAMPLES / "money.json").read_text("utf-8"))
FORMATTING = {"div", "table", "thead", "tbody", "tr", "th", "td", "p"}


class Markup(HTMLParser):
    """The tags and the text of HTML; it checks that the tags are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def record(**fields: Any) -> dict[str, Any]:
    return {
        "at": "2026-11-22T19:23:16.123456Z",
        "event": "spend",
        "outcome": "allow",
        "amount": "0.05",
        "tool": "gpt-4o",
        "cell": {"id": "c-1", "count": 4},
        "actor": "kernel",
        "reasons": [],
        **fields,
    }


@pytest.mark.parametrize("sample", MONEY, ids=lambda sample: sample["decimal"])
def test_money_reads_as_everywhere_else(sample: dict[str, str]) -> None:
    assert display.usd(sample["decimal"]) == sample["display"]


@pytest.mark.parametrize("name", STATES)
def test_every_state_has_text_and_a_card_that_say_the_same(name: str) -> None:
    lines = display.status_text(STATES[name])
    assert all(line.isprintable() for line in lines)
    card = Markup(status_html(STATES[name]))
    assert card.text == lines
    assert card.tags <= FORMATTING
    assert card.attributes <= {"class", "style", "aria-hidden"}


def test_a_state_names_what_is_out_of_the_ordinary() -> None:
    assert display.status_text(STATES["held"]) == [
        "Trust Level: L2 (Suggest)",
        "Budget: $6.00 spent / $10.00 limit ($2.50 remaining)",
        "Held: $1.50 for calls that have not settled",
        "Agent: agent-7",
        "Set by: teacher",
    ]
    assert display.status_text(STATES["overrun"])[2:] == ["Over: $0.25 above the limit"]
    assert display.status_text(STATES["shared"])[2:] == ["Shared with: research/agents.ipynb"]
    assert display.status_text(STATES["closed"]) == ["Governance: INACTIVE", "Last session total: $0.20 / $10.00"]
    assert display.status_text(STATES["never_opened"]) == ["Governance: INACTIVE"]


@pytest.mark.parametrize(
    ("spent", "held", "budget", "width"),
    [
        ("0", "0", "10", "0%"),
        ("0.000000001", "0", "10", "1%"),
        ("5", "2.5", "10", "75%"),
        ("9.999999999", "0", "10", "99%"),
        ("12", "0", "10", "100%"),
        ("0", "0", "0", "100%"),
    ],
)
def test_the_bar_fills_with_what_is_spent_and_held(spent: str, held: str, budget: str, width: str) -> None:
    state = {**STATES["active"], "spent": spent, "held": held, "budget": budget}
    assert f"width:{width}" in status_html(state)


def test_an_opening_prints_the_notes_and_with_whom_the_kernel_is_shared() -> None:
    response = {
        "state": STATES["shared"],
        "opened": False,
        "resumed": True,
        "previous": None,
        "notes": ["The budget stays at $5.00, set by teacher; from the notebook it can only be tightened."],
    }
    assert display.opened_text(response, None) == [
        "Governance enabled: trust_level=L2, budget=$10.00 (resumed, $0.20 spent; --new starts fresh)",
        "Shared with research/agents.ipynb: both notebooks use this kernel and this session.",
        "The budget stays at $5.00, set by teacher; from the notebook it can only be tightened.",
    ]


def test_a_change_that_another_user_made_before_is_still_a_change() -> None:
    response = {"state": STATES["active"], "opened": False, "resumed": False, "previous": None, "notes": []}
    for before in (None, STATES["active"], STATES["closed"]):
        assert display.opened_text(response, before) == [
            "Governance enabled: trust_level=L2, budget=$10.00 (changed, $0.20 spent)"
        ]


def test_a_decision_outside_any_session_has_no_figures() -> None:
    decision = SpendDecision.from_response(
        {
            "decision": {
                "outcome": "deny",
                "allowed": False,
                "code": "NO_SESSION",
                "reasons": ["Governance is not active for this notebook; start it with %governance"],
                "record_id": "r-1",
                "charge_id": None,
                "amount": "0.05",
                "tool": "unknown",
                "overrun": False,
            },
            "state": STATES["never_opened"],
        }
    )
    assert decision.remaining is None
    assert not decision
    assert spending.refusal_sentence(decision) == (
        "DENIED: Governance is not active for this notebook; start it with %governance."
    )


def test_the_audit_table_lines_up_and_hides_no_amount() -> None:
    records = [
        record(event="open", amount="0", tool=None, cell={"id": None, "count": None}),
        record(amount="0.0004", tool="m" * 300),
        record(outcome="deny", reasons=["Would exceed budget ($10.20 > $10.00)"], actor="<script>"),
    ]
    lines = display.audit_text(records).splitlines()
    assert len(lines) == 4
    assert lines[1].startswith("2026-11-22 19:23:16  open ")
    assert "$0.0004" in lines[2]
    assert lines[3].index("[4]") == lines[2].index("[4]")
    assert max(map(len, lines)) < 200
    table = Markup(audit_html(records))
    assert table.tags <= FORMATTING
    assert "<script>" in table.text
    assert "m" * 300 in table.text


def test_no_records_yet() -> None:
    assert display.audit_text([]) == "No audit records yet."
    assert Markup(audit_html([])).text == ["No audit records yet."]


@pytest.mark.parametrize("html", [status_html(STATES["active"]), audit_html([record()])], ids=["card", "table"])
def test_no_front_end_takes_amounts_for_a_formula(html: str) -> None:
    # MathJax in JupyterLab and in the classic notebook skip elements with their respective class.
    assert re.match(r'<\w+ class="mathjax_ignore tex2jax_ignore"', html)
