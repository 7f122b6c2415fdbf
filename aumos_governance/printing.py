"""Text from elsewhere made harmless for a terminal, a file or a page of text."""

from __future__ import annotations

__all__ = ["json_printable", "printable"]


def printable(text: str) -> str:
    r"""The text, with what would move the cursor, set a colour or turn the direction of the line written out.

    Written out are all characters but letters, marks, digits, punctuation, symbols and the space: as ``\n``, ``\x1b``
    or ``\u202e``.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def json_printable(text: str) -> str:
    """JSON text of the same value, with the characters that `printable` writes out as JSON's escapes."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    # By UTF-16, as JSON has it: two escapes for what lies beyond the first 65,536 characters.
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[start : start + 2].hex()}" for start in range(0, len(units), 2))
