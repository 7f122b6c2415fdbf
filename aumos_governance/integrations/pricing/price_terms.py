"""Published price rules that genai-prices has no data for, such as 10 % more per token at a regional address.

A rule may depend on the address of a client, the region, the service tier, or Anthropic's ``inference_geo`` (where the
model runs). Each rule names the page that it is taken from, as read on 2026-11-29. The prices themselves, and the terms
that genai-prices has data for (service tiers, ``speed``, batch, Bedrock's regional profiles), come from genai-prices.
A multiplier is a factor for the prices of tokens. It never applies to a fee per call, for example for a web search.
The functions are pure. A seller is the vendor whose price list applies, named by its id in genai-prices.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from .model_names import host_of

LIST_PRICE: Final = Decimal(1)
_TENTH_MORE: Final = Decimal("1.1")
_QUARTER_MORE: Final = Decimal("1.25")

# https://platform.claude.com/docs/en/about-claude/pricing#cloud-platform-pricing: regional and multi-region endpoints
# of Bedrock and Google Cloud cost 10 % more "starting with Claude Sonnet 4.5, Haiku 4.5, and Opus 4.5" and for "all
# future models"; earlier ones keep their prices.
_CLAUDE_REGIONAL_SINCE: Final = (4, 5)
# https://platform.claude.com/docs/en/about-claude/pricing#data-residency-pricing: 1.1 times "for Claude 4.6 and later
# models"; earlier ones refuse the parameter.
_CLAUDE_GEO_SINCE: Final = (4, 6)
# https://cloud.google.com/vertex-ai/generative-ai/pricing lists Gemini's prices since Gemini 3 for the global endpoint,
# and 10 % more under "Non-global"; Gemini 2.5 and earlier have one price.
_GEMINI_REGIONAL_SINCE: Final = (3, 0)
# https://developers.openai.com/api/docs/pricing: regional processing (data residency) endpoints are charged 10 % more
# "for models released on or after March 5, 2026", the date of gpt-5.4.
_GPT_REGIONAL_SINCE: Final = (5, 4)
_OLDER_OPENAI: Final = re.compile(
    r"(?:o[134](?:-|$)|chatgpt|gpt-oss|gpt-image-1|gpt-audio|gpt-realtime(?:-mini)?(?:-20[0-9-]+)?$|codex-mini|"
    r"computer-use-preview|text-|whisper|tts|dall-e|davinci|babbage|omni-moderation|sora-2)"
)
"""Matches names of OpenAI's models from before March 5, 2026 that have no version number like ``gpt-5.4`` has."""
# The regions of https://developers.openai.com/api/docs/guides/data-residency, each a prefix of the host.
_OPENAI_HOST: Final = re.compile(r"(?:[a-z]{2,3}\.)api\.openai\.com$")
# https://docs.together.ai/docs/serverless/geo-specific-inference: 1.25 times the serverless price at these hosts.
_TOGETHER_HOST: Final = re.compile(r"(?:us|ca)-api\.together\.(?:ai|xyz)$")

_CLAUDE: Final = re.compile(
    r"claude-(?:(?P<name>[a-z]+)-)?(?P<major>\d{1,2})(?:[-.](?P<minor>\d{1,2})(?!\d))?(?!\d)", re.IGNORECASE
)
_GPT: Final = re.compile(r"gpt-(?P<major>\d)(?:[.-](?P<minor>\d)(?!\d))?")
_GEMINI: Final = re.compile(r"gemini-(?P<major>\d)(?:\.(?P<minor>\d))?")

_VERTEX: Final = {
    "global": "https://aiplatform.googleapis.com/v1",
    "us": "https://aiplatform.us.rep.googleapis.com/v1",
    "eu": "https://aiplatform.eu.rep.googleapis.com/v1",
}
"""The addresses of Vertex AI's locations that are no single region; a region's host begins with the region's name:
https://docs.cloud.google.com/vertex-ai/generative-ai/docs/learn/locations."""
_GOOGLE_FAMILIES: Final = (("claude", _CLAUDE, _CLAUDE_REGIONAL_SINCE), ("gemini", _GEMINI, _GEMINI_REGIONAL_SINCE))

_DOTTED: Final = re.compile(r"^(?:(?P<region>[a-z]{2,6}(?:-gov)?)\.)?(?P<vendor>[a-z]+)\.(?=[a-z])")
"""Matches the prefix of a model's name at Bedrock, such as ``us.anthropic.``: the region of its inference profile, if
any, and the model's vendor."""
_BEDROCK_END: Final = re.compile(r"(?:-v\d+)?(?::\d+)?$")
_DATE: Final = re.compile(r"(?P<at>[-@])(?P<date>\d{8}|\d{4}-\d{2}-\d{2}|default|latest)$")
_VARIANT: Final = re.compile(r":[a-z][\w-]*$")


@dataclass(frozen=True, slots=True)
class Lookup:
    """A name to look up in genai-prices for a model, and the factor for the token prices that are found under it."""

    model: str
    multiplier: Decimal = LIST_PRICE


# ---- the seller whose prices apply


def seller_at(base_url: str) -> str | None:
    """Return the vendor at an address that genai-prices does not recognize by its own patterns; None for all others.

    The result is an id in genai-prices, such as ``anthropic`` for ``https://claude.googleapis.com``. Claude in
    Microsoft Foundry, Claude Platform on AWS and Claude on Google Cloud (Anthropic managed) are billed at Anthropic's
    own standard rates: https://platform.claude.com/docs/en/about-claude/pricing#cloud-platform-pricing.
    """
    host, path = host_of(base_url), urlsplit(base_url).path
    if host == "claude.googleapis.com" or re.fullmatch(r"aws-external-anthropic\.[a-z0-9-]+\.api\.aws", host):
        return "anthropic"
    if host.endswith((".services.ai.azure.com", ".cognitiveservices.azure.com")) and path.startswith("/anthropic"):
        return "anthropic"
    if re.fullmatch(r"bedrock-(?:mantle|runtime)(?:-fips)?\.[a-z0-9-]+\.(?:api\.aws|amazonaws\.com(?:\.cn)?)", host):
        return "aws"
    if _OPENAI_HOST.fullmatch(host):
        return "openai"
    if _TOGETHER_HOST.fullmatch(host) or host == "api.together.ai":
        return "together"
    # https://docs.x.ai/docs/key-information/regions: each region has its own host, with the same prices.
    return "x-ai" if re.fullmatch(r"[a-z0-9-]+\.api\.x\.ai", host) else None


def address_of(client: object) -> str:
    """Return the address that determines the prices of the calls of a provider's client.

    This is the client's base URL. If the base URL of a Vertex or Bedrock client is a proxy, the cloud's own address
    for the client's region is returned instead, because the price depends on the region.
    """
    base_url = str(getattr(client, "base_url", ""))
    kinds = {kind.__name__ for kind in type(client).__mro__}
    if host_of(base_url).endswith((".googleapis.com", ".amazonaws.com", ".api.aws")):
        return base_url
    if "BaseVertexClient" in kinds and isinstance(region := getattr(client, "region", None), str):
        return _VERTEX.get(region, f"https://{region}-aiplatform.googleapis.com/v1")
    if kinds & {"BaseBedrockClient", "BaseMantleClient"}:
        return f"https://bedrock-runtime.{getattr(client, 'aws_region', None) or 'us-east-1'}.amazonaws.com"
    return base_url


# ---- prices by the address and the model's name


def lookups(seller: str, model: str, base_url: str = "") -> tuple[Lookup, ...]:
    """Return the names under which genai-prices may list a seller's model; the first name with a price applies.

    Each name comes with the factor for its prices, which may depend on the address ``base_url``.
    """
    if seller == "aws":
        return _bedrock_lookups(model)
    return (Lookup(model, _address_multiplier(seller, model, base_url)),)


def _bedrock_lookups(model: str) -> tuple[Lookup, ...]:
    # An ARN ends with the name of the model or of the inference profile.
    name = model.rpartition("/")[2] if model.lower().startswith("arn:") else model
    found = _DOTTED.match(name.lower())
    if found is None or found["region"] == "global":
        return (Lookup(name),)
    # genai-prices has the regional profiles that existed when it was released. For a newer profile of a model, the
    # published 10 % are added to the model's global price; models before Claude 4.5 have one price for all profiles.
    bare = name[found.end("region") + 1 :] if found["region"] else name
    regional = _version(_CLAUDE, bare)
    more = LIST_PRICE if regional is not None and regional < _CLAUDE_REGIONAL_SINCE else _TENTH_MORE
    names = [Lookup(name), Lookup(bare), Lookup(f"global.{bare}", more)]
    return tuple(dict.fromkeys(names))


def _address_multiplier(seller: str, model: str, base_url: str) -> Decimal:
    host = host_of(base_url)
    if seller == "google":
        return _google_multiplier(host, model)
    if seller == "openai" and _OPENAI_HOST.fullmatch(host) and _is_since_2026_03_05(model):
        return _TENTH_MORE
    if seller == "together" and _TOGETHER_HOST.fullmatch(host):
        return _QUARTER_MORE
    return LIST_PRICE


def _google_multiplier(host: str, model: str) -> Decimal:
    # https://docs.cloud.google.com/vertex-ai/generative-ai/docs/learn/locations: the global endpoint has no location
    # in its host; a region is a prefix of the host, and a multi-region is within it.
    regional = host.endswith(("-aiplatform.googleapis.com", ".rep.googleapis.com"))
    if not regional or host.startswith("global-"):
        return LIST_PRICE
    return google_location_multiplier("regional", model)


def google_location_multiplier(location: str | None, model: str) -> Decimal:
    """Return the factor for a model's token prices at a location of Vertex AI, such as ``europe-west4``.

    ``location`` is None for a call outside Vertex AI; the factor is then 1.
    """
    if location in (None, "global"):
        return LIST_PRICE
    for family, pattern, since in _GOOGLE_FAMILIES:
        if family in model.lower():
            # A name without a version is taken for a new model, and new models have the higher of the published prices.
            version = _version(pattern, model.lower())
            return _TENTH_MORE if version is None or version >= since else LIST_PRICE
    return LIST_PRICE


def _is_since_2026_03_05(model: str) -> bool:
    name = model.lower().removeprefix("openai/").removeprefix("ft:")
    version = _version(_GPT, name)
    if version is not None:
        return version >= _GPT_REGIONAL_SINCE
    # A name that is not known as older is taken for a new model, and new models have the higher price.
    return _OLDER_OPENAI.match(name) is None


# ---- Anthropic's geography of inference


def has_geography(model: str) -> bool:
    """Whether Anthropic's price for a model depends on where the model runs (the request's ``inference_geo``).

    This is assumed for a model whose version is not known.
    """
    version = _version(_CLAUDE, model.lower())
    return version is None or version >= _CLAUDE_GEO_SINCE


def geo_multiplier(geo: object) -> Decimal | None:
    """Return Anthropic's factor for token prices at an ``inference_geo`` such as ``us``; None if none is published.

    The factor is 1 for ``global``, and for ``not_available``, which usage reports state for models and platforms that
    do not offer the choice.
    """
    if geo in (None, "", "global", "not_available"):
        return LIST_PRICE
    return _TENTH_MORE if geo == "us" else None


def service_tiers(seller: str | None, requested: object) -> tuple[dict[str, str], ...]:
    """Return the service tiers that may serve a request, each as terms for genai-prices; the dearest tier is held.

    An element is ``{"service_tier": "priority"}`` or, for the standard tier, ``{}``. ``requested`` is the request's
    field ``service_tier``. By the types of OpenAI's library, the project's setting applies if a request states ``auto``
    or no tier, and a request may be served by another tier than it states. The response names the tier that served it.
    """
    if isinstance(requested, str) and requested != "auto":
        return ({}, {"service_tier": requested})
    # A project may also be set to the tier flex. This tier is cheaper, so it need not be held.
    return _ANY_TIER if seller == "openai" else _NO_TIER


_NO_TIER: Final[tuple[dict[str, str], ...]] = ({},)
_ANY_TIER: Final[tuple[dict[str, str], ...]] = ({}, {"service_tier": "priority"})


def thinks_by_default(model: str) -> bool:
    """Whether an Anthropic model may think even if the request does not enable thinking.

    This is assumed for a model whose version is not known. Models before Claude 5 think only if the request enables it:
    https://platform.claude.com/docs/en/build-with-claude/extended-thinking.
    """
    version = _version(_CLAUDE, model.lower())
    return version is None or version >= (5, 0)


# ---- the model name that a call is billed under


def billed_model(requested: str, served: object) -> str:
    """Return the model name that a call is billed under: the response's name, unless the requested name is more exact.

    Bedrock responds with ``claude-sonnet-4-5-20250929`` to ``global.anthropic.claude-sonnet-4-5-20250929-v1:0``, and
    Vertex with the same name to ``claude-sonnet-4-5@20250929``. The price at Bedrock depends on the profile, here
    ``global.anthropic.``, which only the requested name has. If another model responded, as ``served`` says, its name
    is returned with the profile of the requested name.
    """
    if not isinstance(served, str) or not served or served == requested:
        return requested
    return _billed(requested, served)


@lru_cache(maxsize=512)
def _billed(requested: str, served: str) -> str:
    own, other = _Name.of(requested), _Name.of(served)
    if own.base != other.base or (own.date and other.date and own.date != other.date):
        return f"{own.profile}{served}" if own.profile and not other.profile else served
    # Of two names that differ only in the date, the dated one is more exact.
    return served if other.date and not own.date and not (own.profile or own.variant) else requested


@lru_cache(maxsize=512)
def same_model(one: str, other: str) -> bool:
    """Whether two names mean the same model, apart from a Bedrock profile, a date, or a suffix such as ``:free``."""
    return _Name.of(one).base == _Name.of(other).base


@dataclass(frozen=True, slots=True)
class _Name:
    """The parts of a model's name, in lower case."""

    profile: str
    """Bedrock's prefix, such as ``us.anthropic.``."""
    base: str
    """The name without profile, date and variant, with hyphens for dots."""
    date: str
    """The digits of the date; empty without a date."""
    variant: str
    """A seller's suffix, such as ``:free``."""

    @classmethod
    def of(cls, name: str) -> _Name:
        rest = name.lower()
        rest = rest.rpartition("/")[2] if rest.startswith("arn:") else rest
        found = _DOTTED.match(rest)
        profile = found[0] if found else ""
        rest = rest[len(profile) :]
        if profile:
            rest = _BEDROCK_END.sub("", rest)
        variant = _VARIANT.search(rest)
        rest = rest[: variant.start()] if variant else rest
        date = _DATE.search(rest)
        rest = rest[: date.start()] if date else rest
        digits = date["date"].replace("-", "") if date and date["date"][0].isdigit() else ""
        return cls(profile, rest.replace(".", "-"), digits, variant[0] if variant else "")


def _version(pattern: re.Pattern[str], name: str) -> tuple[int, int] | None:
    found = pattern.search(name)
    return (int(found["major"]), int(found["minor"] or 0)) if found else None
