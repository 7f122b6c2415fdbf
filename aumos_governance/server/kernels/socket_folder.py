"""The private folder that contains a server's socket."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_PREFIX: Final = "aumos-gov-"
_NAME: Final = "req.sock"
_LONGEST: Final = 100
"""The most bytes of a socket's path; Linux allows 107, macOS 103."""
_RANDOM: Final = 8
"""The number of random characters in a folder's name."""
_YOUNG: Final = 60.0
"""The age in seconds after which a folder without a listener is removed; before, its server may still be starting."""


def make_folder(parent: Path) -> Path:
    """Make a folder that only this user can enter, in ``parent`` or, if its path gets too long, a temporary folder.

    The folders that ended servers left there are removed. Raises OSError.
    """
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if len(os.fsencode(socket_path(parent / (_PREFIX + "x" * _RANDOM)))) > _LONGEST:
        parent = Path(tempfile.gettempdir())
    _sweep(parent)
    return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))


def socket_path(folder: Path) -> Path:
    """Return the path of the socket in a folder."""
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
            # A listener may exist but be busy, so the folder is not removed.
            return True
    return True
