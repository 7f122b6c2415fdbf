"""The providers that an administrator can configure by name alone, such as ``openai`` or ``groq``.

For each provider this module has the address, the API, the *seller* (the vendor whose price list applies), and the
names of the environment variables from which Python libraries read the provider's address. The server sets these
variables, so that the libraries call the gateway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ..contract import Dialect


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """One provider's defaults; for most providers the administrator adds only a key."""

    base_url: str | None
    """The provider's base URL. None if each customer has a different one, as at Azure; the administrator must configure
    it."""
    dialect: Dialect = "openai"
    seller: str | None = None
    """The id of the vendor whose price list applies, in the package ``genai-prices``. None for a provider without a
    price list of its own."""
    addresses: tuple[str, ...] = ()
    """The environment variables that contain the whole base URL, such as ``OPENAI_BASE_URL``."""
    root: str = ""
    """The end of the base URL's path that some libraries append themselves, such as ``/openai/v1``; see `roots`."""
    roots: tuple[str, ...] = ()
    """The environment variables that contain the base URL without `root`, since the library appends it, such as
    ``GROQ_BASE_URL``."""
    chats: tuple[str, ...] = ()
    """The environment variables that contain the whole address of chat completions: the base URL and
    ``/chat/completions``."""
    removed: tuple[str, ...] = ()
    """The environment variables for the provider's keys and tokens that are removed from a client's environment. The
    other variables for keys are set to the client's gateway key."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further environment variables to set, with their values. They keep a library from sending the client's gateway
    key to the provider itself, for example with its traces."""


# Sources: the addresses are from the libraries' defaults and the pages named below, as of 2026-11-29; the sellers are
# ids of genai-prices. The variables for addresses are read by openai 3.57 and langchain-openai 1.7 (OPENAI_*, AZURE_*),
# anthropic 2.14, google-genai 3.6 (`_base_url.py`), litellm 1.110 (*_API_BASE), pydantic-ai 2.68 (OLLAMA_BASE_URL,
# VLLM_BASE_URL, CO_BASE_URL), groq 1.7 (GROQ_BASE_URL, to which it adds /openai/v1), together 3.1 (TOGETHER_BASE_URL),
# cohere 7.3 (CO_API_URL) and langchain-mistralai 0.2 (MISTRAL_BASE_URL).
KNOWN: Final[Mapping[str, KnownProvider]] = {
    "openai": KnownProvider(
        "https://api.openai.com/v1",
        seller="openai",
        addresses=("OPENAI_BASE_URL", "OPENAI_API_BASE"),
        # The traces of openai-agents 0.24 go to api.openai.com, whatever the base URL, with the key that it finds:
        # `agents/tracing/processors.py`, and `provider.py` for the variable.
        settings={"OPENAI_AGENTS_DISABLE_TRACING": "1"},
    ),
    # https://learn.microsoft.com/azure/ai-services/openai/reference: https://<resource>.openai.azure.com, to which the
    # library adds /openai.
    "azure": KnownProvider(
        None,
        seller="azure",
        addresses=("AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"),
        removed=("AZURE_OPENAI_AD_TOKEN", "AZURE_AD_TOKEN"),
    ),
    "anthropic": KnownProvider(
        "https://api.anthropic.com",
        "anthropic",
        "anthropic",
        addresses=("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"),
        # The library and Claude Code send this token in another header than the key, and read the key first.
        removed=("ANTHROPIC_AUTH_TOKEN",),
    ),
    "google": KnownProvider(
        "https://generativelanguage.googleapis.com",
        "google",
        "google",
        addresses=("GOOGLE_GEMINI_BASE_URL", "GEMINI_API_BASE"),
        # google-genai warns if both GOOGLE_API_KEY and GEMINI_API_KEY are set (`_api_client.py`), and litellm reads
        # only GEMINI_API_KEY for some calls (`llms/gemini/image_generation`, `batches`, `files`).
        removed=("GOOGLE_API_KEY",),
    ),
    # https://openrouter.ai/docs/quickstart
    "openrouter": KnownProvider(
        "https://openrouter.ai/api/v1", seller="openrouter", addresses=("OPENROUTER_API_BASE",)
    ),
    # https://console.groq.com/docs/openai
    "groq": KnownProvider(
        "https://api.groq.com/openai/v1",
        seller="groq",
        addresses=("GROQ_API_BASE",),
        root="/openai/v1",
        roots=("GROQ_BASE_URL",),
    ),
    # https://docs.together.ai/docs/openai-api-compatibility
    "together": KnownProvider(
        "https://api.together.xyz/v1", seller="together", addresses=("TOGETHER_BASE_URL", "TOGETHER_AI_API_BASE")
    ),
    # https://docs.mistral.ai/api
    "mistral": KnownProvider(
        "https://api.mistral.ai/v1",
        seller="mistral",
        # litellm reads MISTRAL_AZURE_API_BASE for chats (`llms/mistral/chat/transformation.py`).
        addresses=("MISTRAL_API_BASE", "MISTRAL_AZURE_API_BASE", "MISTRAL_BASE_URL"),
    ),
    # https://api-docs.deepseek.com
    "deepseek": KnownProvider("https://api.deepseek.com", seller="deepseek", addresses=("DEEPSEEK_API_BASE",)),
    # https://docs.x.ai/docs/api-reference
    "xai": KnownProvider("https://api.x.ai/v1", seller="x-ai", addresses=("XAI_API_BASE",)),
    # https://inference-docs.cerebras.ai/resources/openai
    "cerebras": KnownProvider("https://api.cerebras.ai/v1", seller="cerebras", addresses=("CEREBRAS_API_BASE",)),
    # https://docs.fireworks.ai/tools-sdks/openai-compatibility
    "fireworks": KnownProvider(
        "https://api.fireworks.ai/inference/v1", seller="fireworks", addresses=("FIREWORKS_API_BASE",)
    ),
    # https://docs.perplexity.ai/guides/chat-completions-guide
    "perplexity": KnownProvider("https://api.perplexity.ai", seller="perplexity", addresses=("PERPLEXITY_API_BASE",)),
    # https://docs.cohere.com/docs/compatibility-api. The gateway refuses calls of Cohere's own API; without these
    # variables its libraries would send the client's key to Cohere.
    "cohere": KnownProvider(
        "https://api.cohere.ai/compatibility/v1",
        seller="cohere",
        root="/compatibility/v1",
        roots=("CO_API_URL", "CO_BASE_URL", "COHERE_API_BASE"),
    ),
    # https://huggingface.co/docs/inference-providers. The token also authorizes downloads, for which a gateway's key
    # would not be valid, so it is not replaced.
    # litellm reads the variable as the whole address (`llms/huggingface/chat/transformation.py`).
    "huggingface": KnownProvider(
        "https://router.huggingface.co/v1", chats=("HUGGINGFACE_API_BASE",), removed=("HF_TOKEN",)
    ),
    # https://docs.ollama.com/api/openai-compatibility; OLLAMA_HOST is for Ollama's own API and stays.
    "ollama": KnownProvider("http://127.0.0.1:11434/v1", addresses=("OLLAMA_BASE_URL",)),
    # https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
    "vllm": KnownProvider("http://127.0.0.1:8000/v1", addresses=("VLLM_BASE_URL", "HOSTED_VLLM_API_BASE")),
}
"""The known providers, by the names that an administrator uses in the setting ``GovernanceExtension.providers``."""
