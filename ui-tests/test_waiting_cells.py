"""An approval request under the cell that waits, and the dialog that decides it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from harness.application import Application
from harness.boxes import axe_finds_nothing
from harness.documents import write_notebook
from harness.pages import NotebookPage
from harness.presses import PRESS_BY_CODE
from playwright.sync_api import Browser, Locator, expect

_CELL_ID = "(index) => window.jupyterapp.shell.currentWidget.content.widgets[index].model.id"
_GOVERNED = '%%governed --tool mail --cost 0.02\nto = "ann@example.org"\nprint("sent to", to)'
# An element that covers the whole page, with the highest z-index, and lets clicks through.
_COVER = """
() => {
  const cover = document.createElement('div');
  cover.id = 'cover';
  cover.style = 'position: fixed; inset: 0; z-index: 2147483647; background: #fff; pointer-events: none';
  document.body.append(cover);
}
"""
# What JupyterLab's sanitizer keeps of an untrusted output: classes, which can position it, but no script.
_OUTPUT = (
    '<div class="jp-Dialog aumos-Popover lm-mod-drag-image" style="background: white; width: 2000px; height: 2000px">'
    '<button popovertarget="fake">x</button><div popover id="fake">Costs $0.00</div>'
    "<dialog open>Costs $0.00</dialog></div><script>window.hit = 1</script>"
)


@pytest.fixture(scope="module")
def lab(serve: Callable[..., Application]) -> Application:
    return serve("lab", "--ServerApp.jpserver_extensions=harness.asking=True")


@pytest.fixture
def name(lab: Application, request: pytest.FixtureRequest) -> Iterator[str]:
    cells = "%governance --budget 1 --agent agent-7", _GOVERNED, "print(1)"
    yield write_notebook(lab.root / f"{request.node.originalname}.ipynb", *cells)
    # The requests that a test left no longer wait.
    lab.request("leave")


@pytest.fixture
def waiting(lab_page: NotebookPage, lab: Application, name: str) -> NotebookPage:
    """A page with a notebook whose actions wait for approval."""
    lab_page.open(name)
    lab_page.run_cells(0, 1)
    lab.govern(name, trust_level=3)
    lab_page.shows("L3 Act")
    return lab_page


def card(page: NotebookPage, index: int = 2) -> Locator:
    return page.cell(index).locator(".aumos-WaitingCell .aumos-Card")


def request_approval(page: NotebookPage, lab: Application, name: str, index: int = 2, **fields: object) -> str:
    """Post an approval request for one cell; no kernel waits for the decision. Returns its id."""
    shown = {"code": "to = 'ann@example.org'\nsend(to)  # once"}
    cell = page.page.evaluate(_CELL_ID, index)
    return lab.request("approval", notebook=name, cell_id=cell, count=3, shown=shown, **fields)


def test_the_waiting_cell_shows_its_request_and_goes_on(
    waiting: NotebookPage, lab: Application, name: str, picture: Callable[[str], None]
) -> None:
    page = waiting
    page.begin(2)
    for words in ("mail", "$0.02", "agent-7", "to = ", "Leaves $0.98 of the budget.", re.compile(r"\d+ (s|min) left")):
        expect(card(page)).to_contain_text(words)
    # The code is highlighted like in the editor, and unchanged.
    code = card(page).locator(".aumos-ForeignText-text")
    string = code.locator("span", has_text="ann@example.org").last
    expect(string).to_be_visible()
    assert page.colour(string, "color") != page.colour(code, "color")
    assert code.inner_text() == 'to = "ann@example.org"\nprint("sent to", to)'
    # The card is not part of the cell's output.
    assert card(page).locator("xpath=ancestor::*[contains(@class, 'jp-OutputArea')]").count() == 0
    expect(page.status).to_contain_text("1 waiting")
    tab = page.page.locator(".lm-TabBar-tab[data-aumos-waiting='1']")
    expect(tab).to_have_attribute("title", re.compile(r"^Governance \(1 waiting\)"))
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.use_theme(theme)
        picture(f"waiting-cell-{theme.split()[1].lower()}")
        axe_finds_nothing(page.page, ".aumos-WaitingCell", ".aumos-StatusItem")
        card(page).get_by_role("button", name="Approve…").click()
        expect(page.decision).to_contain_text("Leaves $0.98 of the budget.")
        expect(page.decision.get_by_role("button", name="Approve", exact=True)).to_have_attribute(
            "aria-disabled", "false"
        )
        picture(f"decision-{theme.split()[1].lower()}")
        axe_finds_nothing(page.page, ".aumos-Decision")
        page.page.keyboard.press("Escape")
        expect(page.decision).to_have_count(0)
    assert len(lab.waiting(name)) == 1
    page.decide(card(page), "Approve")
    expect(page.output(2).last).to_contain_text("sent to ann@example.org")
    expect(card(page)).to_have_count(0)
    expect(page.status).not_to_contain_text("waiting")
    expect(page.page.locator("[data-aumos-waiting]")).to_have_count(0)
    page.shows("$0.98 left")


def test_by_keys_alone(waiting: NotebookPage, lab: Application, name: str) -> None:
    page = waiting
    request_approval(page, lab, name)
    keyboard = page.page.keyboard
    expect(page.status).to_contain_text("1 waiting")
    page.status.focus()
    keyboard.press("Enter")
    keyboard.press("Tab")
    expect(page.popover.get_by_role("button", name="shell")).to_be_focused()
    axe_finds_nothing(page.page, ".aumos-Popover")
    keyboard.press("Enter")
    expect(page.popover).to_have_count(0)
    expect(card(page)).to_be_focused()
    keyboard.press("Tab")
    expect(card(page).get_by_role("button", name="Approve…")).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Enter")
    # Pressing the same key again decides nothing.
    expect(page.decision.locator(".aumos-Decision-title")).to_be_focused()
    keyboard.press("Enter")
    deny = page.decision.get_by_role("button", name="Deny", exact=True)
    expect(deny).to_have_attribute("aria-disabled", "false")
    for _ in range(5):
        keyboard.press("Tab")
        if deny.evaluate("(node) => node === document.activeElement"):
            break
    expect(deny).to_be_focused()
    assert lab.waiting(name)
    keyboard.press("Enter")
    expect(page.decision).to_have_count(0)
    expect(card(page)).to_have_count(0)
    assert lab.waiting(name) == []
    assert page.page.evaluate("() => window.jupyterapp.shell.currentWidget.node.contains(document.activeElement)")


def test_nothing_in_the_page_presses_or_covers_the_decision(waiting: NotebookPage, lab: Application, name: str) -> None:
    page = waiting
    requested = request_approval(page, lab, name)
    for label in ("Approve…", "Deny…"):
        card(page).get_by_role("button", name=label).evaluate(PRESS_BY_CODE)
    expect(page.decision).to_have_count(0)
    card(page).get_by_role("button", name="Approve…").click()
    approve = page.decision.get_by_role("button", name="Approve", exact=True)
    expect(approve).to_have_attribute("aria-disabled", "false")
    for label in ("Approve", "Deny"):
        page.decision.get_by_role("button", name=label, exact=True).evaluate(PRESS_BY_CODE)
    # A command shows another element, which can neither get the focus nor cover the dialog.
    page.command("aumos-governance:go-to-next-approval")
    page.command("apputils:activate-command-palette")
    assert requested in lab.waiting(name)
    focused = (
        "() => document.activeElement?.closest('body, .aumos-Decision, .jp-SidePanel, .lm-CommandPalette')?.className"
    )
    assert "jp-SidePanel" not in page.page.evaluate(focused)
    assert "lm-CommandPalette" not in page.page.evaluate(focused)
    box = page.decision.locator(".aumos-Decision-content").bounding_box()
    assert box
    # Outside of its rounded corners, the darkened page is visible.
    inner = {"x": box["x"] + 4, "y": box["y"] + 4, "width": box["width"] - 8, "height": box["height"] - 8}
    # The pixels of rounded corners may differ by a shade when they are drawn again.
    still = "animation: none !important; border-radius: 0 !important;"
    frozen = f".aumos-TimeLeft {{ visibility: hidden; }} *, *::before {{ {still} }}"
    page.page.add_style_tag(content=frozen)
    approve.hover()
    before = page.page.screenshot(clip=inner)
    page.page.evaluate(_COVER)
    assert page.page.screenshot(clip=inner) == before
    approve.click()
    expect(page.decision).to_have_count(0)
    assert requested not in lab.waiting(name)


def test_an_untrusted_output_neither_covers_nor_imitates(waiting: NotebookPage, lab: Application, name: str) -> None:
    page = waiting
    requested = request_approval(page, lab, name)
    expect(card(page)).to_be_visible()
    page.page.evaluate(
        """(html) => {
          const { content } = window.jupyterapp.shell.currentWidget;
          const cell = content.widgets[3];
          cell.model.trusted = false;
          cell.model.outputs.fromJSON([
            { output_type: 'display_data', data: { 'text/html': html }, metadata: {} }
          ]);
        }""",
        _OUTPUT,
    )
    fake = page.page.locator(".jp-OutputArea .aumos-Popover")
    expect(fake).to_be_visible()
    assert page.page.evaluate("() => 'hit' in window") is False
    assert fake.locator("dialog, [popover], [popovertarget]").count() == 0
    # The output covers the notebook, so the card is reached by keyboard.
    page.page.evaluate("() => document.querySelector('.aumos-WaitingCell .aumos-Card button').focus()")
    page.page.keyboard.press("Enter")
    approve = page.decision.get_by_role("button", name="Approve", exact=True)
    expect(approve).to_have_attribute("aria-disabled", "false")
    # Playwright clicks an element only if no other element would get the click.
    approve.click()
    expect(page.decision).to_have_count(0)
    assert requested not in lab.waiting(name)


def test_in_two_views_and_far_from_view(
    lab_page: NotebookPage, lab: Application, request: pytest.FixtureRequest
) -> None:
    cells = ["%governance --budget 1", *[f"print({number})\n\n\n" for number in range(60)]]
    name = write_notebook(lab.root / "windowed.ipynb", *cells)
    # JupyterLab draws only the cells in view.
    setting = lab.root.parent / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    setting.parent.mkdir(parents=True)
    setting.write_text('{"windowingMode": "full"}')
    request.addfinalizer(setting.unlink)
    page = lab_page
    page.open(name)
    page.run_cells(0, 1)
    lab.govern(name, trust_level=3)
    requested = request_approval(page, lab, name, 50)
    assert requested
    expect(page.status).to_contain_text("1 waiting")
    # The cell comes into view when the link is followed.
    expect(page.page.locator(".aumos-WaitingCell")).not_to_be_in_viewport()
    page.status.click()
    page.popover.get_by_role("button", name="shell").click()
    expect(card(page, 50)).to_be_visible()
    expect(card(page, 50)).to_be_focused()
    page.page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.content.scrollToItem(0); }")
    expect(page.page.locator(".aumos-WaitingCell")).not_to_be_in_viewport()
    page.command("docmanager:clone")
    expect(page.page.locator(".jp-NotebookPanel")).to_have_count(2)
    page.status.click()
    page.popover.get_by_role("button", name="shell").click()
    expect(card(page, 50).last).to_be_focused()
    page.page.evaluate(
        """async () => {
          for (const panel of window.jupyterapp.shell.widgets('main')) {
            await panel.content?.scrollToItem?.(50, 'center');
          }
        }"""
    )
    views = page.page.locator(".aumos-WaitingCell .aumos-Card")
    expect(views).to_have_count(2)
    page.decide(views.last, "Deny")
    expect(views).to_have_count(0)


def test_a_request_that_another_browser_decides_disappears(
    waiting: NotebookPage, lab: Application, name: str, browser: Browser
) -> None:
    page = waiting
    request_approval(page, lab, name)
    card(page).get_by_role("button", name="Approve…").click()
    context = browser.new_context()
    try:
        other = NotebookPage(context.new_page(), lab)
        other.open(name)
        other.decide(card(other), "Deny")
        expect(card(other)).to_have_count(0)
        expect(card(page)).to_have_count(0)
        expect(page.decision).to_contain_text("This request no longer waits for a decision.")
        expect(page.decision.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
        page.decision.get_by_role("button", name="Close").click()
        expect(page.decision).to_have_count(0)
    finally:
        context.close()
