from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.application import Application, Kind
from harness.archive import fill
from harness.documents import write_notebook
from harness.pages import NotebookPage
from playwright.sync_api import Page, Playwright

OUTPUT = Path(__file__).parent / "output"
ARCHIVED = "archived.ipynb"

_APPLICATION = pytest.StashKey[Application]()

# What Chromium would otherwise ask the network for by itself.
_QUIET_CHROMIUM = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], playwright: Playwright) -> dict[str, Any]:
    """Take the browser that ``AUMOS_CHROMIUM`` names, else Playwright's own, else the system's."""
    arguments = [*_QUIET_CHROMIUM, *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])]
    launch = {**browser_type_launch_args, "args": arguments}
    named = os.environ.get("AUMOS_CHROMIUM")
    if not named and not Path(playwright.chromium.executable_path).exists():
        named = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return {**launch, "executable_path": named} if named else launch


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1200, "height": 760}, "device_scale_factor": 2}


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Application]]:
    """Start applications that end with the module."""
    started: list[Application] = []

    def start(kind: Kind, *options: str) -> Application:
        application = Application(kind, tmp_path_factory.mktemp(kind), *options)
        started.append(application)
        application.start()
        return application

    yield start
    for application in started:
        application.stop()


@pytest.fixture(scope="module")
def lab(serve: Callable[..., Application]) -> Application:
    """A JupyterLab with governance as it is installed."""
    return serve("lab")


@pytest.fixture(scope="module")
def notebook7(serve: Callable[..., Application]) -> Application:
    """A Notebook 7 with governance as it is installed."""
    return serve("notebook")


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """A JupyterLab in use for long: the notebook `ARCHIVED` has 100,000 records. It asks when it is told to."""
    application = Application(
        "lab", tmp_path_factory.mktemp("archive"), "--ServerApp.jpserver_extensions=harness.asking=True"
    )
    fill(application, write_notebook(application.root / ARCHIVED), 100_000)
    application.start()
    yield application
    application.stop()


@pytest.fixture
def archive_page(open_page: Callable[[Application], NotebookPage], archive: Application) -> NotebookPage:
    return open_page(archive)


@pytest.fixture
def open_page(page: Page, request: pytest.FixtureRequest) -> Iterator[Callable[[Application], NotebookPage]]:
    """Give a page of an application, whose kernels end with the test and whose log a failing test shows."""
    node = request.node

    def give(application: Application) -> NotebookPage:
        node.stash[_APPLICATION] = application
        return NotebookPage(page, application)

    yield give
    if _APPLICATION in node.stash:
        page.goto("about:blank")
        node.stash[_APPLICATION].end_kernels()


@pytest.fixture
def lab_page(open_page: Callable[[Application], NotebookPage], lab: Application) -> NotebookPage:
    return open_page(lab)


@pytest.fixture
def notebook7_page(open_page: Callable[[Application], NotebookPage], notebook7: Application) -> NotebookPage:
    return open_page(notebook7)


@pytest.fixture
def picture(page: Page) -> Callable[[str], None]:
    """Keep a screenshot for people to look at."""

    def take(name: str) -> None:
        page.screenshot(path=OUTPUT / "screenshots" / f"{name}.png", animations="disabled")

    return take


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    application = item.stash.get(_APPLICATION, None)
    if application and report.failed:
        report.sections.append(("Log of the application", application.read_log()[-20_000:]))
        page = getattr(item, "funcargs", {}).get("page")
        if report.when == "call" and page and not page.is_closed():
            page.screenshot(path=OUTPUT / "failed" / f"{item.name}.png")
    return report
