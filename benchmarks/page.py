"""The time from a spend in a notebook until JupyterLab's page shows it, in a real browser.

While the notebook spends quickly, the frame rate of the page is measured as well.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from .results import Results
from .start import _UI_TESTS, page_of

_ITEM = ".aumos-StatusItem-button"
_FAST_SECONDS = 10
_OPEN = "%load_ext aumos_governance.jupyter_extension\n%governance --trust-level 2 --budget 1000"
# Each spend is one dollar, so that the amount left shows which spends the page has received.
_SLOW = """
import json, time
ended = []
for number in range({spends}):
    time.sleep(0.25)
    get_ipython().run_line_magic("governance_spend", "1 --tool slow")
    ended.append(time.time() * 1e3)
with open("ended.json", "w") as out: json.dump(ended, out)
"""
_FAST = """
import contextlib, io
began = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()):
    for number in range(200 * {seconds}):
        get_ipython().run_line_magic("governance_spend", "0.01 --tool fast")
        time.sleep(max(0, began + (number + 1) / 200 - time.perf_counter()))
"""
# The message that is posted within a frame comes after the frame was painted.
_WATCH = """
item => {
  window.seen = []; window.painted = [];
  const now = () => performance.timeOrigin + performance.now();
  new MutationObserver(() => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => window.seen.push([item.innerText, now()]);
    channel.port2.postMessage(0);
  })).observe(item, { subtree: true, childList: true, characterData: true });
  const frame = () => { window.painted.push(now()); requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}
"""


def page(results: Results, folder: Path, spends: int) -> None:
    """Measure JupyterLab with the governance panel open: ``spends`` spends at four a second, then 200 a second.

    Nothing is measured if Playwright or a browser is missing.
    """
    with page_of(folder, "page") as (application, tab):
        if tab is None:
            return
        sys.path.insert(0, str(_UI_TESTS))
        try:
            from harness.documents import write_notebook
            from harness.pages import NotebookPage
        finally:
            sys.path.remove(str(_UI_TESTS))
        fast = _FAST.format(seconds=_FAST_SECONDS)
        name = write_notebook(application.root / "page.ipynb", _OPEN, _SLOW.format(spends=spends), fast)
        opened = NotebookPage(tab, application)
        opened.open(name)
        tab.locator(_ITEM).wait_for()
        tab.locator(_ITEM).evaluate(_WATCH)
        tab.keyboard.press("Escape")
        tab.keyboard.press("Alt+g")
        tab.keyboard.press("p")
        opened.run_all()
        last = f"${1_000 - spends - 2 * _FAST_SECONDS}.00 left"
        _until(tab, last, 60 + spends)
        seen, painted = tab.evaluate("window.seen"), tab.evaluate("window.painted")
        ended = json.loads((application.root / "ended.json").read_text())
    late = [_first(seen, f"${1_000 - number}.00 left") - at for number, at in enumerate(ended, 1)]
    note = f"at most {max(late):.0f}"
    results.add("from a spend to the changed page, p50", statistics.median(late), "ms", 100, note)
    # Without the first and last half second of the fast spends.
    frames = [at for at in painted if 500 < at - ended[-1] < _FAST_SECONDS * 1e3 - 500]
    rate = (len(frames) - 1) / (frames[-1] - frames[0]) * 1e3
    results.add("frames while 200 a second are spent", -rate, "/s", -50, "the more the better")


def _until(tab: Any, text: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while text not in tab.locator(_ITEM).inner_text():
        if time.monotonic() > end:
            raise RuntimeError(f"The page shows {tab.locator(_ITEM).inner_text()!r} instead of {text!r}.")
        with contextlib.suppress(Exception):
            tab.wait_for_timeout(200)


def _first(seen: list[list[Any]], text: str) -> float:
    return float(next(at for shown, at in seen if text in shown))
