"""The magics together with IPython's own: the value of a spend is not displayed, and a misplaced line is explained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.real_kernel import Kernel, environment, refused, started

SPEND = "%governance_spend 0.01"
CALLED = "get_ipython().run_line_magic('governance_spend', '0.01')"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder: Path = tmp_path_factory.mktemp("kernel")
    with started(environment(folder), folder) as running:
        assert running.run("%governance --trust-level 5 --budget 10").status == "ok"
        yield running


@pytest.mark.parametrize(
    "code",
    [
        SPEND,
        f"%%time\n{SPEND}",
        f"%time {SPEND}",
        f"%%time\n1 + 1\n{SPEND}",
        f"%%capture\n{SPEND}",
        f"%%prun -q\n{SPEND}",
        f"%prun -q {CALLED}",
        f"%%timeit -n1 -r1\n{SPEND}",
        f"%timeit -n1 -r1 {CALLED}",
        f"%%governed\n%%time\n{SPEND}",
    ],
)
def test_the_value_of_a_spend_is_not_echoed(kernel: Kernel, code: str) -> None:
    outcome = kernel.run(code)
    assert (outcome.status, outcome.results) == ("ok", [])
    assert "SpendDecision" not in outcome.text


def test_what_was_captured_has_no_value_either(kernel: Kernel) -> None:
    kernel.run(f"%%capture taken\n{SPEND}")
    assert kernel.value("len(taken.outputs)") == "0"
    assert "Recorded: $0.01" in kernel.value("taken.stdout")


@pytest.mark.parametrize("code", [f"d = {SPEND}\nd", f"%%time\nd = {SPEND}\nd", f"d = %time {SPEND}\nd"])
def test_a_caller_that_requests_the_value_sees_it(kernel: Kernel, code: str) -> None:
    (shown,) = kernel.run(code).results
    assert shown["text/plain"].startswith("<SpendDecision allow: $0.01")


@pytest.mark.parametrize("code", ["%%time\n1 + 1", f"{SPEND}\n4", f"def f():\n    {SPEND}\n    return 5\nf()"])
def test_other_values_are_shown_as_ever(kernel: Kernel, code: str) -> None:
    assert len(kernel.run(code).results) == 1


@pytest.mark.parametrize("above", ["# a comment\n", "\n# two\n\n# comments\n", "x = 1\n", "%precision 3\n"])
def test_what_stands_above_the_cell_magic_is_explained(kernel: Kernel, above: str) -> None:
    outcome = kernel.run(f"{above}%%governed --tool test\nran = 1")
    refused(outcome, "InvalidRequestError", "%%governed must be the first line of its cell")
    assert kernel.run("ran").ename == "NameError"


@pytest.mark.parametrize(
    "code", ["\n\n%%governed\n7", "text = '''\n%%governed\n'''\n7", "%%writefile /dev/null\n# a comment\n%%governed\n"]
)
def test_what_is_no_misplaced_cell_magic_runs(kernel: Kernel, code: str) -> None:
    assert kernel.run(code).status == "ok"


def test_a_data_folder_that_cannot_be_made_is_named_with_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "data"
    with started(environment(tmp_path, JUPYTER_DATA_DIR=str(folder)), tmp_path) as kernel:
        outcome = kernel.run("%governance")
        refused(outcome, "LedgerError", "JUPYTER_DATA_DIR")
        assert str(folder / "aumos_governance" / "embedded.sqlite") in outcome.evalue
