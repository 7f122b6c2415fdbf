"""Selects the headers that are forwarded, finds the client's key in a request, and masks the provider's key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode

from multidict import CIMultiDict, CIMultiDictProxy

__all__ = ["Mask", "from_client", "from_provider", "secrets_of", "without_secret"]

_KEY_HEADERS: Final = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
"""The headers that carry the key in requests of the client libraries of OpenAI, Anthropic, Azure and Google."""
_KEY_PARAMETER: Final = "key"
"""The query parameter that may carry the key in requests to Google's API."""
_BEARER: Final = "bearer "
_OF_CONNECTION: Final = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade"}
)
"""The headers that concern only one connection: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 and older ones."""
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
"""The shortest key, in characters, that is masked: a shorter key, such as ``test``, may be part of other text."""
_MASKED: Final = b"***"


def secrets_of(headers: Mapping[str, str], query: str) -> Iterator[str]:
    """Yield each credential in the headers and the query that may be the client's key; some clients send two."""
    for name in _KEY_HEADERS:
        value = headers.get(name)
        if value:
            yield value[len(_BEARER) :].strip() if value[: len(_BEARER)].lower() == _BEARER else value.strip()
    if query:
        yield from (value for name, value in parse_qsl(query) if name == _KEY_PARAMETER)


def without_secret(query: str, secret: str) -> str:
    """Return the query string without ``secret``, the client's key."""
    if not query:
        return ""
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if name != _KEY_PARAMETER and secret not in value]
    # Encoding the parsed pairs again could change a query that has no key.
    return query if len(kept) == len(pairs) else urlencode(kept)


def from_client(headers: CIMultiDictProxy[str], secret: str, withheld: Iterable[str]) -> CIMultiDict[str]:
    """Return the client's headers to forward to the provider.

    Headers that contain ``secret``, the client's key, or are named in ``withheld`` are left out.
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
    """Return the provider's headers to forward to the client.

    Headers that contain ``key``, the provider's key, are left out. A key that is too short to be masked is ignored.
    """
    dropped = _NEVER_PASSED.union(_named(headers))
    hidden = key if key is not None and len(key) >= _SHORTEST_SECRET else None
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        if name.lower() not in dropped and not (hidden is not None and hidden in value):
            kept.add(name, value)
    return kept


def _named(headers: CIMultiDictProxy[str]) -> set[str]:
    """Return the header names that the ``Connection`` header lists: these headers concern only this connection."""
    return {name.strip().lower() for value in headers.getall("connection", ()) for name in value.split(",")}


class Mask:
    """Replaces the provider's key by ``***`` in response bodies, since some servers repeat the request in them."""

    def __init__(self, key: str | None) -> None:
        self._key = key.encode() if key is not None and len(key) >= _SHORTEST_SECRET else b""
        self._kept = b""

    def whole(self, body: bytes) -> bytes:
        """Return a complete body with the key masked."""
        return body.replace(self._key, _MASKED) if self._key else body

    def feed(self, chunk: bytes) -> bytes:
        """Return the next bytes of a body with the key masked.

        Bytes at the end that may be the beginning of the key are held back until the next call of `feed` or `rest`.
        """
        key = self._key
        if not key:
            return chunk
        chunk, self._kept = self._kept + chunk, b""
        if key in chunk:
            chunk = chunk.replace(key, _MASKED)
        if chunk.endswith(b"\n"):
            # No key has a line break. Each event of a stream ends with one, so it is forwarded at once.
            return chunk
        at = chunk.find(key[:1], max(0, len(chunk) - len(key) + 1))
        while at >= 0:
            if key.startswith(chunk[at:]):
                self._kept = chunk[at:]
                return chunk[:at]
            at = chunk.find(key[:1], at + 1)
        return chunk

    def rest(self) -> bytes:
        """Return the bytes that were held back, now that the body is complete."""
        kept, self._kept = self._kept, b""
        return kept
