"""The environment in which a client of the gateway runs: its variables, so that libraries need no line of code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ..wire.provider_keys import GATEWAY_ENV, GATEWAY_KEY_ENV, PROVIDER_KEYS
from .contract import Upstream
from .known_providers import KNOWN

__all__ = ["complete", "variables", "withheld"]

_LOOPBACK: Final = ("127.0.0.1", "localhost")
_PROXIES: Final = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def variables(upstreams: Mapping[str, Upstream], address: str, secret: str) -> dict[str, str]:
    """What a client finds in its environment: for each configured provider its base URL and a key.

    ``address`` is the gateway's, ``http://127.0.0.1:<port>``; ``secret`` the client's own key for it. A provider of a
    name that no library knows is found by the two variables that are always there: `GATEWAY_ENV` with the provider's
    name and path appended, and `GATEWAY_KEY_ENV`.
    """
    found = {GATEWAY_ENV: f"{address}/llm", GATEWAY_KEY_ENV: secret}
    for name, upstream in upstreams.items():
        known = KNOWN.get(name)
        if known is None:
            continue
        base_url = address + upstream.client_path
        found.update(dict.fromkeys(known.addresses, base_url))
        found.update(dict.fromkeys(known.roots, base_url.removesuffix(known.root)))
        keys = (key for key in PROVIDER_KEYS.get(name, ()) if key not in known.unanswered)
        found.update(dict.fromkeys(keys, secret))
    return found


def withheld(upstreams: Mapping[str, Upstream]) -> frozenset[str]:
    """The variables that no client of the gateway may have: those of the configured providers' own keys."""
    return frozenset(
        variable
        for name, upstream in upstreams.items()
        for variable in (*PROVIDER_KEYS.get(name, ()), *upstream.key_variables)
    )


def complete(
    environment: Mapping[str, str], upstreams: Mapping[str, Upstream], address: str, secret: str
) -> dict[str, str]:
    """An environment with what `variables` says, and without what `withheld` says; nothing else is changed.

    Where it names a proxy for HTTP, ``NO_PROXY`` is made to except the gateway: libraries would otherwise send the
    client's key to that proxy, which cannot reach this machine's loopback.
    """
    taken = withheld(upstreams)
    completed = {name: value for name, value in environment.items() if name not in taken}
    completed.update(variables(upstreams, address, secret))
    if any(completed.get(name) for name in _PROXIES):
        before = [completed.get(name) for name in ("NO_PROXY", "no_proxy")]
        excepted = ",".join(_with_loopback(before))
        # Libraries read either, and some only one of them.
        completed["NO_PROXY"] = completed["no_proxy"] = excepted
    return completed


def _with_loopback(lists: Iterable[str | None]) -> list[str]:
    hosts = [host.strip() for each in lists if each for host in each.split(",")]
    if "*" in hosts:
        return ["*"]
    return list(dict.fromkeys([*(host for host in hosts if host), *_LOOPBACK]))
