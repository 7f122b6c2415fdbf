"""Escaping of characters that could control a terminal, in text that comes from other programs and users."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Return the text with escapes, so that it cannot move a terminal's cursor, set colours or reverse a line.

    Every character is escaped, as in ``\n``, ``\x1b`` or ``\u202e``, except letters, marks, digits, punctuation,
    symbols and the space.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def json_printable(text: str) -> str:
    r"""Return the JSON text ``text`` with all characters that `printable` escapes written as JSON escapes (``\u202e``).

    The value of the JSON text is unchanged.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def type_of(value: object) -> str:
    """Return the name of a value's Python type with its article, such as "an int" or "a list", for messages."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _escaped(character: str) -> str:
    # JSON's escapes are UTF-16 code units: a character beyond U+FFFF needs two of them.
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[start : start + 2].hex()}" for start in range(0, len(units), 2))
