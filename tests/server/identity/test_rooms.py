"""Which notebook a kernel serves, as rows come, change and go."""

from __future__ import annotations

import pytest

from aumos_governance.errors import InvalidRequestError
from aumos_governance.server.identity.rooms import Rooms, Row, clean_path, moved_path


@pytest.fixture
def rooms() -> Rooms:
    return Rooms("ada", "/home/ada")


def notebook(session_id: str, path: str, kernel_id: str = "k") -> Row:
    return Row(session_id, path, "notebook", kernel_id)


def test_a_kernel_without_a_row_is_its_own_notebook(rooms: Rooms) -> None:
    assert rooms.notebook_of("k") == rooms.key("kernel:k")
    assert not rooms.has_path("k")


def test_a_notebook_row_goes_before_an_older_console(rooms: Rooms) -> None:
    console = Row("s0", "console-1", "console", "k")
    rooms.update([console])
    assert rooms.notebook_of("k").path == "console-1"
    rooms.update([console, notebook("s1", "a.ipynb")])
    assert rooms.notebook_of("k").path == "a.ipynb"
    assert rooms.place("console-1").shared_with is None


def test_the_older_of_two_notebooks_governs_a_kernel(rooms: Rooms) -> None:
    rooms.update([notebook("s1", "a.ipynb")])
    assert rooms.update([notebook("s1", "a.ipynb"), notebook("s2", "b.ipynb")]) == {"b.ipynb"}
    assert rooms.notebook_of("k").path == "a.ipynb"
    place = rooms.place("b.ipynb")
    assert (place.notebook.path, place.shared_with) == ("a.ipynb", "a.ipynb")
    assert rooms.place("a.ipynb").shared_with is None
    assert rooms.sharers("a.ipynb") == ["b.ipynb"]
    assert rooms.update([notebook("s2", "b.ipynb")]) == {"b.ipynb"}
    assert rooms.place("b.ipynb").notebook.path == "b.ipynb"


def test_a_notebook_with_a_kernel_of_its_own_shares_nothing(rooms: Rooms) -> None:
    rooms.update([notebook("s1", "a.ipynb", "k1"), notebook("s2", "b.ipynb", "k1"), notebook("s3", "b.ipynb", "k2")])
    assert rooms.place("b.ipynb").shared_with is None
    assert rooms.notebook_of("k1").path == "a.ipynb"


def test_a_rename_holds_until_the_row_says_another_path(rooms: Rooms) -> None:
    rows = [notebook("s1", "work/a.ipynb")]
    rooms.update(rows)
    rooms.rename("work", "done")
    assert rooms.notebook_of("k").path == "done/a.ipynb"
    rooms.update(rows)
    assert rooms.notebook_of("k").path == "done/a.ipynb"
    # A new notebook takes the old name, with a kernel of its own.
    rooms.update([*rows, notebook("s2", "work/a.ipynb", "k2")])
    assert rooms.notebook_of("k2").path == "work/a.ipynb"
    rooms.update([notebook("s1", "done/a.ipynb"), notebook("s2", "work/a.ipynb", "k2")])
    rooms.rename("done/a.ipynb", "done/b.ipynb")
    rooms.update([notebook("s1", "elsewhere.ipynb")])
    assert rooms.notebook_of("k").path == "elsewhere.ipynb"


def test_a_rename_of_the_governing_notebook_reaches_those_that_share(rooms: Rooms) -> None:
    rooms.update([notebook("s1", "a.ipynb"), notebook("s2", "b.ipynb")])
    assert rooms.rename("a.ipynb", "c.ipynb") == {"b.ipynb"}
    assert rooms.place("b.ipynb").shared_with == "c.ipynb"


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
