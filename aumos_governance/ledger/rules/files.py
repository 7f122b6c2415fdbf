"""The identity of a notebook: its file, which is the same for every server root that the notebook is reached from.

A client names a notebook by a server's root and a path below that root. Joined they are the file's path, so two roots
that lead to the same file name the same notebook. If the root is no folder (the root of an engine, or of a contents
manager that stores nothing on disk), the identity is the root and the path with a colon between.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from typing import Final, Protocol

_DRIVE: Final = re.compile(r"[A-Za-z]:/")


class _Notebook(Protocol):
    """The attributes of a notebook's row that determine which servers show it."""

    owner: str
    root: str
    file: str


def is_folder(root: str) -> bool:
    """Whether the root is a folder: an absolute path of POSIX or Windows, with slashes."""
    return root.startswith("/") or _DRIVE.match(root) is not None


@lru_cache(maxsize=4096)
def file_of(root: str, path: str) -> str:
    """Return the identity of the notebook at ``path`` below ``root``; ``path`` may lead out of the root by ``..``."""
    if not is_folder(root):
        return f"{root}:{path}"
    joined = f"{root.rstrip('/')}/{path}"
    return posixpath.normpath(joined) if ".." in path else joined


@lru_cache(maxsize=4096)
def path_below(root: str, file: str) -> str:
    """Return the path of a file relative to a root: the inverse of `file_of`."""
    first, _ = range_of(root)
    if file.startswith(first):
        return file[len(first) :]
    return posixpath.relpath(file, root) if is_folder(root) and is_folder(file) else file


def range_of(root: str) -> tuple[str, str]:
    """Return two texts that enclose the identities of all notebooks below a root: first <= identity < second."""
    # "0" follows "/" in Unicode, and ";" follows ":".
    return (f"{root.rstrip('/')}/", f"{root.rstrip('/')}0") if is_folder(root) else (f"{root}:", f"{root};")


def lies_in(notebook: _Notebook, owner: str, root: str) -> bool:
    """Whether a server with this owner and root shows the notebook.

    The server shows the notebooks that lie below its root, and the notebooks whose stored root is this root, since a
    symbolic link in the root may lead to a file elsewhere.
    """
    first, last = range_of(root)
    return notebook.owner == owner and (notebook.root == root or first <= notebook.file < last)


def sort_key(root: str, after: str) -> str:
    """Return the identity that precedes a page of notebooks.

    ``after`` is the last path of the previous page, or ``""``.
    """
    return file_of(root, after) if after else ""
