"""The adapter for OpenAI's API: it decides which requests are paid calls, free, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..guarding.calls import READS, ApiRequest, Paid, is_free, unknown_method
from ..guarding.later import Later
from ..guarding.provider import Provider
from . import later as openai_later
from . import media
from .paths import FREE_POSTS
from .text import ChatCall, CompletionCall, EmbeddingCall, ResponseCall

if TYPE_CHECKING:
    from ..guarding.guard import Guard

_PAID: Final[dict[str, Callable[[ApiRequest], Paid]]] = {
    "/chat/completions": ChatCall,
    "/completions": CompletionCall,
    "/embeddings": EmbeddingCall,
    "/responses": ResponseCall,
    "/responses/compact": ResponseCall,
    "/images/generations": media.ImageCall,
    "/images/edits": media.ImageCall,
    "/images/variations": media.ImageCall,
    "/audio/speech": media.SpeechCall,
    "/audio/transcriptions": media.TranscriptionCall,
    "/audio/translations": media.TranscriptionCall,
}


class OpenAIProvider:
    """The adapter for OpenAI, Azure, and every other server with OpenAI's API."""

    price_id = "openai"

    def paid(self, request: ApiRequest) -> Paid | None:
        """Implement `Provider.paid`: return the paid call of a request, or None for a free request."""
        path = request.plain_path
        make = None if request.method.lower() in READS else _PAID.get(path)
        if make is not None:
            return make(request)
        if is_free(request, FREE_POSTS) or (path == "/vector_stores" and not request.body.get("file_ids")):
            # A vector store is billed for its content, so an empty one is free.
            return None
        if path == "/batches":
            return openai_later.batch_of(request, self.paid)
        raise unknown_method(request)

    def later(self, request: ApiRequest, guard: Guard) -> Later | None:
        """Implement `Provider.later`: return a reader for a response that states an earlier call's cost, or None."""
        return openai_later.later(request, guard)


PROVIDER: Final[Provider] = OpenAIProvider()
