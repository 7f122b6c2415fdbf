"""Finds the model and the method that a path of Google's API names, and recognizes the paths of free requests.

https://ai.google.dev/gemini-api/docs/pricing and https://cloud.google.com/vertex-ai/generative-ai/pricing name what is
billed: the tokens of models, grounding, images and videos, a cache by the hour, the embedding of files that are added
to a file search store, and tuning on Vertex AI. Files (https://ai.google.dev/gemini-api/docs/files) and
counting tokens (https://ai.google.dev/gemini-api/docs/tokens) are free.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_VERSION: Final = r"(?:/v\d+(?:(?:alpha|beta)\d*)?)?"
_NAME: Final = r"[\w.@-]+"
"""Matches a name in a path. A name has no slashes or percent signs, since a server may read these as another path."""
_PLACE: Final = rf"projects/{_NAME}/locations/{_NAME}/"
_MODEL: Final = rf"(?:{_PLACE})?(?:publishers/{_NAME}/)?(?:models|tunedModels|endpoints)/{_NAME}"
_TARGET: Final = re.compile(
    rf"{_VERSION}/(?:projects/{_NAME}/locations/(?P<location>{_NAME})/)?(?:publishers/(?P<publisher>{_NAME})/)?"
    rf"(?P<kind>models|tunedModels|endpoints)/(?P<model>{_NAME}):(?P<method>\w+)"
)
SOCKETS: Final = re.compile(r"/ws/.*|.*[./:]Bidi\w*")
"""Matches the paths of the Live API, a WebSocket that is opened by a GET request."""
FREE_POSTS: Final = re.compile(
    rf"(?:/(?:resumable/)?upload)?{_VERSION}/(?:"
    # Counting tokens, and polling a running operation, have no price.
    rf"{_MODEL}:(?:countTokens|computeTokens|fetchPredictOperation)"
    rf"|files(?:/{_NAME}|:register)?"
    # An empty store for file search: only the embedding of the files that are added to it is billed.
    r"|fileSearchStores"
    # Ending a running operation, batch or job.
    rf"|(?:{_PLACE}|{_MODEL}/)?(?:operations|batches|batchPredictionJobs|tuningJobs)/{_NAME}:cancel"
    r")"
)
"""Matches the paths of free POST, PUT and PATCH requests. Reading and deleting are free at any path."""


@dataclass(frozen=True, slots=True)
class Target:
    """The model and the method that the path of a request names."""

    model: str
    """The model's name in the price list; the name of a tuned model or an endpoint with its kind: ``tunedModels/x``."""
    method: str
    """The method after the colon, for example ``generateContent``."""
    location: str | None = None
    """The location in Vertex AI, for example ``us-central1`` or ``global``."""
    publisher: str | None = None
    """The publisher of the model in Vertex AI, for example ``google``."""


def target_of(path: str) -> Target | None:
    """Return the model and the method that a path names; None if it names none. ``path`` has no query string."""
    found = _TARGET.fullmatch(path)
    if found is None:
        return None
    kind, model = found["kind"], found["model"]
    return Target(
        model if kind == "models" else f"{kind}/{model}", found["method"], found["location"], found["publisher"]
    )
