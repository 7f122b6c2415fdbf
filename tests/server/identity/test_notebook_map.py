"""The notebook that a kernel serves, as session rows are added, changed and removed."""

from __future__ import annotations

import pytest

from aumos_governance.errors import InvalidRequestError
from aumos_governance.server.identity.notebook_map import NotebookMap, Row, clean_path, moved_path


@pytest.fixture
def notebooks() -> NotebookMap:
    return NotebookMap("ada", "/home/ada")


def notebook(session_id: str, path: str, kernel_id: str = "k") -> Row:
    return Row(session_id, path, "notebook", kernel_id)


def test_a_kernel_without_a_row_is_its_own_notebook(notebooks: NotebookMap) -> None:
    assert notebooks.notebook_of("k") == notebooks.key("kernel:k")
    assert not notebooks.has_path("k")


def test_a_notebook_row_goes_before_an_older_console(notebooks: NotebookMap) -> None:
    console = Row("s0", "console-1", "console", "k")
    notebooks.update([console])
    assert notebooks.notebook_of("k").path == "console-1"
    notebooks.update([console, notebook("s1", "a.ipynb")])
    assert notebooks.notebook_of("k").path == "a.ipynb"
    assert notebooks.place("console-1").shared_with is None


def test_the_older_of_two_notebooks_governs_a_kernel(notebooks: NotebookMap) -> None:
    notebooks.update([notebook("s1", "a.ipynb")])
    assert notebooks.update([notebook("s1", "a.ipynb"), notebook("s2", "b.ipynb")]) == {"b.ipynb"}
    assert notebooks.notebook_of("k").path == "a.ipynb"
    place = notebooks.place("b.ipynb")
    assert (place.notebook.path, place.shared_with) == ("a.ipynb", "a.ipynb")
    assert notebooks.place("a.ipynb").shared_with is None
    assert notebooks.sharers("a.ipynb") == ["b.ipynb"]
    assert notebooks.update([notebook("s2", "b.ipynb")]) == {"b.ipynb"}
    assert notebooks.place("b.ipynb").notebook.path == "b.ipynb"


def test_a_notebook_with_a_kernel_of_its_own_shares_nothing(notebooks: NotebookMap) -> None:
    notebooks.update(
        [notebook("s1", "a.ipynb", "k1"), notebook("s2", "b.ipynb", "k1"), notebook("s3", "b.ipynb", "k2")]
    )
    assert notebooks.place("b.ipynb").shared_with is None
    assert notebooks.notebook_of("k1").path == "a.ipynb"


def test_a_rename_holds_until_the_row_says_another_path(notebooks: NotebookMap) -> None:
    rows = [notebook("s1", "work/a.ipynb")]
    notebooks.update(rows)
    notebooks.rename("work", "done")
    assert notebooks.notebook_of("k").path == "done/a.ipynb"
    notebooks.update(rows)
    assert notebooks.notebook_of("k").path == "done/a.ipynb"
    # A new notebook gets the old name, with a kernel of its own.
    notebooks.update([*rows, notebook("s2", "work/a.ipynb", "k2")])
    assert notebooks.notebook_of("k2").path == "work/a.ipynb"
    notebooks.update([notebook("s1", "done/a.ipynb"), notebook("s2", "work/a.ipynb", "k2")])
    notebooks.rename("done/a.ipynb", "done/b.ipynb")
    notebooks.update([notebook("s1", "elsewhere.ipynb")])
    assert notebooks.notebook_of("k").path == "elsewhere.ipynb"


def test_a_rename_of_the_governing_notebook_reaches_those_that_share(notebooks: NotebookMap) -> None:
    notebooks.update([notebook("s1", "a.ipynb"), notebook("s2", "b.ipynb")])
    assert notebooks.rename("a.ipynb", "c.ipynb") == {"b.ipynb"}
    assert notebooks.place("b.ipynb").shared_with == "c.ipynb"


@pytest.mark.parametrize(
    ("path", "moved"),
    [("a/b.ipynb", "z/b.ipynb"), ("a", "z"), ("ab/c.ipynb", None), ("b/a", None), ("a/b/c", "z/b/c")],
)
def test_moved_path(path: str, moved: str | None) -> None:
    assert moved_path(path, "a", "z") == moved


@pytest.mark.parametrize("raw", ["", "/", ".", "..", "../a", "a/../../b", "a\0b", "x" * 5_000])
def test_what_is_no_path(raw: str) -> None:
    with pytest.raises(InvalidRequestError, match="path"):
        clean_path(raw)
