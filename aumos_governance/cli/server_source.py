"""The facts of a running server, read over REST."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from .rest_client import RestClient, server_url

__all__ = ["ServerSource", "find_servers", "given_server"]

_PAGE: Final = 1_000


class ServerSource:
    """One server, read over REST. ``about`` is what its own information file says."""

    def __init__(self, client: RestClient, about: Mapping[str, Any]) -> None:
        self._client = client
        self._about = about
        self.url = client.url
        self.name = f"server {client.url}"

    def config(self) -> dict[str, Any]:
        """The server's configuration; raises NotGovernedError where governance is not enabled."""
        return self._client.get("config")

    def places(self) -> list[dict[str, Any]]:
        return [
            {
                "owner": None,
                "root": self._about.get("root_dir"),
                "notebooks": self._all("notebooks"),
                "holds": self._all("holds"),
                "kernels": self._client.get("kernels")["kernels"],
                # A server of an earlier version does not say.
                "ceilings_differ": self.config().get("ceilings_differ", []),
            }
        ]

    def audit(self, filters: Mapping[str, str], last: int) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while len(records) < last:
            page = self._client.get("audit", {**filters, **cursor, "limit": str(min(last - len(records), _PAGE))})
            records += page["records"]
            if page["cursor"] is None:
                break
            cursor = {"cursor": page["cursor"]}
        return records[::-1]

    def verify(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        return self._client.get("audit/verify", parameters)

    def export(self, filters: Mapping[str, str], form: str) -> Iterator[bytes]:
        return self._client.stream("audit/export", {**filters, "format": form})

    @property
    def root(self) -> str | None:
        """The folder that the server shows; None where that is not known."""
        return self._about.get("root_dir")

    def state(self, path: str) -> dict[str, Any]:
        """What ``GET state`` gives."""
        return self._client.get("state", {"path": path})

    def keys(self) -> dict[str, Any]:
        """What ``GET keys`` gives."""
        return self._client.get("keys")

    def create_key(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new key, as ``POST keys`` gives it."""
        return self._client.send("POST", "keys", body)

    def revoke_key(self, key_id: str) -> None:
        self._client.send("DELETE", f"keys/{key_id}")

    def close(self) -> None:
        """Nothing stays open."""

    def _all(self, name: str) -> list[dict[str, Any]]:
        page = self._client.get(name, {"limit": str(_PAGE)})
        found: list[dict[str, Any]] = page[name]
        while page["after"] is not None:
            page = self._client.get(name, {"limit": str(_PAGE), "after": page["after"]})
            found += page[name]
        return found


def find_servers(token: str | None) -> list[ServerSource]:
    """The running Jupyter servers of this user, by URL, governed or not."""
    return [
        ServerSource(RestClient(about["url"], token or about.get("token") or _token_of_environment()), about)
        for about in _running()
    ]


def given_server(raw: str, token: str | None) -> ServerSource:
    """The server at a URL, with the token it needs where that is known; raises InvalidRequestError."""
    url, in_url = server_url(raw)
    about = next((about for about in _running() if _place(about["url"]) == _place(url)), {})
    known = token or in_url or about.get("token") or _token_of_environment()
    return ServerSource(RestClient(url, known), about)


def _running() -> list[dict[str, Any]]:
    from jupyter_server.serverapp import list_running_servers

    return sorted(list_running_servers(), key=lambda about: str(about["url"]))


def _place(url: str) -> tuple[object, ...]:
    parts = urlsplit(url)
    host = "localhost" if parts.hostname in ("127.0.0.1", "::1") else parts.hostname
    return parts.scheme, host, parts.port, parts.path.rstrip("/")


def _token_of_environment() -> str | None:
    # The second is what a hub gives to everything that runs in a user's server.
    return os.environ.get("JUPYTER_TOKEN") or os.environ.get("JUPYTERHUB_API_TOKEN")
