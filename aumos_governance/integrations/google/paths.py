"""Google's paths: which model and method a request names, and which requests cost nothing.

https://ai.google.dev/gemini-api/docs/pricing and https://cloud.google.com/vertex-ai/generative-ai/pricing name what is
billed: the tokens of models, grounding, images and videos, the hours for which a cache is kept, the embedding of what
is put into a file search store, tuning on Vertex AI. Free are files (https://ai.google.dev/gemini-api/docs/files) and
counting tokens (https://ai.google.dev/gemini-api/docs/tokens).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["FREE_POSTS", "SOCKETS", "Target", "target_of"]

_VERSION: Final = r"(?:/v\d+(?:(?:alpha|beta)\d*)?)?"
_NAME: Final = r"[\w.@-]+"
"""No slash and no percent sign: what a server may read as another path is none of these."""
_PLACE: Final = rf"projects/{_NAME}/locations/{_NAME}/"
_MODEL: Final = rf"(?:{_PLACE})?(?:publishers/{_NAME}/)?(?:models|tunedModels|endpoints)/{_NAME}"
_TARGET: Final = re.compile(
    rf"{_VERSION}/(?:projects/{_NAME}/locations/(?P<location>{_NAME})/)?(?:publishers/(?P<publisher>{_NAME})/)?"
    rf"(?P<kind>models|tunedModels|endpoints)/(?P<model>{_NAME}):(?P<method>\w+)"
)
SOCKETS: Final = re.compile(r"/ws/.*|.*[./:]Bidi\w*")
"""The Live API, a web socket that is opened by a GET."""
FREE_POSTS: Final = re.compile(
    rf"(?:/(?:resumable/)?upload)?{_VERSION}/(?:"
    # Counting has no price, nor has looking at what runs.
    rf"{_MODEL}:(?:countTokens|computeTokens|fetchPredictOperation)"
    rf"|files(?:/{_NAME}|:register)?"
    # An empty store for file search: the embedding of what is put into it is billed.
    r"|fileSearchStores"
    # Ending what runs.
    rf"|(?:{_PLACE}|{_MODEL}/)?(?:operations|batches|batchPredictionJobs|tuningJobs)/{_NAME}:cancel"
    r")"
)
"""The paths to which a request may send something for nothing; what only reads or deletes is free at any path."""


@dataclass(frozen=True, slots=True)
class Target:
    """The model that a request is for."""

    model: str
    """As the price list names it; what was tuned keeps its kind, as in ``tunedModels/x``."""
    method: str
    location: str | None = None
    """Vertex AI's, for example ``us-central1`` or ``global``."""
    publisher: str | None = None


def target_of(path: str) -> Target | None:
    """The model and the method of a path without its query; None for one that names none."""
    found = _TARGET.fullmatch(path)
    if found is None:
        return None
    kind, model = found["kind"], found["model"]
    return Target(
        model if kind == "models" else f"{kind}/{model}", found["method"], found["location"], found["publisher"]
    )
