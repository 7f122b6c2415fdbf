"""Parses model ids such as ``google/gemini-2.5-flash:online`` into the model's name and what else the id states.

Some sellers, that is, vendors whose price list applies, add prefixes and suffixes to the names of models. Some of these
change the price, and all must be removed to find the model in a price list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_OPENROUTER_ROUTES: Final = (":nitro", ":floor", ":exacto", ":extended", ":thinking")
"""Suffixes of OpenRouter's model ids that choose who runs the model; price lists have the name without the suffix.

https://openrouter.ai/docs/features/model-routing
"""
_GEMINI_API: Final = "generativelanguage.googleapis.com"
_HUGGING_FACE: Final = "router.huggingface.co"


@dataclass(frozen=True, slots=True)
class ParsedModelId:
    """The result of `parse_model_id`: the model's name in a price list, and what the rest of the id means."""

    model: str
    seller: str | None = None
    """The id in genai-prices of the vendor that the model id names, such as ``huggingface_groq``; None without one."""
    free: bool = False
    """Whether the vendor charges nothing for the model."""
    searches: bool = False
    """Whether every request with this id searches the web, which costs a fee in addition to the tokens."""


def parse_model_id(seller: str | None, model: str, base_url: str = "") -> ParsedModelId:
    """Parse a model id by the rules of ``seller`` (its id in genai-prices) and of the address ``base_url``.

    - OpenRouter: ``:free`` costs nothing, ``:online`` adds a web search, other suffixes choose who runs the model.
      https://openrouter.ai/docs/features/web-search
    - Google: the endpoints with OpenAI's API take a model with the prefix ``google/`` or ``models/``. Gemma is free of
      charge at the Gemini API. https://ai.google.dev/gemini-api/docs/openai, https://ai.google.dev/gemini-api/docs/pricing
    - Hugging Face's router: a suffix such as ``:groq`` names the provider whose prices apply.
      https://huggingface.co/docs/inference-providers
    - Fireworks: the ids of its serverless models have the prefix ``accounts/fireworks/models/``.
      https://docs.fireworks.ai/getting-started/concepts
    """
    name = model.lower()
    if seller == "openrouter":
        return _at_openrouter(name)
    if host_of(base_url) == _HUGGING_FACE and ":" in name:
        name, _, provider = name.rpartition(":")
        return ParsedModelId(name, seller=f"huggingface_{provider}")
    if seller == "google":
        name = name.removeprefix("models/").removeprefix("google/")
        return ParsedModelId(name, free=name.startswith("gemma-") and host_of(base_url) == _GEMINI_API)
    if seller == "fireworks":
        return ParsedModelId(name.removeprefix("accounts/fireworks/models/"))
    return ParsedModelId(model)


def is_local(base_url: str) -> bool:
    """Whether the host of ``base_url`` is this machine or in a private network, judged by its name or IP address."""
    host = host_of(base_url)
    private = r"localhost|.*\.local|.*\.internal|127\..*|10\..*|192\.168\..*|172\.(1[6-9]|2\d|3[01])\..*|::1|0\.0\.0\.0"
    return bool(host) and (re.fullmatch(private, host) is not None or "." not in host.replace(":", "."))


def _at_openrouter(name: str) -> ParsedModelId:
    searches = name.endswith(":online")
    name = name.removesuffix(":online")
    if name.endswith(":free"):
        return ParsedModelId(name, free=True, searches=searches)
    for route in _OPENROUTER_ROUTES:
        name = name.removesuffix(route)
    return ParsedModelId(name, searches=searches)


def host_of(base_url: str) -> str:
    """Return the host of an address in lower case, or an empty string for an address without a host."""
    return (urlsplit(base_url).hostname or "").lower()
