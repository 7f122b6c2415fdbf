"""`govern`: a provider's client that holds and settles what its calls cost, and is used like the original.

The libraries of OpenAI and Anthropic are made by one generator, and send everything through one method of the client.
The governed client is a copy of the given one, of a subclass of its class, that overrides this method: resources,
helpers and raw responses come through it as well, and so does what is added to the library later on.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from typing import Any, Final, TypeVar, cast

from ..engine import Engine, default_engine
from ..errors import ConfigurationError, InvalidRequestError
from ..realm import to_level
from ..types import TrustLevel
from .attempts import CURRENT, Call
from .calls import Asked, Paid, Provider
from .client_attempts import has_middleware, with_attempts
from .guard import METHOD_UNKNOWN, Guard
from .later import Later
from .price_terms import address_of
from .pricing import Amount, Prices

__all__ = ["govern", "govern_with", "is_client"]

ClientT = TypeVar("ClientT")
_PROVIDERS: Final = {"openai": "openai_calls", "anthropic": "anthropic_calls"}
"""The module beside this one that knows the calls of a library."""
_GOVERNOR: Final = "_aumos_governor"
_COPYING: Final[ContextVar[bool]] = ContextVar("aumos_governance_copying", default=False)


def govern(
    client: ClientT,
    *,
    engine: Engine | None = None,
    agent_id: str | None = None,
    budget_category: str | None = None,
    required_trust_level: int = TrustLevel.L1_MONITOR,
    default_cost: Amount | None = None,
    price: Mapping[str, Any] | None = None,
    cost: Amount | None = None,
) -> ClientT:
    """A client like ``client``, whose every paid call is authorised, held and charged; ``client`` itself is unchanged.

    Before a call its worst case is held, after it its true cost is charged: from the usage that the provider tells, by
    the prices of genai-prices. ``engine`` is the notebook's own where none is given. ``budget_category`` charges a
    budget of that name too.

    What a model costs that genai-prices does not know: ``price`` per unit, as ``{"input_mtok": 2.5, "output_mtok":
    10}`` in USD per million tokens, or such a mapping for each of several models; ``default_cost`` USD a call; ``cost``
    USD for every call of whatever model, and 0 for models of your own.

    A call raises GovernanceDeniedError, and is not sent, when it is denied, and ConfigurationError when nobody knows
    what it may cost. Raises InvalidRequestError for a client that is none of OpenAI's or Anthropic's.
    """
    provider = _provider_of(client)
    guard = Guard(
        engine if engine is not None else default_engine(),
        Prices(cost=cost, price=price, default_cost=default_cost),
        provider=provider.price_id,
        base_url=address_of(client),
        agent_id=agent_id,
        budget_category=budget_category,
        required_trust_level=to_level(required_trust_level, "required_trust_level"),
    )
    return govern_with(client, guard, provider)


def govern_with(client: ClientT, guard: Guard, provider: Provider) -> ClientT:
    """A client like ``client`` whose calls are those that ``provider`` knows, held and settled by ``guard``."""
    governed = cast("Any", client).copy()
    if _GOVERNOR not in vars(client):
        governed.__class__ = _governed_class(cast("Any", type(client)))
    # Of one that is governed already, what is said now counts in place of what was said then.
    vars(governed)[_GOVERNOR] = _Governor(guard, provider)
    return cast("ClientT", governed)


def is_client(client: object) -> bool:
    """Whether `govern` knows the library that this client is of."""
    return _library_of(client) is not None


class _Governor:
    """What a governed client carries."""

    def __init__(self, guard: Guard, provider: Provider) -> None:
        self._guard = guard
        self._provider = provider

    def at(self, base_url: str) -> _Governor:
        """The same for another address of the provider."""
        return _Governor(self._guard.at(base_url), self._provider)

    def call(self, owner: object, options: Any, streamed: bool, content: bytes | None = None) -> Call | None:
        """The paid call that a request makes, None for a free one; its body is changed where it must be.

        ``content`` is that of the file which the request names as its input.
        """
        asked = Asked(options.method, options.url, _body(options), streamed, _file_sizes(options.files), content)
        paid = self._provider.paid(asked)
        if paid is None:
            return None
        if paid.body is not None:
            options.json_data = dict(paid.body)
            options.extra_json = None
        return Call(self._guard, paid, asked, owner=owner)

    def paid(self, asked: Asked) -> Paid | None:
        """As `Provider.paid`."""
        return self._provider.paid(asked)

    def later(self, options: Any, streamed: bool) -> Later | None:
        """As `Provider.later`, of a free request."""
        return self._provider.later(Asked(options.method, options.url, {}, streamed), self._guard)

    def refused(self, refusal: ConfigurationError, options: Any) -> ConfigurationError:
        """As `Guard.refused`, of a request of which `call` does not know whether it costs."""
        return self._guard.refused(refusal, METHOD_UNKNOWN, *_named(options))

    async def refused_async(self, refusal: ConfigurationError, options: Any) -> ConfigurationError:
        """As `refused`."""
        return await self._guard.refused_async(refusal, METHOD_UNKNOWN, *_named(options))


def _governed(kind: Any) -> Any:
    """What both kinds of governed client do, over the class of the plain one.

    A class is made of each, and not mixed into it: only so can a client that is there become one.
    """

    class Governed(kind):  # type: ignore[misc]
        def copy(self, *arguments: Any, **options: Any) -> Any:
            # Set within, since an interrupt may come as soon as it is.
            try:
                _COPYING.set(True)
                copied = super().copy(*arguments, **options)
            finally:
                _COPYING.set(False)
            vars(copied)[_GOVERNOR] = vars(self)[_GOVERNOR].at(address_of(copied))
            return copied

        with_options = copy

        @property
        def websocket_base_url(self) -> Any:
            own = vars(self)
            if _GOVERNOR in own and not _COPYING.get():
                # A session over a socket is charged as it goes on, which cannot be held for.
                raise ConfigurationError(
                    "Sessions over a WebSocket (realtime, live) cannot be governed: use the client that you gave to"
                    " govern(), and record what they cost with %governance_spend."
                )
            return own.get("websocket_base_url")

        @websocket_base_url.setter
        def websocket_base_url(self, value: Any) -> None:
            self.__dict__["websocket_base_url"] = value

        def _should_retry(self, response: Any) -> Any:
            if (call := CURRENT.get()) is not None:
                call.refused()
            return super()._should_retry(response)

        def _calculate_retry_timeout(self, *arguments: Any, **options: Any) -> Any:
            if (call := CURRENT.get()) is not None:
                call.failed()
            return super()._calculate_retry_timeout(*arguments, **options)

        def _governor(self) -> _Governor:
            governor = vars(self).get(_GOVERNOR)
            if not isinstance(governor, _Governor):
                raise ConfigurationError("This client was made from a governed one's class: govern() it as well.")
            return governor

    return Governed


def _governed_sync(kind: Any) -> Any:
    class GovernedSync(_governed(kind)):  # type: ignore[misc]
        def request(self, cast_to: Any, options: Any, *arguments: Any, **given: Any) -> Any:
            governor = self._governor()
            try:
                content = None if (file := _input_file(options)) is None else _read(self, file)
                call = governor.call(self, options, bool(given.get("stream")), content)
            except ConfigurationError as refusal:
                raise governor.refused(refusal, options) from None
            # A free call sets it too: within a paid one it is no attempt of that, nor of one that was interrupted.
            former = CURRENT.get()
            try:
                CURRENT.set(call)
                # Middleware may send something else, or nothing: each attempt is held as it is sent.
                if call is not None and not has_middleware(self):
                    call.begin()
                return super().request(cast_to, options, *arguments, **given)
            except Exception as error:
                if call is not None:
                    call.raised(error)
                raise
            finally:
                CURRENT.set(former)
                if call is not None:
                    call.left()

    return GovernedSync


def _governed_async(kind: Any) -> Any:
    class GovernedAsync(_governed(kind)):  # type: ignore[misc]
        async def request(self, cast_to: Any, options: Any, *arguments: Any, **given: Any) -> Any:
            governor = self._governor()
            try:
                content = None if (file := _input_file(options)) is None else await _read_async(self, file)
                call = governor.call(self, options, bool(given.get("stream")), content)
            except ConfigurationError as refusal:
                raise await governor.refused_async(refusal, options) from None
            # As in a synchronous one.
            former = CURRENT.get()
            try:
                CURRENT.set(call)
                if call is not None and not has_middleware(self):
                    await call.begin_async()
                return await super().request(cast_to, options, *arguments, **given)
            except Exception as error:
                if call is not None:
                    await call.raised_async(error)
                raise
            finally:
                CURRENT.set(former)
                if call is not None:
                    call.left()

    return GovernedAsync


@cache
def _governed_class(kind: Any) -> Any:
    awaited = _is_async(kind)
    governed = (_governed_async if awaited else _governed_sync)(with_attempts(kind, awaited=awaited))
    # Its name, in errors and in help, is the one that the user knows.
    governed.__name__, governed.__qualname__ = kind.__name__, kind.__qualname__
    governed.__module__, governed.__doc__ = kind.__module__, kind.__doc__
    return governed


def _is_async(kind: type[Any]) -> bool:
    return any(base.__name__ == "AsyncAPIClient" for base in kind.__mro__)


def _provider_of(client: object) -> Provider:
    library = _library_of(client)
    if library is None:
        raise InvalidRequestError(
            f"govern() takes a client of OpenAI's or Anthropic's library, not a {type(client).__name__}."
        )
    return cast("Provider", import_module(f".{_PROVIDERS[library]}", __package__).PROVIDER)


def _library_of(client: object) -> str | None:
    for base in type(client).__mro__:
        library = base.__module__.partition(".")[0]
        if library in _PROVIDERS and base.__name__ in ("SyncAPIClient", "AsyncAPIClient"):
            return library
    return None


def _named(options: Any) -> tuple[str, str | None]:
    model = _body(options).get("model")
    return Asked(options.method, options.url, {}).name, model if isinstance(model, str) else None


def _body(options: Any) -> dict[str, Any]:
    body = options.json_data
    read = dict(body) if isinstance(body, Mapping) else {}
    extra = options.extra_json
    return {**read, **extra} if isinstance(extra, Mapping) else read


def _input_file(options: Any) -> str | None:
    """The file that an OpenAI batch names as its input, which shows what it may cost."""
    if options.url != "/batches" or options.method.lower() != "post":
        return None
    file = _body(options).get("input_file_id")
    return file if isinstance(file, str) else None


def _read(client: Any, file: str) -> bytes | None:
    try:
        content: bytes = client.files.content(file).content
    except Exception:  # noqa: BLE001 - for whatever reason, nobody knows then what the batch may cost
        return None
    return content


async def _read_async(client: Any, file: str) -> bytes | None:
    try:
        content: bytes = (await client.files.content(file)).content
    except Exception:  # noqa: BLE001 - as above
        return None
    return content


def _file_sizes(files: Any) -> tuple[int | None, ...]:
    if not files:
        return ()
    members = files.values() if isinstance(files, Mapping) else [member[1] for member in files]
    return tuple(_size_of_file(member) for member in members)


def _size_of_file(member: Any) -> int | None:
    content = member[1] if isinstance(member, tuple) and len(member) > 1 else member
    if isinstance(content, (bytes, bytearray, str)):
        return len(content)
    try:
        if hasattr(content, "seek"):
            place = content.tell()
            size = content.seek(0, 2) - place
            content.seek(place)
            return int(size)
        return int(content.stat().st_size)
    except (AttributeError, OSError, ValueError):
        return None
