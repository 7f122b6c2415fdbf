"""The links of the README and of the pages under docs/ lead somewhere, and their code runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, fences, page_id, run_cells

# A commit must still pass when its locked prices have become old. The words differ from those in tests/conftest.py,
# since Python drops an option that PYTHONWARNINGS also has, and "error" would then come after it.
OLD_PRICES = "ignore:The models' prices"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")


# The pages on frameworks need a provider, and have a test of their own.
RUN_HERE = [page for page in PAGES if page.parent.name != "frameworks"]


@pytest.mark.parametrize("document", PAGES, ids=page_id)
def test_links_lead_to_files(document: Path) -> None:
    for target in LINK.findall(document.read_text()):
        assert (document.parent / target).exists(), f"{page_id(document)} links to {target}, which does not exist"


def test_make_targets_named_in_the_pages_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"(?:`|^)make ([a-z]+)\b", page.read_text(), re.MULTILINE)}
    assert {"lab", "test", "help"} <= named <= targets


def notebook_pages() -> list[Path]:
    return [page for page in RUN_HERE if any(text.lstrip().startswith("%load_ext") for text in fences(page, "python"))]


@pytest.mark.parametrize("document", notebook_pages(), ids=page_id)
def test_the_code_of_a_page_runs_from_top_to_bottom(document: Path, tmp_path: Path) -> None:
    cells = [text for text in fences(document, "python") if not text.startswith("c.")]
    run_cells(cells, tmp_path)


def program_pages() -> list[Path]:
    pages = [page for page in RUN_HERE if page not in notebook_pages()]
    return [page for page in pages if any("from aumos_governance import" in text for text in fences(page, "python"))]


@pytest.mark.parametrize("document", program_pages(), ids=page_id)
def test_the_programs_of_a_page_run_from_top_to_bottom(document: Path, tmp_path: Path) -> None:
    program = "\n".join(fences(document, "python"))
    result = subprocess.run(
        [sys.executable, "-W", "error", "-W", OLD_PRICES, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_getting_started_prints_what_it_shows(tmp_path: Path) -> None:
    page = ROOT / "docs" / "getting-started.md"
    *printed_by_cells, denial = (text.strip() for text in fences(page, "text"))
    cells = [text for text in fences(page, "python") if not text.startswith("c.")]
    printed = run_cells(cells, tmp_path).splitlines()
    assert len(printed_by_cells) == 2
    for line in printed_by_cells:
        assert line in printed
    # The page shows the denial of JupyterLab, whose advice is to use the panel.
    denied = run_cells([*cells[:2], "%governance_spend 10 --tool gpt-4o --no-raise"], tmp_path / "second")
    reason, _, advice = denial.partition("; raise the budget")
    assert f"{reason}; raise the budget with %governance --budget, or lower the request." in denied.splitlines()
    assert advice == " in the Governance panel, or lower the request."
