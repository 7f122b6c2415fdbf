"""`govern`: a provider's client that holds and settles what its calls cost, and is used like the original.

The libraries of OpenAI and Anthropic are made by one generator, and send everything through one method of the client.
The governed client is a copy of the given one, of a subclass of its class, that overrides this method: resources,
helpers and raw responses come through it as well, and so does what is added to the library later on. What was set on
the given one is on the copy too (`client_copies`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, TypeVar, cast

from ..engine import Engine, default_engine
from ..errors import ConfigurationError
from ..realm import to_level
from ..steps import Steps, now, when_awaited
from ..types import TrustLevel
from .drop_in.client_attempts import body_of, has_middleware, with_attempts
from .drop_in.client_copies import copy_client
from .drop_in.client_kinds import client_of, library_of
from .drop_in.client_likeness import GOVERNOR, like_plain, plain_kind
from .guarding.attempts import CURRENT, Call
from .guarding.calls import ApiRequest, Paid
from .guarding.guard import METHOD_UNKNOWN, Guard
from .guarding.later import Later
from .guarding.libraries import provider_of
from .guarding.provider import Provider, paid_by
from .guarding.stream_options import Place, resending, stream_options
from .pricing.price_terms import address_of
from .pricing.prices import Amount, Prices

__all__ = ["govern", "govern_with", "is_client"]

ClientT = TypeVar("ClientT")


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
    fee: Amount | None = None,
) -> ClientT:
    """A client like ``client``, whose every paid call is authorised, held and charged; ``client`` itself is unchanged.

    ``client`` is one of OpenAI's or Anthropic's clients, or the module ``openai``: then what is returned is the client
    behind its functions, with the settings of the module.

    Before a call its worst case is held, after it its true cost is charged: from the reported usage, by
    the prices of genai-prices. ``engine`` is the notebook's own where none is given. ``budget_category`` charges a
    budget of that name too.

    What a model costs that genai-prices does not know: ``price`` per unit, as ``{"input_mtok": 2.5, "output_mtok":
    10}`` in USD per million tokens, or such a mapping for each of several models; ``default_cost`` USD a call; ``cost``
    USD for every call of whatever model, and 0 for models of your own. ``fee`` USD are added to what is held and
    charged for each call, such as for a hosted tool.

    A call raises GovernanceDeniedError, and is not sent, when it is denied, and ConfigurationError when it is not known
    what it may cost. Raises InvalidRequestError for a client that is none of OpenAI's or Anthropic's.

    Where the client's address is that of the server's gateway, which decides and charges its calls, they are passed on
    as they are; its `repr` says so.
    """
    plain = client_of(client)
    provider = provider_of(str(library_of(plain)))
    guard = Guard(
        engine if engine is not None else default_engine(),
        Prices(cost=cost, price=price, default_cost=default_cost, fee=fee),
        provider=provider.price_id,
        base_url=address_of(plain),
        agent_id=agent_id,
        budget_category=budget_category,
        required_trust_level=to_level(required_trust_level, "required_trust_level"),
    )
    return cast("ClientT", govern_with(plain, guard, provider))


def govern_with(client: ClientT, guard: Guard, provider: Provider) -> ClientT:
    """A client like ``client`` whose calls are those that ``provider`` knows, held and settled by ``guard``."""
    kind: Any = type(client)
    # For a client that is governed already, the arguments given now replace the earlier ones.
    governed = copy_client(client, kind if GOVERNOR in vars(client) else _governed_class(kind), str(library_of(client)))
    governed.__dict__[GOVERNOR] = _Governor(guard, provider)
    return cast("ClientT", governed)


def is_client(client: object) -> bool:
    """Whether `govern` knows the library that this client is of."""
    return library_of(client) is not None


class _Governor:
    """What a governed client carries."""

    def __init__(self, guard: Guard, provider: Provider) -> None:
        self._guard = guard
        self._provider = provider
        self.passes = guard.at_gateway
        """Whether the gateway decides and charges the calls, so that they are passed on as they are."""

    def at(self, base_url: str) -> _Governor:
        """The same for another address of the provider."""
        return _Governor(self._guard.at(base_url), self._provider)

    def governed(self, client: Any) -> Any:
        """Another client, governed by the same."""
        return govern_with(client, self._guard, self._provider)

    def place(self, options: Any) -> Place:
        """Where a request goes."""
        return self._place(body_of(options))

    def _place(self, body: Mapping[str, Any]) -> Place:
        return self._guard.base_url, str(body.get("model"))

    def __deepcopy__(self, memo: Any) -> _Governor:
        # The ledger is one, whatever copies of a client there are.
        return self

    def __reduce__(self) -> Any:
        raise ConfigurationError(
            "A governed client cannot be pickled: pickle the client that you gave to govern(), and govern it anew."
        )

    def call(self, owner: object, options: Any, streamed: bool, content: bytes | None = None) -> Call | None:
        """The paid call that a request makes, None for a free one; its body is changed where it must be.

        ``content`` is that of the file which the request names as its input.
        """
        if self.passes:
            return None
        body = body_of(options)
        bare = stream_options.withheld(self._place(body))
        request = ApiRequest(options.method, options.url, body, streamed, _file_sizes(options.files), bare, content)
        paid = paid_by(self._provider, request)
        if paid is None:
            return None
        if paid.body is not None:
            options.json_data = dict(paid.body)
            options.extra_json = None
        return Call(self._guard, paid, request, owner=owner)

    def paid(self, request: ApiRequest) -> Paid | None:
        """As `Provider.paid`."""
        return None if self.passes else paid_by(self._provider, request)

    def later(self, options: Any, streamed: bool) -> Later | None:
        """As `Provider.later`, of a free request."""
        request = ApiRequest(options.method, options.url, {}, streamed)
        return None if self.passes else self._provider.later(request, self._guard)

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

    class Governed(like_plain(kind)):  # type: ignore[misc]
        def copy(self, *arguments: Any, **options: Any) -> Any:
            copied = super().copy(*arguments, **options)
            governor = vars(self)[GOVERNOR].at(address_of(copied))
            if not isinstance(copied, Governed):
                # A subclass may make its copies by its own name.
                return governor.governed(copied)
            copied.__dict__[GOVERNOR] = governor
            return copied

        with_options = copy

        def __repr__(self) -> str:
            passes = GOVERNOR in vars(self) and self._governor().passes
            return (
                f"<{type(self).__name__}, charged by the gateway at {self.base_url}>" if passes else super().__repr__()
            )

        def __reduce_ex__(self, protocol: Any) -> Any:
            # Its class cannot be found by its name, which is the plain one's.
            made = super().__reduce_ex__(protocol)
            return (_blank, (plain_kind(type(self)),), *made[2:]) if made[1] == (type(self),) else made

        def _should_retry(self, response: Any) -> Any:
            if (call := CURRENT.get()) is not None:
                call.refused()
            return super()._should_retry(response)

        def _calculate_retry_timeout(self, *arguments: Any, **options: Any) -> Any:
            if (call := CURRENT.get()) is not None:
                call.failed()
            return super()._calculate_retry_timeout(*arguments, **options)

        def _governor(self) -> _Governor:
            governor = vars(self).get(GOVERNOR)
            if not isinstance(governor, _Governor):
                raise ConfigurationError("This client was made from a governed one's class: govern() it as well.")
            return governor

    return Governed


def _requested(client: Any, send: Callable[[], Any], options: Any, *, streamed: bool, awaited: bool) -> Steps[Any]:
    governor = client._governor()
    try:
        content = None
        if not governor.passes and (file := _input_file(options)) is not None:
            content = (yield _read_async(client, file)) if awaited else _read(client, file)
        call = governor.call(client, options, streamed, content)
    except ConfigurationError as refusal:
        refused = (yield governor.refused_async(refusal, options)) if awaited else governor.refused(refusal, options)
        raise refused from None
    # A free call sets it too: within a paid one it is no attempt of that, nor of one that was interrupted.
    former = CURRENT.get()
    try:
        CURRENT.set(call)
        # Middleware may send something else, or nothing: each attempt is held as it is sent.
        if call is not None and not has_middleware(client):
            if awaited:
                yield from call.beginning()
            else:
                call.begin()
        response = send()
        return (yield response) if awaited else response
    except Exception as error:
        if call is not None:
            yield from call.raising(error, awaited=awaited)
        raise
    finally:
        CURRENT.set(former)
        if call is not None:
            call.left()


def _governed_sync(kind: Any) -> Any:
    class GovernedSync(_governed(kind)):  # type: ignore[misc]
        def request(self, cast_to: Any, options: Any, *arguments: Any, **given: Any) -> Any:
            send = partial(super().request, cast_to, options, *arguments, **given)
            return now(_requested(self, send, options, streamed=bool(given.get("stream")), awaited=False))

    return GovernedSync


def _governed_async(kind: Any) -> Any:
    class GovernedAsync(_governed(kind)):  # type: ignore[misc]
        async def request(self, cast_to: Any, options: Any, *arguments: Any, **given: Any) -> Any:
            send = partial(super().request, cast_to, options, *arguments, **given)
            steps = _requested(self, send, options, streamed=bool(given.get("stream")), awaited=True)
            return await when_awaited(steps)

    return GovernedAsync


def _blank(kind: Any) -> Any:
    """A governed client without attributes, for `copy` and `pickle` to fill."""
    return object.__new__(_governed_class(kind))


@cache
def _governed_class(kind: Any) -> Any:
    try:
        awaited = _is_async(kind)
        each = _governed_async if awaited else _governed_sync
        governed = resending(each(with_attempts(kind, awaited=awaited)), awaited=awaited)
    except TypeError as error:
        raise ConfigurationError(
            f"{kind.__name__} cannot be governed, since no subclass can be made of it: {error}."
        ) from None
    # Its name, in errors and in help, is the one that the user knows.
    governed.__name__, governed.__qualname__ = kind.__name__, kind.__qualname__
    governed.__module__, governed.__doc__ = kind.__module__, kind.__doc__
    return governed


def _is_async(kind: type[Any]) -> bool:
    return any(base.__name__ == "AsyncAPIClient" for base in kind.__mro__)


def _named(options: Any) -> tuple[str, str | None]:
    model = body_of(options).get("model")
    return ApiRequest(options.method, options.url, {}).name, model if isinstance(model, str) else None


def _input_file(options: Any) -> str | None:
    """The file that an OpenAI batch names as its input, which shows what it may cost."""
    if options.url != "/batches" or options.method.lower() != "post":
        return None
    file = body_of(options).get("input_file_id")
    return file if isinstance(file, str) else None


def _read(client: Any, file: str) -> bytes | None:
    try:
        content: bytes = client.files.content(file).content
    except Exception:  # noqa: BLE001 - whatever the error, the batch's worst case is not known then
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
