"""Recognizes calls through the server's gateway. The gateway charges them, so a governed client must not."""

from __future__ import annotations

import os
from typing import Final

from ...wire.provider_keys import GATEWAY_ENV

_ADDRESSES: Final = {
    "anthropic": ("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"),
    "google": ("GOOGLE_GEMINI_BASE_URL",),
    "openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
}
"""The environment variables that set a provider's address, in the order that LiteLLM reads them in."""


def at_gateway(base_url: str) -> bool:
    """Whether an address is the gateway's; the server states the gateway's address in the process's environment."""
    address = os.environ.get(GATEWAY_ENV)
    return bool(address) and f"{base_url}/".startswith(f"{address}/")


def address_in_environment(provider: str) -> str:
    """Return the gateway's address if a provider's library reads it from the environment; otherwise an empty string."""
    names = _ADDRESSES.get(provider, (f"{provider.upper().replace('-', '_')}_API_BASE",))
    found = next((value for name in names if (value := os.environ.get(name))), "")
    return found if at_gateway(found) else ""
