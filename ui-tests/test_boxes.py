"""No text overlaps another or is cut, measured by the boxes of all texts, for several amounts, widths and languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness.application import Application
from harness.boxes import FAULTS, NARROW, TEXT
from harness.documents import write_notebook
from harness.pages import NotebookPage
from playwright.sync_api import expect

# Budget, spent, held.
_AMOUNTS = [
    ("10", "0.05", "0"),
    ("20000", "13580.2378912", "1200.0000004"),
    ("999999999.99", "888888888.888888888", "99999999.999999999"),
    ("0.00001", "0.000001234", "0.000000001"),
]


@pytest.fixture(scope="module")
def lab(serve: Callable[..., Application]) -> Application:
    return serve("lab", "--ServerApp.jpserver_extensions=harness.asking=True")


def _measure(application: Application, page: NotebookPage, picture: Callable[[str], None], language: str) -> None:
    found: list[str] = []
    panel = page.page.locator("#aumos-governance-panel")
    for number, (budget, spent, held) in enumerate(_AMOUNTS):
        name = write_notebook(application.root / f"boxes-{number}.ipynb", "pass")
        application.govern(name, trust_level=3, budget=budget)
        application.request("spend", notebook=name, tool="gpt-4o-2026-audio-preview", amount=spent)
        application.request("hold", notebook=name, tool="claude", amount=held)
        application.request("approval", notebook=name, tool="mail", amount=spent, shown={"arguments": {"to": "all"}})
        page.open(name)
        page.command("aumos-governance:open-panel")
        expect(panel.locator(".aumos-Chart")).to_have_count(2)
        expect(panel.locator("[data-section=holds] .aumos-Money")).not_to_have_count(0)
        for width, factor in ((250, 1), (250, 2), (400, 1)):
            page.page.evaluate(NARROW, width)
            page.page.evaluate(TEXT, factor)
            page.page.evaluate("() => new Promise(requestAnimationFrame)")
            faults = panel.evaluate(FAULTS)
            # If the text is large, the name of the level, before the dot, may be cut, but not the figure.
            faults += [one for one in page.status.evaluate(FAULTS) if factor == 1 or "\N{MIDDLE DOT}" not in one]
            if number == 1:
                picture(f"boxes-{language}-{width}-{factor}")
            found += [f"{budget} at {width} px, text {factor}: {fault}" for fault in faults]
        page.page.evaluate(TEXT, 1)
    assert not found


def test_no_figure_is_cut_or_covered(lab: Application, lab_page: NotebookPage, picture: Callable[[str], None]) -> None:
    _measure(lab, lab_page, picture, "en")


def test_no_figure_is_cut_or_covered_in_german(
    german: Application, open_page: Callable[[Application], NotebookPage], picture: Callable[[str], None]
) -> None:
    _measure(german, open_page(german), picture, "de")
