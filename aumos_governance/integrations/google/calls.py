"""The adapter for Google's Gemini API: it decides which requests are paid calls, free, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from ...errors import ConfigurationError
from ..guarding.calls import READS, ApiRequest, Paid, is_free
from ..guarding.later import Later
from ..guarding.provider import Provider
from .content import GenerateCall
from .embeddings import EmbedCall, PredictCall
from .paths import FREE_POSTS, SOCKETS, Target, target_of

if TYPE_CHECKING:
    from ..guarding.guard import Guard

_PAID: Final[dict[str, Callable[[ApiRequest, Target], Paid]]] = {
    "generateContent": GenerateCall,
    "streamGenerateContent": GenerateCall,
    "embedContent": EmbedCall,
    "batchEmbedContents": EmbedCall,
    "predict": PredictCall,
    "predictLongRunning": PredictCall,
}
# Reasons for refusing a request; they complete the message "... was not sent: ...".
_REFUSED: Final = {
    "batchGenerateContent": "what a batch costs is known only when it is done; send its requests one by one",
    "asyncBatchEmbedContent": "what a batch costs is known only when it is done; use batchEmbedContents",
}
_REFUSED_PATHS: Final = {
    "/cachedContents": "a cache is billed by the hour for as long as it is kept; leave it out: Google caches the"
    " common beginning of requests by itself, free of charge",
    "/interactions": "what an interaction costs is not known here; use generateContent",
    "/batches": "what a batch costs is known only when it is done; send its requests one by one",
    "/batchPredictionJobs": "what a batch costs is known only when it is done; send its requests one by one",
    "/auth_tokens": "the token opens a session of the Live API, whose cost is not known; use generateContent",
    "/openai/": "this path is OpenAI's API; configure a separate provider with a base_url that ends with /openai",
}
"""Why a request is refused if its path contains the key; each reason completes the message "... was not sent: ..."."""
_READABLE: Final = frozenset({"json", "sse", "media"})
"""The values of the query parameter ``alt`` that let the usage in the response be read."""


class GoogleProvider:
    """The adapter for the Gemini API, and for Gemini on Vertex AI."""

    price_id = "google"

    def paid(self, request: ApiRequest) -> Paid | None:
        """Implement `Provider.paid`: return the paid call of a request, or None for a free request."""
        path = request.plain_path
        if SOCKETS.fullmatch(path):
            raise _refused(request, "the Live API is a WebSocket, whose cost is not known; use generateContent")
        if is_free(request, FREE_POSTS):
            return None
        formats = parse_qs(request.path.partition("?")[2]).get("alt", ["json"])
        if not _READABLE.issuperset(formats):
            raise _refused(request, f"the usage in a response with alt={formats[0]} cannot be read; leave alt out")
        target = target_of(path)
        make = _PAID.get(target.method) if target is not None and request.method.lower() not in READS else None
        if target is None or make is None:
            raise _refused(request, _reason(path, target))
        if target.publisher not in (None, "google"):
            raise _refused(request, f"models of {target.publisher} have an API of their own")
        return make(request, target)

    def later(self, request: ApiRequest, guard: Guard) -> Later | None:
        """Implement `Provider.later`: return None, since no response of Google states an earlier call's cost."""
        return None


PROVIDER: Final[Provider] = GoogleProvider()


def _reason(path: str, target: Target | None) -> str:
    """Return why a request at ``path`` is refused, as the end of the message "... was not sent: ..."."""
    if target is not None and target.method in _REFUSED:
        return _REFUSED[target.method]
    for part, why in _REFUSED_PATHS.items():
        if part in path:
            return why
    return "what it may cost is not known"


def _refused(request: ApiRequest, why: str) -> ConfigurationError:
    return ConfigurationError(f"{request.name} was not sent: {why}.")
