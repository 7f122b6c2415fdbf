"""The environment variables for the gateway's address and key, and those from which libraries read providers' keys.

Each name is read by a library, as of 2026-11-29: the names for OpenAI, Azure, Anthropic, Google and Hugging Face by
their own Python libraries (openai 3.57, anthropic 2.14, google-genai 3.6, huggingface_hub 2.4), the others by litellm
1.110 (``litellm/llms``, ``get_llm_provider_logic.py``) and pydantic-ai 2.68 (``pydantic_ai/providers``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

GATEWAY_ENV: Final = "AUMOS_GOVERNANCE_GATEWAY"
"""The environment variable with the gateway's address for all providers: ``http://127.0.0.1:<port>/llm``. The server
sets it in the processes that may use the gateway."""
GATEWAY_KEY_ENV: Final = "AUMOS_GOVERNANCE_KEY"
"""The environment variable with a key for the gateway, for libraries whose own variable is not in `PROVIDER_KEYS`."""
KEY_PREFIX: Final = "sk-aumos-"
"""The text with which every key for the gateway begins, to distinguish it from providers' own keys."""

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
"""By provider: the variables from which libraries read its key, the usual one first. The provider's name is the one in
``c.GovernanceExtension.providers``."""
_OTHER_USES: Final = frozenset({"HF_TOKEN"})
"""The variables with keys that most notebooks do not use for calls of models: Hugging Face's key is for downloads."""
_NAMES: Final = tuple(sorted({name for names in PROVIDER_KEYS.values() for name in names} - _OTHER_USES))


def foreign_keys(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the variables that contain a provider's own key, with which calls would bypass the gateway.

    Only the variables in `PROVIDER_KEYS` are read, without ``HF_TOKEN``, whose key most notebooks use for downloads.
    """
    return tuple(name for name in _NAMES if (key := environment.get(name)) and not key.startswith(KEY_PREFIX))
