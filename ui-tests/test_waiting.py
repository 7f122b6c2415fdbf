"""Approval requests and reports in the side panel."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from harness.application import Application
from harness.documents import write_notebook
from harness.pages import NotebookPage
from playwright.sync_api import Browser, Locator, expect

EVIL = "<img src=x onerror='window.hit=1'>\u202egnp.exe\n" + "x" * 10_000


@pytest.fixture(scope="module")
def lab(serve: Callable[..., Application]) -> Application:
    return serve("lab", "--ServerApp.jpserver_extensions=harness.asking=True")


@pytest.fixture
def name(lab: Application, request: pytest.FixtureRequest) -> str:
    """The name of a new notebook with a session at trust level 3, for one test."""
    return write_notebook(
        lab.root / f"{request.node.originalname}.ipynb", "%governance --agent agent-7", "%governance_spend 0.5"
    )


@pytest.fixture
def panel(lab_page: NotebookPage, lab: Application, name: str) -> Iterator[NotebookPage]:
    """A page with that notebook in front and the panel open."""
    lab_page.open(name)
    lab_page.run_cells(0, 1)
    lab.govern(name, trust_level=3)
    lab_page.command("aumos-governance:open-panel")
    yield lab_page
    # The requests that a test left no longer wait.
    lab.request("leave")


def section(page: NotebookPage, name: str) -> Locator:
    return page.page.locator(f"#aumos-governance-panel [data-section={name}]")


def cards(page: NotebookPage) -> Locator:
    return section(page, "approvals").locator(".aumos-Card")


def test_a_user_decides_exactly_what_is_requested(
    panel: NotebookPage, lab: Application, name: str, picture: Callable[[str], None]
) -> None:
    cell = panel.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets[2].model.id")
    shown = {"tool": "shell", "arguments": {"command": "rm -r build"}, "code": "clean()\nprint('done')", "cost": "0.05"}
    lab.request("approval", notebook=name, tool="shell", cell_id=cell, count=3, shown=shown)
    lab.request("approval", notebook=name, tool="mail", amount="0", shown={"arguments": {"to": "all@example.org"}})
    expect(cards(panel)).to_have_count(2)
    first = cards(panel).first
    for words in ("shell", "$0.05", "agent-7", "In [3]", "rm -r build", "print('done')"):
        expect(first).to_contain_text(words)
    picture("approvals")
    found = Axe().run(panel.page, context={"include": [["#aumos-governance-panel"]]})
    assert found.violations_count == 0, found.generate_report()

    panel.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0; }")
    first.get_by_role("button", name="In [3]").click()
    panel.page.wait_for_function("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex === 2")

    panel.decide(first, "Approve")
    expect(cards(panel)).to_have_count(1)
    expect(section(panel, "approvals")).to_contain_text("approved by")
    cards(panel).get_by_role("button", name="Deny…").focus()
    panel.page.keyboard.press("Enter")
    deny = panel.decision.get_by_role("button", name="Deny", exact=True)
    # The buttons of a request that has just appeared are still disabled.
    expect(deny).to_have_attribute("aria-disabled", "false")
    # The title of the dialog gets the focus after rendering.
    expect(panel.decision.locator(".aumos-Decision-title")).to_be_focused()
    for _ in range(3):
        panel.page.keyboard.press("Tab")
    expect(deny).to_be_focused()
    panel.page.keyboard.press("Enter")
    expect(cards(panel)).to_have_count(0)
    expect(section(panel, "approvals")).to_contain_text("denied by")
    assert lab.waiting(name) == []
    # The record of a waiting request is no decision, and does not have the mark of one.
    records = section(panel, "audit").locator("li")
    for number, (event, tool, outcome) in enumerate(
        [("decided", "mail", "deny"), ("decided", "shell", "allow"), ("requested", "mail", "none")]
    ):
        expect(records.nth(number)).to_contain_text(f"Approval {event}")
        expect(records.nth(number)).to_contain_text(tool)
        expect(records.nth(number).locator("[data-outcome]")).to_have_attribute("data-outcome", outcome)


def test_what_waits_outlives_the_page_and_another_browser_decides(
    panel: NotebookPage, lab: Application, name: str, browser: Browser
) -> None:
    lab.request("approval", notebook=name, tool="deploy", shown={"arguments": {"to": "production"}})
    expect(cards(panel)).to_contain_text("production")
    section(panel, "session").locator(".aumos-Section-title").click()
    panel.reload()
    panel.command("aumos-governance:open-panel")
    expect(section(panel, "session").locator(".aumos-Section-title")).to_have_attribute("aria-expanded", "false")
    expect(section(panel, "budget").locator(".aumos-Section-title")).to_have_attribute("aria-expanded", "true")
    expect(cards(panel)).to_contain_text("production")
    context = browser.new_context()
    try:
        other = NotebookPage(context.new_page(), lab)
        other.open(name)
        other.command("aumos-governance:open-panel")
        other.decide(cards(other), "Deny")
        expect(cards(other)).to_have_count(0)
        expect(cards(panel)).to_have_count(0)
        decided = section(other, "approvals").locator(".aumos-Decided")
        expect(decided).to_contain_text("denied by")
        # The other browser reads from the audit record who decided.
        expect(section(panel, "approvals").locator(".aumos-Decided")).to_have_text(decided.inner_text())
    finally:
        context.close()


def test_reports_are_there_until_they_are_acknowledged(panel: NotebookPage, lab: Application, name: str) -> None:
    lab.request("approval", notebook=name, tool="deploy", shown={})
    lab.request("report", notebook=name, tool="shell", shown={"arguments": {"command": "make"}, "result": "built"})
    expect(cards(panel)).to_have_count(1)
    lab.stop()
    lab.start()
    report = section(panel, "reports").locator(".aumos-Card")
    # JupyterLab's back-off grows with the outage, up to half a minute.
    expect(report).to_contain_text("built", timeout=60_000)
    # Its kernel ended with the server, so nothing waits for the decision.
    expect(section(panel, "approvals")).to_contain_text(": withdrawn")
    # JupyterLab may show a dialog of its own on the lost connection.
    panel.reload()
    panel.command("aumos-governance:open-panel")
    expect(report).to_contain_text("built")
    report.get_by_role("button", name="Acknowledge").click()
    expect(section(panel, "reports")).to_have_count(0)


def test_hostile_text_is_text_and_breaks_no_layout(
    panel: NotebookPage, lab: Application, name: str, picture: Callable[[str], None]
) -> None:
    lab.govern(name, agent_id=EVIL[:900])
    shown = {"arguments": {EVIL: EVIL}, "code": EVIL, EVIL: [EVIL]}
    requested = lab.request("approval", notebook=name, tool=EVIL[:900], agent_id=EVIL[:900], shown=shown)
    lab.request("report", notebook=name, tool=EVIL[:900], agent_id=EVIL[:900], shown=shown)
    expect(cards(panel)).to_contain_text("<img src=x")
    expect(cards(panel)).to_contain_text("U+202E")
    expect(section(panel, "reports")).to_contain_text("U+202E")
    picture("hostile")
    whole = panel.page.locator("#aumos-governance-panel")
    assert whole.locator("img").count() == 0
    assert panel.page.evaluate("() => 'hit' in window") is False
    wide = "(panel) => [...panel.querySelectorAll('*')].filter((node) => {"
    wide += " const style = getComputedStyle(node); return node.scrollWidth > node.clientWidth + 1"
    wide += " && style.overflowX !== 'hidden' && style.display !== 'inline' && node.clientWidth > 0; })"
    wide += ".map((node) => `${node.tagName} ${node.className}`)"
    assert whole.locator(".aumos-Panel-body").evaluate(wide) == []
    card = cards(panel).bounding_box()
    assert card
    assert card["height"] < 2500
    more = cards(panel).get_by_role("button", name=re.compile("^Show all"))
    more.first.click()
    expect(cards(panel).get_by_role("button", name="Show less")).to_have_count(1)
    assert whole.locator(".aumos-Panel-body").evaluate(wide) == []
    # The card in the notebook.
    panel.run(1)
    output = panel.output(1)
    expect(output).to_be_visible()
    assert output.locator("img").count() == 0
    assert output.evaluate("(node) => node.scrollWidth <= node.clientWidth + 1")
    panel.decide(cards(panel), "Deny")
    expect(cards(panel)).to_have_count(0)
    assert requested not in json.dumps(lab.waiting(name))
