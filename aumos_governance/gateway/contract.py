"""What the parts of the gateway know of each other: the configured upstreams, the keys of its clients, the callers."""

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
"""Whose API an upstream has: its paths, its credential's header, its errors."""
KeyKind = Literal["kernel", "terminal", "user", "run"]
"""What a key was issued to: a kernel, a terminal, a user's own program, or `jupyter governance run`."""


def _kept(refused: str) -> None:
    """For a key that cannot change, or is read again anyway."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """One configured provider: the requests under ``/llm/<name>/`` are forwarded to it."""

    name: str
    dialect: Dialect
    base_url: str
    """As the provider's own client libraries have it, without a slash at the end, for example with ``/v1``."""
    key: Callable[[], str | None]
    """Reads the provider's key; None for a server that needs none. Raises ConfigurationError. Never in a ``repr``."""
    prices: Prices
    provider: str | None = None
    """The seller whose prices count, as genai-prices names it; None: what the address says."""
    models: tuple[str, ...] = ()
    """Patterns (`fnmatch`) of the models that may be called; empty: all."""
    denied_models: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with each request, in place of the client's of the same names."""
    connect_seconds: float = 10.0
    read_seconds: float = 600.0
    """The longest silence of the provider."""
    output_limit: int | None = None
    """Output tokens of a request that states no limit."""
    max_hold: int | None = None
    """The most that is held for one call, in nano-USD: the request's output limit is lowered to fit. None: no limit."""
    key_refused: Callable[[str], None] = field(default=_kept, repr=False)
    """Called with a key that the provider refused: `key` may have another one from then on."""
    key_variables: tuple[str, ...] = ()
    """Variables of the server's environment that hold the provider's key, which no kernel may have."""

    def allows(self, model: str) -> bool:
        """Whether requests may name this model."""
        if any(fnmatchcase(model, pattern) for pattern in self.denied_models):
            return False
        return not self.models or any(fnmatchcase(model, pattern) for pattern in self.models)

    @property
    def client_path(self) -> str:
        """The path of the base URL that a client has at the gateway, for example ``/llm/openai/v1``."""
        return f"/llm/{self.name}{urlsplit(self.base_url).path}"

    @property
    def like_openai(self) -> str:
        """`client_path` below ``/llm``, where a provider that is not OpenAI has OpenAI's API; else empty."""
        own = self.dialect != "openai" or self.name in ("openai", "azure")
        return "" if own else self.client_path.removeprefix("/llm")

    def url(self, path: str) -> str:
        """The provider's address of a request to ``/llm/<name>`` + ``path``, for example of ``/v1/models``.

        Only scheme and host of ``base_url`` count here: its path is in the client's base URL.
        """
        base = urlsplit(self.base_url)
        return f"{base.scheme}://{base.netloc}{path}"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a valid key, and for which notebook it makes its calls now."""

    key_id: str
    """Random, and no secret: it stands in records and logs."""
    name: str
    """What users see, for example ``kernel of a.ipynb`` or the name they gave."""
    kind: KeyKind
    caller: Caller
    """The document and the scope of the idempotency keys; a rename of the document is followed.

    It is read at each `Keys.find`, so a request that lasts may find its holder again by `Keys.holder`.
    """
    refusal: str | None = None
    """One sentence: why no call with this key is authorized now and what the user can do, such as choose a notebook for
    a terminal. A call is then denied with it, and the ledger is not used. None: the ledger decides."""


class Keys(Protocol):
    """The keys of the gateway's clients."""

    def find(self, secret: str) -> Holder | None:
        """The holder of a key that is valid now; None for any other credential. Compares in constant time.

        Called in the gateway's thread for each request, so it reads memory and not the database.
        """
        ...

    def holder(self, key_id: str) -> Holder | None:
        """The holder of a key by its id, with the document that it has now; None for one that is not valid."""
        ...

    def on_revoked(self, call: Callable[[str], None]) -> Callable[[], None]:
        """Have ``call`` called, in any thread, with the id of each key that is revoked; the result ends that."""
        ...
