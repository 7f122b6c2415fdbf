"""Tables of any texts, for terminals of any width."""

from __future__ import annotations

import pytest

from aumos_governance.cli.tables import Column, table

COLUMNS = (Column("PATH", cut="start"), Column("AMOUNT", right=True), Column("WHY", cut="end"))


def test_columns_line_up() -> None:
    rows = [("a.ipynb", "$0.05", "one"), ("work/long.ipynb", "$10.00", "")]
    assert table(COLUMNS, rows, None) == [
        "PATH             AMOUNT  WHY",
        "a.ipynb           $0.05  one",
        "work/long.ipynb  $10.00",
    ]


def test_wide_and_combining_characters_take_the_places_they_take() -> None:
    rows = [("日本.ipynb", "$1.00", "x"), ("u\u0308bung.ipynb", "$2.00", "y")]
    assert table(COLUMNS, rows, None)[1:] == ["日本.ipynb    $1.00  x", "u\u0308bung.ipynb   $2.00  y"]


def test_what_would_move_the_cursor_is_written_out() -> None:
    (line,) = table(COLUMNS, [("a\r\x1b[2J\n", "$1.00", "\u202eevil")], None)[1:]
    assert line == r"a\r\x1b[2J\n   $1.00  \u202eevil"


@pytest.mark.parametrize("width", [40, 60])
def test_a_line_fits_the_terminal(width: int) -> None:
    rows = [("folder/" * 6 + "end.ipynb", "$10.00", "because of " * 6)]
    lines = table(COLUMNS, rows, width)
    assert max(map(len, lines)) <= width
    path, amount, *why = lines[1].split()
    assert path.startswith("...")
    assert path.endswith("end.ipynb")
    assert amount == "$10.00"
    assert " ".join(why).endswith("...")


def test_what_must_be_whole_is_never_cut() -> None:
    assert table((Column("HOLD"),), [("0" * 32,)], 10)[1] == "0" * 32
