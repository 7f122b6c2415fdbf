"""A stand-in for a provider's Python library that is made by the same generator as OpenAI's."""

from __future__ import annotations

from typing import Any

import openai

PACKAGE = "example_ai"
_Sync: Any = next(kind for kind in openai.OpenAI.__mro__ if kind.__name__ == "SyncAPIClient")
_Async: Any = next(kind for kind in openai.AsyncOpenAI.__mro__ if kind.__name__ == "AsyncAPIClient")
# Each such library has these two classes of its own.
SyncAPIClient: Any = type("SyncAPIClient", (_Sync,), {"__module__": f"{PACKAGE}._base_client"})
AsyncAPIClient: Any = type("AsyncAPIClient", (_Async,), {"__module__": f"{PACKAGE}._base_client"})
_OPTIONS: dict[str, Any] = {"version": "1", "max_retries": 0, "_strict_response_validation": False}


class Example(SyncAPIClient):  # type: ignore[misc]
    """The library's client."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url=base_url, **_OPTIONS)


class AsyncExample(AsyncAPIClient):  # type: ignore[misc]
    """The library's asynchronous client."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url=base_url, **_OPTIONS)
