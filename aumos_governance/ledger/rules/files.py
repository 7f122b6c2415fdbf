"""A notebook's file, which is its identity: the same one for every server's root that it is reached through.

A notebook is named by a server's root and its path below that root. Both together are the file's real path, so two
roots that reach the same file name the same notebook. Where the root is no folder (an engine's, a contents manager's
that keeps nothing on disk), root and path together are the identity.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from typing import Final, Protocol

__all__ = ["file_of", "is_folder", "lies_in", "path_below", "range_of", "sort_key"]

_DRIVE: Final = re.compile(r"[A-Za-z]:/")


class _Named(Protocol):
    owner: str
    root: str
    file: str


def is_folder(root: str) -> bool:
    """Whether this root is an absolute path."""
    return root.startswith("/") or _DRIVE.match(root) is not None


@lru_cache(maxsize=4096)
def file_of(root: str, path: str) -> str:
    """The identity of the notebook at ``path`` below ``root``; ``path`` may lead out of the root by ``..``."""
    if not is_folder(root):
        return f"{root}:{path}"
    joined = f"{root.rstrip('/')}/{path}"
    return posixpath.normpath(joined) if ".." in path else joined


@lru_cache(maxsize=4096)
def path_below(root: str, file: str) -> str:
    """The path of a file as seen from this root, the inverse of `file_of`."""
    first, _ = range_of(root)
    if file.startswith(first):
        return file[len(first) :]
    return posixpath.relpath(file, root) if is_folder(root) and is_folder(file) else file


def range_of(root: str) -> tuple[str, str]:
    """The identities of all that lies below a root: from the first of these texts up to, and without, the second."""
    # "0" follows "/" in Unicode, and ";" follows ":".
    return (f"{root.rstrip('/')}/", f"{root.rstrip('/')}0") if is_folder(root) else (f"{root}:", f"{root};")


def lies_in(notebook: _Named, owner: str, root: str) -> bool:
    """Whether a notebook belongs to what a server with this owner and root shows.

    That is what lies below the root, and what was named from it: a link in the root may lead elsewhere.
    """
    first, last = range_of(root)
    return notebook.owner == owner and (notebook.root == root or first <= notebook.file < last)


def sort_key(root: str, after: str) -> str:
    """The identity after which a page of notebooks begins that follows the path ``after``."""
    return file_of(root, after) if after else ""
