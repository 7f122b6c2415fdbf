"""The status item in JupyterLab shows changes as they happen."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from harness.application import Application
from harness.documents import write_notebook
from harness.pages import NotebookPage
from playwright.sync_api import WebSocketRoute, expect

# Records, by the page's clock, when a text first appears in a cell's output and when in the status item.
_WATCH = """
([index, printed, shown]) => {
  const seen = (window.seen = {});
  const watch = (node, name, words) => {
    const look = () => {
      if (!(name in seen) && node.textContent.includes(words)) {
        seen[name] = performance.now();
      }
    };
    new MutationObserver(look).observe(node, { subtree: true, childList: true, characterData: true });
  };
  const panel = window.jupyterapp.shell.currentWidget;
  watch(panel.content.widgets[index].node, 'printed', printed);
  watch(document.querySelector('.aumos-StatusItem'), 'shown', shown);
}
"""


def test_it_shows_a_spend_within_half_a_second_of_its_print(lab_page: NotebookPage, lab: Application) -> None:
    spends = [f"%governance_spend 0.1 --tool t{number}" for number in range(1, 6)]
    lab_page.open(write_notebook(lab.root / "quick.ipynb", "%governance", *spends))
    lab_page.run_cells(0, 1)
    lab_page.shows("$10.00 left")
    late = []
    for number in range(1, 6):
        left = f"${(100 - number) / 10:.2f}"
        lab_page.page.evaluate(_WATCH, [number + 1, f"({left} remaining)", f"{left} left"])
        lab_page.run(number + 1)
        lab_page.page.wait_for_function("() => 'printed' in window.seen && 'shown' in window.seen")
        late.append(lab_page.page.evaluate("() => window.seen.shown - window.seen.printed"))
    # The median counts, since the whole machine may stall during one of the runs.
    assert sorted(late)[2] < 500, late


def test_a_refused_spend_is_one_sentence_and_stops_run_all(
    lab_page: NotebookPage, lab: Application, picture: Callable[[str], None]
) -> None:
    cells = ("%governance --budget 1", "%governance_spend 1.50 --tool gpt-4o", "print('the paid call')")
    lab_page.open(write_notebook(lab.root / "refused.ipynb", *cells))
    lab_page.run_all()
    expect(lab_page.output(2)).to_have_count(1)
    expect(lab_page.output(2)).to_have_text(re.compile(r"^DENIED: Would exceed budget \(\$1\.50 > \$1\.00\)[^\n]*\n?$"))
    expect(lab_page.cell(2)).not_to_contain_text("Traceback")
    expect(lab_page.output(3)).to_have_count(0)
    lab_page.shows("L2 Suggest", "$1.00 left")
    assert lab.governance("refused.ipynb")["spent"] == "0"
    picture("refused")


def test_it_follows_the_notebook_in_front(lab_page: NotebookPage, lab: Application) -> None:
    write_notebook(lab.root / "one.ipynb", "%governance --budget 1", "%governance_spend 0.25")
    write_notebook(lab.root / "two.ipynb", "%governance --budget 2 --trust-level 1")
    lab_page.open("one.ipynb")
    lab_page.run_all()
    lab_page.shows("L2 Suggest", "$0.75 left")
    lab_page.open_beside("two.ipynb")
    lab_page.says_off()
    lab_page.run_all()
    lab_page.shows("L1 Monitor", "$2.00 left")
    lab_page.bring_to_front("one.ipynb")
    lab_page.shows("L2 Suggest", "$0.75 left")
    lab_page.bring_to_front("two.ipynb")
    lab_page.shows("L1 Monitor", "$2.00 left")
    lab_page.command("launcher:create")
    expect(lab_page.status).to_be_hidden()
    lab_page.bring_to_front("one.ipynb")
    lab_page.shows("L2 Suggest", "$0.75 left")


def test_it_follows_a_rename(lab_page: NotebookPage, lab: Application) -> None:
    lab_page.open(write_notebook(lab.root / "before.ipynb", "%governance", "%governance_spend 0.5"))
    lab_page.run_cells(0, 1)
    lab_page.shows("$10.00 left")
    lab_page.rename("before.ipynb", "after.ipynb")
    lab_page.in_front("after.ipynb")
    lab_page.shows("L2 Suggest", "$10.00 left")
    lab_page.run(2)
    lab_page.shows("$9.50 left")
    assert lab.governance("after.ipynb")["spent"] == "0.5"


def test_its_bar_takes_the_colour_of_how_much_is_used(
    lab_page: NotebookPage, lab: Application, picture: Callable[[str], None]
) -> None:
    steps = [
        ("0.3", 0.3, "--jp-brand-color1"),
        ("0.2", 0.5, "--jp-warn-color2"),
        ("0.3", 0.8, "--jp-warn-color0"),
        ("0.2", 1.0, "--jp-error-color1"),
    ]
    lab_page.page.emulate_media(reduced_motion="reduce")
    spends = [f"%governance_spend {amount}" for amount, _, _ in steps]
    lab_page.open(write_notebook(lab.root / "used.ipynb", "%governance --budget 1", *spends))
    lab_page.run_cells(0, 1)
    filled = lab_page.bar.locator(".aumos-BudgetBar-spent")
    for index, (_, used, variable) in enumerate(steps, 2):
        lab_page.run(index)
        lab_page.shows(f"${1 - used:.2f} left")
        expect(filled).to_have_css("background-color", lab_page.variable(variable))
        whole, part = lab_page.bar.bounding_box(), filled.bounding_box()
        assert whole
        assert part
        assert part["width"] / whole["width"] == pytest.approx(used, abs=0.05)
        picture(f"spent-{used}")


def test_it_catches_up_with_what_happened_while_its_channel_was_closed(
    lab_page: NotebookPage, lab: Application
) -> None:
    sockets: list[WebSocketRoute] = []
    closed = False

    def on_socket(socket: WebSocketRoute) -> None:
        if closed:
            socket.close(code=1013)
        else:
            sockets.append(socket)
            socket.connect_to_server()

    # Only the connection of the events is closed, as a proxy closes an idle one; the kernel's stays open.
    lab_page.page.route_web_socket(re.compile("/api/events/subscribe"), on_socket)
    lab_page.open(write_notebook(lab.root / "gap.ipynb", "%governance"))
    lab_page.run_all()
    lab_page.shows("$10.00 left")
    closed = True
    for socket in sockets:
        socket.close(code=1001)
    expect(lab_page.status).to_have_attribute("data-connection", "interrupted")
    lab.govern("gap.ipynb", budget="4")
    closed = False
    lab_page.shows("$4.00 left")
    expect(lab_page.status).to_have_attribute("data-connection", "live")


def test_it_shows_when_the_server_is_gone_and_recovers(
    open_page: Callable[[Application], NotebookPage], serve: Callable[..., Application], picture: Callable[[str], None]
) -> None:
    application = serve("lab")
    page = open_page(application)
    page.open(write_notebook(application.root / "gone.ipynb", "%governance", "%governance_spend 1.25"))
    page.run_all()
    page.shows("$8.75 left")
    application.stop()
    expect(page.status).to_have_text("Governance: unreachable")
    expect(page.status).to_have_attribute("title", re.compile(r"\$8\.75"))
    picture("unreachable")
    application.start()
    # JupyterLab's back-off grows with the outage, up to half a minute.
    expect(page.status).to_contain_text("$8.75 left", timeout=60_000)
    page.shows("L2 Suggest", "$8.75 left")
    expect(page.status).to_have_attribute("data-connection", "live")
