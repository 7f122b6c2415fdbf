"""The side panel shows a notebook's trust level and budget, and only a user can change them there."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from harness.application import Application
from harness.documents import write_notebook
from harness.pages import NotebookPage
from harness.presses import PRESS_BY_CODE
from playwright.sync_api import Locator, expect

_TOGGLE = "application:toggle-right-area"
_COMMANDS = """
async () => {
  const { commands } = window.jupyterapp;
  const ours = commands.listCommands().filter((id) => id.startsWith('aumos-governance:'));
  for (const id of ours) {
    // One saves a file, one opens a dialog; neither changes anything of the governance.
    if (!id.endsWith('export-audit') && !id.endsWith('run-all-with-price')) {
      await commands.execute(id, {});
    }
  }
  return ours;
}
"""


@pytest.fixture(scope="module")
def lab(serve: Callable[..., Application]) -> Application:
    return serve("lab", "--ServerApp.jpserver_extensions=harness.asking=True")


@pytest.fixture
def name() -> str:
    """The name of a new notebook, for one test."""
    return f"panel-{uuid.uuid4().hex[:8]}.ipynb"


@pytest.fixture
def panel(lab_page: NotebookPage, lab: Application, name: str) -> Locator:
    """The panel beside a notebook that has spent $6.25 of $10.00."""
    spends = [f"%governance_spend {amount}" for amount in ("6.25 --tool gpt-4o", "2", "7")]
    cells = ("%governance --new --budget 10 --agent agent-7", *spends)
    lab_page.open(write_notebook(lab.root / name, *cells))
    lab_page.run_cells(0, 1)
    lab_page.shows("$10.00 left")
    lab_page.run(2)
    lab_page.shows("$3.75 left")
    expect(lab_page.page.locator(".Toastify__toast").filter(has_text="At least 50%")).to_have_count(1)
    lab_page.command("aumos-governance:open-panel")
    return lab_page.page.locator("#aumos-governance-panel")


def section(panel: Locator, name: str) -> Locator:
    return panel.locator(f"[data-section={name}]")


def button(panel: Locator, name: str | re.Pattern[str]) -> Locator:
    return panel.get_by_role("button", name=name, exact=isinstance(name, str))


def test_a_user_changes_level_and_budget(
    panel: Locator, name: str, lab: Application, lab_page: NotebookPage, picture: Callable[[str], None]
) -> None:
    picture("panel-light")
    section(panel, "trust").locator(".aumos-Trust-current").click()
    panel.get_by_role("radio", name=re.compile("^L1")).click()
    lab_page.shows("L1 Monitor")
    section(panel, "trust").locator(".aumos-Trust-current").click()
    panel.get_by_role("radio", name=re.compile("^L4")).click()
    assert lab.governance(name)["trust_level"] == 1
    picture("panel-confirm")
    button(panel, "Raise to L4").click()
    lab_page.shows("L4 Act (Report After)")

    button(panel, "Edit the budget").click()
    field = panel.get_by_role("textbox", name="Budget in dollars")
    field.fill("12,5")
    expect(section(panel, "budget")).to_contain_text("such as 12.50")
    field.fill("12.50")
    expect(section(panel, "budget")).to_contain_text("$6.25 would be left.")
    lab_page.page.keyboard.press("Enter")
    expect(button(panel, "Raise to $12.50")).to_be_focused()
    lab_page.page.keyboard.press("Enter")
    lab_page.shows("$6.25 left")
    assert lab.governance(name)["budget"] == "12.5"
    # The panel names who set the value, and the notebook cannot raise it again.
    expect(section(panel, "budget")).not_to_contain_text("the notebook")

    button(panel, "Close session…").click()
    button(panel, "Close session").click()
    lab_page.says_off()
    button(panel, "Start governing").click()
    lab_page.shows("L2 Suggest", "$10.00 left")


def test_neither_commands_nor_code_in_the_page_decide_anything(
    panel: Locator, name: str, lab: Application, lab_page: NotebookPage
) -> None:
    lab.request("hold", notebook=name, amount="0.5")
    lab.request("leave")
    requested = lab.request("approval", notebook=name)
    expect(panel.locator(".aumos-Hold-unresolved")).to_be_visible()
    expect(button(panel, "Approve…")).to_be_visible()
    before = lab.governance(name)
    page = lab_page.page
    assert len(page.evaluate(_COMMANDS)) >= 6
    lab_page.bring_to_front(name)
    section(panel, "trust").locator(".aumos-Trust-current").click()
    panel.get_by_role("radio", name=re.compile("^L5")).click()
    button(panel, "Edit the budget").click()
    panel.get_by_role("textbox", name="Budget in dollars").fill("99")
    button(panel, "Settle…").click()
    button(panel, "Close session…").click()
    names = ("Raise to L5", "Raise to $99.00", "Settle at $0.50", "Close session", "Approve…", "Deny…")
    for label in names:
        found = button(panel, label)
        expect(found).to_be_visible()
        found.evaluate(PRESS_BY_CODE)
    for radio in panel.get_by_role("radio").all():
        radio.evaluate(PRESS_BY_CODE)
    page.evaluate(_COMMANDS)
    # Once a later request has its response, an effect of an earlier one would be visible.
    after = lab.governance(name)
    assert after == before
    assert requested in lab.waiting(name)
    expect(page.locator(".jp-Dialog, dialog")).to_have_count(0)


def test_keys_lead_to_each_control(panel: Locator, lab_page: NotebookPage) -> None:
    page = lab_page.page
    lab_page.cell(0).click()
    lab_page.lead("b", button(panel, "Edit the budget"))
    lab_page.lead("t", section(panel, "trust").locator(".aumos-Trust-current"))
    assert panel.locator(":focus").evaluate("(node) => getComputedStyle(node).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(panel.get_by_role("radio", name=re.compile("^L2"))).to_be_focused()
    page.keyboard.press("Escape")
    lab_page.lead("c", button(panel, "Close session…"))
    with page.expect_download() as download:
        page.keyboard.press("Alt+g")
        page.keyboard.press("e")
    assert download.value.suggested_filename.endswith(".csv")


def test_no_shortcut_is_anyone_elses(lab_page: NotebookPage, panel: Locator) -> None:
    bindings = lab_page.page.evaluate(
        "() => window.jupyterapp.commands.keyBindings.map(({ command, keys }) => [command, keys.join(' ')])"
    )
    ours = {keys for command, keys in bindings if command.startswith("aumos-governance:")}
    others = {keys for command, keys in bindings if not command.startswith("aumos-governance:")}
    assert len(ours) == 15
    assert len(others) > 100
    # Neither a shortcut of two keys nor its first key alone may belong to another command.
    assert not {one for one in others if any(f"{keys} ".startswith(f"{one} ") for keys in ours)}
    assert not {one for one in others if any(f"{one} ".startswith(f"{keys} ") for keys in ours)}


def test_it_notifies_of_what_the_panel_does_not_show(
    panel: Locator, name: str, lab: Application, lab_page: NotebookPage
) -> None:
    page = lab_page.page
    toasts = page.locator(".Toastify__toast").filter(has_text=name)
    # Opening the panel dismissed the notification of the warning mark; while it is open, the next mark has none.
    expect(toasts).to_have_count(0)
    lab_page.run(3)
    expect(section(panel, "budget")).to_contain_text("At least 80% of the budget is spent.")
    expect(toasts).to_have_count(0)

    lab_page.command(_TOGGLE)
    expect(panel).to_be_hidden()
    lab_page.run(4)
    denied = toasts.filter(has_text="denied")
    expect(denied).to_contain_text("Raise the budget, or lower the request.")
    denied.get_by_role("button", name="Raise Budget…").click()
    # The budget that the denied request needs is filled in, but not set.
    expect(panel.get_by_role("textbox", name="Budget in dollars")).to_have_value("15.25")
    assert lab.governance(name)["budget"] == "10"
    expect(denied).to_have_count(0)

    lab_page.command(_TOGGLE)
    requested = lab.request("approval", notebook=name)
    waiting = toasts.filter(has_text="for your approval")
    expect(waiting).to_have_count(1)
    # An action that waits for approval is not listed as denied.
    expect(toasts.filter(has_text="denied")).to_have_count(0)
    waiting.get_by_role("button", name="Show").click()
    expect(panel.locator("[data-section=approvals] :focus")).to_have_count(1)
    expect(waiting).to_have_count(0)
    assert requested in lab.waiting(name)


def test_it_follows_another_notebook_and_what_is_changed_elsewhere(
    panel: Locator, lab: Application, lab_page: NotebookPage
) -> None:
    write_notebook(lab.root / "other.ipynb", "%governance --budget 3")
    lab.govern("other.ipynb", budget="3")
    button(panel, "Show other.ipynb in this panel").click()
    expect(section(panel, "budget")).to_contain_text("$3.00")
    expect(lab_page.status).to_contain_text("$3.75 left")
    lab.govern("other.ipynb", budget="4")
    expect(section(panel, "budget")).to_contain_text("$4.00")
    button(panel, "Back").click()
    expect(section(panel, "budget")).to_contain_text("$3.75")
    lab_page.command("launcher:create")
    expect(panel.get_by_role("heading", name="No notebook is in front")).to_be_visible()
    button(panel, "Open other.ipynb").click()
    expect(section(panel, "budget")).to_contain_text("$4.00")


def test_settings_hide_and_show(panel: Locator, lab_page: NotebookPage) -> None:
    page = lab_page.page
    page.evaluate("() => window.jupyterapp.commands.execute('settingeditor:open', { query: 'Governance' })")
    editor = page.locator(".jp-SettingsPanel")
    editor.get_by_label("Show the side panel").uncheck()
    expect(panel).to_have_count(0)
    editor.get_by_label("Show the side panel").check()
    expect(panel).to_have_count(1)


def test_axe_finds_nothing(
    panel: Locator, name: str, lab: Application, lab_page: NotebookPage, picture: Callable[[str], None]
) -> None:
    lab.request("hold", notebook=name, amount="0.5")
    lab.request("leave")
    expect(panel.locator(".aumos-Hold-unresolved")).to_be_visible()
    section(panel, "trust").locator(".aumos-Trust-current").click()
    button(panel, "Edit the budget").click()
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab_page.use_theme(theme)
        picture(f"panel-{theme.split()[1].lower()}-open")
        found = Axe().run(lab_page.page, context={"include": [["#aumos-governance-panel"]]})
        assert found.violations_count == 0, found.generate_report()
