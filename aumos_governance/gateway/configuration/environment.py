"""The environment variables of the gateway's clients. Libraries that read them use the gateway without code changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ...wire.provider_keys import GATEWAY_ENV, GATEWAY_KEY_ENV, PROVIDER_KEYS
from ..contract import Upstream
from .known_providers import KNOWN

_LOOPBACK: Final = ("127.0.0.1", "localhost")
_PROXIES: Final = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_EXCEPTIONS: Final = ("NO_PROXY", "no_proxy")


def variables(upstreams: Mapping[str, Upstream], address: str, secret: str) -> dict[str, str]:
    """Return the environment variables for a client: each configured provider's base URL at the gateway, and the key.

    ``address`` is the gateway's address, ``http://127.0.0.1:<port>``; ``secret`` is the client's own key for the
    gateway. Two variables are always set: `GATEWAY_ENV` has the gateway's base URL for providers that no library knows
    (a client appends the provider's name and the path), and `GATEWAY_KEY_ENV` has the key.
    """
    found = {GATEWAY_ENV: f"{address}/llm", GATEWAY_KEY_ENV: secret}
    for name, upstream in upstreams.items():
        known = KNOWN.get(name)
        if known is None:
            continue
        base_url = address + upstream.client_path
        found.update(dict.fromkeys(known.addresses, base_url))
        found.update(dict.fromkeys(known.roots, base_url.removesuffix(known.root)))
        found.update(dict.fromkeys(known.chats, f"{base_url}/chat/completions"))
        keys = (key for key in PROVIDER_KEYS.get(name, ()) if key not in known.removed)
        found.update(dict.fromkeys(keys, secret))
        found.update(known.settings)
    return found


def withheld(upstreams: Mapping[str, Upstream]) -> frozenset[str]:
    """Return the names of the variables that hold the configured providers' own keys; no client may have them."""
    return frozenset(
        variable
        for name, upstream in upstreams.items()
        for variable in (*PROVIDER_KEYS.get(name, ()), *upstream.key_variables)
    )


def past_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the ``NO_PROXY`` variables that exempt the gateway from the HTTP proxy that ``environment`` configures.

    Without them, libraries would send the client's key to the proxy, and the proxy cannot reach this machine's loopback
    interface. Returns an empty dict if no proxy is configured.
    """
    if not any(environment.get(name) for name in _PROXIES):
        return {}
    # Some libraries read only the upper-case name, and others only the lower-case one.
    excepted = ",".join(_with_loopback(environment.get(name) for name in _EXCEPTIONS))
    return dict.fromkeys(_EXCEPTIONS, excepted)


def _with_loopback(lists: Iterable[str | None]) -> list[str]:
    hosts = [host.strip() for each in lists if each for host in each.split(",")]
    if "*" in hosts:
        return ["*"]
    return list(dict.fromkeys([*(host for host in hosts if host), *_LOOPBACK]))
