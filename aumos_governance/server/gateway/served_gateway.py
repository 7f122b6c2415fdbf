"""The gateway of a Jupyter server: it listens as long as the server runs, if possible where it listened before."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ...gateway.configuration.environment import past_proxies, variables, withheld
from ...gateway.contract import Upstream
from ...gateway.process_environment import ProcessEnvironment
from ...service.service import NotebookService
from ..identity.rooms import Rooms
from .issuing import Issuing
from .port_memory import PortMemory

if TYPE_CHECKING:
    from ...gateway.listener import Gateway

__all__ = ["ServedGateway"]

_HOST: Final = "127.0.0.1"
_SWITCH_SECONDS: Final = 0.0002
"""How long a thread may compute while the gateway's waits for the interpreter's lock.

A call needs the lock some 18 times between its arrival and its first byte, since each statement of its hold gives the
lock away. With Python's own 5 ms it came 85 to 90 ms late beside a loop that computes without a pause; with this 8 ms,
by `benchmarks/gateway_busy.py`.
"""


class ServedGateway:
    """Started before the first kernel, whose environment names its address; stopped before the ledger is closed."""

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        service: NotebookService,
        rooms: Rooms,
        ports: PortMemory,
        *,
        server: str,
        log: logging.Logger,
    ) -> None:
        """``server`` is the name under which the server attends the ledger."""
        self._upstreams = upstreams
        self._service = service
        self._server = server
        self._ports = ports
        self._log = log
        self._gateway: Gateway | None = None
        self._address = ""
        self._switch_seconds: float | None = None
        environment = ProcessEnvironment(self._variables, withheld(upstreams))
        self.issuing = Issuing(service, rooms, environment, server=server, log=log)

    def start(self) -> None:
        """Load the valid keys, and listen. Raises what `Gateway.start` raises."""
        # Imports aiohttp, which a server without a provider may lack.
        from ...gateway.listener import Gateway

        self.issuing.keys.start()
        wanted = self._ports.wanted()
        self._gateway = Gateway(
            self._upstreams,
            self.issuing.keys,
            self._service,
            log=self._log,
            # The ledger finds by it, as of kernels, which server a hold belongs to.
            incarnation=f"{self._server}/gateway",
        )
        port = self._gateway.start(wanted)
        self._switch_seconds = sys.getswitchinterval()
        sys.setswitchinterval(min(self._switch_seconds, _SWITCH_SECONDS))
        self._ports.remember(port)
        self._address = f"http://{_HOST}:{port}"
        if wanted and port != wanted:
            self._log.warning(
                "AumOS Governance: the gateway listens at port %s, since another program has port %s; programs that"
                " were started before do not find it.",
                port,
                wanted,
            )
        self._log.info("AumOS Governance: the gateway to %s listens at %s", ", ".join(self._upstreams), self._address)

    def stop(self) -> None:
        """End the streams, settle what is open and revoke this server's keys, when its kernels are gone; may block."""
        if self._gateway is not None:
            self._gateway.stop()
        if self._switch_seconds is not None:
            sys.setswitchinterval(self._switch_seconds)
            self._switch_seconds = None
        self.issuing.stop()

    def body(self) -> dict[str, Any]:
        """What users may know of the gateway: its address, and the providers without their keys."""
        providers = [
            {
                "name": upstream.name,
                "api": upstream.dialect,
                "models": list(upstream.models),
                "denied_models": list(upstream.denied_models),
            }
            for upstream in self._upstreams.values()
        ]
        return {"address": self._address, "providers": providers}

    def _variables(self, secret: str) -> dict[str, str]:
        return {**variables(self._upstreams, self._address, secret), **past_proxies(os.environ)}
