"""The names of the environment variables that hold the gateway's address, and the ones that libraries read keys from.

Each name is read by a library, as of 2026-11-29: the names for OpenAI, Azure, Anthropic, Google and Hugging Face by
their own Python libraries (openai 3.57, anthropic 2.14, google-genai 3.6, huggingface_hub 2.4), the others by litellm
1.110 (``litellm/llms``, ``get_llm_provider_logic.py``) and pydantic-ai 2.68 (``pydantic_ai/providers``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

GATEWAY_ENV: Final = "AUMOS_GOVERNANCE_GATEWAY"
"""The gateway's address for all providers, ``http://127.0.0.1:<port>/llm``, in the environment of its clients."""
GATEWAY_KEY_ENV: Final = "AUMOS_GOVERNANCE_KEY"
"""The client's key for the gateway, for libraries whose own variable is not listed below."""
KEY_PREFIX: Final = "sk-aumos-"
"""The text at the beginning of every key of the gateway."""

PROVIDER_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "openai": ("OPENAI_API_KEY",),
    "azure": ("AZURE_OPENAI_API_KEY", "AZURE_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AZURE_AD_TOKEN"),
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    "google": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "openrouter": ("OPENROUTER_API_KEY", "OR_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "together": ("TOGETHER_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHER_AI_TOKEN"),
    "mistral": ("MISTRAL_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "xai": ("XAI_API_KEY",),
    "cerebras": ("CEREBRAS_API_KEY",),
    "fireworks": ("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY", "FIREWORKS_AI_TOKEN"),
    "perplexity": ("PERPLEXITY_API_KEY", "PERPLEXITYAI_API_KEY"),
    "cohere": ("CO_API_KEY", "COHERE_API_KEY"),
    "huggingface": ("HF_TOKEN", "HUGGINGFACE_API_KEY"),
    "ollama": ("OLLAMA_API_KEY",),
    "vllm": ("VLLM_API_KEY", "HOSTED_VLLM_API_KEY"),
}
"""The variables for each provider's key, the usual variable first, by the provider's name in
``c.GovernanceExtension.providers``."""
_OTHER_USES: Final = frozenset({"HF_TOKEN"})
"""Variables whose key most notebooks do not use for models: they use Hugging Face's key for downloads."""
_NAMES: Final = tuple(sorted({name for names in PROVIDER_KEYS.values() for name in names} - _OTHER_USES))


def foreign_keys(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the variables that contain a provider's own key instead of a key of the gateway.

    Only variables in `PROVIDER_KEYS` are read, and those whose key most notebooks do not use for models are left out.
    """
    return tuple(name for name in _NAMES if (key := environment.get(name)) and not key.startswith(KEY_PREFIX))
