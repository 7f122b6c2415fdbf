"""Published price rules that depend on more than the model's name: address, region, geography, speed, tier, tools.

Pure functions. Each rule names the page it is taken from, as read on 2026-11-29. The prices themselves, and the terms
that genai-prices models (service tiers, ``speed``, batch, Bedrock's regional profiles), come from genai-prices.
A multiplier applies to the prices of tokens, never to a fee per call such as a web search.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from .model_names import host_of

__all__ = [
    "LIST_PRICE",
    "Lookup",
    "address_of",
    "billed_model",
    "geo_multiplier",
    "google_location_multiplier",
    "has_geography",
    "lookups",
    "same_model",
    "seller_at",
    "service_tiers",
    "thinks_by_default",
]

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
"""Models released before, whose names carry no version that can be compared."""
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
"""The addresses that no region precedes: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/learn/locations."""
_GOOGLE_FAMILIES: Final = (("claude", _CLAUDE, _CLAUDE_REGIONAL_SINCE), ("gemini", _GEMINI, _GEMINI_REGIONAL_SINCE))

_DOTTED: Final = re.compile(r"^(?:(?P<region>[a-z]{2,6}(?:-gov)?)\.)?(?P<vendor>[a-z]+)\.(?=[a-z])")
"""The prefix of a Bedrock name: the region of its inference profile, and who made the model."""
_BEDROCK_END: Final = re.compile(r"(?:-v\d+)?(?::\d+)?$")
_DATE: Final = re.compile(r"(?P<at>[-@])(?P<date>\d{8}|\d{4}-\d{2}-\d{2}|default|latest)$")
_VARIANT: Final = re.compile(r":[a-z][\w-]*$")


@dataclass(frozen=True, slots=True)
class Lookup:
    """A name under which genai-prices may know a model, and by what its token prices are multiplied then."""

    model: str
    multiplier: Decimal = LIST_PRICE


# ---- whose price list counts


def seller_at(base_url: str) -> str | None:
    """genai-prices' id of the seller at an address whose owner its own patterns do not find; None: they do.

    Claude in Microsoft Foundry, Claude Platform on AWS and Claude on Google Cloud (Anthropic managed) are billed at
    Anthropic's own standard rates: https://platform.claude.com/docs/en/about-claude/pricing#cloud-platform-pricing.
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
    # https://docs.x.ai/docs/key-information/regions: a region's own host, at the same price.
    return "x-ai" if re.fullmatch(r"[a-z0-9-]+\.api\.x\.ai", host) else None


def address_of(client: object) -> str:
    """The address by which a client's calls are priced: its base URL, or its cloud's where that is only a way there.

    A Vertex or Bedrock client names its region besides a base URL of the user's own.
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


# ---- what the address and the model's name say


def lookups(seller: str, model: str, base_url: str = "") -> tuple[Lookup, ...]:
    """The names to look a model up by at a seller, the first that is found counts."""
    if seller == "aws":
        return _bedrock_lookups(model)
    return (Lookup(model, _address_multiplier(seller, model, base_url)),)


def _bedrock_lookups(model: str) -> tuple[Lookup, ...]:
    # An ARN ends with the name of the model or of the inference profile.
    name = model.rpartition("/")[2] if model.lower().startswith("arn:") else model
    found = _DOTTED.match(name.lower())
    if found is None or found["region"] == "global":
        return (Lookup(name),)
    # genai-prices has the regional profiles that were offered when it was made; for another one of a model whose
    # global price it has, the published 10 % are added. Models from before have one price for all.
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
    # in its host; a region precedes it, a multi-region stands within it.
    regional = host.endswith(("-aiplatform.googleapis.com", ".rep.googleapis.com"))
    if not regional or host.startswith("global-"):
        return LIST_PRICE
    return google_location_multiplier("regional", model)


def google_location_multiplier(location: str | None, model: str) -> Decimal:
    """What Google multiplies token prices by at a location of Vertex AI; None: not there."""
    if location in (None, "global"):
        return LIST_PRICE
    for family, pattern, since in _GOOGLE_FAMILIES:
        if family in model.lower():
            # A name without a version is taken for a new one: the dearer of the published prices.
            version = _version(pattern, model.lower())
            return _TENTH_MORE if version is None or version >= since else LIST_PRICE
    return LIST_PRICE


def _is_since_2026_03_05(model: str) -> bool:
    name = model.lower().removeprefix("openai/").removeprefix("ft:")
    version = _version(_GPT, name)
    if version is not None:
        return version >= _GPT_REGIONAL_SINCE
    # A name that is none of the older ones is taken for a new one: the dearer of the published prices.
    return _OLDER_OPENAI.match(name) is None


# ---- Anthropic's geography of inference


def has_geography(model: str) -> bool:
    """Whether Anthropic prices this model by the geography of its inference; one of an unknown version does."""
    version = _version(_CLAUDE, model.lower())
    return version is None or version >= _CLAUDE_GEO_SINCE


def geo_multiplier(geo: object) -> Decimal | None:
    """What Anthropic multiplies token prices by at an ``inference_geo``; None where none is published.

    Models and platforms without that choice state ``not_available``.
    """
    if geo in (None, "", "global", "not_available"):
        return LIST_PRICE
    return _TENTH_MORE if geo == "us" else None


def service_tiers(seller: str | None, requested: object) -> tuple[dict[str, str], ...]:
    """The contexts of genai-prices in which a request may be priced by its service tier; the dearest is to be held.

    By the types of OpenAI's library the project's settings count where a request says ``auto`` or nothing, and another
    tier than the requested one may serve it. The response names the one that did.
    """
    if isinstance(requested, str) and requested != "auto":
        return ({}, {"service_tier": requested})
    # Flex, the other one that a project may set, is cheaper.
    return _ANY_TIER if seller == "openai" else _NO_TIER


_NO_TIER: Final[tuple[dict[str, str], ...]] = ({},)
_ANY_TIER: Final[tuple[dict[str, str], ...]] = ({}, {"service_tier": "priority"})


def thinks_by_default(model: str) -> bool:
    """Whether a model of Anthropic's may reason where the request does not mention it; unknown ones may.

    https://platform.claude.com/docs/en/build-with-claude/extended-thinking: before Claude 5 it must be requested.
    """
    version = _version(_CLAUDE, model.lower())
    return version is None or version >= (5, 0)


# ---- which name is billed


def billed_model(requested: str, served: object) -> str:
    """The name whose price counts: that of the model which responded, never less exact than the one that was requested.

    Bedrock responds with ``claude-sonnet-4-5-20250929`` to ``global.anthropic.claude-sonnet-4-5-20250929-v1:0``, Vertex
    the same to ``claude-sonnet-4-5@20250929``: the requested name says by which profile it is billed. Another model
    that responded is billed by the requested one's profile.
    """
    if not isinstance(served, str) or not served or served == requested:
        return requested
    return _billed(requested, served)


@lru_cache(maxsize=512)
def _billed(requested: str, served: str) -> str:
    one, other = _Name.of(requested), _Name.of(served)
    if one.base != other.base:
        return f"{one.profile}{served}" if one.profile and not other.profile else served
    if one.date and other.date and one.date != other.date:
        return f"{one.profile}{served}" if one.profile and not other.profile else served
    # Dated by the response alone, it is the more exact of two names that are alike otherwise.
    return served if other.date and not one.date and not (one.profile or one.variant) else requested


@lru_cache(maxsize=512)
def same_model(one: str, other: str) -> bool:
    """Whether two names mean the same model, even if only one has its date or variant."""
    return _Name.of(one).base == _Name.of(other).base


@dataclass(frozen=True, slots=True)
class _Name:
    """The parts of a model's name."""

    profile: str
    """Bedrock's prefix, such as ``us.anthropic.``."""
    base: str
    date: str
    variant: str
    """What a seller adds, such as ``:free``."""

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
