"""Makes the pictures in ``docs/images``, by ``pytest ui-tests/pictures.py``; no other run collects it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from harness.application import Application
from harness.documents import write_notebook
from harness.pages import NotebookPage
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image
from playwright.sync_api import Locator, expect

_IMAGES = Path(__file__).parents[1] / "docs" / "images"
_CLIENT = """\
from aumos_governance import govern
from aumos_governance.integrations.fake_provider import fake_openai

client = govern(fake_openai())"""
_CALL = """\
question = {"role": "user", "content": "Summarise the survey in three sentences."}
client.chat.completions.create(model="gpt-4o", messages=[question] * 40, max_tokens=2000).model"""
_MAIL = '%%governed --tool mail --cost 0.02\nto = "team@example.org"\nprint("The summary was sent to", to)'
_PROVIDERS = """\
c.GovernanceExtension.providers = {
    "openai": {"key_env": "CLASS_KEY", "models": ["gpt-5-mini", "gpt-5-nano"]},
    "anthropic": {"key_env": "CLASS_KEY", "denied_models": ["claude-opus-*"]},
}
"""
_LARGE = "%governance_spend 12 --tool gpt-4o-batch"


@pytest.fixture(scope="module")
def lab(serve: Callable[..., Application]) -> Application:
    return serve("lab", "--GovernanceExtension.at_limit=ask")


def _write(lab: Application, name: str) -> str:
    cells = [
        new_markdown_cell("## A governed notebook"),
        *[new_code_cell(source) for source in (_CLIENT, _CALL, _MAIL, _LARGE)],
    ]
    notebook = new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, lab.root / name)
    return name


def _keep(page: NotebookPage, name: str, part: Locator | None = None) -> None:
    """Take a picture of the page, or of a part of it, in both themes."""
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        page.use_theme(theme)
        taken = (part or page.page).screenshot(animations="disabled")
        # With 128 colours the file has a third of the size and looks the same.
        few = Image.open(io.BytesIO(taken)).convert("RGB").quantize(128, dither=Image.Dither.NONE)
        few.save(_IMAGES / f"{name}-{theme.split()[1].lower()}.png", optimize=True)


def test_pictures(lab_page: NotebookPage, lab: Application) -> None:
    name = _write(lab, "survey.ipynb")
    lab.govern(name, trust_level=3, budget="10")
    page = lab_page
    page.open(name)
    page.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    page.command("aumos-governance:open-panel")
    page.run_cells(1, 2)
    page.begin(3)
    card = page.page.locator(".aumos-WaitingCell .aumos-Card")
    expect(card).to_contain_text("Waits for your approval")
    expect(page.page.locator("#aumos-governance-panel .aumos-Chart")).to_have_count(2)
    _keep(page, "jupyterlab")
    page.page.set_viewport_size({"width": 1200, "height": 860})
    _keep(page, "panel")
    page.page.set_viewport_size({"width": 1200, "height": 760})
    page.use_theme("JupyterLab Light")
    page.decide(card, "Approve")
    expect(page.output(3).last).to_contain_text("was sent")
    page.begin(4)
    expect(card).to_contain_text("Waits at the limit")
    card.scroll_into_view_if_needed()
    _keep(page, "at-limit")


@pytest.fixture
def with_gateway(tmp_path: Path) -> Iterator[Application]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLASS_KEY", "sk-class")
        application = Application("lab", tmp_path / "gateway", configuration=_PROVIDERS)
    application.start()
    yield application
    application.stop()


def test_picture_of_the_gateway(with_gateway: Application, open_page: Callable[[Application], NotebookPage]) -> None:
    name = write_notebook(with_gateway.root / "survey.ipynb", "pass")
    with_gateway.govern(name, trust_level=2, budget="5")
    with_gateway.create_key("nightly report")
    page = open_page(with_gateway)
    page.open(name)
    page.command("aumos-governance:go-to-keys")
    section = page.page.locator("#aumos-governance-panel [data-section=gateway]")
    expect(section.locator(".aumos-Stop")).to_be_visible()
    _keep(page, "gateway", section)
