from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from harness.application import Application, Kind
from harness.documents import GOVERNED, write_notebook
from harness.pages import NotebookPage
from playwright.sync_api import Browser, Page, Playwright, expect

OUTPUT = Path(__file__).parent / "output"

_PAGE = pytest.StashKey[NotebookPage]()

# Switches off Chromium's own use of the network.
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
    # A device scale factor of 1: without a GPU, drawing four times as many pixels at a factor of 2 is slow.
    return {**browser_context_args, "viewport": {"width": 1200, "height": 760}, "device_scale_factor": 1}


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Application]]:
    """Return a function that starts an application, which is stopped after the module's tests."""
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
    """A running JupyterLab with the extension in its default configuration."""
    return serve("lab")


@pytest.fixture(scope="module")
def notebook7(serve: Callable[..., Application]) -> Application:
    """A running Notebook 7 with the extension in its default configuration."""
    return serve("notebook")


_PACK = "jupyterlab_language_pack_de_DE"
_LANGUAGE = "@jupyterlab/translation-extension/plugin.jupyterlab-settings"


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """A running JupyterLab in German, with an empty language pack: only the extension's own texts are translated."""
    folder = tmp_path_factory.mktemp("german")
    package = folder / "packages" / _PACK
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    about = folder / "packages" / f"{_PACK}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {_PACK}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[jupyterlab.languagepack]\nde_DE = {_PACK}\n")
    with pytest.MonkeyPatch.context() as patch:
        former = os.environ.get("PYTHONPATH")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder / "packages"), *([former] if former else [])]))
        application = Application("lab", folder, "--ServerApp.jpserver_extensions=harness.asking=True")
    chosen = folder / "settings" / _LANGUAGE
    chosen.parent.mkdir(parents=True)
    chosen.write_text(json.dumps({"locale": "de_DE"}))
    application.start()
    yield application
    application.stop()


@pytest.fixture
def open_page(page: Page, request: pytest.FixtureRequest) -> Iterator[Callable[[Application], NotebookPage]]:
    """Return a function that opens a page of an application. Its kernels end with the test; a failure shows its log."""
    node = request.node

    def give(application: Application) -> NotebookPage:
        node.stash[_PAGE] = NotebookPage(page, application)
        return node.stash[_PAGE]

    yield give
    if _PAGE in node.stash:
        page.goto("about:blank")
        node.stash[_PAGE].application.end_kernels()


@pytest.fixture(scope="module")
def shared_page(browser: Browser, browser_context_args: dict[str, Any], lab: Application) -> Iterator[NotebookPage]:
    """A page for all tests of a module that leave it unchanged, since loading JupyterLab takes seconds."""
    context = browser.new_context(**browser_context_args)
    yield NotebookPage(context.new_page(), lab)
    context.close()
    lab.end_kernels()


@pytest.fixture(scope="module")
def opened(shared_page: NotebookPage, lab: Application, request: pytest.FixtureRequest) -> NotebookPage:
    """The shared page with a notebook that has spent the test's parameter, in dollars, of a budget of $10.00."""
    cells = "%governance --new --agent agent-7", f"%governance_spend {request.param}"
    shared_page.open(write_notebook(lab.root / GOVERNED, *cells))
    shared_page.run_all()
    shared_page.shows(f"${10 - Decimal(request.param):.2f} left")
    return shared_page


@pytest.fixture
def governed(opened: NotebookPage) -> Iterator[NotebookPage]:
    """The shared page with that notebook; after each test, the popover is closed and the theme is light again."""
    yield opened
    opened.page.keyboard.press("Escape")
    expect(opened.popover).to_have_count(0)
    opened.use_theme("JupyterLab Light")


@pytest.fixture
def lab_page(open_page: Callable[[Application], NotebookPage], lab: Application) -> NotebookPage:
    return open_page(lab)


@pytest.fixture
def notebook7_page(open_page: Callable[[Application], NotebookPage], notebook7: Application) -> NotebookPage:
    return open_page(notebook7)


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return a function that stores a screenshot under a name, for developers to look at."""

    def take(name: str) -> None:
        notebook = _page_of(request.node)
        assert notebook
        notebook.page.screenshot(path=OUTPUT / "screenshots" / f"{name}.png", animations="disabled")

    return take


def _page_of(item: pytest.Item) -> NotebookPage | None:
    """Return the page of a test: its own, or the shared one; None if it has none."""
    shared = (value for value in getattr(item, "funcargs", {}).values() if isinstance(value, NotebookPage))
    return item.stash.get(_PAGE, None) or next(shared, None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    notebook = _page_of(item)
    if notebook and report.failed:
        report.sections.append(("Log of the application", notebook.application.read_log()[-20_000:]))
        if report.when == "call" and not notebook.page.is_closed():
            notebook.page.screenshot(path=OUTPUT / "failed" / f"{item.name}.png")
    return report
