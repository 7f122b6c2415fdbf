"""Recognises cells that begin with ``%%governed``, and transforms them into ordinary cells for IPython.

The first line becomes a line magic that requests the decision; the rest of the cell stays as it is. So top-level
``await``, other magics, the value of the last line, tracebacks and line numbers are the same as in an ordinary cell. A
cell that does not compile is refused before any request is made.
"""

from __future__ import annotations

import ast
import re
from typing import Any, Final

from IPython.core.inputtransformer2 import cell_magic

from ...errors import InvalidRequestError

MAGIC: Final = "governed"
_FIRST_LINE: Final = re.compile(rf"%%{MAGIC}(?:[ \t]+(?P<options>.*))?\s*")
_PYTHON_MAGICS: Final = frozenset({"capture", "prun", "time", "timeit"})
"""The names of IPython's cell magics whose body is Python code, so that it can be compiled as a check."""
_FILENAME: Final = "<governed cell>"


class GovernedCells:
    """Transforms the governed cells of one IPython shell, as one of IPython's line transformers.

    It must come before IPython's own transformer for cell magics.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    def __call__(self, lines: list[str]) -> list[str]:
        """Return the lines to run for a cell with these ``lines``: transformed if it is governed, else unchanged.

        Raises InvalidRequestError or SyntaxError for a governed cell that is not valid; IPython then shows the error
        and does not run the cell.
        """
        options = _options(lines[0]) if lines else None
        if options is None:
            self._check_first(lines)
            return lines
        body = lines[1:]
        self._check(body, 1)
        return [f"get_ipython().run_line_magic({MAGIC!r}, {options!r})\n", *_with_cell_magic(body)]

    def _check_first(self, lines: list[str]) -> None:
        """Raise InvalidRequestError if ``%%governed`` is below the cell's first line, where IPython ignores it."""
        if not lines or lines[0].startswith("%%"):
            return
        place = next((number for number, line in enumerate(lines) if _options(line) is not None), None)
        if place is None:
            return
        try:
            ast.parse("".join(self._shell.input_transformer_manager.do_token_transforms(lines[:place])))
        except SyntaxError:
            # The line is within a string of several lines, or IPython refuses the code above it anyway.
            return
        raise InvalidRequestError(
            f"%%{MAGIC} must be the first line of its cell: move what is above it, comments too, below it or into a"
            " cell of its own; nothing was run."
        )

    def _check(self, body: list[str], above: int, *, python: bool = True) -> None:
        """Raise an error if ``body``, the code of a governed cell, is empty or does not compile.

        ``above`` is the number of lines above the body in the cell. ``python`` is False for the body of another cell
        magic in the cell.
        """
        first = next((number for number, line in enumerate(body) if line.strip()), None)
        if first is None:
            raise InvalidRequestError(
                f"%%{MAGIC} governs the code below it, and there is none in this cell: write the code there; nothing"
                " was run."
            )
        if body[first].startswith("%%"):
            name = body[first][2:].split(maxsplit=1)[0] if body[first][2:].strip() else ""
            if name == MAGIC:
                raise InvalidRequestError(
                    f"A cell may have only one %%{MAGIC}, on its first line: remove the second one; nothing was run."
                )
            if name in _PYTHON_MAGICS and any(line.strip() for line in body[first + 1 :]):
                self._check(body[first + 1 :], above + first + 1, python=False)
            return
        source = "".join(self._shell.input_transformer_manager.do_token_transforms(list(body)))
        try:
            tree = ast.parse(source, _FILENAME)
        except SyntaxError as error:
            if not python:
                raise _placed(error, source, above) from None
            # IPython reports this error itself, with its place.
            return
        if not tree.body and python:
            raise InvalidRequestError(
                f"%%{MAGIC} governs the code below it, and there are only comments in this cell: write the code there;"
                " nothing was run."
            )
        flags = self._shell.compile.flags | (ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if self._shell.autoawait else 0)
        for statement in tree.body:
            # IPython compiles and runs statement by statement, so without this check an error in the last statement
            # would be found after all others have run.
            try:
                compile(ast.Module([statement], []), _FILENAME, "exec", flags, dont_inherit=True)
            except SyntaxError as error:
                raise _placed(error, source, above) from None


def install(shell: Any) -> None:
    """Make governed cells work in ``shell`` from now on; a second call changes nothing."""
    uninstall(shell)
    shell.input_transformer_manager.line_transforms.insert(0, GovernedCells(shell))


def uninstall(shell: Any) -> None:
    """Stop transforming the governed cells of ``shell``."""
    transforms = shell.input_transformer_manager.line_transforms
    transforms[:] = [transform for transform in transforms if not isinstance(transform, GovernedCells)]


def governed_code(raw_cell: str, options: str) -> str | None:
    """Return the code below the line ``%%governed`` with these options in a cell; None if there is no such line.

    ``raw_cell`` is the cell as the user typed it.
    """
    lines = raw_cell.splitlines(keepends=True)
    for number, line in enumerate(lines):
        found = _options(line.lstrip())
        if found == options:
            return "".join(lines[number + 1 :])
    return None


def _options(line: str) -> str | None:
    found = _FIRST_LINE.fullmatch(line)
    return None if found is None else (found["options"] or "").rstrip()


def _with_cell_magic(body: list[str]) -> list[str]:
    first = next(number for number, line in enumerate(body) if line.strip())
    transformed: list[str] = cell_magic(body[first:])  # type: ignore[no-untyped-call]
    return [*body[:first], *transformed]


def _placed(error: SyntaxError, source: str, above: int) -> SyntaxError:
    """Return ``error`` with its line number counted from the start of the cell; ``above`` lines precede ``source``."""
    lines = source.splitlines()
    line = error.lineno or 0
    text = lines[line - 1] if 0 < line <= len(lines) else None
    return type(error)(error.msg, (_FILENAME, line + above, error.offset, text))
