"""The private folder in which a server's socket lies."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["make_folder", "socket_path"]

_PREFIX: Final = "aumos-gov-"
_NAME: Final = "req.sock"
_LONGEST: Final = 100
"""Bytes of a socket's path: Linux takes 107, macOS 103."""
_RANDOM: Final = 8
"""Characters that make a folder's name its own."""
_YOUNG: Final = 60.0
"""Seconds in which a folder without a listener may be one that is just being made."""


def make_folder(parent: Path) -> Path:
    """Make a folder that only this user can enter, in ``parent`` where the path of a socket in it is short enough.

    What dead servers left there is taken away. Raises OSError.
    """
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if len(os.fsencode(socket_path(parent / (_PREFIX + "x" * _RANDOM)))) > _LONGEST:
        parent = Path(tempfile.gettempdir())
    _sweep(parent)
    return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))


def socket_path(folder: Path) -> Path:
    """Where the socket of a folder lies."""
    return folder / _NAME


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            about = folder.lstat()
            if about.st_uid == os.getuid() and time.time() - about.st_mtime > _YOUNG and not _listens(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _listens(folder: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(socket_path(folder)))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            # Busy, or not known: in doubt it is left alone.
            return True
    return True
