"""Tables of text, aligned by the width that each character takes on a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..printing import printable

__all__ = ["Column", "table"]

_GAP: Final = "  "
_CUT: Final = "..."
_NARROWEST: Final = 12
"""What a column that may be cut keeps, in characters of a terminal."""


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    right: bool = False
    cut: str | None = None
    """Which end of its texts may be cut off to fit the terminal, ``start`` or ``end``; None: neither."""


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Lines with a line of titles first; with a ``width``, texts that may be cut are cut until lines fit in it."""
    shown = [[column.title for column in columns], *([printable(text) for text in row] for row in rows)]
    widths = [max(_width(row[place]) for row in shown) for place in range(len(columns))]
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
        wide = [place for place, column in enumerate(columns) if column.cut and widths[place] > _NARROWEST]
        if not wide:
            break
        widths[max(wide, key=lambda place: widths[place])] -= 1
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
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(_places(character) for character in text)


def _places(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
