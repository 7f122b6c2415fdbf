"""The types that connect the gateway's parts: configured upstreams, and the clients' keys with their holders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, Protocol
from urllib.parse import urlsplit

from ..integrations.pricing.prices import Prices
from ..service.callers import Caller

__all__ = ["Dialect", "Holder", "KeyKind", "Keys", "Upstream"]

Dialect = Literal["openai", "anthropic", "google"]
"""The API that an upstream serves. It determines the paths, the header for the key, and the shape of errors."""
KeyKind = Literal["kernel", "terminal", "user", "run"]
"""The kind of client that a key was issued to: a kernel, a terminal, a user's own program, or a command started by
`jupyter governance run`."""


def _kept(refused: str) -> None:
    """Ignore that a provider refused a key: the key cannot change, or is read again before the next request anyway."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """One configured provider: the requests under ``/llm/<name>/`` are forwarded to it."""

    name: str
    dialect: Dialect
    base_url: str
    """The base URL that the provider's own client libraries use, such as ``https://api.openai.com/v1``, without a slash
    at the end."""
    key: Callable[[], str | None]
    """Returns the provider's key, or None for a server that needs no key. Raises ConfigurationError if the key cannot
    be read. The key is never in a ``repr``."""
    prices: Prices
    provider: str | None = None
    """The id, in genai-prices, of the vendor whose price list applies; None for the vendor that owns ``base_url``."""
    models: tuple[str, ...] = ()
    """Patterns (`fnmatch`) of the models that clients may call; empty if they may call all models."""
    denied_models: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers that are sent with each request; they replace the client's headers of the same names."""
    connect_seconds: float = 10.0
    read_seconds: float = 600.0
    """The longest time, in seconds, to wait for the next data from the provider."""
    output_limit: int | None = None
    """The limit of output tokens for requests that state no limit; None if they are forwarded without a limit."""
    max_hold: int | None = None
    """The largest amount, in nano-USD, that is held for one call; None for no limit. The output limit of a request is
    lowered so that its worst case does not exceed this amount."""
    key_refused: Callable[[str], None] = field(default=_kept, repr=False)
    """Called with a key that the provider refused; `key` may return another key afterwards."""
    key_variables: tuple[str, ...] = ()
    """The names of the server's environment variables that hold the provider's key; no kernel gets them."""

    def allows(self, model: str) -> bool:
        """Whether clients may call this model."""
        if any(fnmatchcase(model, pattern) for pattern in self.denied_models):
            return False
        return not self.models or any(fnmatchcase(model, pattern) for pattern in self.models)

    @property
    def client_path(self) -> str:
        """The path of this upstream's base URL at the gateway, for example ``/llm/openai/v1``; clients use it."""
        return f"/llm/{self.name}{urlsplit(self.base_url).path}"

    @property
    def like_openai(self) -> str:
        """`client_path` without ``/llm`` if this is an OpenAI-compatible provider other than OpenAI and Azure.

        Empty for all other providers.
        """
        own = self.dialect != "openai" or self.name in ("openai", "azure")
        return "" if own else self.client_path.removeprefix("/llm")

    def url(self, path: str) -> str:
        """Return the provider's address for ``path``, such as ``/v1/models``, on the host of ``base_url``.

        The path of ``base_url`` is not added.
        """
        base = urlsplit(self.base_url)
        return f"{base.scheme}://{base.netloc}{path}"


@dataclass(frozen=True, slots=True)
class Holder:
    """A client that holds a valid key, and the notebook that its calls are charged to now."""

    key_id: str
    """The key's random id. It is not secret: records and logs contain it."""
    name: str
    """The name that users see for the client: a generated one such as ``kernel of a.ipynb``, or a user's choice."""
    kind: KeyKind
    caller: Caller
    """The document that the client's calls are charged to, and the scope of their idempotency keys.

    `Keys.find` sets it when it is called; it does not follow a later rename of the document.
    """
    refusal: str | None = None
    """Why no call with this key is authorized now, and what the user can do, such as choose a notebook for a terminal:
    the message of the denial, which the gateway sends without asking the ledger. None if the ledger decides."""


class Keys(Protocol):
    """The valid keys of the gateway's clients."""

    def find(self, secret: str) -> Holder | None:
        """Return the holder of a valid key; None for any other credential. Compares in constant time.

        The gateway's thread calls this method for each request, so it must read memory and not the database.
        """
        ...

    def on_revoked(self, call: Callable[[str], None]) -> Callable[[], None]:
        """Register ``call``: it is called, in any thread, with the id of each key that is revoked.

        Returns a function that removes the registration.
        """
        ...
