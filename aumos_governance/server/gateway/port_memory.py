"""The last port of a gateway: the gateway listens there again after a restart, so that clients still find it."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

_MOST: Final = 65535


class PortMemory:
    """The file that stores the gateway's last port; each root folder of servers has a separate file.

    ``folder`` is the folder of the file, ``root`` the server's root folder, and ``configured`` the port that an
    administrator has set, or 0 for any port.
    """

    def __init__(self, folder: Path, root: str, configured: int = 0) -> None:
        self._path = folder / f"gateway-port-{sha256(os.fsencode(root)).hexdigest()[:16]}"
        self._configured = configured

    def wanted(self) -> int:
        """Return the port that the gateway should listen on: the configured port, else the last one; 0 for any port."""
        return self._configured or self._last()

    def remember(self, port: int) -> None:
        """Store the port for the next server, unless a port is configured or stored already.

        If the folder cannot be written to, nothing is stored, and the next server takes any free port.
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
