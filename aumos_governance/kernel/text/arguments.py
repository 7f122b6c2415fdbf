"""Parses the line of a magic, for example ``--budget 10 --new # comment``, into options and values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ...errors import InvalidRequestError

# A word is a sequence of quoted parts and of characters that are neither white space nor quotes.
_WORD: Final = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\s"'])+""")
_QUOTED: Final = re.compile(r""""([^"]*)"|'([^']*)'""")


@dataclass(frozen=True, slots=True)
class Flag:
    """An option without a value, such as ``--new``."""

    name: str


@dataclass(frozen=True, slots=True)
class Valued:
    """An option that is followed by its value, such as ``--tool NAME``; ``metavar`` is the value's name in messages."""

    name: str
    metavar: str


@dataclass(frozen=True, slots=True)
class Arguments:
    """The parsed arguments of a magic's line: its positional argument, the options with values, and the flags.

    They are text that is not validated yet; the notebook service validates most of it.
    """

    positional: str | None
    values: dict[str, str]
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Signature:
    """The options that one magic accepts, and the name of its positional argument; None if it has none."""

    magic: str
    options: tuple[Flag | Valued, ...] = ()
    positional: str | None = None

    def usage(self) -> str:
        """Return how the magic is written, such as ``%governance_spend AMOUNT [--tool NAME] [--no-raise]``."""
        words = [f"%{self.magic}"]
        if self.positional is not None:
            words.append(self.positional)
        words.extend(
            f"[{option.name} {option.metavar}]" if isinstance(option, Valued) else f"[{option.name}]"
            for option in self.options
        )
        return " ".join(words)

    def parse(self, line: str) -> Arguments:
        """Parse ``line``, the text after the magic's name.

        A word that begins with a single dash is a value, so that the service gets an amount such as ``-1`` and reports
        why it is not valid. Raises InvalidRequestError if the line does not match this signature.
        """
        words = iter(split(line))
        positional: str | None = None
        values: dict[str, str] = {}
        flags: set[str] = set()
        for word in words:
            if not word.startswith("--"):
                if self.positional is None or positional is not None:
                    raise InvalidRequestError(f"%{self.magic} does not take the argument {word!r}: {self.usage()}")
                positional = word
                continue
            name, equals, value = word.partition("=")
            option = self._option(name)
            if name in values or name in flags:
                raise InvalidRequestError(
                    f"The option {name} is given twice in one %{self.magic}; leave out one of them."
                )
            if isinstance(option, Flag):
                if equals:
                    raise InvalidRequestError(f"The option {name} takes no value: {self.usage()}")
                flags.add(name)
                continue
            if not equals:
                value = next(words, "--")
            if not value or value.startswith("--"):
                raise InvalidRequestError(f"The option {name} needs a value ({option.metavar}): {self.usage()}")
            values[name] = value
        return Arguments(positional, values, frozenset(flags))

    def _option(self, name: str) -> Flag | Valued:
        for option in self.options:
            if option.name == name:
                return option
        from difflib import get_close_matches

        near = get_close_matches(name, [option.name for option in self.options], 1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise InvalidRequestError(f"%{self.magic} has no option {name!r}: {self.usage()}{hint}")


def split(line: str) -> list[str]:
    """Return the words of a magic's line, without their quotes and without a comment at the end.

    IPython passes the comment to the magic as well; it starts with a ``#`` at the beginning of a word. A ``#`` within a
    word, as in ``gpt#4``, and a backslash are ordinary characters. Raises InvalidRequestError if a quote is not closed.
    """
    words: list[str] = []
    position = 0
    while position < len(line):
        if line[position].isspace():
            position += 1
            continue
        if line[position] == "#":
            break
        match = _WORD.match(line, position)
        if match is None or (match.end() < len(line) and not line[match.end()].isspace()):
            raise InvalidRequestError(f"A quote is opened and not closed; close it in: {line.strip()}")
        words.append(_QUOTED.sub(lambda quoted: quoted.group(1) or quoted.group(2) or "", match.group()))
        position = match.end()
    return words
