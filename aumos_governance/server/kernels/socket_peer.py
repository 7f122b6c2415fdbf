"""The check that a local connection comes from the kernel that its token was issued for, where the system allows it."""

from __future__ import annotations

import os
import socket
import struct
import sys
from pathlib import Path
from typing import Final

from ...errors import NotAllowedError

_CREDENTIALS: Final = struct.Struct("3i")
_MOST_GENERATIONS: Final = 64


def check_peer(connection: socket.socket, kernel_pid: int | None) -> None:
    """Raise NotAllowedError unless the client of this connection is the kernel or a process that descends from it.

    Only Linux reports the client's process, and only for Unix sockets. Elsewhere nothing is checked, and only the token
    proves which kernel the client is. With None as ``kernel_pid``, only the client's user is checked.
    """
    if sys.platform != "linux" or connection.family != socket.AF_UNIX:
        return
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, user, _ = _CREDENTIALS.unpack(raw)
    if user != os.getuid():
        raise NotAllowedError("This governance server only serves kernels of its own user; use your own server.")
    if kernel_pid is not None and not _descends(pid, kernel_pid):
        raise NotAllowedError("This process is neither the kernel that the token was issued for nor started by it.")


def _descends(pid: int, ancestor: int) -> bool:
    for _ in range(_MOST_GENERATIONS):
        if pid == ancestor:
            return True
        parent = _parent(pid)
        if parent is None or parent <= 1:
            return False
        pid = parent
    return False


def _parent(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # The second field, the program's name, is in parentheses and may contain parentheses itself.
    return int(stat.rpartition(")")[2].split()[1])
