"""A browser page with a notebook, in JupyterLab or Notebook 7, and what a user does in it."""

from __future__ import annotations

import contextlib
import re
from re import Pattern
from typing import Any

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from .application import Application

PATIENCE_MILLISECONDS = 30_000

_NOTEBOOK = "window.jupyterapp.shell.currentWidget"


class NotebookPage:
    """A page with a notebook in front. Methods that wait fail after 30 seconds."""

    def __init__(self, page: Page, application: Application) -> None:
        self.page = page
        self.application = application
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        expect.set_options(timeout=PATIENCE_MILLISECONDS)

    @property
    def status(self) -> Locator:
        """The status item's button."""
        return self.page.locator(".aumos-StatusItem-button")

    @property
    def popover(self) -> Locator:
        return self.page.get_by_role("dialog", name="Governance", exact=True)

    @property
    def decision(self) -> Locator:
        """The dialog that decides an approval request."""
        return self.page.locator("dialog.aumos-Decision")

    def decide(self, card: Locator, decision: str) -> None:
        """Press a card's button and then the same one in the dialog that it opens, as a user does."""
        card.get_by_role("button", name=f"{decision}…").click()
        button = self.decision.get_by_role("button", name=decision, exact=True)
        # Buttons that have just appeared ignore clicks at first.
        expect(button).to_have_attribute("aria-disabled", "false")
        button.click()

    @property
    def bar(self) -> Locator:
        return self.status.locator(".aumos-BudgetBar")

    def open(self, name: str) -> None:
        """Load the application with a notebook in front, its kernel ready."""
        token = self.application.token
        where = {"lab": f"/lab/tree/{name}?token={token}&reset", "notebook": f"/notebooks/{name}?token={token}"}
        self.page.goto(self.application.url + where[self.application.kind])
        self._ready(name)

    def reload(self) -> None:
        name = self.page.evaluate(f"{_NOTEBOOK}.context.path")
        self.page.reload()
        self._ready(name)

    def open_beside(self, name: str) -> None:
        """Open a further notebook in a tab of its own, in front."""
        self.command("docmanager:open", path=name)
        self.in_front(name)

    def in_front(self, name: str) -> None:
        """Wait until a notebook is in front, its kernel ready."""
        self.page.wait_for_function(
            f"""(name) => {{
              const panel = {_NOTEBOOK};
              return panel?.context?.path === name && panel.sessionContext.isReady && panel.content.model;
            }}""",
            arg=name,
        )
        self.kernel_is("idle")

    def bring_to_front(self, name: str) -> None:
        self.page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab", has_text=name).click()
        self.in_front(name)

    def rename(self, name: str, to: str) -> None:
        """Rename a notebook as the file browser does."""
        self.page.evaluate("([a, b]) => window.jupyterapp.serviceManager.contents.rename(a, b)", [name, to])

    def command(self, name: str, **arguments: Any) -> None:
        """Run a command of the application, to its end."""
        self.page.evaluate(
            "async ([name, args]) => { await window.jupyterapp.commands.execute(name, args); }", [name, arguments]
        )

    def run(self, index: int) -> None:
        """Run one cell to its end."""
        self.page.evaluate(f"(index) => {{ {_NOTEBOOK}.content.activeCellIndex = index; }}", index)
        self.command("notebook:run-cell")

    def begin(self, index: int) -> None:
        """Run one cell, and do not wait for its end."""
        self.page.evaluate(f"(index) => {{ {_NOTEBOOK}.content.activeCellIndex = index; }}", index)
        self.page.evaluate("void window.jupyterapp.commands.execute('notebook:run-cell')")

    def run_cells(self, *indexes: int) -> None:
        """Run some cells, each to its end, one after the other."""
        for index in indexes:
            self.run(index)

    def run_all(self) -> None:
        """Run all cells, to the end or the first error."""
        self.command("notebook:run-all-cells")

    def restart_kernel(self) -> None:
        self.page.evaluate("void window.jupyterapp.commands.execute('notebook:restart-kernel')")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        expect(self.page.locator(".jp-Dialog")).to_have_count(0)
        self.kernel_is("idle")

    def lead(self, key: str, target: Locator) -> None:
        """Move the focus to a control of the panel by its shortcut."""
        for _ in range(3):
            self.page.keyboard.press("Alt+g")
            self.page.keyboard.press(key)
            # JupyterLab forgets the first key after a second, and a busy machine may take longer for the second key.
            with contextlib.suppress(AssertionError):
                expect(target).to_be_focused(timeout=5_000)
                return
        expect(target).to_be_focused()

    def tab_to(self, target: Locator) -> None:
        """Press the Tab key until a control has the focus."""
        expect(target).to_be_visible()
        for _ in range(12):
            self.page.keyboard.press("Tab")
            if target.count() and target.evaluate("(node) => node === document.activeElement"):
                return
        expect(target).to_be_focused()

    def cell(self, index: int) -> Locator:
        # Cells far from view may not be elements of the page, so counting elements would find another cell.
        return self.page.locator(f".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell[data-windowed-list-index='{index}']")

    def output(self, index: int) -> Locator:
        return self.cell(index).locator(".jp-OutputArea-output")

    def kernel_is(self, status: str) -> None:
        """Wait until the kernel of the notebook in front has a status."""
        self.page.wait_for_function(
            f"(status) => {_NOTEBOOK}.sessionContext.kernelDisplayStatus === status", arg=status
        )

    def shows(self, *words: str | Pattern[str]) -> None:
        """Wait until the status item contains all these texts."""
        for word in words:
            expect(self.status).to_contain_text(word)

    def says_off(self) -> None:
        expect(self.status).to_have_text(re.compile(r"^Governance: off$"))

    def colour(self, locator: Locator, name: str = "background-color") -> str:
        """A computed colour, as ``rgb(...)``."""
        colour: str = locator.evaluate("(node, name) => getComputedStyle(node).getPropertyValue(name)", name)
        return colour

    def variable(self, name: str) -> str:
        """Return the colour of a CSS variable of the theme, as ``rgb(...)``."""
        colour: str = self.page.evaluate(
            """(name) => {
              const probe = document.body.appendChild(document.createElement('span'));
              probe.style.color = `var(${name})`;
              const { color } = getComputedStyle(probe);
              probe.remove();
              return color;
            }""",
            name,
        )
        return colour

    def use_theme(self, name: str) -> None:
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_function("(name) => document.body.dataset.jpThemeName === name", arg=name)

    def _ready(self, name: str) -> None:
        self.page.wait_for_function("() => window.jupyterapp")
        self.page.evaluate("async () => { await window.jupyterapp.restored; }")
        try:
            self.in_front(name)
        except PlaywrightTimeoutError:
            # Jupyter gives a new kernel ports that were free a moment before. If another program took one, the
            # kernel dies and is restarted with other ports, but the page keeps waiting: a user restarts it then.
            self.page.evaluate(f"async () => {{ await {_NOTEBOOK}.sessionContext.session.kernel.restart(); }}")
            self.in_front(name)
