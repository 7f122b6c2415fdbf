"""Complete notebooks without a server: in `jupyter execute`, papermill, plain IPython, and twice in one kernel."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.notebook_files import (
    ACCEPTANCE,
    ACCEPTANCE_LINES,
    COPY,
    EXAMPLES,
    call,
    sources,
    with_papermill,
    written,
)
from tests.kernel.real_kernel import Kernel, spent

OURS = EXAMPLES / "governed-notebook.ipynb"
CALLS = EXAMPLES / "governed-calls.ipynb"


def lines(outputs: list[dict[str, Any]]) -> list[str]:
    found: list[str] = []
    for output in outputs:
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        found.extend("".join(text).splitlines())
    return found


def with_jupyter_execute(notebook: Path, folder: Path) -> tuple[int, list[dict[str, Any]]]:
    copy = folder / "run.ipynb"
    copy.write_text(notebook.read_text("utf-8"), "utf-8")
    result = call(folder, "jupyter", "execute", "--inplace", copy.name)
    return result.returncode, written(copy)


Runner = Callable[[Path, Path], tuple[int, list[dict[str, Any]]]]
RUNNERS = pytest.mark.parametrize("runner", [with_jupyter_execute, with_papermill])


def test_our_copy_is_the_acceptance_notebook() -> None:
    assert ACCEPTANCE.read_bytes() == COPY.read_bytes()


@RUNNERS
def test_the_acceptance_notebook_runs_to_its_end(runner: Runner, tmp_path: Path) -> None:
    code, outputs = runner(ACCEPTANCE, tmp_path)
    assert code == 0
    first, *rest = lines(outputs)
    assert first.endswith(str(tmp_path / "data" / "aumos_governance" / "embedded.sqlite"))
    assert rest == ACCEPTANCE_LINES
    assert {output["output_type"] for output in outputs} == {"stream", "display_data"}


def test_the_acceptance_notebook_runs_to_its_end_in_plain_ipython(tmp_path: Path) -> None:
    result = call(tmp_path, "IPython", "--colors=NoColor", "--no-banner", str(ACCEPTANCE))
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[1:] == ACCEPTANCE_LINES
    assert "embedded.sqlite" in result.stdout.splitlines()[0]


@RUNNERS
def test_our_example_runs_to_its_end(runner: Runner, tmp_path: Path) -> None:
    code, outputs = runner(OURS, tmp_path)
    assert code == 0
    printed = lines(outputs)
    assert "Recorded: $0.0008 for small-model ($0.7492 remaining)" in printed
    assert any(line.startswith("DENIED: Would exceed budget ($5.252 > $1.00)") for line in printed)
    assert printed[-1] == "Budget: $0.252 spent / $1.00 limit ($0.748 remaining)", "it ends governed"
    assert {output["output_type"] for output in outputs} == {"stream", "display_data"}


def test_the_example_of_governed_calls_runs_to_its_end(tmp_path: Path) -> None:
    code, outputs = with_jupyter_execute(CALLS, tmp_path)
    printed = lines(outputs)
    assert code == 0, printed
    assert "This is what a model could say to 'What is a budget?'." in printed
    assert "{'answered': 9, 'denied': 21}" in printed
    denied = next(i for i, line in enumerate(printed) if line.startswith("DENIED: Would exceed budget ($3.40"))
    assert "This is what a model could say to 'Write it all down.'." in printed[denied:], "the way out works"
    assert printed[-1].startswith("Governance disabled. Session total: $0.00")
    assert {output["output_type"] for output in outputs} <= {"stream", "display_data", "execute_result"}


def test_our_examples_come_without_outputs() -> None:
    for notebook in EXAMPLES.glob("*.ipynb"):
        assert written(notebook) == [], notebook


def test_papermill_states_the_notebooks_name_so_that_a_second_run_knows_the_first(tmp_path: Path) -> None:
    notebook = tmp_path / "in.ipynb"
    notebook.write_text(ACCEPTANCE.read_text("utf-8"), "utf-8")
    with_papermill(notebook, tmp_path, "--inject-paths")
    _, outputs = with_papermill(notebook, tmp_path, "--inject-paths")
    assert "This notebook's earlier session spent $0.20." in lines(outputs)


@pytest.mark.parametrize("tool", [("jupyter", "execute"), ("papermill", "--no-progress-bar")])
def test_a_denied_spend_stops_the_run_before_the_paid_call(tool: tuple[str, ...], tmp_path: Path) -> None:
    notebook = json.loads(ACCEPTANCE.read_text("utf-8"))
    code = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    reported = [
        "%load_ext aumos_governance.jupyter_extension\n%governance --budget 0.10\nopen('begun', 'w').close()",
        "%governance_spend 0.20 --tool gpt-4o\nopen('paid', 'w').close()",
        "open('paid', 'w').close()",
    ]
    notebook["cells"] = [{**code, "id": f"cell-{number}", "source": source} for number, source in enumerate(reported)]
    (tmp_path / "denied.ipynb").write_text(json.dumps(notebook), "utf-8")
    out = ["out.ipynb"] if tool[0] == "papermill" else []
    result = call(tmp_path, *tool, "denied.ipynb", *out)
    assert result.returncode != 0
    assert "DENIED: Would exceed budget ($0.20 > $0.10)" in result.stderr
    assert (tmp_path / "begun").exists()
    assert not (tmp_path / "paid").exists()


def test_a_second_run_from_top_to_bottom_says_what_the_first_one_spent(kernel: Kernel) -> None:
    cells = sources(ACCEPTANCE)
    for source in cells:
        assert kernel.run(source).status == "ok"
    again = [kernel.run(source) for source in cells]
    assert [outcome.status for outcome in again] == ["ok"] * len(cells)
    opened = next(outcome for outcome in again if outcome.text.startswith("Governance enabled"))
    assert opened.lines == [
        "Governance enabled: trust_level=L2, budget=$10.00",
        "This notebook's earlier session spent $0.20.",
    ]
    assert again[-1].lines == ["Governance disabled. Session total: $0.20 / $10.00"]


def test_run_again_up_to_its_last_cell_it_resumes(kernel: Kernel) -> None:
    *cells, last = sources(ACCEPTANCE)
    for source in cells:
        assert kernel.run(source).status == "ok"
    again = [kernel.run(source) for source in cells]
    opened = next(outcome for outcome in again if outcome.text.startswith("Governance enabled"))
    assert opened.lines == [
        "Governance enabled: trust_level=L2, budget=$10.00 (resumed, $0.20 spent; --new starts fresh)"
    ]
    assert "$0.40 spent" in spent(kernel)
    assert kernel.run(last).lines == ["Governance disabled. Session total: $0.40 / $10.00"]
