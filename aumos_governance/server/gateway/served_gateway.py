"""The gateway of a Jupyter server: it listens while the server runs, if possible on the port of the last start."""

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
from ..identity.notebook_map import NotebookMap
from .key_issuers import KeyIssuers
from .port_memory import PortMemory

if TYPE_CHECKING:
    from ...gateway.listener import Gateway

_HOST: Final = "127.0.0.1"
_SWITCH_SECONDS: Final = 0.0002
"""The seconds that another thread may compute while the gateway's thread waits for the interpreter's lock (the GIL).

A call needs the lock some 18 times between its arrival and its first byte, since each SQL statement of its hold
releases it. Beside a loop that computes without a pause, a call was 85 to 90 ms late with Python's default of 5 ms, and
8 ms late with this, measured by `benchmarks/gateway_busy.py`.
"""


class ServedGateway:
    """The gateway of one server, with its keys and its port. It lives as long as the server.

    It must be started before the first kernel, since kernels' environments contain its address, and stopped before the
    ledger is closed. ``upstreams`` are the configured providers, by name. ``server`` is the name under which this
    server is registered as running in the ledger.
    """

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        service: NotebookService,
        notebooks: NotebookMap,
        ports: PortMemory,
        *,
        server: str,
        log: logging.Logger,
    ) -> None:
        self._upstreams = upstreams
        self._service = service
        self._server = server
        self._ports = ports
        self._log = log
        self._gateway: Gateway | None = None
        self._address = ""
        self._switch_seconds: float | None = None
        environment = ProcessEnvironment(self._variables, withheld(upstreams))
        self.issuers = KeyIssuers(service, notebooks, environment, server=server, log=log)

    def start(self) -> None:
        """Load the valid keys from the ledger, and begin to listen. Raises the errors of `Gateway.start`."""
        # Imported here since it needs aiohttp, which a server without a provider may lack.
        from ...gateway.listener import Gateway

        self.issuers.keys.start()
        wanted = self._ports.wanted()
        self._gateway = Gateway(
            self._upstreams,
            self.issuers.keys,
            self._service,
            log=self._log,
            # As for kernels, the ledger finds by the part before the slash which server a hold belongs to.
            incarnation=f"{self._server}/gateway",
        )
        port = self._gateway.start(wanted)
        self._switch_seconds = sys.getswitchinterval()
        sys.setswitchinterval(min(self._switch_seconds, _SWITCH_SECONDS))
        self._ports.remember(port)
        self._address = f"http://{_HOST}:{port}"
        if wanted and port != wanted:
            self._log.warning(
                "AumOS Governance: the gateway listens on port %s, since another program uses port %s; restart programs"
                " that use the old port.",
                port,
                wanted,
            )
        self._log.info("AumOS Governance: the gateway to %s listens at %s", ", ".join(self._upstreams), self._address)

    def stop(self) -> None:
        """End all calls, settle their charges, and revoke the keys of this server's kernels and terminals; may block.

        Must be called after the server's kernels have ended.
        """
        if self._gateway is not None:
            self._gateway.stop()
        if self._switch_seconds is not None:
            sys.setswitchinterval(self._switch_seconds)
            self._switch_seconds = None
        self.issuers.stop()

    def body(self) -> dict[str, Any]:
        """Return the gateway's description for ``GET config``: its address, and the providers without their keys."""
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
