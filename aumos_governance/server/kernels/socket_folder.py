"""The private folder in which a server makes its Unix socket, so that no other user can connect to the socket."""

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
"""The length of the longest socket's path that is used, in bytes; Linux allows 107, macOS 103."""
_RANDOM: Final = 8
"""The number of random characters in a folder's name."""
_YOUNG: Final = 60.0
"""The age in seconds after which a folder is removed if no server listens in it. In a younger folder, a server may be
about to listen."""


def make_folder(parent: Path) -> Path:
    """Make and return a new folder that only this user can enter, for the socket of one server.

    It is made in ``parent`` or, if the socket's path would be too long there, in the system's folder for temporary
    files. Folders that earlier servers left there are removed. Raises OSError if the folder cannot be made.
    """
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if len(os.fsencode(socket_path(parent / (_PREFIX + "x" * _RANDOM)))) > _LONGEST:
        parent = Path(tempfile.gettempdir())
    _sweep(parent)
    return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))


def socket_path(folder: Path) -> Path:
    """Return the path of the socket in a server's private folder."""
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
