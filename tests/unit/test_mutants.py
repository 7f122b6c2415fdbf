"""The mutation driver: it names each change that it makes, and the tests that it runs use the changed code."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.mutants.__main__ import chosen, equivalents, files_of
from tests.mutants.copies import ROOT, Copy, path_of
from tests.mutants.listed import LISTED, QUICK
from tests.mutants.operators import mutants_of
from tests.mutants.swaps import swap

SOURCE = '''"""Its text."""
LIMIT: int = 3
def may(amount: int | None, *, strict: bool = True) -> bool:
    """Whether."""
    try:
        if amount is None or amount > LIMIT:
            raise ValueError(f"{amount + 1}")
        return not strict
    except ValueError:
        return False
'''


def test_each_mutant_is_one_change() -> None:
    names = [mutant.name.removeprefix("m | ") for mutant in mutants_of("m", SOURCE)]
    assert sorted(names) == sorted(
        [
            " | 3 -> 4",
            "may | True -> False",
            "may | if amount is None or amount > LIMIT: -> if False:",
            "may | if amount is None or amount > LIMIT: -> if True:",
            "may | amount is None or amount > LIMIT -> amount is None and amount > LIMIT",
            "may | amount is None or amount > LIMIT -> amount is None",
            "may | amount is None -> amount is not None",
            "may | amount > LIMIT -> amount >= LIMIT",
            "may | raise ValueError(f'{amount + 1}') -> pass",
            "may | return not strict -> return None",
            "may | not strict -> strict",
            "may | except ValueError: return False -> except ValueError: raise",
            "may | return False -> return None",
            "may | False -> True",
        ]
    )
    original = ast.unparse(ast.parse(SOURCE))
    for mutant in mutants_of("m", SOURCE):
        changed = mutant.text.splitlines()
        assert mutant.text != original
        assert sum(line not in changed for line in original.splitlines()) <= 1


@pytest.mark.parametrize("log", ["_log", "logger", "self._log", "self._shared.log", "warnings"])
def test_what_is_only_logged_is_not_changed(log: str) -> None:
    assert mutants_of("m", f'{log}.warn("It failed.")') == []


@pytest.mark.parametrize("call", ["catalog.clear()", "self.blog.post()", "log()", "self.dialog.log.text.pop()"])
def test_what_only_looks_like_a_log_is_changed(call: str) -> None:
    assert len(mutants_of("m", call)) == 1


def test_the_listed_modules_and_tests_are_there() -> None:
    for module in LISTED:
        assert path_of(module).is_file()
        assert files_of(module)
    with pytest.raises(SystemExit, match="no module"):
        path_of("aumos_governance.nothing")
    with pytest.raises(SystemExit, match="not one of the modules"):
        list(chosen(["nothing"], 1, 0))


def test_the_same_seed_chooses_the_same_and_no_equivalents() -> None:
    first, again, other = ([mutant.name for mutant in chosen(["money"], 20, seed)] for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert not equivalents().keys() & {name for one in chosen(None, 0, 0) for name in (one.name, one.whole)}


def test_each_equivalent_is_a_mutant_and_has_a_reason() -> None:
    all_of_them = [one for module in LISTED for one in mutants_of(module, path_of(module).read_text("utf-8"))]
    known = {name for one in all_of_them for name in (one.name, one.whole)}
    for name, reason in equivalents().items():
        assert name in known
        assert len(reason) > 10


def test_the_tests_see_a_change_and_the_sources_stay(tmp_path: Path) -> None:
    module, files = "aumos_governance.owner", ("tests/unit/test_owner.py",)
    before = path_of(module).read_bytes()
    copy = Copy(tmp_path)
    assert not copy.failed(files, QUICK, (), 100)[0]
    copy.write(module, "raise ImportError('changed')\n")
    assert copy.failed(files, QUICK, (), 100)[0]
    copy.restore(module)
    assert not copy.failed(files, QUICK, (), 100)[0]
    assert path_of(module).read_bytes() == before


def test_a_test_that_fails_without_any_change_notices_none(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    text = path_of("aumos_governance.owner").read_text("utf-8")
    copy.write("aumos_governance.owner", text.replace('f"uid:', 'f"number '))
    files = ("tests/unit/test_owner.py",)
    failing = f"{files[0]}::test_a_user_without_a_name_is_a_number"
    failed, _, printed = copy.failed(files, QUICK, (), 100)
    assert failed
    assert failing.rpartition("::")[2] in printed
    assert not copy.failed(files, QUICK, (failing,), 100)[0]


def test_tests_that_cannot_be_run_notice_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="not found"):
        Copy(tmp_path).failed(("tests/unit/test_nothing.py",), QUICK, (), 100)


def test_each_mutant_can_be_compiled_and_names_the_lines_of_its_statement() -> None:
    for mutant in mutants_of("m", SOURCE):
        compile(mutant.tree, "m.py", "exec")
    lines = {mutant.name.removeprefix("m | "): list(mutant.lines) for mutant in mutants_of("m", SOURCE)}
    assert lines[" | 3 -> 4"] == [2]
    assert lines["may | amount > LIMIT -> amount >= LIMIT"] == [6]
    assert lines["may | return not strict -> return None"] == [8]
    assert lines["may | except ValueError: return False -> except ValueError: raise"] == [9]


def test_a_change_is_put_into_the_functions_that_are_there(tmp_path: Path) -> None:
    file = str(tmp_path / "m.py")
    module: dict[str, Any] = {"__name__": "m"}
    exec(compile(SOURCE, file, "exec", dont_inherit=True), module)
    by_name = {mutant.name.removeprefix("m | "): mutant for mutant in mutants_of("m", SOURCE)}
    assert (module["may"](3), module["may"](4)) == (False, False)
    assert module["may"](3, strict=False) is True
    assert swap(file, SOURCE, by_name["may | return False -> return None"].tree)
    assert module["may"](4) is None
    # Code that runs at import has an effect only in a new process.
    for name in (" | 3 -> 4", "may | True -> False"):
        assert not swap(file, SOURCE, by_name[name].tree)


def test_a_tracer_says_which_lines_a_test_executes(tmp_path: Path) -> None:
    program = """
import sys, threading
from tests.mutants.reach import Reached, Tracer
sys.path.insert(0, "")
import guarded
file = guarded.__file__
tracer, tests = Tracer({file}), {"first": Reached(), "second": Reached()}
with tracer.following("first", tests["first"]):
    thread = threading.Thread(target=guarded.may, args=(4,))
    thread.start()
    thread.join()
guarded.may(3)
with tracer.following("second", tests["second"]):
    pass
tracer.end(tests)
assert tests["first"].lines == {file: {5, 6, 7, 9, 10}}, tests
assert tests["second"].lines == {}, tests
assert not tests["first"].starts
"""
    (tmp_path / "guarded.py").write_text(SOURCE, "utf-8")
    subprocess.run(
        [sys.executable, "-c", program], check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
