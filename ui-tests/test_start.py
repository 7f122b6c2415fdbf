"""From an empty notebook to a governed call: at most three presses, and no code but the call."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from harness.application import Application
from harness.pages import NotebookPage
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Locator, expect

_CALL = """\
from aumos_governance import govern
from aumos_governance.integrations.fake_provider import fake_openai
client = govern(fake_openai())
client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}], max_tokens=20).model"""
_PANEL = "#aumos-governance-panel"
_BEYOND = "(node) => node.scrollWidth - node.clientWidth"


def _example(page: NotebookPage, name: str) -> None:
    """Run the command that opens an example, and wait for its tab."""
    page.page.evaluate(
        "(name) => window.jupyterapp.commands.execute('aumos-governance:open-example', { name, cwd: '' })", name
    )


def _notebook(path: Path, *cells: str) -> str:
    """A notebook whose cells have no line about governance."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    return path.name


class Presses:
    """Counts what the user presses."""

    count = 0

    def press(self, control: Locator) -> None:
        control.click()
        self.count += 1


def test_two_presses_and_the_call(lab_page: NotebookPage, lab: Application) -> None:
    """The status item, its Start button, and running the cell: the default trust level and budget need no press."""
    name, user = _notebook(lab.root / "empty.ipynb", _CALL, "%governance_status"), Presses()
    lab_page.open(name)
    lab_page.says_off()
    user.press(lab_page.status)
    expect(lab_page.popover).to_contain_text("Governance is off")
    user.press(lab_page.popover.get_by_role("button", name="Start governing"))
    lab_page.shows("L2 Suggest", "$10.00 left")
    lab_page.run(0)
    expect(lab_page.output(0)).to_contain_text("gpt-4o")
    lab_page.shows(re.compile(r"\$9\.99\d* left"))
    assert user.count <= 3
    assert lab.governance(name)["set_by"] not in ("kernel", "server", None)
    # Governance and magics are also there after a restart of the kernel.
    lab_page.restart_kernel()
    lab_page.run(0)
    expect(lab_page.output(0)).to_contain_text("gpt-4o")
    lab_page.shows(re.compile(r"\$9\.99\d* left"))
    lab_page.run(1)
    expect(lab_page.output(1)).to_contain_text("L2 (Suggest)")


@pytest.fixture
def panel(lab_page: NotebookPage) -> Locator:
    return lab_page.page.locator(_PANEL)


def test_the_panel_starts_with_what_the_user_chooses(lab_page: NotebookPage, lab: Application, panel: Locator) -> None:
    """By keyboard alone."""
    name = _notebook(lab.root / "chosen.ipynb", "1")
    lab_page.open(name)
    page = lab_page.page
    lab_page.cell(0).click()
    lab_page.lead("p", panel.get_by_role("button", name="Start", exact=True))
    page.keyboard.press("Tab")
    expect(panel.get_by_label("Trust level")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("2.50")
    page.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Start governing")).to_be_focused()
    page.keyboard.press("Enter")
    lab_page.shows("L3 Act (Approval Required)", "$2.50 left")
    expect(panel.locator("[data-section=start]")).to_have_count(0)
    state = lab.governance(name)
    assert (state["trust_level"], state["budget"]) == (3, "2.5")


def test_a_script_starts_nothing(lab_page: NotebookPage, lab: Application, panel: Locator) -> None:
    name = _notebook(lab.root / "script.ipynb", "1")
    lab_page.open(name)
    lab_page.command("aumos-governance:open-panel")
    button = panel.get_by_role("button", name="Start governing")
    expect(button).to_be_visible()
    button.evaluate("(node) => { node.click(); node.dispatchEvent(new MouseEvent('click', { bubbles: true })); }")
    lab_page.run(0)
    lab_page.says_off()
    assert lab.governance(name)["session_id"] is None


def test_a_running_cell_is_waited_for(lab_page: NotebookPage, lab: Application, panel: Locator) -> None:
    """The magics are loaded after the running cell, even if it fails, which makes the kernel drop queued requests."""
    gate = lab.root / "gate"
    waits = f"import os, time\nwhile not os.path.exists({str(gate)!r}):\n    time.sleep(0.05)\n1 / 0"
    name = _notebook(lab.root / "busy.ipynb", waits, "get_ipython().find_line_magic('governance') is not None")
    lab_page.open(name)
    lab_page.command("aumos-governance:open-panel")
    lab_page.begin(0)
    lab_page.kernel_is("busy")
    panel.get_by_role("button", name="Start governing").click()
    lab_page.shows("$10.00 left")
    expect(panel).to_contain_text("The governance magics are loaded when it has ended.")
    gate.touch()
    expect(panel.locator("[data-section=start]")).to_have_count(0)
    lab_page.run(1)
    expect(lab_page.output(1)).to_have_text("True")
    expect(lab_page.cell(1).locator(".jp-InputPrompt")).to_have_text("[2]:")


def test_a_kernel_without_the_package_is_shown_what_to_install(
    lab_page: NotebookPage, lab: Application, panel: Locator, picture: Callable[[str], None]
) -> None:
    hide, show = "import sys; sys.modules['aumos_governance'] = None", "del sys.modules['aumos_governance']"
    lab_page.open(_notebook(lab.root / "without.ipynb", hide, show, "%governance_status"))
    lab_page.run(0)
    lab_page.command("aumos-governance:open-panel")
    # The command is shown before governance is started, and also afterwards.
    expect(panel).to_contain_text("This kernel cannot import aumos_governance. Run this in a cell first:")
    expect(panel).to_contain_text(re.compile(r"%pip install aumos-governance==\d"))
    picture("start-missing-before")
    panel.get_by_role("button", name="Start governing").click()
    expect(panel.get_by_role("button", name="Try again")).to_be_visible()
    expect(panel).to_contain_text(re.compile(r"%pip install aumos-governance==\d"))
    picture("start-missing")
    lab_page.run(1)
    panel.get_by_role("button", name="Try again").click()
    expect(panel.locator("[data-section=start]")).to_have_count(0)
    lab_page.run(2)
    expect(lab_page.output(2)).to_contain_text("L2 (Suggest)")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_what_an_ungoverned_notebook_shows(
    lab_page: NotebookPage, lab: Application, panel: Locator, picture: Callable[[str], None], theme: str
) -> None:
    shade = theme.split()[1].lower()
    lab_page.open(_notebook(lab.root / f"look-{shade}.ipynb", "1"))
    lab_page.use_theme(theme)
    lab_page.command("aumos-governance:open-panel")
    expect(panel.get_by_role("button", name="Start governing")).to_be_visible()
    picture(f"start-panel-{shade}")
    assert panel.locator(".jp-SidePanel-content").evaluate(_BEYOND) == 0
    found = Axe().run(lab_page.page, context=_PANEL).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    # The least width of the side bar.
    panel.evaluate("(node) => { node.style.width = '250px'; node.style.maxWidth = '250px'; }")
    picture(f"start-panel-narrow-{shade}")
    assert panel.locator(".jp-SidePanel-content").evaluate(_BEYOND) == 0
    panel.evaluate("(node) => { node.style.width = ''; node.style.maxWidth = ''; }")
    lab_page.status.click()
    expect(lab_page.popover.get_by_role("button", name="Start governing")).to_be_visible()
    picture(f"start-popover-{shade}")
    found = Axe().run(lab_page.page, context=".aumos-Popover").response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    lab_page.page.keyboard.press("Escape")
    lab_page.use_theme("JupyterLab Light")


def test_an_example_is_copied_and_opened(lab_page: NotebookPage, lab: Application, panel: Locator) -> None:
    (lab.root / "folder").mkdir()
    _notebook(lab.root / "folder" / "mine.ipynb", "1")
    (lab.root / "folder" / "governed-notebook.ipynb").write_text("mine")
    page = lab_page.page
    lab_page.open("folder/mine.ipynb")
    lab_page.command("aumos-governance:open-panel")
    panel.get_by_role("button", name="Governed notebook").click()
    lab_page.in_front("folder/governed-notebook-1.ipynb")
    assert (lab.root / "folder" / "governed-notebook.ipynb").read_text() == "mine"
    page.locator(".lm-MenuBar-itemLabel", has_text="Help").click()
    page.locator(".lm-Menu-itemLabel", has_text="Open Example: Governed Calls").click()
    page.wait_for_function("() => /governed-calls/.test(window.jupyterapp.shell.currentWidget?.context?.path)")
    lab_page.command("launcher:create", cwd="folder")
    card = page.locator(".jp-LauncherCard", has_text="Governed notebook")
    expect(card).to_have_attribute("title", "Copy a governance example into this folder")
    card.click()
    lab_page.in_front("folder/governed-notebook-2.ipynb")


def test_the_first_example_ends_governed(lab_page: NotebookPage, lab: Application, panel: Locator) -> None:
    """The exercise at its end works as well: the denied call fits once a user has raised the budget."""
    _notebook(lab.root / "first.ipynb", "1")
    lab_page.open("first.ipynb")
    _example(lab_page, "governed-notebook")
    lab_page.in_front("governed-notebook.ipynb")
    lab_page.run_all()
    lab_page.shows("L2 Suggest", "$0.748 left")
    assert lab.governance("governed-notebook.ipynb")["active"] is True
    lab_page.command("aumos-governance:go-to-budget")
    panel.get_by_role("button", name="Edit the budget").click()
    panel.get_by_role("textbox", name="Budget in dollars").fill("6")
    panel.get_by_role("button", name="Raise to $6.00").click()
    lab_page.shows("$5.748 left")
    cells = nbformat.read(lab.root / "governed-notebook.ipynb", as_version=4).cells
    denied = next(index for index, cell in enumerate(cells) if "5.00" in cell.source and cell.cell_type == "code")
    lab_page.run(denied)
    lab_page.shows("$0.748 left")


def test_notebook_7_starts_it_too(
    notebook7_page: NotebookPage, notebook7: Application, picture: Callable[[str], None]
) -> None:
    name, user = _notebook(notebook7.root / "empty.ipynb", _CALL), Presses()
    notebook7_page.open(name)
    notebook7_page.says_off()
    user.press(notebook7_page.status)
    picture("start-notebook7")
    box, viewport = notebook7_page.popover.bounding_box(), notebook7_page.page.viewport_size
    assert box
    assert viewport
    assert box["x"] + box["width"] <= viewport["width"]
    user.press(notebook7_page.popover.get_by_role("button", name="Start governing"))
    notebook7_page.shows("L2 Suggest", "$10.00 left")
    notebook7_page.run(0)
    expect(notebook7_page.output(0)).to_contain_text("gpt-4o")
    notebook7_page.shows(re.compile(r"\$9\.99\d* left"))
    assert user.count <= 3
    with notebook7_page.page.context.expect_page() as opened:
        notebook7_page.page.locator(".lm-MenuBar-itemLabel", has_text="Help").click()
        notebook7_page.page.locator(".lm-Menu-itemLabel", has_text="Open Example: Governed Notebook").click()
    expect(opened.value).to_have_url(re.compile("governed-notebook"))
    opened.value.close()
