"""What a provider's adapter says of a call: is it paid, what may it cost at worst, what did it cost."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol, TypeGuard

from ...errors import ConfigurationError
from ..pricing.prices import Rates
from ..pricing.seen import Seen

__all__ = [
    "READS",
    "ApiRequest",
    "Cost",
    "Meter",
    "Paid",
    "StreamedPaid",
    "UsageMissingError",
    "body_of_json",
    "cannot_measure",
    "is_free",
    "is_streamed",
    "unknown_method",
]


_decode: Final = json.JSONDecoder().raw_decode
_WHITE_SPACE: Final = " \t\r\n"


class UsageMissingError(Exception):
    """A response does not state, or not credibly, what was used. It never reaches a caller.

    ``least`` USD is what the visible part of the response costs at least.
    """

    def __init__(self, message: str = "", least: Decimal = Decimal(0)) -> None:
        super().__init__(message)
        self.least = least


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call cost."""

    usd: Decimal
    estimated: bool = False
    """The usage report leaves a doubt, which is charged."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request that a client is about to send; ``path`` as the library names it, without the base URL."""

    method: str
    path: str
    body: Mapping[str, Any]
    streamed: bool = False
    files: tuple[int | None, ...] = ()
    """The sizes of the files that go with it, in bytes; None for one whose size is not known."""
    bare: bool = False
    """It goes out as the caller wrote it: the server refuses a request for a stream's usage."""
    content: bytes | None = None
    """The content of the file that it names as its input, as a batch does, where the client could read it."""

    @property
    def plain_path(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]

    @property
    def name(self) -> str:
        """Its method and path, such as ``POST /batches``, without host and query, which may hold secrets."""
        path = self.plain_path
        _, absolute, rest = path.partition("://")
        return f"{self.method.upper()} /{rest.partition('/')[2]}" if absolute else f"{self.method.upper()} {path}"


class Meter(Protocol):
    """Reads a stream's events as they pass."""

    @property
    def response(self) -> Mapping[str, Any] | None:
        """What is known of the usage, in the shape of the body of a response that is not streamed; None: nothing
        yet.
        """
        ...

    @property
    def ended(self) -> bool:
        """Whether the stream has reported all of its usage."""
        ...

    @property
    def seen(self) -> Seen:
        """What of the response has arrived."""
        ...

    def see(self, data: bytes) -> bool:
        """Read one event's data; True when the caller did not request this event and must not see it."""
        ...


class Paid(Protocol):
    """One paid call."""

    quoted: Rates | None
    """The prices at which it was held, which also settle it; set by the guard."""

    @property
    def name(self) -> str:
        """What the provider calls it, for example ``chat.completions``."""
        ...

    @property
    def model(self) -> str: ...

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The body to send in place of the caller's; None: the caller's own."""
        ...

    def worst(self, rates: Rates) -> Decimal:
        """The most it can cost, in USD: what is held."""
        ...

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """What it cost by its response, whose usage report is compared with what was seen to arrive.

        ``seen`` None: ``response`` is the whole body, and shows what arrived. ``seen.whole`` False: the response broke
        off; the cost is what was reported so far, else what the call can have cost until then, as an estimate.
        Raises UsageMissingError where what was held is to be charged, as an estimate.
        """
        ...


class StreamedPaid(Paid, Protocol):
    """A paid call whose response may be a stream."""

    def meter(self) -> Meter:
        """Reads such a stream."""
        ...


def is_streamed(paid: Paid) -> TypeGuard[StreamedPaid]:
    """Whether a call's response may be a stream."""
    return hasattr(paid, "meter")


READS: Final = frozenset({"get", "head", "options", "delete"})
"""Reading costs nothing, nor does deleting: what was made was paid for when it was made."""


def is_free(request: ApiRequest, posts: re.Pattern[str]) -> bool:
    """Whether a request is known to cost nothing: it reads, deletes, or sends something to a free path.

    ``posts`` matches the free paths as a whole.
    """
    method = request.method.lower()
    return method in READS or (method in ("post", "put", "patch") and posts.fullmatch(request.plain_path) is not None)


def body_of_json(content: bytes) -> Mapping[str, Any]:
    """The JSON object that a body, or an event's data, is; an empty one when it is something else."""
    try:
        # In half the time of `json.loads`, which finds out the encoding first: a stream has thousands of events.
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
    """Says that a request cannot be held because of an error while it was measured."""
    cause = f"{name} was not sent: what it may cost could not be computed ({type(error).__name__}: {error})"
    return ConfigurationError(f"{cause}; state what each call costs with govern(client, cost=...).", cause=cause)


def unknown_method(request: ApiRequest) -> ConfigurationError:
    """Says that a request cannot be governed."""
    return ConfigurationError(
        f"{request.name} was not sent: govern() does not know what it may cost. Use the client"
        " that you gave to govern() for it, and record what it cost with %governance_spend.",
        cause=f"{request.name} was not sent: what it may cost is not known",
    )
