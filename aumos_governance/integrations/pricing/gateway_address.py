"""Recognizes addresses of the Jupyter server's gateway, which forwards calls to the providers and charges them itself.

A governed client must not charge a call through the gateway a second time.
"""

from __future__ import annotations

import os
from typing import Final

from ...wire.provider_keys import GATEWAY_ENV

_ADDRESSES: Final = {
    "anthropic": ("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"),
    "google": ("GOOGLE_GEMINI_BASE_URL",),
    "openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
}
"""For each provider, the environment variables with the address to send its calls to, in the order in which LiteLLM
reads them."""


def at_gateway(base_url: str) -> bool:
    """Whether requests to ``base_url`` go to the gateway.

    The server sets the environment variable `GATEWAY_ENV` of this process to the gateway's address.
    """
    address = os.environ.get(GATEWAY_ENV)
    return bool(address) and f"{base_url}/".startswith(f"{address}/")


def address_in_environment(provider: str) -> str:
    """Return the address in a provider's environment variable, such as ``OPENAI_BASE_URL``, if it is the gateway's.

    Return an empty string for any other address, or if no variable is set.
    """
    names = _ADDRESSES.get(provider, (f"{provider.upper().replace('-', '_')}_API_BASE",))
    found = next((value for name in names if (value := os.environ.get(name))), "")
    return found if at_gateway(found) else ""
