"""The start-up hook of a kernel: what it loads and runs there, and that other Python programs are not affected."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from aumos_governance.authority import engine_registry
from aumos_governance.server.kernels.kernel_startup import HOOK
from aumos_governance.wire.protocol import KERNEL_ENV, STARTUP_ENV
from tests.kernel.real_kernel import LOAD, Kernel, environment, started

ANOTHERS = json.dumps({"v": 1, "kernel_id": "another", "strict": False})
"""The value of `KERNEL_ENV` for another kernel, so that the tested one counts as inherited and has its own engine."""
Start = Callable[..., AbstractContextManager[Kernel]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start a kernel with the hook as a server does, but without a server, which the hook does not need."""

    def start(**more: str) -> AbstractContextManager[Kernel]:
        hooked = {"PYTHONSTARTUP": str(HOOK), KERNEL_ENV: ANOTHERS, **more}
        return started(environment(tmp_path, **hooked), tmp_path, load=False)

    return start


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "own startup.py"
    file.write_text("import sys\nMINE = (__file__, __name__, 'aumos_governance' in sys.modules)\n")
    return file


@pytest.fixture(scope="module")
def hooked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("hooked")
    file = folder / "users.py"
    file.write_text("MINE = 'here'\n")
    variables = {"PYTHONSTARTUP": str(HOOK), KERNEL_ENV: ANOTHERS, STARTUP_ENV: str(file)}
    with started(environment(folder, **variables), folder, load=False) as kernel:
        yield kernel


def test_the_hook_imports_nothing_and_leaves_no_name(hooked: Kernel) -> None:
    assert hooked.value("[n for n in __import__('sys').modules if n.startswith('aumos_governance')]") == "[]"
    assert hooked.value("[n for n in globals() if 'aumos' in n]") == "[]"
    assert hooked.value("__doc__") == repr("Automatically created module for IPython interactive environment")


def test_the_users_own_file_runs_and_children_find_it(hooked: Kernel) -> None:
    assert hooked.value("MINE") == "'here'"
    found = hooked.value(
        "[(n, __import__('os').path.basename(v)) for n, v in __import__('os').environ.items() if 'STARTUP' in n]"
    )
    assert found == "[('PYTHONSTARTUP', 'users.py')]"


def test_the_first_governed_cell_is_one_of_ours(start: Start) -> None:
    """The cell runs as if the magics had been loaded before: as one cell, with its own number, which may await."""
    with start() as kernel:
        # The magic's name is split so that this cell itself is not taken for a governed one.
        transformed = kernel.value("get_ipython().transform_cell('%' + '%governed --tool t\\nx = 1')")
        assert transformed == repr("get_ipython().run_line_magic('governed', '--tool t')\nx = 1\n")


def test_magics_and_engine_are_there_when_they_are_used(start: Start) -> None:
    with start() as kernel:
        assert kernel.run("import aumos_governance").status == "ok"
        assert kernel.value("get_ipython().find_line_magic('governance')") == "None"
        outcome = kernel.run("%governance --budget 2")
        assert (outcome.status, outcome.lines[-1]) == ("ok", "Governance enabled: trust_level=L2, budget=$2.00")
        assert kernel.value("aumos_governance.default_engine().__class__.__name__") == "'NotebookEngine'"


def test_code_that_needs_the_engine_loads_it(start: Start) -> None:
    with start() as kernel:
        assert kernel.value("__import__('aumos_governance').default_engine().__class__.__name__") == "'NotebookEngine'"
        assert kernel.run("%governance").status == "ok"


def test_a_governed_function_counts_for_the_notebook_once_it_has_a_session(start: Start) -> None:
    """Without a session in the notebook, the function keeps the engine that it has without the hook."""
    with start() as kernel:
        code = "from aumos_governance.authority.engine_registry import registered_engine\nregistered_engine()"
        assert kernel.run(code).results == []
        kernel.run("%governance --budget 2")
        (result,) = kernel.run("registered_engine()").results
        assert "NotebookEngine" in result["text/plain"]


def test_what_is_unloaded_stays_away(start: Start) -> None:
    with start() as kernel:
        assert kernel.run(LOAD).status == "ok"
        kernel.run("%unload_ext aumos_governance.jupyter_extension")
        outcome = kernel.run("%governance")
        assert "`%governance` not found" in outcome.text or outcome.status == "error", outcome


def test_a_broken_file_of_the_user_is_shown_and_ends_there(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("before = 1\n1 / 0\n")
    with start(**{STARTUP_ENV: str(file)}) as kernel:
        assert kernel.value("before") == "1"
        assert kernel.value("'_aumos_governance_loader' in __import__('sys').modules") == "True"


@pytest.mark.parametrize("users", [False, True])
def test_another_python_only_runs_the_users_own(tmp_path: Path, own: Path, users: bool) -> None:
    """A kernel that is not a Python program passes the variables on to the Python programs that it starts."""
    variables = {"PYTHONSTARTUP": str(HOOK), KERNEL_ENV: "{}", **({STARTUP_ENV: str(own)} if users else {})}
    code = (
        "import os, sys; print([globals().get('MINE'), os.environ.get('PYTHONSTARTUP'),"
        f" {engine_registry.LOADER!r} in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-i", "-q"],
        env={**os.environ, **variables},
        input=code,
        text=True,
        capture_output=True,
        check=True,
        timeout=60,
    )
    expected = [(str(own), "__main__", False), str(own), False] if users else [None, None, False]
    assert str(expected) in done.stdout, done


def test_the_hook_and_the_package_agree_on_names() -> None:
    text = HOOK.read_text("utf-8")
    for name in (KERNEL_ENV, STARTUP_ENV, engine_registry.LOADER):
        assert f'"{name}"' in text


def test_the_hook_lists_no_transform_twice_and_none_stays(start: Start) -> None:
    with start() as kernel:
        count = "len(get_ipython().input_transformer_manager.cleanup_transforms)"
        before = int(kernel.value(count))
        kernel.run("%governance_status")
        assert int(kernel.value(count)) == before - 1
