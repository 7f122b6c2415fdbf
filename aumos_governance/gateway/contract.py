"""The types that the gateway's modules share: a configured provider (`Upstream`), a client with its key (`Holder`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, Protocol
from urllib.parse import urlsplit

from ..integrations.pricing.prices import Prices
from ..service.callers import Caller

Dialect = Literal["openai", "anthropic", "google"]
"""The provider's API that an upstream serves. It determines the paths, the header that carries the key, and the form of
error responses."""
KeyKind = Literal["kernel", "terminal", "user", "run"]
"""The kind of client that a key was issued to: a kernel, a terminal, a user's own program, or a command started by
`jupyter governance run`."""


def _ignore(refused: str) -> None:
    """Do nothing after the provider refused a key: the default of `Upstream.key_refused`.

    It is for keys that cannot change, and for key files, which are read again before the next request anyway.
    """


@dataclass(frozen=True, slots=True)
class Upstream:
    """One configured provider, as the gateway uses it. Requests under ``/llm/<name>/`` are forwarded to it."""

    name: str
    dialect: Dialect
    base_url: str
    """The base URL that the provider's own client libraries use, such as ``https://api.openai.com/v1``, without a slash
    at the end."""
    key: Callable[[], str | None]
    """Returns the provider's key to send with the next request, or None for a provider that needs no key. Raises
    ConfigurationError if the key cannot be read. A ``repr`` never shows the key."""
    prices: Prices
    provider: str | None = None
    """The id of the vendor whose price list applies, in the package ``genai-prices``. None if it is the vendor that
    owns the address `base_url`."""
    models: tuple[str, ...] = ()
    """Patterns for the names of the models that clients may call, such as ``gpt-5*``, as in `fnmatch`. If empty,
    clients may call all models except `denied_models`."""
    denied_models: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers that the gateway adds to each request to the provider; they replace headers of the same names from the
    client."""
    connect_seconds: float = 10.0
    read_seconds: float = 600.0
    """The longest time, in seconds, that the provider may send nothing before the gateway stops waiting for its
    response."""
    output_limit: int | None = None
    """The limit of output tokens that the gateway adds to requests that state none. None if it adds no limit."""
    max_hold: int | None = None
    """The largest amount, in nano-USD, that is held for one call; None for no limit. The gateway lowers the output
    limit of a call whose worst case, the highest possible cost, would exceed this amount."""
    key_refused: Callable[[str], None] = field(default=_ignore, repr=False)
    """Called with a key that the provider has just refused. Afterwards `key` may return a new key."""
    key_variables: tuple[str, ...] = ()
    """The names of the server's environment variables that contain the provider's key. The server removes them from the
    environment of kernels and terminals."""

    def allows(self, model: str) -> bool:
        """Whether the configuration allows clients to call this model of the provider."""
        if any(fnmatchcase(model, pattern) for pattern in self.denied_models):
            return False
        return not self.models or any(fnmatchcase(model, pattern) for pattern in self.models)

    @property
    def client_path(self) -> str:
        """The path that clients use at the gateway for this upstream's base URL, for example ``/llm/openai/v1``."""
        return f"/llm/{self.name}{urlsplit(self.base_url).path}"

    @property
    def like_openai(self) -> str:
        """The path of this provider's OpenAI-compatible API below the gateway's ``/llm``, such as ``/groq/openai/v1``.

        Empty for OpenAI and Azure themselves, and for providers with another API. An error message names this path to
        users of a provider's own library, whose requests the gateway does not serve.
        """
        own = self.dialect != "openai" or self.name in ("openai", "azure")
        return "" if own else self.client_path.removeprefix("/llm")

    def url(self, path: str) -> str:
        """Return the address of ``path``, such as ``/v1/models``, on the provider's host; ignore `base_url`'s path."""
        base = urlsplit(self.base_url)
        return f"{base.scheme}://{base.netloc}{path}"


@dataclass(frozen=True, slots=True)
class Holder:
    """A client with a valid gateway key, and the notebook that its calls are charged to at the moment.

    A new instance is made for each request, since the notebook may be renamed and a terminal may get another one.
    """

    key_id: str
    """The random id of the client's key. It is not secret; audit records and logs contain it."""
    name: str
    """The name that users see for the client: one that the server made, such as ``kernel of a.ipynb``, or one that a
    user chose."""
    kind: KeyKind
    caller: Caller
    """The caller in the client's requests to the ledger: the document that its calls are charged to, and the namespace
    of its idempotency keys. It does not follow a rename of the document after this instance was made."""
    refusal: str | None = None
    """A message that states why no call with this key is authorized at the moment, for example because the terminal has
    no notebook yet, and what the user can do. The gateway then refuses each call with this message, without a request
    to the ledger. None if the ledger decides about calls."""


class Keys(Protocol):
    """The valid gateway keys of all clients, as the HTTP server uses them.

    `keys.GatewayKeys` implements this protocol.
    """

    def find(self, secret: str) -> Holder | None:
        """Return the client that holds the gateway key ``secret``; None if it is not a valid key.

        The comparison takes constant time. The gateway calls this method in its event loop for each request, so it must
        not read the database.
        """
        ...

    def on_revoked(self, call: Callable[[str], None]) -> Callable[[], None]:
        """Call ``call`` with a key's id whenever a key is revoked, in any thread; return a function that ends this."""
        ...
