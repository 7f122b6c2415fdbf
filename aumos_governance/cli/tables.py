"""Tables of text for a terminal, in which columns are aligned even if characters have different widths.

A terminal shows an East Asian character in two columns and a combining accent in none.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..printing import printable

_GAP: Final = "  "
_CUT: Final = "..."
_NARROWEST: Final = 12
"""The width, in columns of a terminal, below which no column of a table is cut."""


@dataclass(frozen=True, slots=True)
class Column:
    """The description of one column of a table: its title, its alignment, and whether its texts may be cut."""

    title: str
    right: bool = False
    cut: str | None = None
    """Which part of a text is left out if the table is too wide, ``start`` or ``end``; None if no text may be cut."""


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Return the lines of a table, the line of titles first. Each row has one text for each column.

    ``width`` is the number of characters in a line of the terminal. If the table is wider, texts are cut in the columns
    that allow it, until the table fits or no column can be cut further. With None nothing is cut.
    """
    shown = [[column.title for column in columns], *([printable(text) for text in row] for row in rows)]
    widths = [max(_width(row[index]) for row in shown) for index in range(len(columns))]
    if width is not None:
        widths = _fitted(columns, widths, width)
    return [
        _GAP.join(
            _fill(_cut(text, room, column.cut), room, right=column.right)
            for text, room, column in zip(row, widths, columns, strict=True)
        ).rstrip()
        for row in shown
    ]


def _fitted(columns: Sequence[Column], widths: list[int], width: int) -> list[int]:
    widths = list(widths)
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    while over > 0:
        wide = [index for index, column in enumerate(columns) if column.cut and widths[index] > _NARROWEST]
        if not wide:
            break
        widths[max(wide, key=widths.__getitem__)] -= 1
        over -= 1
    return widths


def _cut(text: str, room: int, end: str | None) -> str:
    if _width(text) <= room:
        return text
    while text and _width(text) > room - len(_CUT):
        text = text[1:] if end == "start" else text[:-1]
    return f"{_CUT}{text}" if end == "start" else f"{text}{_CUT}"


def _fill(text: str, room: int, *, right: bool) -> str:
    blank = " " * (room - _width(text))
    return blank + text if right else text + blank


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes up."""
    if text.isascii():
        return len(text)
    return sum(_character_width(character) for character in text)


def _character_width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
