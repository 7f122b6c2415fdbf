"""Selects the headers to forward, finds the client's gateway key in requests, and hides the provider's in responses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode

from multidict import CIMultiDict, CIMultiDictProxy

_KEY_HEADERS: Final = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
"""The request headers in which the client libraries of OpenAI, Anthropic, Azure and Google send the key."""
_KEY_PARAMETER: Final = "key"
"""The query parameter in which a client of Google's API may send the key."""
_BEARER: Final = "bearer "
_OF_CONNECTION: Final = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade"}
)
"""The headers that concern only one connection, so that a proxy does not forward them:
https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1, and those of earlier standards."""
_NEVER_SENT: Final = (
    _OF_CONNECTION
    | frozenset(_KEY_HEADERS)
    | {"host", "content-length", "content-encoding", "accept-encoding", "expect", "cookie", "origin", "referer"}
    | {"forwarded", "via"}
    # With these a server, or a proxy before it, may use another method or address than the measured ones.
    | {"x-http-method", "x-http-method-override", "x-method-override", "x-original-method", "x-original-uri"}
    | {"x-original-url", "x-rewrite-url", "x-override-url"}
)
_NEVER_PASSED: Final = _OF_CONNECTION | {"content-length", "content-encoding", "set-cookie", "set-cookie2", "alt-svc"}
_SHORTEST_SECRET: Final = 8
"""The fewest characters of a key that `Mask` hides. A shorter key, such as ``test`` for a local server, may be part of
ordinary text."""
_MASKED: Final = b"***"


def secrets_of(headers: Mapping[str, str], query: str) -> Iterator[str]:
    """Yield each value in a request's headers and query string that may be the client's gateway key.

    There may be several, since some clients send a key in two headers.
    """
    for name in _KEY_HEADERS:
        value = headers.get(name)
        if value:
            yield value[len(_BEARER) :].strip() if value[: len(_BEARER)].lower() == _BEARER else value.strip()
    if query:
        yield from (value for name, value in parse_qsl(query) if name == _KEY_PARAMETER)


def without_secret(query: str, secret: str) -> str:
    """Return a request's query string without the parameters that contain the client's gateway key ``secret``."""
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if name != _KEY_PARAMETER and secret not in value]
    # Encoding the parsed pairs again could change a query that has no key.
    return query if len(kept) == len(pairs) else urlencode(kept)


def from_client(headers: CIMultiDictProxy[str], secret: str, withheld: Iterable[str]) -> CIMultiDict[str]:
    """Return the headers of a client's request that are forwarded to the provider.

    Left out are the headers that contain the client's gateway key ``secret``, those whose names are in ``withheld``,
    and those that concern only the client's connection.
    """
    dropped = _NEVER_SENT.union(withheld, _named(headers))
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        # CGI-like servers do not distinguish _ from -: https://www.rfc-editor.org/rfc/rfc3875#section-4.1.18.
        lower = name.lower().replace("_", "-")
        if lower in dropped or lower.startswith("x-forwarded-") or secret in value:
            continue
        kept.add(name, value)
    return kept


def from_provider(headers: CIMultiDictProxy[str], key: str | None) -> CIMultiDict[str]:
    """Return the headers of a provider's response that are forwarded to the client.

    Left out are the headers that contain the provider's key ``key``, unless it is too short to be hidden, cookies, and
    the headers that concern only the provider's connection.
    """
    dropped = _NEVER_PASSED.union(_named(headers))
    hidden = key if key is not None and len(key) >= _SHORTEST_SECRET else None
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        if name.lower() not in dropped and not (hidden is not None and hidden in value):
            kept.add(name, value)
    return kept


def _named(headers: CIMultiDictProxy[str]) -> set[str]:
    """Return the names, in lower case, that the ``Connection`` header lists, since those headers are not forwarded."""
    return {name.strip().lower() for value in headers.getall("connection", ()) for name in value.split(",")}


class Mask:
    """Replaces the provider's key by ``***`` in one response's body, since some servers repeat the request there."""

    def __init__(self, key: str | None) -> None:
        self._key = key.encode() if key is not None and len(key) >= _SHORTEST_SECRET else b""
        self._kept = b""

    def whole(self, body: bytes) -> bytes:
        """Return ``body``, a complete body, with the key replaced."""
        return body.replace(self._key, _MASKED) if self._key else body

    def feed(self, chunk: bytes) -> bytes:
        """Return the bytes to forward now, with the key replaced, after ``chunk`` has arrived.

        Bytes at the end of ``chunk`` that may begin the key are held back until the next call of `feed` or `rest`.
        """
        key = self._key
        if not key:
            return chunk
        chunk, self._kept = (self._kept + chunk).replace(key, _MASKED), b""
        at = chunk.find(key[:1], max(0, len(chunk) - len(key) + 1))
        while at >= 0:
            if key.startswith(chunk[at:]):
                self._kept = chunk[at:]
                return chunk[:at]
            at = chunk.find(key[:1], at + 1)
        return chunk

    def rest(self) -> bytes:
        """Return the bytes that `feed` has held back, because the body is complete."""
        kept, self._kept = self._kept, b""
        return kept
