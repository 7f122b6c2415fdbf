"""The calls of OpenAI's library: which cost, what they may cost at worst, and what their answers say they used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from . import openai_later, openai_media
from .calls import Asked, Paid, unknown_method
from .later import Later
from .openai_paths import is_free
from .openai_text import ChatCall, CompletionCall, EmbeddingCall, ResponseCall
from .provider import Provider

if TYPE_CHECKING:
    from .guard import Guard

__all__ = ["PROVIDER", "OpenAIProvider"]

_PAID: Final[dict[str, Callable[[Asked], Paid]]] = {
    "/chat/completions": ChatCall,
    "/completions": CompletionCall,
    "/embeddings": EmbeddingCall,
    "/responses": ResponseCall,
    "/responses/compact": ResponseCall,
    "/images/generations": openai_media.ImageCall,
    "/images/edits": openai_media.ImageCall,
    "/images/variations": openai_media.ImageCall,
    "/audio/speech": openai_media.SpeechCall,
    "/audio/transcriptions": openai_media.TranscriptionCall,
    "/audio/translations": openai_media.TranscriptionCall,
}


class OpenAIProvider:
    """OpenAI, Azure, and every server that speaks as they do."""

    price_id = "openai"

    def paid(self, asked: Asked) -> Paid | None:
        """As `Provider.paid`."""
        path = asked.path.partition("?")[0]
        if is_free(asked.method.lower(), path) or (path == "/vector_stores" and not asked.body.get("file_ids")):
            # A vector store is billed for what is in it.
            return None
        if path == "/batches":
            return openai_later.batch_of(asked, self.paid)
        make = _PAID.get(path)
        if make is not None:
            return make(asked)
        raise unknown_method(asked)

    def later(self, asked: Asked, guard: Guard) -> Later | None:
        """As `Provider.later`."""
        return openai_later.later(asked, guard)


PROVIDER: Final[Provider] = OpenAIProvider()
