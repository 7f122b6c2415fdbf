"""The tools that Google runs within a call: the fees that they cost besides the tokens, and the input that they add.

Grounding is Google's word for searches of the web or of Google Maps whose results the model uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from ...errors import ConfigurationError
from ..pricing.rates import Rates, unknown_price
from .fields import field_of, listed, mapping_of, names_of
from .models import bills_each_query
from .sizes import Size

_QUERIES: Final = 10
"""The number of search queries whose cost is held for a model with a price per query. No request can limit the queries;
further queries are charged all the same."""
_SEARCH: Final = frozenset({"googleSearch", "googleSearchRetrieval"})
_MAPS: Final = "googleMaps"
_MAPS_REQUEST: Final = Decimal("0.025")
_MAPS_QUERY: Final = Decimal("0.014")
"""USD for each query to Google Maps since Gemini 3. Earlier models cost `_MAPS_REQUEST` USD for each request with Maps:
https://ai.google.dev/gemini-api/docs/pricing."""
_COMPUTER_TOKENS: Final = 8_000
"""An upper bound of the tokens of the provider's description of all computer-use actions for the model."""
_UNSEEN: Final = {
    "codeExecution": ("image",),
    "urlContext": ("image",),
    "fileSearch": ("image",),
    "mcpServers": (),
    "googleSearch": (),
    "googleSearchRetrieval": (),
    "googleMaps": (),
}
"""The tools whose results become input, with the kinds of media that the results may have.

Apart from the fees of grounding, these tools are billed by tokens alone:
https://ai.google.dev/gemini-api/docs/code-execution#billing, .../url-context, .../file-search#pricing."""
_OWN: Final = frozenset({"functionDeclarations", "computerUse"})
"""Tools that the caller's program runs."""


@dataclass(slots=True)
class Grounding:
    """What Google searched for one response, read from the metadata of the response's candidates."""

    queries: frozenset[str] = frozenset()
    """The different search queries of the web; an empty query is not billed
    (https://ai.google.dev/gemini-api/docs/google-search#pricing)."""
    searched: bool = False
    """Whether the web was searched."""
    mapped: bool = False
    """Whether Google Maps was used."""

    def see(self, body: Mapping[str, Any]) -> None:
        """Add the searches that the metadata in a response, or in one event of a stream, lists."""
        for candidate in listed(body.get("candidates")):
            metadata = mapping_of(candidate, "groundingMetadata") if isinstance(candidate, Mapping) else {}
            queries = [
                *listed(field_of(metadata, "webSearchQueries")),
                *listed(field_of(metadata, "imageSearchQueries")),
            ]
            self.queries |= {query for query in queries if isinstance(query, str) and query}
            chunks = [chunk for chunk in listed(field_of(metadata, "groundingChunks")) if isinstance(chunk, Mapping)]
            self.mapped |= any("maps" in chunk for chunk in chunks) or "googleMapsWidgetContextToken" in names_of(
                metadata
            )
            self.searched |= bool(self.queries) or any("web" in chunk or "image" in chunk for chunk in chunks)


class Tools:
    """The tools that one request offers to the model, with what they may cost and have cost."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.names = frozenset(_names(body))

    def measure(self, size: Size) -> None:
        """Add to ``size`` the input that the tools cause in addition to the request's own."""
        for name in self.names & _UNSEEN.keys():
            size.hide(*_UNSEEN[name])
        size.tokens += _COMPUTER_TOKENS if "computerUse" in self.names else 0

    def worst(self, rates: Rates) -> Decimal:
        """Return the most USD that the tools can cost in addition to the tokens.

        Raises ConfigurationError if this is not known.
        """
        if rates.flat is not None:
            return Decimal(0)
        unknown = self.names - _OWN - _UNSEEN.keys()
        if unknown and not rates.fee:
            raise ConfigurationError(
                f"{rates.model} with the tool {min(unknown)} was not sent: the tool is charged besides the tokens, and"
                " its price is not known; state a fee for each call."
            )
        each = bills_each_query(rates.model)
        fees = Decimal(0)
        if self.names & _SEARCH:
            fees += self._searches(rates, _QUERIES if each else 1)
        if _MAPS in self.names:
            fees += _MAPS_QUERY * _QUERIES if each else _MAPS_REQUEST
        return fees

    def cost(self, rates: Rates, grounding: Grounding) -> tuple[Decimal, bool]:
        """Return the USD that the searches of a response cost besides its tokens, and whether that is an estimate.

        Raises ConfigurationError if the price of a search is not known.
        """
        each = bills_each_query(rates.model)
        count = len(grounding.queries) if each else int(grounding.searched)
        fees = self._searches(rates, count) if count else Decimal(0)
        if not grounding.mapped:
            return fees, False
        if not each:
            return fees + _MAPS_REQUEST, False
        # The number of queries to Google Maps is not reported.
        return fees + _MAPS_QUERY * _QUERIES, True

    def _searches(self, rates: Rates, count: int) -> Decimal:
        if not rates.has("web_searches_kcount"):
            if rates.fee:
                return Decimal(0)  # The user's fee for each call covers the searches.
            raise unknown_price(rates.model, keys=["web_searches_kcount"])
        return rates.cost({"web_searches": count})


def _names(body: Mapping[str, Any]) -> Iterator[str]:
    for tool in listed(field_of(body, "tools")):
        if isinstance(tool, Mapping):
            yield from names_of(tool)
        else:
            yield type(tool).__name__
