"""Tables of text for a terminal, aligned by the width of each character there."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..printing import printable

_GAP: Final = "  "
_CUT: Final = "..."
_NARROWEST: Final = 12
"""The width of the narrowest column that results from cutting, in columns of a terminal."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's title, its alignment, and whether its texts may be cut."""

    title: str
    right: bool = False
    cut: str | None = None
    """The end at which long texts are cut, ``start`` or ``end``; None if the texts must stay whole."""


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Return a table's lines, the titles first.

    With a ``width``, texts are cut in columns that allow it, until each line has at most ``width`` characters or no
    column can be cut further.
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
    """Return the width of the text in a terminal, in columns."""
    if text.isascii():
        return len(text)
    return sum(_character_width(character) for character in text)


def _character_width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
