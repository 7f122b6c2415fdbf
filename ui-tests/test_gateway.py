"""The gateway in the panel: the notebook's keys, the Stop button, the user's own keys, and the records of calls."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator

import pytest
from harness.application import Application
from harness.boxes import FAULTS, NARROW, axe_finds_nothing
from harness.documents import write_notebook
from harness.pages import NotebookPage
from harness.provider import Provider
from playwright.sync_api import Locator, expect

# Calls the provider as a client library of any language does: by the variables in its environment.
_CALL = """\
import json, os, urllib.request
def call():
    body = {"model": "gpt-5-mini", "max_completion_tokens": 2000, "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"}
    address = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    request = urllib.request.Request(address, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as response:
            return json.load(response)["choices"][0]["message"]["content"]
    except OSError as error:
        return f"stopped: {type(error).__name__} {getattr(error, 'code', '')}"
"""
_CONFIGURATION = """\
c.GovernanceExtension.providers = {{
    "openai": {{"key": None, "base_url": {url!r}, "provider": "openai", "models": ["gpt-5-mini", "gpt-5-nano"]}},
    "ollama": {{"base_url": {url!r}, "denied_models": ["*-cloud"]}},
}}
"""
_THEMES = ["JupyterLab Light", "JupyterLab Dark"]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with contextlib.closing(Provider()) as provider:
        yield provider


def _configured(application: Application, provider: Provider) -> Application:
    """Start an application whose gateway has the provider, and whose environment has a key of another provider."""
    configuration = application.root.parent / "config" / "jupyter_server_config.py"
    configuration.write_text(_CONFIGURATION.format(url=provider.url))
    application.start()
    return application


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Application]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROQ_API_KEY", "gsk-of-the-user")
        application = Application("lab", tmp_path_factory.mktemp("gateway"), "--ServerApp.terminals_enabled=True")
    yield _configured(application, provider)
    application.stop()


@pytest.fixture
def panel(lab_page: NotebookPage) -> Locator:
    return lab_page.page.locator("#aumos-governance-panel")


def _section(page: NotebookPage) -> Locator:
    """Return the gateway's section of the panel, opened by its command."""
    page.command("aumos-governance:go-to-stop")
    section = page.page.locator("#aumos-governance-panel [data-section=gateway]")
    expect(section.locator(".aumos-Section-title")).to_be_focused()
    return section


def test_a_call_is_charged_and_recorded_with_its_key(
    lab_page: NotebookPage, lab: Application, panel: Locator, picture: Callable[[str], None]
) -> None:
    name = write_notebook(lab.root / "charged.ipynb", "%governance --budget 1", _CALL, "call()")
    lab_page.open(name)
    lab_page.run_all()
    expect(lab_page.output(3)).to_contain_text("A short answer")
    # 1,000 tokens at $0.25 and 500 at $2 a million.
    lab_page.shows("$0.9988 left")
    expect(lab_page.cell(3).locator(".aumos-Receipt")).to_contain_text("$0.00125")
    lab_page.command("aumos-governance:open-panel")
    expect(panel.locator("[data-section=session]")).to_contain_text(re.compile(r"key of a provider.*GROQ_API_KEY"))
    lab_page.command("aumos-governance:open-audit")
    detail = lab_page.page.locator(".aumos-AuditDetail")
    for event, words in {
        "Hold settled": ["gpt-5-mini", "completion_tokens"],
        "Hold": ["Provideropenai", "Keykernel"],
    }.items():
        row = lab_page.page.locator(".aumos-AuditTable-body [role=row]").filter(
            has=lab_page.page.get_by_text(event, exact=True)
        )
        row.first.click()
        for word in [*words, "Requested byKernel"]:
            expect(detail).to_contain_text(word)
    picture("gateway-audit")


def test_stop_ends_the_calls_of_the_notebook(
    lab_page: NotebookPage, lab: Application, provider: Provider, picture: Callable[[str], None]
) -> None:
    name = write_notebook(lab.root / "stopped.ipynb", "%governance --budget 1", _CALL, "call()", "call()")
    lab_page.open(name)
    lab_page.run_cells(0, 1, 2)
    section = _section(lab_page)
    stop = section.get_by_role("button", name="Stop the calls of this notebook")
    expect(section.locator(".aumos-Key-name").first).to_have_text("Kernel")
    while provider.arrived.acquire(blocking=False):
        pass
    provider.responses.clear()
    lab_page.begin(3)
    assert provider.arrived.acquire(timeout=30)
    # A click by a script does nothing.
    stop.evaluate("(node) => { node.click(); node.dispatchEvent(new MouseEvent('click', { bubbles: true })); }")
    lab_page.kernel_is("busy")
    # By keyboard: the command leads to the section, whose first control is the button.
    lab_page.page.locator("#aumos-governance-panel [data-section=gateway] .aumos-Section-title").focus()
    lab_page.page.keyboard.press("Tab")
    expect(stop).to_be_focused()
    lab_page.page.keyboard.press("Enter")
    expect(section).to_contain_text("Stopped: 1 key was revoked.")
    expect(stop).to_have_count(0)
    expect(lab_page.output(3)).to_contain_text("stopped: ")
    provider.responses.set()
    picture("gateway-stopped")
    lab_page.run(4)
    expect(lab_page.output(4)).to_contain_text("stopped: HTTPError 401")
    lab_page.restart_kernel()
    expect(stop).to_be_visible()
    lab_page.run_cells(0, 2, 4)
    expect(lab_page.output(4)).to_contain_text("A short answer")


def test_a_key_is_created_shown_once_and_revoked(
    lab_page: NotebookPage, lab: Application, picture: Callable[[str], None]
) -> None:
    page = lab_page.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    lab_page.open(write_notebook(lab.root / "keys.ipynb", "pass"))
    section = _section(lab_page)
    # By keyboard alone.
    lab_page.tab_to(section.get_by_role("button", name="Create key…"))
    page.keyboard.press("Enter")
    expect(section.get_by_label("Name")).to_be_focused()
    page.keyboard.type("nightly report")
    lab_page.tab_to(section.get_by_label("Trust level"))
    expect(section.get_by_label("Trust level")).to_have_value("1")
    expect(section).to_contain_text("The calls of the program run within the budget.")
    lab_page.tab_to(section.get_by_label("Budget in dollars"))
    page.keyboard.type("2.50")
    create = section.get_by_role("button", name="Create key", exact=True)
    lab_page.tab_to(create)
    # The focus ring has the colour of the button, so it must be drawn around it.
    expect(create).to_have_css("outline-style", "solid")
    expect(create).to_have_css("outline-offset", "2px")
    page.keyboard.press("Enter")
    dialog = page.locator("dialog.aumos-Decision")
    secret = dialog.locator("pre").first
    expect(secret).to_have_text(re.compile(r"^sk-aumos-\S{40,}$"))
    axe_finds_nothing(page, "dialog.aumos-Decision")
    picture("gateway-new-key")
    written = secret.inner_text()
    lab_page.tab_to(dialog.get_by_role("button", name="Copy key"))
    page.keyboard.press("Enter")
    page.wait_for_function("(key) => navigator.clipboard.readText().then((text) => text === key)", arg=written)
    assert page.evaluate("() => navigator.clipboard.readText()") == written
    dialog.get_by_text("Environment variables of a program").click()
    expect(dialog.locator("pre").nth(1)).to_contain_text(f"OPENAI_API_KEY={written}")
    picture("gateway-new-key-variables")
    lab_page.tab_to(dialog.get_by_role("button", name="Close"))
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    assert written not in page.content()
    expect(section).to_contain_text("nightly report")
    state = lab.governance("key:nightly report")
    assert (state["trust_level"], state["budget"]) == (1, "2.5")
    # The key's level and budget are changed like those of a notebook.
    panel = page.locator("#aumos-governance-panel")
    panel.get_by_role("button", name="Show Key nightly report in this panel").click()
    expect(panel.locator(".aumos-Panel-notebook")).to_have_text("Key nightly report")
    expect(panel.locator("[data-section=budget]")).to_contain_text("$2.50")
    panel.get_by_role("button", name="Back").click()
    section.locator(".aumos-Section-title").focus()
    lab_page.tab_to(section.get_by_role("button", name="Revoke key nightly report"))
    page.keyboard.press("Enter")
    expect(section.locator(".aumos-Key-name", has_text="nightly report")).to_have_count(0)
    assert lab.governance("key:nightly report")["active"] is False


def test_a_terminal_is_bound_to_the_notebook(lab_page: NotebookPage, lab: Application) -> None:
    first, second = (write_notebook(lab.root / f"{name}.ipynb", "pass") for name in ("first", "second"))
    lab.govern(first, trust_level=2, budget="1")
    lab.govern(second, trust_level=2, budget="1")
    name = lab.open_terminal()
    lab_page.open(first)
    section = _section(lab_page)
    entry = section.locator(".aumos-Key", has_text=f"Terminal {name}")
    expect(entry).to_contain_text("second.ipynb")
    lab_page.tab_to(entry.get_by_role("button", name="Use for this notebook"))
    lab_page.page.keyboard.press("Enter")
    expect(entry.get_by_role("button")).to_have_count(0)
    expect(section.locator(".aumos-Gateway-part").first).not_to_contain_text("Other terminals")


@pytest.mark.parametrize("theme", _THEMES)
def test_how_it_looks(lab_page: NotebookPage, lab: Application, picture: Callable[[str], None], theme: str) -> None:
    _look(lab_page, lab, picture, theme, "en")


def test_how_it_looks_in_german(
    german: Application,
    provider: Provider,
    open_page: Callable[[Application], NotebookPage],
    picture: Callable[[str], None],
) -> None:
    german.stop()
    _configured(german, provider)
    page = open_page(german)
    _look(page, german, picture, "JupyterLab Light", "de")
    expect(page.page.locator("#aumos-governance-panel")).to_contain_text("Widerruft diese Schlüssel")


def _look(
    page: NotebookPage, application: Application, picture: Callable[[str], None], theme: str, language: str
) -> None:
    """Assert that no text of the section is cut or covered at several widths, and that axe finds no fault."""
    shade = theme.split()[1].lower()
    name = write_notebook(application.root / f"look-{shade}.ipynb", "pass")
    application.govern(name, trust_level=2, budget="1")
    application.create_key(f"Weekly.report_of-the-whole_department-{shade}")
    page.open(name)
    page.use_theme(theme)
    section = _section(page)
    expect(section.locator(".aumos-Stop")).to_be_visible()
    page.page.locator("#aumos-governance-panel [data-section=gateway] .aumos-Actions button").last.click()
    panel = page.page.locator("#aumos-governance-panel")
    for width in (400, 250):
        page.page.evaluate(NARROW, width)
        page.page.evaluate("() => new Promise(requestAnimationFrame)")
        assert panel.evaluate(FAULTS) == []
        section.locator(".aumos-Section-title").scroll_into_view_if_needed()
        section.evaluate("(node) => node.scrollIntoView({ block: 'start' })")
        picture(f"gateway-{language}-{shade}-{width}")
        axe_finds_nothing(page.page, "#aumos-governance-panel [data-section=gateway]")
    warning = panel.locator(".aumos-KernelWarning")
    if language == "en":
        # A key of a provider that the gateway does not have.
        warning.scroll_into_view_if_needed()
        picture(f"gateway-foreign-key-{shade}")
        axe_finds_nothing(page.page, "#aumos-governance-panel [data-section=session]")
    page.use_theme("JupyterLab Light")
