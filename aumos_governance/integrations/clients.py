"""`govern` returns a copy of a provider's client that holds and settles the cost of its calls.

The libraries of OpenAI and Anthropic are made by one generator, and send every request through the client's method
`request`. The class of the governed copy is a subclass of the client's class, and overrides this method. So it governs
resources, helpers and raw responses too, and also the methods that later versions of the libraries add. The copy has
all attributes that were set on the client (`drop_in.client_copies`).
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
    """Return a copy of ``client`` whose paid calls are authorised, held and charged; ``client`` itself is unchanged.

    ``client`` is a client of OpenAI's or Anthropic's library, or the module ``openai``. For the module, the client that
    its functions use is copied, with the settings of the module.

    The worst case of a call is held before the call is sent; afterwards its true cost is charged, computed from the
    reported usage by the prices of genai-prices. ``engine`` decides about the calls and defaults to the notebook's
    engine. ``agent_id`` is the agent that the calls are recorded for, by default the engine's. ``budget_category``
    names a budget that is charged as well. An agent below the trust level ``required_trust_level`` may make no call.

    The price of a model that genai-prices does not know is stated by ``price`` per unit, as ``{"input_mtok": 2.5,
    "output_mtok": 10}`` in USD per million tokens, or as a mapping from the names of models to such mappings, or by
    ``default_cost``, in USD per call. ``cost`` is the price of every call in USD, whatever the model; 0 is for models
    that you run yourself. ``fee`` USD are added to the held and to the charged amount of each call, for example for a
    hosted tool.

    A denied call raises GovernanceDeniedError, and a call whose worst case is not known raises ConfigurationError;
    neither is sent. Raises InvalidRequestError for a client of another library.

    If the client's address is the server's gateway, the returned client passes its calls on unchanged, because the
    gateway decides about them and charges them itself. The client's `repr` then shows this.
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
    """Return a copy of ``client`` whose paid calls ``guard`` holds and charges.

    ``provider`` is the adapter for the client's API; it decides which requests cost money.
    """
    kind: Any = type(client)
    # A client that is governed already keeps its class; the new guard and provider replace the earlier ones.
    governed = copy_client(client, kind if GOVERNOR in vars(client) else _governed_class(kind), str(library_of(client)))
    governed.__dict__[GOVERNOR] = _Governor(guard, provider)
    return cast("ClientT", governed)


def is_client(client: object) -> bool:
    """Whether ``client`` is a client of a library that `govern` supports; governed clients are too."""
    return library_of(client) is not None


class _Governor:
    """What a governed client needs to govern its requests: its guard and the adapter for its provider's API.

    The client keeps it in its attribute `GOVERNOR`.
    """

    def __init__(self, guard: Guard, provider: Provider) -> None:
        self._guard = guard
        self._provider = provider
        self.passes = guard.at_gateway
        """Whether the calls are passed on unchanged, because the gateway decides about them and charges them."""

    def at(self, base_url: str) -> _Governor:
        """Return a governor for a copy of the client that sends its requests to another address of the provider."""
        return _Governor(self._guard.at(base_url), self._provider)

    def govern(self, client: Any) -> Any:
        """Return a copy of another client, governed by the same guard and provider."""
        return govern_with(client, self._guard, self._provider)

    def place(self, options: Any) -> Place:
        """Return the base URL and the model of a request, which identify the server (`stream_options.Place`).

        ``options`` are the options of the request in the form of the client's library.
        """
        return self._place(body_of(options))

    def _place(self, body: Mapping[str, Any]) -> Place:
        return self._guard.base_url, str(body.get("model"))

    def __deepcopy__(self, memo: Any) -> _Governor:
        # All copies of a client are charged by one guard.
        return self

    def __reduce__(self) -> Any:
        raise ConfigurationError(
            "A governed client cannot be pickled: pickle the client that you gave to govern(), and govern it anew."
        )

    def call(self, owner: object, options: Any, streamed: bool, content: bytes | None = None) -> Call | None:
        """Return the paid call of a request, or None for a free request.

        If the call needs another body than the caller's, for example to request the usage, it is set in ``options``.
        ``content`` is the content of the input file that a batch names, or None if the client could not read the file.
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
        """Return the paid call of a request, or None for a free request, as `Provider.paid` does."""
        return None if self.passes else paid_by(self._provider, request)

    def later(self, options: Any, streamed: bool) -> Later | None:
        """Return a reader for the response to a free request, as `Provider.later` does."""
        request = ApiRequest(options.method, options.url, {}, streamed)
        return None if self.passes else self._provider.later(request, self._guard)

    def record_refusal(self, refusal: ConfigurationError, options: Any) -> ConfigurationError:
        """Record in the audit trail that a request was refused because its cost is not known.

        Return the error for the caller to raise.
        """
        return self._guard.record_refusal(refusal, METHOD_UNKNOWN, *_name_and_model(options))

    async def record_refusal_async(self, refusal: ConfigurationError, options: Any) -> ConfigurationError:
        """Do what `record_refusal` does, without blocking the event loop."""
        return await self._guard.record_refusal_async(refusal, METHOD_UNKNOWN, *_name_and_model(options))


def _governed(kind: Any) -> Any:
    """Return a subclass of a client's class with the methods that synchronous and asynchronous governed clients share.

    The subclass is made when a client is governed, since the client's class may be defined by the user.
    """

    class Governed(like_plain(kind)):  # type: ignore[misc]
        def copy(self, *arguments: Any, **options: Any) -> Any:
            copied = super().copy(*arguments, **options)
            governor = vars(self)[GOVERNOR].at(address_of(copied))
            if not isinstance(copied, Governed):
                # The `copy` of a user's subclass may call its plain class by name.
                return governor.govern(copied)
            copied.__dict__[GOVERNOR] = governor
            return copied

        with_options = copy

        def __repr__(self) -> str:
            passes = GOVERNOR in vars(self) and self._governor().passes
            return (
                f"<{type(self).__name__}, charged by the gateway at {self.base_url}>" if passes else super().__repr__()
            )

        def __reduce_ex__(self, protocol: Any) -> Any:
            # The class has the plain class's name, so `copy` cannot find it by its name.
            reduced = super().__reduce_ex__(protocol)
            return (_empty_client, (plain_kind(type(self)),), *reduced[2:]) if reduced[1] == (type(self),) else reduced

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
                raise ConfigurationError("This client was made from a governed client's class: govern() it as well.")
            return governor

    return Governed


def _request_steps(client: Any, send: Callable[[], Any], options: Any, *, streamed: bool, awaited: bool) -> Steps[Any]:
    """Return a generator that sends one request and returns the client's response.

    It is for `steps.now` or, if ``awaited`` because ``client`` is asynchronous, `steps.when_awaited`. If the request
    costs money, its worst case is held first. The function ``send`` sends the request; ``streamed`` is whether the
    response is a stream. Raises GovernanceDeniedError if the call is denied, ConfigurationError if its worst case is
    not known.
    """
    governor = client._governor()
    try:
        content = None
        if not governor.passes and (file := _input_file(options)) is not None:
            content = (yield _file_content_async(client, file)) if awaited else _file_content(client, file)
        call = governor.call(client, options, streamed, content)
    except ConfigurationError as refusal:
        refused = (
            (yield governor.record_refusal_async(refusal, options))
            if awaited
            else governor.record_refusal(refusal, options)
        )
        raise refused from None
    # A free request sets `CURRENT` to None: otherwise the request would count as an attempt of the paid call that
    # encloses it, or of an interrupted call that did not reset `CURRENT`.
    former = CURRENT.get()
    try:
        CURRENT.set(call)
        # Middleware may send another request, or none, so with middleware each attempt is held only when it is sent.
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
            call.close()


def _governed_sync(kind: Any) -> Any:
    class GovernedSync(_governed(kind)):  # type: ignore[misc]
        def request(self, cast_to: Any, options: Any, *arguments: Any, **given: Any) -> Any:
            send = partial(super().request, cast_to, options, *arguments, **given)
            return now(_request_steps(self, send, options, streamed=bool(given.get("stream")), awaited=False))

    return GovernedSync


def _governed_async(kind: Any) -> Any:
    class GovernedAsync(_governed(kind)):  # type: ignore[misc]
        async def request(self, cast_to: Any, options: Any, *arguments: Any, **given: Any) -> Any:
            send = partial(super().request, cast_to, options, *arguments, **given)
            steps = _request_steps(self, send, options, streamed=bool(given.get("stream")), awaited=True)
            return await when_awaited(steps)

    return GovernedAsync


def _empty_client(kind: Any) -> Any:
    """Return a governed client of the plain class ``kind`` without attributes, for `copy.copy` to set them."""
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
    # Errors and `help` show the name of the class that the user knows.
    governed.__name__, governed.__qualname__ = kind.__name__, kind.__qualname__
    governed.__module__, governed.__doc__ = kind.__module__, kind.__doc__
    return governed


def _is_async(kind: type[Any]) -> bool:
    return any(base.__name__ == "AsyncAPIClient" for base in kind.__mro__)


def _name_and_model(options: Any) -> tuple[str, str | None]:
    model = body_of(options).get("model")
    return ApiRequest(options.method, options.url, {}).name, model if isinstance(model, str) else None


def _input_file(options: Any) -> str | None:
    """Return the id of the input file that an OpenAI batch request names; None for any other request."""
    if options.url != "/batches" or options.method.lower() != "post":
        return None
    file = body_of(options).get("input_file_id")
    return file if isinstance(file, str) else None


def _file_content(client: Any, file: str) -> bytes | None:
    try:
        content: bytes = client.files.content(file).content
    except Exception:  # noqa: BLE001 - after any error the batch's worst case is not known, and the batch is refused
        return None
    return content


async def _file_content_async(client: Any, file: str) -> bytes | None:
    try:
        content: bytes = (await client.files.content(file)).content
    except Exception:  # noqa: BLE001 - as in `_file_content`
        return None
    return content


def _file_sizes(files: Any) -> tuple[int | None, ...]:
    if not files:
        return ()
    members = files.values() if isinstance(files, Mapping) else [member[1] for member in files]
    return tuple(_size_of_file(member) for member in members)


def _size_of_file(member: Any) -> int | None:
    """Return the size in bytes of one file of a multipart request, as httpx takes it; None if the size is not known."""
    content = member[1] if isinstance(member, tuple) and len(member) > 1 else member
    if isinstance(content, (bytes, bytearray, str)):
        return len(content)
    try:
        if hasattr(content, "seek"):
            position = content.tell()
            size = content.seek(0, 2) - position
            content.seek(position)
            return int(size)
        return int(content.stat().st_size)
    except (AttributeError, OSError, ValueError):
        return None
