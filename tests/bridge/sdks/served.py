"""A real server with a gateway to OpenAI, Anthropic and Google, and the charges of its notebooks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.bridge.live_server import GOVERNANCE, LiveServer, until
from tests.integrations.endpoint.server import Endpoint

PROVIDER_KEY = "sk-provider-the-real-one"
SELLERS = {
    "gpt-4o-mini": "openai",
    "text-embedding-3-small": "openai",
    "claude-haiku-4-5": "anthropic",
    "gemini-2.5-flash": "google",
}


@contextmanager
def served(home: Path, endpoint: Endpoint, *lines: str) -> Iterator[LiveServer]:
    """Run a server whose providers are all at the test endpoint; ``lines`` are added to its configuration."""
    live = LiveServer(home, environment={"TEAM_KEY": PROVIDER_KEY})
    providers = {
        "openai": {"key_env": "TEAM_KEY", "base_url": endpoint.openai_url, "provider": "openai"},
        "anthropic": {"key_env": "TEAM_KEY", "base_url": endpoint.anthropic_url, "provider": "anthropic"},
        "google": {"key_env": "TEAM_KEY", "base_url": endpoint.google_url, "provider": "google"},
    }
    configuration = [f"c.GovernanceExtension.providers = {providers!r}", *lines]
    (home / "config" / "jupyter_server_config.py").write_text("\n".join(configuration))
    try:
        yield live.start()
    finally:
        live.close()


def settled(server: LiveServer, path: str) -> list[dict[str, Any]]:
    """Return the records of settled charges of a notebook."""
    parameters = {"path": path, "event": "settle", "limit": "500"}
    return list(server.json("GET", GOVERNANCE + "audit", params=parameters)["records"])


class Bill:
    """The charges of a notebook since this object was made."""

    def __init__(self, server: LiveServer, endpoint: Endpoint, path: str) -> None:
        self._server = server
        self._endpoint = endpoint
        self._path = path
        self._before = self._spent()
        self._requests = endpoint.count

    @property
    def cost(self) -> Decimal:
        """Return the amount charged in USD, once no hold is open."""
        return self._spent() - self._before

    @property
    def requests(self) -> int:
        """Return the number of requests that the provider received."""
        return self._endpoint.count - self._requests

    def _spent(self) -> Decimal:
        until(lambda: self._server.state(self._path)["held"] in {"0", None}, "nothing is held")
        return Decimal(self._server.state(self._path)["spent"] or 0)
