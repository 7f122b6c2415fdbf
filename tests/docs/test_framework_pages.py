"""The cells of each page on a framework run against the test endpoint, and print what the page states."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, fences, page_id, run_cells
from tests.integrations.clerk import CALL
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint

# The provider's replies for each page, in their order.
MODELS: dict[str, tuple[Reply, ...]] = {
    "anthropic.md": (),
    "langchain.md": (),
    "openai-agents.md": (CALL,),
    "pydantic-ai.md": (CALL,),
}


# Pages whose code tests/litellm and tests/gateway run.
ELSEWHERE = {"litellm.md", "google.md"}


def pages() -> list[Path]:
    return [page for page in sorted((ROOT / "docs" / "frameworks").glob("*.md")) if page.name not in ELSEWHERE]


def test_each_page_is_run() -> None:
    assert {page.name for page in pages()} == set(MODELS)


@pytest.mark.parametrize("document", pages(), ids=page_id)
def test_the_cells_of_a_page_print_what_it_says(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Endpoint() as endpoint:
        endpoint.script(*MODELS[document.name])
        for provider, url in (("OPENAI", endpoint.openai_url), ("ANTHROPIC", endpoint.anthropic_url)):
            monkeypatch.setenv(f"{provider}_BASE_URL", url)
            monkeypatch.setenv(f"{provider}_API_KEY", "key")
        printed = run_cells([*fences(document, "python"), "%governance_status"], tmp_path).splitlines()
    for text in fences(document, "text"):
        for line in text.splitlines():
            assert line in printed
    # A call was charged, and no hold is open.
    status = next(line for line in printed if line.startswith("Budget: "))
    assert not status.startswith("Budget: $0.00 spent")
    assert not any(line.startswith("Held: ") for line in printed)
