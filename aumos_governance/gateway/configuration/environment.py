"""The environment variables that make client libraries use the gateway without code changes.

The server sets them in its kernels and terminals. For example, the ``openai`` library takes its base URL from
``OPENAI_BASE_URL`` and its key from ``OPENAI_API_KEY``.
"""

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
    """Return the variables for one client: each provider's base URL at the gateway, and the client's gateway key.

    Two variables are always set: `GATEWAY_ENV` to the common part of the base URLs, to which a client appends the name
    of a provider that no library knows, and `GATEWAY_KEY_ENV` to the key.

    Args:
        upstreams: The configured providers, by their names.
        address: The gateway's address, ``http://127.0.0.1:<port>``.
        secret: The client's gateway key.

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
    """Return the names of all environment variables that may hold the configured providers' own keys.

    The server removes these variables from the environment of the kernels and terminals that it starts.
    """
    return frozenset(
        variable
        for name, upstream in upstreams.items()
        for variable in (*PROVIDER_KEYS.get(name, ()), *upstream.key_variables)
    )


def past_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Return ``NO_PROXY`` variables with which libraries call the gateway directly, and not through an HTTP proxy.

    Without them, libraries would send the client's key to the proxy that ``environment`` configures, and the proxy
    cannot reach this machine's loopback interface. Returns an empty dict if ``environment`` configures no proxy.
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
