"""The interface of a paid call, implemented for each kind of call by the adapter for a provider's API.

An implementation of `Paid` computes the most that one call can cost, and its cost by the response.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol, TypeGuard

from ...errors import ConfigurationError
from ..pricing.rates import Rates
from ..pricing.seen import Seen

_decode: Final = json.JSONDecoder().raw_decode
_WHITE_SPACE: Final = " \t\r\n"


class UsageMissingError(Exception):
    """Raised when a response reports no usage, or usage that is not credible.

    The package catches it and charges the held amount as an estimate, or ``least`` if that is more: the least USD that
    the visible part of the response can have cost. The client's caller never sees this exception.
    """

    def __init__(self, message: str = "", least: Decimal = Decimal(0)) -> None:
        super().__init__(message)
        self.least = least


def whole_number(value: object) -> int:
    """Return ``value``, a count of a usage report. Raises UsageMissingError unless it is an integer of 0 or more."""
    if type(value) is not int or value < 0:
        raise UsageMissingError
    return value


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a call, in USD."""

    usd: Decimal
    estimated: bool = False
    """Whether the true cost is not certain, because the usage report can be read in several ways or is incomplete.

    ``usd`` is then the highest cost that it may have been.
    """


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request that a client is about to send; ``path`` is relative to the base URL, as in the provider's library."""

    method: str
    path: str
    body: Mapping[str, Any]
    streamed: bool = False
    files: tuple[int | None, ...] = ()
    """The sizes in bytes of the files that are uploaded with the request; None for a file of unknown size."""
    bare: bool = False
    """Whether nothing may be added to the body, because the server refuses ``stream_options``."""
    content: bytes | None = None
    """The content of the input file that the request names, as a batch does; None if the client could not read it."""

    @property
    def plain_path(self) -> str:
        """The path without its query string."""
        return self.path.partition("?")[0]

    @property
    def name(self) -> str:
        """The method and path, such as ``POST /batches``; host and query are left out, since they may hold secrets."""
        path = self.plain_path
        _, absolute, rest = path.partition("://")
        return f"{self.method.upper()} /{rest.partition('/')[2]}" if absolute else f"{self.method.upper()} {path}"


class Meter(Protocol):
    """A reader of one stream's events; it finds the reported usage and measures the output that arrived."""

    @property
    def response(self) -> Mapping[str, Any] | None:
        """The usage reported so far, as in the body of a response that is not streamed; None before the first report.

        An example is ``{"usage": {"prompt_tokens": 8, "completion_tokens": 2}}``.
        """
        ...

    @property
    def ended(self) -> bool:
        """Whether the stream has reported all of its usage."""
        ...

    @property
    def seen(self) -> Seen:
        """The measure of the output that has arrived so far."""
        ...

    def see(self, data: bytes) -> bool:
        """Read the data of one event of the stream, and return whether to hide this event from the client's caller.

        An event that only reports the usage is hidden if the package requested it and the caller did not.
        """
        ...


class Paid(Protocol):
    """A request that costs money, as its provider's adapter understands it.

    One instance stands for the content of one request, and serves all attempts that send this content.
    """

    quoted: Rates | None
    """The prices that the guard held the call at; the call is settled at the same prices. None before the hold."""

    @property
    def name(self) -> str:
        """The provider's name for the operation, for example ``chat.completions``."""
        ...

    @property
    def model(self) -> str: ...

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The body to send in place of the caller's, such as one that also requests the usage; None for no change."""
        ...

    def worst(self, rates: Rates) -> Decimal:
        """Return the most that the call can cost, in USD; this amount is held."""
        ...

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Return the cost of the call by the usage that its response reports, checked against the output that arrived.

        ``seen`` is the measure of the output that arrived; with None, ``response`` is the whole body, and the output in
        it is measured. If ``seen.whole`` is False, the response broke off: the cost of the reported usage is returned,
        or, without usage, an estimate of the most that the call can have cost until then. Raises UsageMissingError if
        neither can be computed; the caller then charges the held amount as an estimate.
        """
        ...


class StreamedPaid(Paid, Protocol):
    """A paid call whose response may be a stream."""

    def meter(self) -> Meter:
        """Return a new reader for the stream of this call's response."""
        ...


def is_streamed(paid: Paid) -> TypeGuard[StreamedPaid]:
    """Whether a call's response may be a stream."""
    return hasattr(paid, "meter")


READS: Final = frozenset({"get", "head", "options", "delete"})
"""The HTTP methods that cost nothing: providers charge when an object is created, not when it is read or deleted."""


def is_free(request: ApiRequest, posts: re.Pattern[str]) -> bool:
    """Whether a request costs nothing: it reads or deletes, or ``posts`` matches its whole path.

    ``posts`` matches the paths of the provider's API that cost nothing in requests that send data.
    """
    method = request.method.lower()
    return method in READS or (method in ("post", "put", "patch") and posts.fullmatch(request.plain_path) is not None)


def body_of_json(content: bytes) -> Mapping[str, Any]:
    """Return the JSON object in a body or in an event's data; an empty mapping if the data is no JSON object."""
    try:
        # This takes half the time of `json.loads`, which detects the encoding first; a stream has thousands of events.
        body, end = _decode(text := content.decode())
        if end != len(text) and text[end:].strip(_WHITE_SPACE):
            return {}
    except ValueError:
        try:
            body = json.loads(content)
        except ValueError:
            return {}
    return body if isinstance(body, dict) else {}


def cannot_measure(name: str, error: Exception) -> ConfigurationError:
    """Return the exception to raise in place of sending a request, because computing its worst case raised ``error``.

    ``name`` names the request in the message, such as ``POST /batches``.
    """
    cause = f"{name} was not sent: what it may cost could not be computed ({type(error).__name__}: {error})"
    return ConfigurationError(f"{cause}; state what each call costs with govern(client, cost=...).", cause=cause)


def unknown_method(request: ApiRequest) -> ConfigurationError:
    """Return the exception to raise in place of sending a request that is not known to be free or paid."""
    return ConfigurationError(
        f"{request.name} was not sent: govern() does not know what it may cost. Use the client"
        " that you gave to govern() for it, and record what it cost with %governance_spend.",
        cause=f"{request.name} was not sent: what it may cost is not known",
    )
