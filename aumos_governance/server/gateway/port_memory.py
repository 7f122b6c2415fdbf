"""At which port the gateway of a server's root folder listens: the same after a restart, so that clients find it."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

__all__ = ["PortMemory"]

_MOST: Final = 65535


class PortMemory:
    """Keeps the port of the last gateway, in a small file of this package for each root folder of servers."""

    def __init__(self, folder: Path, root: str, configured: int = 0) -> None:
        """``configured``: the port that an administrator chose; 0 for none."""
        self._path = folder / f"gateway-port-{sha256(os.fsencode(root)).hexdigest()[:16]}"
        self._configured = configured

    def wanted(self) -> int:
        """The port at which the gateway is to listen; 0 for any."""
        return self._configured or self._last()

    def remember(self, port: int) -> None:
        """Have the next server listen at this port too, unless it already is to listen at another.

        Without success where the folder cannot be written to: the next server then takes any free port.
        """
        if self.wanted():
            # Another server of this root may listen there, whose clients are to find it again.
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
