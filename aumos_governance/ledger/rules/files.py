"""Functions that identify a notebook by its file, so that every server that serves the file means the same notebook.

A client names a notebook by the root folder of its server and a path below that folder. Joined, they are the path of
the notebook's file, which is its identity: ``/home/ada`` with ``work/a.ipynb`` is the same notebook as
``/home/ada/work`` with ``a.ipynb``. If the root is no folder (that of an SDK engine, or of a Jupyter contents manager
that stores nothing on disk), the identity is the root and the path with a colon between, such as ``embedded:name``.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from typing import Final, Protocol

_DRIVE: Final = re.compile(r"[A-Za-z]:/")


class _Notebook(Protocol):
    """The attributes of a notebook's row that `lies_in` needs to decide whether a server shows the notebook."""

    owner: str
    root: str
    file: str


def is_folder(root: str) -> bool:
    """Whether a server's root is a folder: an absolute POSIX or Windows path with slashes, such as ``C:/work``."""
    return root.startswith("/") or _DRIVE.match(root) is not None


@lru_cache(maxsize=4096)
def file_of(root: str, path: str) -> str:
    """Return the identity of the notebook at ``path`` below a server's root: the path of its file.

    ``path`` may lead out of the root folder by ``..``. If the root is no folder, the identity is ``"root:path"``.
    """
    if not is_folder(root):
        return f"{root}:{path}"
    joined = f"{root.rstrip('/')}/{path}"
    return posixpath.normpath(joined) if ".." in path else joined


@lru_cache(maxsize=4096)
def path_below(root: str, file: str) -> str:
    """Return the path below a server's root of the notebook with this identity; the inverse of `file_of`.

    For a file outside the root folder, the path begins with ``..``.
    """
    first, _ = range_of(root)
    if file.startswith(first):
        return file[len(first) :]
    return posixpath.relpath(file, root) if is_folder(root) and is_folder(file) else file


def range_of(root: str) -> tuple[str, str]:
    """Return the range of the identities of all notebooks below a server's root, as two texts.

    An identity is in the range if first <= identity < second, so a database can use an index.
    """
    # "0" follows "/" in Unicode, and ";" follows ":". So the second text sorts after all that begin with the first.
    return (f"{root.rstrip('/')}/", f"{root.rstrip('/')}0") if is_folder(root) else (f"{root}:", f"{root};")


def lies_in(notebook: _Notebook, owner: str, root: str) -> bool:
    """Whether the server with this owner and root folder shows the notebook to its users.

    It shows the owner's notebooks whose files lie below the root folder, and those whose stored root is this folder,
    since a symbolic link in the folder may lead to a file elsewhere.
    """
    first, last = range_of(root)
    return notebook.owner == owner and (notebook.root == root or first <= notebook.file < last)


def sort_key(root: str, after: str) -> str:
    """Return the identity after which a page of notebooks begins, or ``""`` for the first page.

    ``after`` is the path below ``root`` of the last notebook on the previous page, or ``""`` for the first page.
    """
    return file_of(root, after) if after else ""
