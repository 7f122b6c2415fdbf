"""The example of governed actions, run by a user who decides in the panel."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
from harness.application import Application
from harness.pages import NotebookPage
from playwright.sync_api import Locator, expect

_EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "governed-acts.ipynb"


def test_the_example_of_governed_acts(lab_page: NotebookPage, lab: Application, picture: Callable[[str], None]) -> None:
    shutil.copy(_EXAMPLE, lab.root / _EXAMPLE.name)
    place = {cell.id: index for index, cell in enumerate(nbformat.read(_EXAMPLE, as_version=4).cells)}
    lab_page.open(_EXAMPLE.name)
    lab_page.command("aumos-governance:open-panel")
    lab_page.run_cells(place["load"], place["suggest"])
    suggestion = lab_page.output(place["suggest"])
    expect(suggestion.first).to_contain_text("Suggestion: mail, $0.02")
    expect(suggestion.last).to_contain_text("DENIED: Not run: at L1 (Monitor) a governed action is only suggested")

    lab_page.run(place["approve-level"])
    lab_page.begin(place["approve"])
    expect(lab_page.output(place["approve"])).to_contain_text("Waiting for approval: mail, $0.02.")
    card = _section(lab_page, "approvals").locator(".aumos-Card")
    expect(card).to_contain_text("Dear Ann, the report is ready.")
    picture("governed-act-waits")
    lab_page.decide(card, "Approve")
    expect(lab_page.output(place["approve"]).first).to_have_text("Approved: mail, $0.02.")
    expect(lab_page.cell(place["approve"])).to_contain_text("Recorded: $0.02 for mail ($0.98 remaining)")

    lab_page.begin(place["function"])
    expect(card).to_contain_text("send('Bob', 'the report is ready.')")
    lab_page.decide(card, "Approve")
    lab_page.shows("L3 Act", "$0.96 left")

    lab_page.run_cells(place["report-level"], place["report"])
    expect(lab_page.cell(place["report"])).to_contain_text("Reported: newsletter ran")
    report = _section(lab_page, "reports").locator(".aumos-Card")
    expect(report).to_contain_text("newsletter")
    report.get_by_role("button", name="Acknowledge").click()
    expect(report).to_have_count(0)

    lab_page.run(place["denied"])
    expect(lab_page.output(place["denied"])).to_contain_text(
        re.compile(
            r"DENIED: Would exceed budget .*; \$5\.00 for order was requested and \$0\.95\d* is left; "
            r"raise the budget in the Governance panel, or lower the request\."
        )
    )
    lab_page.run(place["record"])
    expect(lab_page.output(place["record"]).first).to_contain_text("3 sent")
    assert lab.governance(_EXAMPLE.name)["held"] == "0"
    lab_page.run(place["close"])
    lab_page.says_off()


def _section(page: NotebookPage, name: str) -> Locator:
    return page.page.locator(f"#aumos-governance-panel [data-section={name}]")
