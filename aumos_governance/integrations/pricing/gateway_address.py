"""Whether a call goes through the server's gateway, which holds and charges it: here it would be charged twice."""

from __future__ import annotations

import os
from typing import Final

from ...wire.provider_keys import GATEWAY_ENV

__all__ = ["address_in_environment", "at_gateway"]

_ADDRESSES: Final = {
    "anthropic": ("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"),
    "google": ("GOOGLE_GEMINI_BASE_URL",),
    "openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
}
"""The variables that libraries read where no address is given, in the order in which LiteLLM reads them."""


def at_gateway(base_url: str) -> bool:
    """Whether requests to this address are the gateway's, which the server names in a process's environment."""
    address = os.environ.get(GATEWAY_ENV)
    return bool(address) and f"{base_url}/".startswith(f"{address}/")


def address_in_environment(provider: str) -> str:
    """The gateway's address for a provider whose library reads it from the environment; else an empty string."""
    names = _ADDRESSES.get(provider, (f"{provider.upper().replace('-', '_')}_API_BASE",))
    found = next((value for name in names if (value := os.environ.get(name))), "")
    return found if at_gateway(found) else ""
