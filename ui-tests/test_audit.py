"""The tab of the audit record: 100,000 records, filters, one record in detail, exports, and verification."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from harness.application import Application
from harness.archive import fill, tamper
from harness.documents import write_notebook
from harness.pages import NotebookPage
from playwright.sync_api import CDPSession, Locator, Page, expect

# Scrolls through the table by ten rows in each frame, and returns the most rows that were in the page at a time.
_FRAMES = 120
_SCROLL = """
async (grid, frames) => {
  let rows = 0;
  for (let count = 0; count < frames; count += 1) {
    grid.scrollTop += 260;
    await new Promise(requestAnimationFrame);
    rows = Math.max(rows, grid.querySelectorAll('[role=row]').length);
  }
  return rows;
}
"""


_ARCHIVED = "archived.ipynb"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """A running JupyterLab in which one notebook has 100,000 audit records."""
    application = Application("lab", tmp_path_factory.mktemp("archive"))
    fill(application, write_notebook(application.root / _ARCHIVED), 100_000)
    application.start()
    yield application
    application.stop()


@pytest.fixture
def archive_page(open_page: Callable[[Application], NotebookPage], archive: Application) -> NotebookPage:
    return open_page(archive)


@pytest.fixture
def tab(archive_page: NotebookPage) -> Locator:
    """The tab of the audit record, with the notebook that has 100,000 records."""
    archive_page.open(_ARCHIVED)
    archive_page.command("aumos-governance:open-audit")
    view = archive_page.page.locator(".aumos-AuditView")
    expect(view.locator(".aumos-AuditView-count")).to_have_text("100,000 records")
    return view


def grid(tab: Locator) -> Locator:
    return tab.get_by_role("grid")


def rows(tab: Locator) -> Locator:
    return tab.locator(".aumos-AuditTable-body [role=row]")


def metric(client: CDPSession, name: str) -> float:
    metrics = client.send("Performance.getMetrics")["metrics"]
    return next(float(metric["value"]) for metric in metrics if metric["name"] == name)


def busy(client: CDPSession) -> float:
    """Return the processor time that the page's main thread has used so far, in seconds."""
    return metric(client, "TaskDuration")


def heap(client: CDPSession) -> float:
    """Return the size of the page's JavaScript heap in MiB."""
    return metric(client, "JSHeapUsedSize") / 2**20


def test_a_hundred_thousand_records_scroll_smoothly(tab: Locator, page: Page, picture: Callable[[str], None]) -> None:
    # A chain of this length is only verified when the user presses the button.
    expect(tab.locator(".aumos-ChainStatus")).to_contain_text("Not verified yet.")
    expect(rows(tab).first).to_contain_text("$0.000001")
    picture("audit-100000")
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable", {"timeDomain": "threadTicks"})
    client.send("HeapProfiler.collectGarbage")
    small = heap(client)
    before = busy(client)
    assert grid(tab).evaluate(_SCROLL, _FRAMES) < 80
    # Processor time of the page's main thread, which does not depend on what else the machine does.
    each = (busy(client) - before) * 1000 / _FRAMES
    print(f"{each:.1f} ms of the main thread for each frame")
    assert each < 16, each
    expect(grid(tab)).not_to_contain_text("…")

    grid(tab).focus()
    page.keyboard.press("End")
    last = tab.locator("[role=row][aria-rowindex='100001']")
    expect(last).to_contain_text("Session started")
    expect(last).to_have_attribute("data-active", "true")
    assert rows(tab).count() < 80
    # All records would take 200 MiB, so only those in view may be in memory.
    client.send("HeapProfiler.collectGarbage")
    grown = heap(client) - small
    print(f"{grown:.1f} MiB more in the page at the end of the list")
    assert grown < 16, grown
    page.keyboard.press("Home")
    expect(tab.locator("[role=row][aria-rowindex='2']")).to_contain_text("$0.000001")


def test_filters_detail_cell_and_keyboard(tab: Locator, page: Page, archive_page: NotebookPage) -> None:
    tab.get_by_label("Outcome").select_option("Denied")
    expect(tab.locator(".aumos-AuditView-count")).to_have_text("1,000 records")
    expect(rows(tab).first).to_contain_text("Would exceed budget")
    tab.get_by_label("Agent").fill("agent-0")
    tab.get_by_label("Text").fill('"number":100000')
    expect(tab.locator(".aumos-AuditView-count")).to_have_text("1 record")
    # The number of records may be shown before their rows.
    expect(rows(tab).first).to_contain_text("agent-0")
    grid(tab).focus()
    page.keyboard.press("Enter")
    detail = page.get_by_role("region", name="Record 100,000")
    for words in ("BUDGET_EXCEEDED", "agent-0", "In [100000]", '"number": 100000'):
        expect(detail).to_contain_text(words)
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(detail).to_have_count(0)
    tab.get_by_role("button", name="Clear").click()
    expect(tab.locator(".aumos-AuditView-count")).to_have_text("100,000 records")
    # In a narrow tab, the fields of times are shown by a button.
    tab.get_by_role("button", name="Times").click()
    tab.get_by_label("From").fill("2999-01-01T00:00:00")
    expect(tab).to_contain_text("No record matches the filters.")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
@pytest.mark.parametrize("panel", [False, True], ids=["wide", "beside-the-panel"])
def test_one_row_of_filters_at_1440_pixels(
    archive_page: NotebookPage, tab: Locator, picture: Callable[[str], None], theme: str, panel: bool
) -> None:
    page = archive_page.page
    page.set_viewport_size({"width": 1440, "height": 900})
    archive_page.use_theme(theme)
    if panel:
        # The left side bar is open as well.
        archive_page.command("aumos-governance:open-panel")
        expect(page.locator("#aumos-governance-panel")).to_be_visible()
    filters = tab.get_by_role("search")
    expect(rows(tab).nth(20)).to_contain_text("$0.000001")
    controls = filters.locator("button, input, select").locator("visible=true")
    boxes = [box for box in (one.bounding_box() for one in controls.all()) if box]
    picture(f"audit-filters-{'beside' if panel else 'wide'}-{theme.split()[1].lower()}")
    assert len(boxes) >= 9
    assert len({box["y"] + box["height"] for box in boxes}) == 1, boxes
    ordered = sorted(boxes, key=lambda box: box["x"])
    for left, right in itertools.pairwise(ordered):
        assert left["x"] + left["width"] <= right["x"]
    around = tab.bounding_box()
    assert around
    assert ordered[-1]["x"] + ordered[-1]["width"] <= around["x"] + around["width"]
    assert min(box["width"] for box in boxes) >= 40
    # No label of a button is cut.
    for button in filters.get_by_role("button").locator("visible=true").all():
        assert button.evaluate("(node) => node.scrollWidth - node.clientWidth") <= 0


def test_presets_and_who_requested_it(archive_page: NotebookPage, archive: Application) -> None:
    name = write_notebook(
        archive.root / "presets.ipynb",
        "%governance --budget 3000",
        "%governance_spend 1500 --tool first",
        "%governance --new --budget 10 --agent agent-7",
        "%governance_spend 1 --tool second",
        "%governance_spend 20 --tool third",
    )
    archive_page.open(name)
    archive_page.run_all()
    archive_page.shows("$9.00 left")
    archive.govern(name, budget="8")
    archive_page.command("aumos-governance:open-audit")
    tab = archive_page.page.locator(".aumos-AuditView")
    expect(rows(tab).filter(has_text="first")).to_contain_text("$1,500.00")
    expect(rows(tab)).to_have_count(7)
    expect(rows(tab).filter(has_text="first")).to_contain_text("Kernel")
    expect(rows(tab).filter(has_text="second")).to_contain_text("Agent agent-7")
    # The last record is the change of the budget, which the test made with the server's token.
    expect(rows(tab).first).to_contain_text("User token")
    for label in ("This session", "Denied"):
        tab.get_by_role("button", name=label).click()
        expect(tab.get_by_role("button", name=label)).to_have_attribute("aria-pressed", "true")
        expect(rows(tab).filter(has_text="first")).to_have_count(0)
    expect(rows(tab)).to_have_count(1)
    expect(rows(tab).first).to_contain_text("third")
    tab.get_by_role("button", name="Clear").click()
    tab.get_by_role("button", name="Today").click()
    expect(rows(tab)).to_have_count(7)


def test_the_panel_and_the_status_item_keep_the_notebook(archive_page: NotebookPage, archive: Application) -> None:
    name = write_notebook(archive.root / "kept.ipynb", "%governance --budget 10", "%governance_spend 2.5")
    archive_page.open(name)
    archive_page.run_all()
    archive_page.command("aumos-governance:open-panel")
    page = archive_page.page
    heading = page.locator("#aumos-governance-panel h2").first
    expect(heading).to_have_text(name)
    archive_page.command("aumos-governance:open-audit")
    expect(rows(page.locator(".aumos-AuditView"))).to_have_count(2)
    expect(heading).to_have_text(name)
    archive_page.shows("$7.50 left")
    # When a tab other than the audit record comes to the front, no notebook is in front.
    archive_page.command("launcher:create")
    expect(heading).to_have_text("No notebook is in front")
    page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab", has_text="Governance audit").click()
    expect(heading).to_have_text(name)


def test_a_user_corrects_a_wrong_entry_and_goes_to_its_cell(
    archive_page: NotebookPage, archive: Application, picture: Callable[[str], None]
) -> None:
    name = write_notebook(
        archive.root / "wrong.ipynb", "%governance --budget 10", "%governance_spend 2.5 --tool gpt-4o"
    )
    archive_page.open(name)
    archive_page.run_all()
    archive_page.shows("$7.50 left")
    archive_page.command("aumos-governance:open-audit")
    page = archive_page.page
    tab = page.locator(".aumos-AuditView")
    expect(rows(tab)).to_have_count(2)
    expect(rows(tab).first).to_contain_text("gpt-4o")
    rows(tab).first.click()
    detail = page.get_by_role("region", name="Record 2")
    detail.get_by_role("button", name="Correct…").click()
    correct = detail.get_by_role("button", name="Correct charge")
    expect(correct).to_have_attribute("aria-disabled", "true")
    detail.get_by_label("Reason").fill("Entered twice")
    detail.get_by_label("Amount to subtract in dollars").fill("3")
    expect(detail).to_contain_text("Enter at most $2.50, the amount of the charge.")
    detail.get_by_label("Amount to subtract in dollars").fill("2")
    picture("audit-correction")
    correct.evaluate("(node) => node.click()")
    assert archive.governance(name)["spent"] == "2.5"
    correct.click()
    expect(detail).to_contain_text("$2.00 subtracted; $0.50 of the charge still counts.")
    assert archive.governance(name)["spent"] == "0.5"
    expect(rows(tab).first).to_contain_text("Correction")
    expect(rows(tab).first).to_contain_text("Entered twice")
    detail.get_by_role("button", name="In [3]").click()
    archive_page.in_front(name)
    page.wait_for_function("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex === 2")


def test_exports_have_the_filtered_records(
    archive_page: NotebookPage, archive: Application, picture: Callable[[str], None]
) -> None:
    evil = '"=HYPERLINK(1)"'
    name = write_notebook(archive.root / "files.ipynb", "%governance", f"%governance_spend 0.5 --tool {evil}")
    archive_page.open(name)
    archive_page.run_all()
    archive_page.command("aumos-governance:open-audit")
    page = archive_page.page
    tab = page.locator(".aumos-AuditView")
    expect(rows(tab)).to_have_count(2)
    tab.get_by_label("Tool").fill("=HYPERLINK(1)")
    expect(rows(tab)).to_have_count(1)
    texts = {}
    for form in ("CSV", "JSON Lines"):
        with page.expect_download() as download:
            tab.get_by_role("link", name=form).click()
        assert re.fullmatch(r"governance-audit-[\d-]+\.(csv|jsonl)", download.value.suggested_filename)
        texts[form] = download.value.path().read_text()
    (row,) = csv.DictReader(io.StringIO(texts["CSV"]))
    # A spreadsheet must not take the text for a formula; JSON has it unchanged.
    assert row["tool"] == "'=HYPERLINK(1)"
    assert json.loads(texts["JSON Lines"])["tool"] == "=HYPERLINK(1)"


def test_axe_finds_nothing(tab: Locator, archive_page: NotebookPage, picture: Callable[[str], None]) -> None:
    expect(rows(tab).nth(3)).not_to_contain_text("…")
    rows(tab).nth(3).click()
    expect(tab.locator(".aumos-AuditDetail")).to_be_visible()
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        archive_page.use_theme(theme)
        picture(f"audit-{theme.split()[1].lower()}")
        found = Axe().run(archive_page.page, context={"include": [[".aumos-AuditView"]]})
        assert found.violations_count == 0, found.generate_report()


def test_a_broken_chain_is_an_alert(tab: Locator, archive: Application, picture: Callable[[str], None]) -> None:
    status = tab.locator(".aumos-ChainStatus")
    status.get_by_role("button", name="Verify", exact=True).click()
    expect(status).to_contain_text("100,000 of 100,000 records verified")
    tamper(archive, 51_234)
    status.get_by_role("button", name="Verify again").click()
    alert = status.get_by_role("alert")
    expect(alert).to_contain_text("The record is broken.")
    expect(alert).to_contain_text("51234")
    picture("audit-broken")
