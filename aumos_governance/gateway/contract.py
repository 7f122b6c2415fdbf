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
"""The API that an upstream serves: it determines paths, the credential's header and the shape of errors."""
KeyKind = Literal["kernel", "terminal", "user", "run"]
"""The kind of client that a key was issued to: a kernel, a terminal, a user's own program, or a command started by
`jupyter governance run`."""


def _kept(refused: str) -> None:
    """Ignore that a provider refused a key: this key cannot change, or is read again anyway."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """One configured provider: the requests under ``/llm/<name>/`` are forwarded to it."""

    name: str
    dialect: Dialect
    base_url: str
    """The base URL that the provider's own client libraries use, such as ``https://api.openai.com/v1``, without a slash
    at the end."""
    key: Callable[[], str | None]
    """Reads the provider's key, and returns None for a server that needs none. Raises ConfigurationError. The key is
    never in a ``repr``."""
    prices: Prices
    provider: str | None = None
    """The seller whose prices count, as genai-prices names it; None: the seller to which ``base_url`` belongs."""
    models: tuple[str, ...] = ()
    """Patterns (`fnmatch`) of the models that may be called; empty: all."""
    denied_models: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers that are sent with each request; they replace the client's headers of the same names."""
    connect_seconds: float = 10.0
    read_seconds: float = 600.0
    """The longest time without data from the provider."""
    output_limit: int | None = None
    """The limit of output tokens that is put into a request without one; None: none is put in."""
    max_hold: int | None = None
    """The most that is held for one call, in nano-USD: the request's output limit is lowered to fit. None: no limit."""
    key_refused: Callable[[str], None] = field(default=_kept, repr=False)
    """Called with a key that the provider refused; `key` may return another one afterwards."""
    key_variables: tuple[str, ...] = ()
    """The variables of the server's environment that hold the provider's key; no kernel gets them."""

    def allows(self, model: str) -> bool:
        """Whether clients may call this model."""
        if any(fnmatchcase(model, pattern) for pattern in self.denied_models):
            return False
        return not self.models or any(fnmatchcase(model, pattern) for pattern in self.models)

    @property
    def client_path(self) -> str:
        """The path of the base URL at the gateway that clients use, for example ``/llm/openai/v1``."""
        return f"/llm/{self.name}{urlsplit(self.base_url).path}"

    @property
    def like_openai(self) -> str:
        """`client_path` without ``/llm`` for a provider that offers OpenAI's API but is not OpenAI; else empty."""
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
    """The client that holds a valid key, and the notebook for which it makes calls now."""

    key_id: str
    """A random id, which is not secret: records and logs contain it."""
    name: str
    """The name that users see, for example ``kernel of a.ipynb``, or the name that a user chose."""
    kind: KeyKind
    caller: Caller
    """The document in which the calls count, and the scope of their idempotency keys.

    It is the state at the time of `Keys.find`; a long request gets the current one, after a rename for example, from
    `Keys.holder`.
    """
    refusal: str | None = None
    """A sentence that states why no call with this key is authorized now and what the user can do, such as choose a
    notebook for a terminal. Calls are denied with it without a request to the ledger. None: the ledger decides."""


class Keys(Protocol):
    """The keys of the gateway's clients."""

    def find(self, secret: str) -> Holder | None:
        """Return the holder of a valid key; None for any other credential. Compares in constant time.

        The gateway's thread calls it for each request, so it reads memory and not the database.
        """
        ...

    def holder(self, key_id: str) -> Holder | None:
        """Return the holder of the valid key with this id, with its current document; None where there is none."""
        ...

    def on_revoked(self, call: Callable[[str], None]) -> Callable[[], None]:
        """Call ``call``, in any thread, with the id of each key that is revoked; return a function that ends this."""
        ...
