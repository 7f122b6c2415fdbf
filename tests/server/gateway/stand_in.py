"""A gateway that only listens, for tests of the time at which it is started and stopped."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any, ClassVar

from aumos_governance.gateway.contract import Keys, Upstream
from aumos_governance.service.service import NotebookService


class StandIn:
    made: ClassVar[list[StandIn]] = []

    def __init__(self, upstreams: Mapping[str, Upstream], keys: Keys, service: NotebookService, **options: Any) -> None:
        self.upstreams = upstreams
        self.keys = keys
        self.service = service
        self._socket = socket.socket()
        self.made.append(self)

    def start(self, port: int = 0) -> int:
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError:
            self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()
        found: int = self._socket.getsockname()[1]
        return found

    def stop(self) -> None:
        # Open charges are settled in the ledger at this moment, so the ledger must still be open.
        self.service.ledger.attending()
        self._socket.close()

    @property
    def stopped(self) -> bool:
        return self._socket.fileno() == -1
