"""The source that commands read by default: a running server, over REST. Also how running servers are found."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from .rest_client import RestClient, server_url

_PAGE: Final = 1_000


class ServerSource:
    """A `Source` that reads one server over REST.

    ``about`` is the content of the file in Jupyter's runtime folder in which a running server describes itself, with
    its URL, token and root folder; empty if there is no such file, e.g. for a server on another machine. Methods raise
    the errors of `RestClient`.
    """

    def __init__(self, client: RestClient, about: Mapping[str, Any]) -> None:
        self._client = client
        self._about = about
        self.url = client.url
        self.name = f"server {client.url}"

    def config(self) -> dict[str, Any]:
        """Return the response of ``GET config``: the server's configuration of governance.

        Raises NotGovernedError if governance is not enabled on the server.
        """
        return self._client.get("config")

    def places(self) -> list[dict[str, Any]]:
        return [
            {
                "owner": None,
                "root": self._about.get("root_dir"),
                "notebooks": self._all("notebooks"),
                "holds": self._all("holds"),
                "kernels": self._client.get("kernels")["kernels"],
                # A server of an earlier version does not send this field.
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

    def export(self, filters: Mapping[str, str], file_format: str) -> Iterator[bytes]:
        return self._client.stream("audit/export", {**filters, "format": file_format})

    @property
    def root(self) -> str | None:
        """The path of the server's root folder on this machine, or None if it is not known."""
        return self._about.get("root_dir")

    def state(self, path: str) -> dict[str, Any]:
        """Return the response of ``GET state``: the figures of the session of the notebook at ``path``."""
        return self._client.get("state", {"path": path})

    def keys(self) -> dict[str, Any]:
        """Return the response of ``GET keys``: the gateway's valid keys, without their secrets."""
        return self._client.get("keys")

    def create_key(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Issue a key of the gateway with ``POST keys``.

        Returns the response: the key's description, and the environment variables that a program needs to use the key.
        """
        return self._client.send("POST", "keys", body)

    def revoke_key(self, key_id: str) -> None:
        self._client.send("DELETE", f"keys/{key_id}")

    def close(self) -> None:
        """Do nothing, since `RestClient` closes the connection of each request after the response."""

    def _all(self, name: str) -> list[dict[str, Any]]:
        page = self._client.get(name, {"limit": str(_PAGE)})
        found: list[dict[str, Any]] = page[name]
        while page["after"] is not None:
            page = self._client.get(name, {"limit": str(_PAGE), "after": page["after"]})
            found += page[name]
        return found


def find_servers(token: str | None) -> list[ServerSource]:
    """Return the running Jupyter servers of this user on this machine, in the order of their URLs, governed or not.

    ``token`` is used for all of them; with None, each server's own information file or the environment has its token.
    """
    return [
        ServerSource(RestClient(about["url"], token or about.get("token") or _token_of_environment()), about)
        for about in _running()
    ]


def server_at(raw_url: str, token: str | None) -> ServerSource:
    """Return the server at a URL that a user typed or copied from a browser, without connecting to it.

    The token is ``token`` or else the first of the tokens in the URL, in the server's information file and in the
    environment. Raises InvalidRequestError if ``raw_url`` is not the URL of a server.
    """
    url, url_token = server_url(raw_url)
    about = next((about for about in _running() if _address(about["url"]) == _address(url)), {})
    token = token or url_token or about.get("token") or _token_of_environment()
    return ServerSource(RestClient(url, token), about)


def _running() -> list[dict[str, Any]]:
    from jupyter_server.serverapp import list_running_servers

    return sorted(list_running_servers(), key=lambda about: str(about["url"]))


def _address(url: str) -> tuple[object, ...]:
    """Return the scheme, host, port and path of a URL, to find out whether two URLs are of the same server.

    All names of the loopback interface, such as ``127.0.0.1``, are replaced with ``localhost``.
    """
    parts = urlsplit(url)
    host = "localhost" if parts.hostname in ("127.0.0.1", "::1") else parts.hostname
    return parts.scheme, host, parts.port, parts.path.rstrip("/")


def _token_of_environment() -> str | None:
    # JupyterHub sets JUPYTERHUB_API_TOKEN for all programs in a user's server.
    return os.environ.get("JUPYTER_TOKEN") or os.environ.get("JUPYTERHUB_API_TOKEN")
