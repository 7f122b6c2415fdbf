"""The most frequent tasks of a user take at most three presses, with the panel closed and a notebook in front."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from harness.application import Application
from harness.documents import write_notebook
from harness.pages import NotebookPage
from harness.presses import Presses
from playwright.sync_api import expect

_MOST = 3
_CLOSE_SIDES = "() => { const { shell } = window.jupyterapp; shell.collapseLeft(); shell.collapseRight(); }"
_CONFIGURATION = """\
c.GovernanceExtension.providers = {"ollama": {"base_url": "http://127.0.0.1:9/v1"}}
"""
_MAIL = '%%governed --tool mail --cost 0.02\nprint("sent")'


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    application = Application("lab", tmp_path_factory.mktemp("presses"), configuration=_CONFIGURATION)
    application.start()
    yield application
    application.stop()


def test_a_users_usual_tasks_take_three_presses_at_most(lab_page: NotebookPage, lab: Application) -> None:
    name = write_notebook(lab.root / "usual.ipynb", _MAIL, "%governance_spend 50 --tool costly")
    page, window = lab_page, lab_page.page
    page.open(name)
    user = Presses(window)
    panel = window.locator("#aumos-governance-panel")
    tab = window.locator(".lm-TabBar-tab[title^=Governance]")
    card = page.cell(1).locator(".aumos-WaitingCell .aumos-Card")

    def close() -> None:
        window.keyboard.press("Escape")
        expect(page.popover).to_have_count(0)
        window.evaluate(_CLOSE_SIDES)
        expect(panel).to_be_hidden()

    close()
    with user.task("start governing"):
        page.status.click()
        page.popover.get_by_role("button", name="Start governing").click()
        page.shows("L2 Suggest", "$10.00 left")
    close()
    with user.task("see what is spent and left"):
        page.status.click()
        expect(page.popover).to_contain_text("$10.00")
    close()
    with user.task("raise the budget"):
        tab.click()
        panel.get_by_role("button", name="Edit the budget").click()
        window.keyboard.type("12")
        panel.get_by_role("button", name="Raise to $12.00").click()
        page.shows("$12.00 left")
    close()
    lab.govern(name, trust_level=3)
    page.shows("L3 Act")
    with user.task("approve a call that waits"):
        page.begin(1)
        page.decide(card, "Approve")
        expect(page.output(1).last).to_contain_text("sent")
    page.kernel_is("idle")
    with user.task("deny a call that waits"):
        page.begin(1)
        page.decide(card, "Deny")
        expect(page.output(1).last).to_contain_text("DENIED")
    page.kernel_is("idle")
    with user.task("estimate before running"):
        window.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
        window.locator(".lm-Menu-itemLabel", has_text="Estimate Cost and Run All Cells…").click()
        expect(window.get_by_role("dialog")).to_contain_text("$50.00")
    window.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(window.get_by_role("dialog")).to_have_count(0)
    with user.task("lower the trust level"):
        tab.click()
        panel.locator(".aumos-Trust-current").click()
        panel.get_by_role("radio", name=re.compile("^L1")).click()
        page.shows("L1 ")
    close()
    with user.task("export the audit record"), window.expect_download():
        tab.click()
        panel.get_by_role("link", name="CSV").click()
    close()
    with user.task("create a key for a program"):
        tab.click()
        panel.get_by_role("button", name="Create key…").click()
        window.keyboard.type("nightly")
        panel.get_by_role("button", name="Create key", exact=True).click()
        expect(page.decision.locator("pre").first).to_contain_text("sk-aumos-")
    page.decision.get_by_role("button", name="Close").click()
    close()
    with user.task("stop the calls of the notebook"):
        tab.click()
        panel.get_by_role("button", name="Stop the calls of this notebook").click()
        expect(panel).to_contain_text("Stopped: 1 key was revoked.")
    close()
    page.run(2)
    expect(page.output(2).last).to_contain_text("DENIED")
    with user.task("look at what was denied today"):
        tab.click()
        panel.get_by_role("button", name="Denied today").click()
        view = window.locator(".aumos-AuditView")
        expect(view.locator(".aumos-AuditTable-body [role=row]").first).to_contain_text("costly")
    with user.task("the same by keys"):
        window.keyboard.press("Alt+g")
        window.keyboard.press("d")
        expect(view.get_by_role("button", name="Denied")).to_have_attribute("aria-pressed", "true")
    print(user.of)
    assert len(user.of) >= 10
    assert {task: count for task, count in user.of.items() if not 0 < count <= _MOST} == {}
