"""In a real kernel, an allowed cell with ``%%governed`` behaves as the same cell without it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.real_kernel import (
    Kernel,
    Outcome,
    environment,
    refused,
    started,
)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder: Path = tmp_path_factory.mktemp("kernel")
    with started(environment(folder), folder) as running:
        assert running.run("%governance --trust-level 5 --budget 1").status == "ok"
        yield running


def seen(outcome: Outcome) -> tuple[object, ...]:
    """Return what a user sees of a cell, except for execution counts and the places in a traceback."""
    results = [result["text/plain"] for result in outcome.results]
    evalue = outcome.evalue
    if outcome.ename in {"SyntaxError", "IndentationError"}:
        evalue = re.split(r" on line| \(", evalue)[0]
    return outcome.status, outcome.ename, evalue, outcome.text, results, outcome.displays


CELLS = {
    "the value of the last line": "x = 1\nx + 1",
    "no value": "x = 1",
    "a value that a semicolon hides": "40 + 2;",
    "top-level await": "import asyncio\nawait asyncio.sleep(0)\n7",
    "an awaited value": "import asyncio\nasync def f():\n    return 5\nawait f()",
    "a shell command": "!echo out",
    "an assigned shell command": "lines = !echo a\nprint(list(lines))",
    "a line magic": "%precision 3\n1 / 3",
    "a cell magic": "%%capture taken\nprint('kept')",
    "a cell magic of another language": "%%bash\necho from bash",
    "a cell magic below a blank line": "\n%%writefile /dev/null\ntext",
    "help": "len?",
    "an error": "def f():\n    return 1 / 0\nf()",
    "an error of its own": "raise RuntimeError('mine')",
    "a syntax error": "x = 1\nif x\n    print(x)",
    "an indentation error": "if True:\nprint(1)",
    "a display": "from IPython.display import display, HTML\ndisplay(HTML('<b>b</b>'))\nprint('after')",
    "a future import": "from __future__ import annotations\ndef f(x: Undefined): ...\nf.__annotations__",
    "an exit of a comment": "1 + 1  # two",
    "text that looks like magic": "s = '''\n%%governed\n!no\n'''\nprint(s)",
}


@pytest.mark.parametrize("code", CELLS.values(), ids=CELLS.keys())
def test_it_is_what_the_cell_is_without_it(kernel: Kernel, code: str) -> None:
    assert seen(kernel.run(f"%%governed --tool test\n{code}")) == seen(kernel.run(code))


def test_a_traceback_has_the_cells_own_lines_and_nothing_of_ours(kernel: Kernel) -> None:
    failed = kernel.run("%%governed --tool test\ndef f():\n    return 1 / 0\nf()")
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(failed.traceback))
    assert "aumos_governance" not in text
    assert text.count("Traceback") == 1
    for line in ("return", "f()"):
        assert line in text


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("ran = 1\nif ran\n    pass", 3),
        ("ran = 1\nreturn 5", 3),
        ("ran = 1\nfor _ in []:\n    pass\nbreak", 5),
        ("%%time\nran = 1\nreturn 5", 4),
        ("%%time\nran = 1\nif ran\n", 4),
    ],
)
def test_what_does_not_compile_is_found_before_anything_is_held_or_run(kernel: Kernel, code: str, line: int) -> None:
    kernel.run("ran = 0")
    before = kernel.run("%governance_audit --last 1").displays
    failed = kernel.run(f"%%governed --tool test --cost 0.01\n{code}")
    assert failed.ename == "SyntaxError"
    assert f"line {line}" in failed.evalue
    assert kernel.value("ran") == "0"
    assert kernel.run("%governance_audit --last 1").displays == before


@pytest.mark.parametrize(
    ("cell", "ename", "sentence"),
    [
        ("%%governed", "InvalidRequestError", "there is none in this cell"),
        ("%%governed --tool a\n\n  \n", "InvalidRequestError", "there is none in this cell"),
        ("%%governed\n# nothing", "InvalidRequestError", "only comments"),
        ("%%governed\n%%governed\n1", "InvalidRequestError", "A cell may have only one %%governed"),
        ("%governed\n1", "InvalidRequestError", "write %%governed on its first line"),
        ("%%governed --cots 1\n1", "InvalidRequestError", "did you mean --cost?"),
        (
            "%%governed a\n1",
            "InvalidRequestError",
            "%%governed does not take the argument 'a': %%governed [--tool NAME]",
        ),
        ("%%governed --cost nan\n1", "InvalidAmountError", "The cost must be a finite number"),
        ("%%governed --cost -1\n1", "InvalidAmountError", "The cost must not be negative"),
        ("%%governed --requires L6\n1", "InvalidRequestError", "--requires must be a trust level from L0 to L5"),
        ("%%governed --timeout 0\n1", "InvalidRequestError", "--timeout must be the seconds"),
        ("%%governed --timeout soon\n1", "InvalidRequestError", "--timeout must be the seconds"),
        ('%%governed --tool " "\n1', "InvalidRequestError", "--tool must be a name"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(kernel: Kernel, cell: str, ename: str, sentence: str) -> None:
    refused(kernel.run(cell), ename, sentence)


def test_more_than_a_user_can_read_is_refused_and_not_cut(kernel: Kernel) -> None:
    kernel.run("size = 0")
    cell = f"%%governed --tool big\nsize = len({'y' * 60_000!r})"
    refused(kernel.run(cell), "InvalidRequestError", "must have at most 50000 characters")
    assert kernel.value("size") == "0"


def test_variables_go_into_the_line(kernel: Kernel) -> None:
    kernel.run("price, name = 0.1 * 3, 'deploy'")
    assert kernel.run("%%governed --tool {name} --cost {price}\n1").lines[0].startswith("Recorded: $0.30 for deploy (")


def test_under_another_magic_it_is_governed_too(kernel: Kernel) -> None:
    outcome = kernel.run("%%time\n%%governed --tool timed --cost 0.01\nprint('ran')")
    assert outcome.lines[0] == "ran"
    assert any(line.startswith("Recorded: $0.01 for timed") for line in outcome.lines)


def test_a_cell_that_runs_cells_is_settled_once_and_after_them(kernel: Kernel) -> None:
    outcome = kernel.run(
        "%%governed --tool outer --cost 0.02\n"
        "inner = get_ipython().run_cell('%%governed --tool inner --cost 0.01\\nprint(1)')\n"
        "print(inner.success)"
    )
    assert [line.partition(" (")[0] for line in outcome.lines] == [
        "1",
        "Recorded: $0.01 for inner",
        "True",
        "Recorded: $0.02 for outer",
    ]


def test_as_a_call_of_a_script_it_is_governed_too(kernel: Kernel) -> None:
    outcome = kernel.run("get_ipython().run_cell_magic('governed', '--tool script --cost 0.01', 'print(8)')")
    assert outcome.lines[0] == "8"
    assert outcome.lines[1].startswith("Recorded: $0.01 for script")


def test_it_explains_itself_and_reloads(kernel: Kernel) -> None:
    kernel.client.execute("%%governed?")
    (page,) = kernel.client.get_shell_msg(timeout=30)["content"]["payload"]
    assert "%%governed [--tool NAME] [--cost USD]" in page["data"]["text/plain"]
    kernel.run("%reload_ext aumos_governance.jupyter_extension")
    assert len(kernel.run("%%governed --tool again --cost 0.01\n1").lines) == 1
    kernel.run("%unload_ext aumos_governance.jupyter_extension")
    assert kernel.run("%%governed\n1").ename == "UsageError" or "not found" in kernel.run("%%governed\n1").text
    hooks = "[f.__name__ for f in get_ipython().events.callbacks['post_run_cell'] if 'aumos' in f.__module__]"
    assert kernel.value(hooks) == "[]"
    kernel.run("%load_ext aumos_governance.jupyter_extension")
    assert kernel.value(hooks) == "['_end']"
    assert kernel.run("%%governed\n1").status == "ok"
    unloading = kernel.run("%%governed --tool last --cost 0.01\n%unload_ext aumos_governance.jupyter_extension")
    assert unloading.lines[0].startswith("Recorded: $0.01 for last")
    kernel.run("%load_ext aumos_governance.jupyter_extension")
