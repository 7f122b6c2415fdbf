"""The stored port of a gateway. After a restart the gateway listens there again, so that programs still find it."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

_MOST: Final = 65535


class PortMemory:
    """The port that a server's gateway should use: the configured one, or the one that is stored in a file.

    The file is in ``folder``. Servers with the same root folder, ``root``, share one file. ``configured`` is the port
    that an administrator has set, or 0 if any port may be used.
    """

    def __init__(self, folder: Path, root: str, configured: int = 0) -> None:
        self._path = folder / f"gateway-port-{sha256(os.fsencode(root)).hexdigest()[:16]}"
        self._configured = configured

    def wanted(self) -> int:
        """Return the port to listen on: the configured port, or else the stored one, or else 0 for any free port."""
        return self._configured or self._last()

    def remember(self, port: int) -> None:
        """Store the port on which the gateway listens now, for its next start, unless one is configured or stored.

        If the folder cannot be written to, nothing is stored, and the gateway takes any free port at its next start.
        """
        if self.wanted():
            # Another server of this root folder may listen on the stored port, and its clients must find it again.
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            written = self._path.with_suffix(f".{os.getpid()}")
            written.write_text(f"{port}\n", "ascii")
            written.replace(self._path)

    def _last(self) -> int:
        try:
            port = int(self._path.read_text("ascii"))
        except (OSError, ValueError):
            return 0
        return port if 0 < port <= _MOST else 0
