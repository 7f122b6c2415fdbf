"""Thousands of requests in one cell disturb neither the kernel's state nor the user's own output."""

from __future__ import annotations

from harness.application import Application
from harness.documents import write_notebook
from harness.pages import NotebookPage

_REQUESTS = 2_000
_LINES = 500

# The output of the spends is captured, so that only the user's own lines are printed. The cell writes the file when it
# ends, since the page learns of that later.
_CELL = f"""
from IPython.utils.capture import capture_output
shell = get_ipython()
for number in range({_REQUESTS}):
    with capture_output():
        shell.run_line_magic("governance_spend", "0.001 --tool loop")
    if number % {_REQUESTS // _LINES} == 0:
        print("line", number // {_REQUESTS // _LINES})
open("done", "x").close()
"""

# Runs the cell, and returns each kernel status that the page received, and that its indicator showed, until the end.
_RUN = """
(index) => {
  const panel = window.jupyterapp.shell.currentWidget;
  const busy = (window.busy = { statuses: [], shown: [], done: false });
  panel.sessionContext.statusChanged.connect((_, status) => busy.statuses.push(status));
  // The toolbar may draw its indicator anew, so that what is watched is the toolbar.
  const shown = () => panel.toolbar.node.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status;
  new MutationObserver(() => shown() && shown() !== busy.shown.at(-1) && busy.shown.push(shown()))
    .observe(panel.toolbar.node, {
      subtree: true, childList: true, attributes: true, attributeFilter: ['data-status']
    });
  panel.content.activeCellIndex = index;
  window.jupyterapp.commands.execute('notebook:run-cell').then(() => { busy.done = true; });
}
"""


def test_the_kernel_stays_busy_and_all_output_arrives(lab_page: NotebookPage, lab: Application) -> None:
    lab_page.open(write_notebook(lab.root / "busy.ipynb", "%governance --budget 10", _CELL))
    lab_page.run_cells(0, 1)
    page = lab_page.page
    page.evaluate(_RUN, 2)
    lab_page.kernel_is("busy")
    states: list[str] = []
    while True:
        [kernel] = lab.kernels()
        if (lab.root / "done").exists():
            break
        states.append(kernel["execution_state"])
        page.wait_for_timeout(20)
    page.wait_for_function("() => window.busy.done && window.busy.shown.at(-1) === 'idle'")
    lab_page.kernel_is("idle")
    lab_page.shows("$8.00 left")
    seen = page.evaluate("() => window.busy")
    assert len(states) > 10
    assert set(states) == {"busy"}
    assert seen["statuses"] == ["busy", "idle"]
    assert seen["shown"][-2:] == ["busy", "idle"]
    assert seen["shown"][:-2] in ([], ["idle"])
    printed = lab_page.output(2).inner_text().split("\n")
    assert [line for line in printed if line] == [f"line {number}" for number in range(_LINES)]
    assert lab.governance("busy.ipynb")["spent"] == "2"
