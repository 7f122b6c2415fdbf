"""Cards, dialogs and forms in Notebook 7, with the dark theme, in German and at narrow widths."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness.application import Application
from harness.boxes import NARROW, axe_finds_nothing, faults
from harness.documents import write_notebook
from harness.pages import NotebookPage
from playwright.sync_api import Locator, expect

_CELL_ID = "(index) => window.jupyterapp.shell.currentWidget.content.widgets[index].model.id"
_CLOSE_SIDES = "() => { const { shell } = window.jupyterapp; shell.collapseLeft(); shell.collapseRight(); }"
_MARGINS = "(nodes) => nodes.map((node) => getComputedStyle(node).margin)"
_RIGHT_EDGES = "(nodes) => nodes.map((node) => node.getBoundingClientRect().right)"
_PANEL = "#aumos-governance-panel"
_CELLS = (
    "%governance --budget 1 --trust-level 5 --agent agent-7 --at-limit ask",
    "%governance_spend 1.4 --tool gpt-4o-2026-audio-preview",
    "%governance_spend 13580.2378912 --tool claude",
)


class Look:
    """Takes a picture of each element that is checked, and collects the faults of its layout."""

    def __init__(self, page: NotebookPage, picture: Callable[[str], None], name: str) -> None:
        self._page = page
        self._picture = picture
        self._name = name
        self.found: list[str] = []

    def at(self, selector: str, what: str) -> Locator:
        root = self._page.page.locator(selector).first
        expect(root).to_be_visible()
        self._picture(f"{self._name}-{what}")
        self.found += [f"{what}: {fault}" for fault in faults(root)]
        axe_finds_nothing(self._page.page, selector)
        return root


def _walk(page: NotebookPage, application: Application, look: Look, theme: str = "JupyterLab Light") -> None:
    name = write_notebook(application.root / "places.ipynb", *_CELLS)
    window = page.page
    page.open(name)
    page.use_theme(theme)
    page.command("aumos-governance:open-panel")
    window.evaluate(NARROW, 250)
    expect(window.locator(f"{_PANEL} .aumos-Start")).to_be_visible()
    look.at(_PANEL, "start")
    page.status.click()
    popover = look.at(".aumos-Popover", "start-popover")
    assert set(popover.locator(".aumos-Start p").evaluate_all(_MARGINS)) == {"0px"}
    window.keyboard.press("Escape")

    page.run_cells(0, 1)
    page.begin(2)
    limit = page.cell(2).locator(".aumos-WaitingCell")
    expect(limit).to_be_visible()
    shown = {"code": "to = 'ann@example.org'\nsend(to, subject='A line that is a good deal longer than the card')"}
    cell = window.evaluate(_CELL_ID, 3)
    application.request("approval", notebook=name, tool="mail", cell_id=cell, count=3, shown=shown, amount="0.02")
    approval = page.cell(3).locator(".aumos-WaitingCell")
    expect(approval).to_be_visible()
    expect(window.locator(f"{_PANEL} .aumos-Card")).to_have_count(2)
    for root, what in ((limit, "limit"), (approval, "approval")):
        root.scroll_into_view_if_needed()
        look.found += [f"{what}: {fault}" for fault in faults(root)]
    look.at(_PANEL, "cards")
    axe_finds_nothing(window, ".aumos-WaitingCell", ".aumos-StatusItem")
    # Requests whose card is on the screen are not notified.
    expect(window.locator(".Toastify__toast")).to_have_count(0)
    page.status.click()
    look.at(".aumos-Popover", "popover")
    window.keyboard.press("Escape")

    for card, what in ((approval, "decision"), (limit, "deny")):
        # The last button of each card opens the dialog in which the user decides.
        card.get_by_role("button").last.click()
        look.at("dialog.aumos-Decision", what)
        window.keyboard.press("Escape")
        expect(page.decision).to_have_count(0)
    size = window.viewport_size
    assert size
    window.evaluate(_CLOSE_SIDES)
    window.set_viewport_size({"width": 420, "height": 760})
    approval.scroll_into_view_if_needed()
    look.found += [f"narrow card: {fault}" for fault in faults(approval)]
    approval.get_by_role("button").last.click()
    look.at("dialog.aumos-Decision", "decision-narrow")
    window.keyboard.press("Escape")
    window.set_viewport_size(size)

    application.govern(name, budget="5")
    page.kernel_is("idle")
    window.evaluate("void window.jupyterapp.commands.execute('aumos-governance:run-all-with-price')")
    estimate = look.at(".jp-Dialog-content", "estimate")
    # The amounts and their sum are aligned at the right.
    edges = estimate.locator(".aumos-Price-cost, .aumos-Rows dd").evaluate_all(_RIGHT_EDGES)
    assert len(edges) >= 4
    assert max(edges) - min(edges) <= 1, edges
    window.keyboard.press("Escape")
    expect(window.locator(".jp-Dialog")).to_have_count(0)
    application.request("leave")
    assert not look.found, "\n".join(look.found)


@pytest.fixture(scope="module")
def notebook7(serve: Callable[..., Application]) -> Application:
    return serve("notebook", "--ServerApp.jpserver_extensions=harness.asking=True")


def test_in_notebook_7_and_dark(
    notebook7_page: NotebookPage, notebook7: Application, picture: Callable[[str], None]
) -> None:
    _walk(notebook7_page, notebook7, Look(notebook7_page, picture, "notebook7"), "JupyterLab Dark")


def test_in_german(
    open_page: Callable[[Application], NotebookPage], german: Application, picture: Callable[[str], None]
) -> None:
    page = open_page(german)
    _walk(page, german, Look(page, picture, "german"))
