"""The extension in German: it is translated, and its texts fit into their places."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from harness.application import Application
from harness.boxes import faults
from harness.documents import write_notebook
from harness.pages import NotebookPage
from playwright.sync_api import expect

_REPOSITORY = Path(__file__).parents[1]
_CATALOGUE = _REPOSITORY / "aumos_governance" / "locale" / "de_DE" / "LC_MESSAGES" / "aumos_governance.json"
_WORDS = _REPOSITORY / "labextension" / "src" / "audit" / "recordWords.ts"

# By how many pixels the content of a node is wider than the node.
_BEYOND = "(node) => node.scrollWidth - node.clientWidth"
_CLOSE_SIDES = "() => { const { shell } = window.jupyterapp; shell.collapseLeft(); shell.collapseRight(); }"
_LEFT_EDGE = "(node) => node.getBoundingClientRect().left"
# Which of these words would be cut in a cell of the table.
_CUT = """
(cell, words) => {
  const text = cell.querySelector('bdi, .aumos-OneLine');
  const own = text.textContent;
  const cut = words.filter((word) => {
    text.textContent = word;
    return [cell, text].some((node) => node.scrollWidth > node.clientWidth && node.clientWidth > 0);
  });
  text.textContent = own;
  return cut;
}
"""
# By how many pixels a cell reaches beyond the right edge of the table's visible part.
_HIDDEN = """
(cell) => {
  const grid = cell.closest('[role=grid]');
  return cell.getBoundingClientRect().right - grid.getBoundingClientRect().left - grid.clientWidth;
}
"""


def test_the_panel_speaks_german(
    open_page: Callable[[Application], NotebookPage], german: Application, picture: Callable[[str], None]
) -> None:
    page = open_page(german)
    page.open(write_notebook(german.root / "deutsch.ipynb", "%governance --budget 10", "%governance_spend 8.5"))
    page.run_all()
    page.shows("L2 Vorschlagen", "noch 1,50\N{NO-BREAK SPACE}$")
    german.govern("deutsch.ipynb", trust_level=3)
    page.shows("L3 Handeln (mit Genehmigung)")
    page.status.click()
    expect(page.popover).to_be_visible()
    picture("popover-german")
    assert page.popover.locator("dd").first.evaluate(_BEYOND) == 0
    page.page.keyboard.press("Escape")
    page.command("aumos-governance:open-panel")
    panel = page.page.locator("#aumos-governance-panel")
    expect(panel.get_by_role("button", name="Vertrauensstufe")).to_be_visible()
    expect(panel).to_contain_text("Mindestens 80 % des Budgets sind ausgegeben.")
    panel.get_by_role("button", name="Budget bearbeiten").click()
    expect(panel.get_by_role("button", name="Auf 10,00\N{NO-BREAK SPACE}$ setzen")).to_be_visible()
    picture("panel-german")
    expect(panel.locator(".aumos-Chart")).to_have_count(2)
    assert panel.locator(".jp-SidePanel-content").evaluate(_BEYOND) == 0
    panel.get_by_role("button", name="Abbrechen").click()
    page.page.locator(".lm-MenuBar-itemLabel", has_text="Kernel").click()
    page.page.locator(".lm-Menu-itemLabel", has_text="Governance").hover()
    expect(page.page.get_by_role("menuitem", name="Vertrauensstufe ändern…")).to_be_visible()
    picture("menu-german")
    page.page.keyboard.press("Escape")
    page.page.keyboard.press("Escape")
    page.page.evaluate("() => void window.jupyterapp.commands.execute('settingeditor:open', { query: 'Governance' })")
    editor = page.page.locator(".jp-SettingsPanel")
    # JupyterLab loads the schema again after each change; it must still be translated then.
    editor.get_by_label("Eintrag in der Statusleiste anzeigen").uncheck()
    expect(page.status).to_be_hidden()
    editor.get_by_label("Seitenleiste anzeigen").uncheck()
    expect(panel).to_have_count(0)
    editor.get_by_label("Seitenleiste anzeigen").check()
    expect(panel).to_have_count(1)
    expect(editor).to_contain_text("Pro Sitzung einmal für jede Warnmarke.")
    expect(editor).to_contain_text("Vertrauensstufe und verbleibendes Budget")
    expect(editor).not_to_contain_text("Notify me")
    picture("settings-german")
    page.command("aumos-governance:open-audit")
    expect(page.page.locator(".aumos-AuditView-count")).not_to_have_text("")
    # In the browser's own language, the time would end in AM or PM.
    expect(page.page.locator(".aumos-AuditTable-body [role=gridcell]").first).to_have_text(
        re.compile(r"(^|, )\d\d:\d\d:\d\d$")
    )
    picture("audit-german")
    row = page.page.locator(".aumos-AuditTable-body > .aumos-AuditTable-row").first
    for width in (1440, 900, 700, 400):
        page.page.set_viewport_size({"width": width, "height": 760})
        for column, words in ((1, _words_of("eventWord")), (2, [*_words_of("outcomeWord"), "Zurückgezogen"])):
            assert len(words) > 4
            assert row.locator("[role=gridcell]").nth(column).evaluate(_CUT, words) == []
    # Even in the narrowest window, the outcome is in view without scrolling sideways, below its title.
    page.page.evaluate(_CLOSE_SIDES)
    outcome = row.locator("[role=gridcell]").nth(2)
    assert outcome.evaluate(_HIDDEN) <= 0
    title = page.page.locator(".aumos-AuditTable-head [role=columnheader]").nth(2)
    assert title.evaluate(_LEFT_EDGE) == outcome.evaluate(_LEFT_EDGE)
    picture("audit-german-narrow")
    tab = page.page.locator(".aumos-AuditView")
    for width in (1440, 1200, 1000):
        page.page.set_viewport_size({"width": width, "height": 760})
        assert faults(tab) == []
        # The selected option must be readable beside the arrow, which takes 20 pixels.
        assert min(box["width"] for one in tab.locator("select").all() if (box := one.bounding_box())) >= 120


def _words_of(function: str) -> list[str]:
    """Return the words in both languages that a function of ``recordWords.ts`` can return."""
    german = json.loads(_CATALOGUE.read_text(encoding="utf-8"))
    _, source = _WORDS.read_text(encoding="utf-8").split(f"function {function}(")
    english = re.findall(r"trans\.__\('([^']+)'\)", source.split("\n}\n")[0])
    return [*english, *(german[word][0] for word in english)]
