"""The paid calls of Google's API that embed texts, and those that Vertex AI's method ``predict`` serves.

These are ``embedContent`` and ``batchEmbedContents``, and ``predict`` for embeddings and for models such as Imagen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from ...errors import ConfigurationError
from ..guarding.calls import ApiRequest, Cost, UsageMissingError
from ..pricing.rates import Rates, unknown_price
from ..pricing.seen import Seen
from .content import input_bound
from .fields import bytes_of, field_of, listed, mapping_of
from .paths import Target
from .sizes import Size, add_content, size_of
from .usage import counts_of


class EmbedCall:
    """A paid call that embeds one or several contents, and is charged by the tokens that its response reports.

    The responses of some models report no tokens; then the held amount is charged as an estimate.
    """

    name = "embedContent"
    body: Mapping[str, Any] | None = None
    quoted: Rates | None = None

    def __init__(self, request: ApiRequest, target: Target) -> None:
        self.model = target.model
        self._request = request.body

    def worst(self, rates: Rates) -> Decimal:
        """Return the most USD that embedding all contents can cost.

        Raises ConfigurationError if the body of the request names another model than its path.
        """
        total = Decimal(0)
        for each in (self._request, *listed(field_of(self._request, "requests"))):
            if not isinstance(each, Mapping):
                raise ConfigurationError(f"{self.name} was not sent: each of its requests must be a JSON object.")
            named = each.get("model")
            if isinstance(named, str) and named.rpartition("/")[2] != self.model:
                raise ConfigurationError(
                    f"{self.name} was not sent: its body names the model {named} and its address {self.model};"
                    " name the same model in both."
                )
            body = {name: value for name, value in each.items() if name != "requests"}
            size = size_of(body, self.model) if body else Size()
            # Each content may fill the context window, and is cut off at its end.
            total += rates.bound(input_bound(size, rates), 0, kinds=size.kinds)
        return total if rates.flat is None else rates.flat

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Return the cost of the tokens that the response reports. Raises UsageMissingError if it reports none."""
        counts, estimated = counts_of(rates, self.model, response, None, output=False)
        # Tokens that only the total includes were embedded as well.
        embedded = counts["input_tokens"] + counts.get("output_tokens", 0)
        return Cost(rates.cost({**counts, "input_tokens": embedded, "output_tokens": 0}), estimated)


class PredictCall:
    """A paid call of ``predict`` or ``predictLongRunning`` on Vertex AI.

    Embeddings are priced by tokens. Other models are priced by the image or by the second of a video; the user has to
    state a price per call for them.
    """

    name = "predict"
    body: Mapping[str, Any] | None = None
    quoted: Rates | None = None

    def __init__(self, request: ApiRequest, target: Target) -> None:
        self.model = target.model
        self._request = request.body
        self._embeds = "embedding" in target.model and target.method == "predict"

    def worst(self, rates: Rates) -> Decimal:
        """Return the most USD that the call can cost.

        Raises ConfigurationError if the model is not priced by tokens, and the user has stated no price per call.
        """
        if rates.flat is not None:
            return rates.flat
        if not self._embeds:
            raise unknown_price(self.model)
        total = Decimal(0)
        for instance in listed(field_of(self._request, "instances")):
            size = Size(tokens=bytes_of(instance))
            content = field_of(instance, "content") if isinstance(instance, Mapping) else instance
            if not isinstance(content, str):
                add_content(size, content, self.model)
                size.hide()
            total += rates.bound(input_bound(size, rates), 0, kinds=size.kinds)
        return total

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Return the cost of the embedded tokens, or the price per call that the user stated.

        Raises UsageMissingError if the response does not report the tokens.
        """
        if rates.flat is not None:
            return Cost(rates.flat)
        counts = list(_tokens(response))
        if not counts or any(type(count) not in (int, float) or count <= 0 for count in counts):
            raise UsageMissingError("The response does not report how many tokens were embedded.")
        return Cost(rates.cost({"input_tokens": sum(map(int, counts))}))


def _tokens(response: Mapping[str, Any]) -> Iterator[Any]:
    for prediction in listed(response.get("predictions")):
        embeddings = mapping_of(prediction, "embeddings") if isinstance(prediction, Mapping) else {}
        yield field_of(mapping_of(embeddings, "statistics"), "tokenCount")
