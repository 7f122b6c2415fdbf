"""By what the ledger knows a thing: a notebook by its file, all else by an identifier that tells when it was made.

A notebook's file is its identity, the same one for every server's root that it is reached through.

A notebook is named by a server's root and its path below that root. Both together are the file's real path, so two
roots that reach the same file name the same notebook. Where the root is no folder (an engine's, a contents manager's
that keeps nothing on disk), root and path together are the identity.
"""

from __future__ import annotations

import os
import posixpath
import re
from functools import lru_cache
from typing import Final, Protocol

__all__ = ["file_of", "is_folder", "lies_in", "made_at", "new_id", "path_below", "range_of", "sort_key"]

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


# ---- identifiers

_AT_ONCE: Final = 256
_random: Final[list[str]] = []
"""Random halves that nobody has used: asking the system for one costs more than all the rest."""

if hasattr(os, "register_at_fork"):
    # Otherwise a child would use the same ones as its parent.
    os.register_at_fork(after_in_child=_random.clear)


def new_id(now: int) -> str:
    """A fresh UUID (version 7) as 32 hex digits; ``now`` is in microseconds.

    It starts with the time to a quarter of a microsecond, so that new rows go to the end of an index and not
    all over it, and that ids sort by when they were made.
    """
    # By "%", which takes two thirds of the time of an f-string here.
    time = "%012x7%03x8" % (now // 1000, now % 1000 * 4096 // 1000)  # noqa: UP031
    try:
        # Atomic: no two threads get the same one.
        return time + _random.pop()
    except IndexError:
        digits = os.urandom(8 * _AT_ONCE).hex()
        _random.extend([digits[start + 1 : start + 16] for start in range(16, len(digits), 16)])
        return time + digits[1:16]


def made_at(identifier: str) -> int:
    """When an identifier of the ledger's was made, in microseconds to the millisecond."""
    return int(identifier[:12], 16) * 1000
