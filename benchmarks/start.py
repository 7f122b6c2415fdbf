"""The time that the extension adds to the loading of JupyterLab's page, in a real browser with a warm cache."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from .results import Results

_UI_TESTS = Path(__file__).resolve().parents[1] / "ui-tests"
_EXTENSION = "aumos-governance"
_BUNDLE = Path(__file__).resolve().parents[1] / "aumos_governance" / "labextension" / "static"
# The time for work that belongs to the start though it comes after it: deferred plugins and the first rendering.
_SETTLE_MILLISECONDS = 500

# JupyterLab sets `window.jupyterapp` before the application starts.
_WATCH = """
Object.defineProperty(window, 'jupyterapp', {
  configurable: true,
  set(app) {
    Object.defineProperty(window, 'jupyterapp', { value: app });
    app.restored.then(() => { window.restoredAt = performance.now(); });
  }
});
"""
_IDLE_AT = """
() => {
  const panel = window.restoredAt && window.jupyterapp.shell.currentWidget;
  return panel?.sessionContext?.isReady && panel.sessionContext.kernelDisplayStatus === 'idle' && performance.now();
}
"""


@dataclass(frozen=True)
class Load:
    """The figures of one load of JupyterLab's page. All times are in milliseconds."""

    restored: float
    """The time from the navigation until JupyterLab has restored its layout."""
    idle: float
    """The time from the navigation until the notebook's kernel is idle, so that the notebook can be used."""
    busy: float
    """The CPU time of the page's main thread during the load."""


def start(results: Results, folder: Path, pairs: int) -> None:
    """Measure ``pairs`` loads of JupyterLab's page with the extension, and as many without it, in turn.

    The page shows a notebook whose kernel runs already. Raises RuntimeError if the extension's bundle is a development
    build, which is larger than the wheel's and has source maps.
    """
    if any(_BUNDLE.glob("*.map")):
        raise RuntimeError("The bundle is a development build: run `npm run build:prod` in labextension/ first.")
    with page_of(folder, "start") as (application, page):
        if page is None:
            return
        page.add_init_script(_WATCH)
        loads: dict[bool, list[Load]] = {True: [], False: []}
        # The first load of each is not counted, since it starts the kernel or fills the cache.
        for number in range(pairs + 1):
            # The order alternates, since the second load is slowed by the clean-up of the first.
            for enabled in (True, False) if number % 2 else (False, True):
                _enable(folder, enabled)
                load = _load(application, page, enabled)
                if number:
                    loads[enabled].append(load)
    for field, name, limit in zip(
        fields(Load),
        ("JupyterLab restored, later by", "  its notebook ready, later by", "  main thread busier by"),
        (50, None, None),
        strict=True,
    ):
        with_it, without = ([getattr(load, field.name) for load in loads[enabled]] for enabled in (True, False))
        extra = [governed - bare for governed, bare in zip(with_it, without, strict=True)]
        spread = statistics.stdev(extra) / len(extra) ** 0.5 if len(extra) > 1 else float("nan")
        # Other load on the machine only adds time, so the faster half of the loads is the most accurate.
        halves = [statistics.mean(sorted(values)[: (len(values) + 1) // 2]) for values in (with_it, without)]
        note = f"faster halves of {len(extra)} each: {halves[0]:.0f} and {halves[1]:.0f}"
        note += f"; in pairs {statistics.mean(extra):.0f} +- {spread:.0f}"
        results.add(name, halves[0] - halves[1], "ms", limit, note)


@contextlib.contextmanager
def page_of(folder: Path, suite: str) -> Iterator[tuple[Any, Any]]:
    """Run a JupyterLab server and a browser, and end both when the context is left.

    Yields the server's application and a new page of the browser, or None for both if Playwright or a browser is
    missing; a message then names the benchmark ``suite``, which is left out.
    """
    if importlib.util.find_spec("playwright") is None:
        print(f"{suite}: left out, since Playwright is not installed", flush=True)
        yield None, None
        return
    from playwright.sync_api import Error, sync_playwright

    sys.path.insert(0, str(_UI_TESTS))
    try:
        from harness.application import Application
        from harness.documents import write_notebook
    finally:
        sys.path.remove(str(_UI_TESTS))
    with sync_playwright() as playwright, contextlib.ExitStack() as stack:
        own = playwright.chromium.executable_path
        names = ("chromium", "chromium-browser", "google-chrome")
        path = os.environ.get("AUMOS_CHROMIUM") or next(
            filter(None, [own if Path(own).exists() else None, *map(shutil.which, names)]), None
        )
        as_root = hasattr(os, "geteuid") and os.geteuid() == 0
        arguments = ["--disable-gpu", "--disable-background-networking", "--no-first-run"]
        try:
            browser = playwright.chromium.launch(
                executable_path=path, args=[*arguments, *(["--no-sandbox"] if as_root else [])]
            )
        except Error:
            print(f"{suite}: left out, since no browser was found; set AUMOS_CHROMIUM to the path of one", flush=True)
            yield None, None
            return
        stack.callback(browser.close)
        folder.mkdir(parents=True, exist_ok=True)
        application = Application("lab", folder)
        write_notebook(application.root / "start.ipynb", "1")
        stack.callback(application.stop)
        application.start()
        page = browser.new_page(viewport={"width": 1200, "height": 760})
        yield application, page


def _enable(folder: Path, enabled: bool) -> None:
    """Enable or disable the extension by the file that ``jupyter labextension`` writes.

    The server reads the file at each load of the page, so it need not be restarted.
    """
    file = folder / "config" / "labconfig" / "page_config.json"
    config = json.loads(file.read_text())
    config["disabledExtensions"][_EXTENSION] = not enabled
    file.write_text(json.dumps(config))


def _load(application: Any, page: Any, enabled: bool) -> Load:
    # On the same site, so that all loads use one process of the browser, without the garbage of the previous load.
    page.goto(f"{application.url}/api")
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    # Time in which the thread runs, without that in which it waits for a processor.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = _busy(session)
    page.goto(f"{application.url}/lab/tree/start.ipynb?token={application.token}&reset", wait_until="commit")
    idle = page.wait_for_function(_IDLE_AT, timeout=60_000).json_value()
    page.wait_for_timeout(_SETTLE_MILLISECONDS)
    busy = _busy(session) - before
    session.detach()
    has_it = page.evaluate(f"window.jupyterapp.hasPlugin('{_EXTENSION}:model')")
    if has_it is not enabled:
        raise RuntimeError(f"The extension could not be {'enabled' if enabled else 'disabled'}.")
    return Load(page.evaluate("window.restoredAt"), idle, busy * 1e3)


def _busy(session: Any) -> float:
    """Return the CPU time of the page's main thread so far, in seconds."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))
