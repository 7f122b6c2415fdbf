"""Overrides of methods of the libraries' client classes; they hold and settle each attempt to send a request.

The libraries of OpenAI and Anthropic prepare each attempt in `_prepare_options` and `_prepare_request`, and pass its
response to `_process_response`. Versions of Anthropic's library with middleware do this in `_attempt_request`, which
the middleware may call any number of times, from other threads and tasks, and even while the caller reads a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

from ...errors import ConfigurationError
from ...steps import Steps, now, when_awaited
from ..guarding.attempts import CURRENT, PLANNED, SENDING, Attempt, Call, Sending, is_error
from ..guarding.calls import ApiRequest, Paid, body_of_json
from ..guarding.later import Later, reading_along
from ..guarding.libraries import is_of_library
from ..guarding.resends import SendCounter, may_send_again

_REQUEST_HOOKS: Final = ("_prepare_options", "_build_request", "_prepare_request")


class _Governor(Protocol):
    def call(self, owner: object, options: Any, streamed: bool) -> Call | None: ...

    def paid(self, request: ApiRequest) -> Paid | None: ...

    def later(self, options: Any, streamed: bool) -> Later | None: ...


def has_middleware(client: Any) -> bool:
    """Whether a client has middleware. Middleware may change a request, send it several times, or not send it."""
    return bool(getattr(client, "_middleware", ()))


def with_attempts(kind: Any, *, awaited: bool = False) -> Any:
    """Return a subclass of a client's class that holds and settles each attempt.

    A subclass of the result must define the method ``_governor``, which returns the client's `clients._Governor`.
    ``awaited`` is whether the client is asynchronous.
    """
    hooked = _hooked(_planning(kind, awaited=awaited), awaited=awaited)
    return _sending(hooked, awaited=awaited) if hasattr(kind, "_attempt_request") else hooked


def _planning(kind: Any, *, awaited: bool) -> Any:
    """Return a subclass of ``kind`` with the methods that `_hooked` needs.

    They find the paid call that an attempt belongs to or, for a free request, a reader for its response.
    """
    rereads, has_sending = _changes_requests(kind), hasattr(kind, "_attempt_request")

    class Planning(kind):  # type: ignore[misc]
        def _plan(self, options: Any) -> tuple[Any, ConfigurationError] | None:
            """Find the call that an attempt belongs to, and keep it in `PLANNED`; return None.

            If the attempt is refused, return the governor and the error instead. The caller records and raises the
            error, since only the caller knows whether recording has to be awaited.
            """
            governor = self._governor()
            try:
                # An interrupt may have left an attempt of another client in `PLANNED`.
                PLANNED.set(None)
                sending = SENDING.get() if has_sending else None
                PLANNED.set(_plan(governor, self, options, sending))
            except ConfigurationError as refusal:
                return governor, refusal
            return None

        def _later(self, given: Mapping[str, Any]) -> Later | None:
            # The response to a paid attempt is read by the attempt itself.
            if PLANNED.get() is not None or is_error(given["response"]):
                return None
            later: Later | None = self._governor().later(given["options"], bool(given.get("stream")))
            return later

        def _attempt(self, request: Any) -> Attempt | None:
            planned, sending = PLANNED.get(), SENDING.get() if has_sending else None
            if planned is None:
                return None
            if rereads:
                planned = _planned_as_sent(self._governor(), planned, request)
            streamed = planned[0].request.streamed if sending is None else sending.streamed
            attempt = Attempt(*planned, streamed=streamed, sending=sending)
            if may_send_again(self):
                attempt.sends = SendCounter(attempt, request.extensions, awaited=awaited)
            return attempt

    return Planning


def _hooked(kind: Any, *, awaited: bool) -> Any:
    """Return a subclass of ``kind`` that holds each attempt before it is sent, and settles it by its response.

    It overrides the hooks of the library: the methods that the library calls around each attempt.
    """
    done: Callable[[Steps[Any]], Any] = when_awaited if awaited else now

    class Hooked(kind):  # type: ignore[misc]
        def _prepare_options(self, options: Any) -> Any:
            if (refused := self._plan(options)) is None:
                return super()._prepare_options(options)
            governor, refusal = refused
            return done(self._refused(governor, refusal, options))

        def _prepare_request(self, request: Any) -> Any:
            return done(self._hold_attempt(super()._prepare_request, request))

        def _process_response(self, **given: Any) -> Any:
            return done(self._settle_attempt(super()._process_response, given))

        def _refused(self, governor: Any, refusal: ConfigurationError, options: Any) -> Steps[Any]:
            raise (
                (yield governor.record_refusal_async(refusal, options))
                if awaited
                else governor.record_refusal(refusal, options)
            )

        def _hold_attempt(self, prepare: Callable[..., Any], request: Any) -> Steps[None]:
            prepared = prepare(request)
            if awaited:
                yield prepared
            if (attempt := self._attempt(request)) is not None:
                yield from attempt.holding(awaited=awaited)

        def _settle_attempt(self, process: Callable[..., Any], given: dict[str, Any]) -> Steps[Any]:
            if (call := CURRENT.get()) is not None and call.last is not None:
                yield from call.last.responding(given["response"], awaited=awaited)
            elif (later := self._later(given)) is not None:
                yield from reading_along(given["response"], later, awaited=awaited)
            processed = process(**given)
            return (yield processed) if awaited else processed

    return Hooked


def _sending(kind: Any, *, awaited: bool) -> Any:
    """Return a subclass of ``kind`` for a library that sends each attempt in the separate method ``_attempt_request``.

    The subclass ends the charge of an attempt when this method returns or raises.
    """
    done: Callable[[Steps[Any]], Any] = when_awaited if awaited else now

    class SendingClient(kind):  # type: ignore[misc]
        def _attempt_request(self, *arguments: Any, **given: Any) -> Any:
            streamed = bool(given.get("stream"))
            return done(self._sent(lambda: super(SendingClient, self)._attempt_request(*arguments, **given), streamed))

        def _sent(self, send: Callable[[], Any], streamed: bool) -> Steps[Any]:
            sending, former = Sending(streamed=streamed), SENDING.get()
            try:
                SENDING.set(sending)
                sent = send()
                if awaited:
                    sent = yield sent
                yield from sending.responding(sent[0], awaited=awaited)
                return sent
            except Exception as error:
                yield from sending.failing(error, awaited=awaited)
                raise
            finally:
                SENDING.set(former)
                sending.close()

    return SendingClient


def _plan(governor: _Governor, client: Any, options: Any, sending: Sending | None) -> tuple[Call, Paid] | None:
    """Return the call that an attempt belongs to, and what the attempt is charged for; None for a free attempt.

    If middleware has changed the request, the attempt has another content than the call. Raises ConfigurationError for
    an attempt whose worst case is not known.
    """
    call = CURRENT.get()
    if call is not None and call.owner is client and not call.over:
        if not has_middleware(client):
            return call, call.paid
        for known in (call, *call.changed):
            if known.is_for(options.method, options.url, body_of(options)):
                return call, known.paid
    else:
        # The attempt is made in another thread or task of the middleware, or while the caller reads a stream.
        call = None
    changed = governor.call(client, options, sending is not None and sending.streamed)
    if changed is None:
        return None
    if call is not None:
        call.changed.append(changed)
        return call, changed.paid
    changed.over = True
    return changed, changed.paid


def _planned_as_sent(governor: _Governor, planned: tuple[Call, Paid], request: Any) -> tuple[Call, Paid]:
    """Return ``planned`` with the content of ``request``, the HTTP request that is about to be sent.

    A client class of the user may have changed the content since the attempt was planned.
    """
    call, paid = planned
    body = body_of_json(_content(request))
    if not body or call.is_for(call.request.method, call.request.path, body):
        return planned
    return call, governor.paid(replace(call.request, body=body)) or paid


def _changes_requests(kind: type[Any]) -> bool:
    """Whether a client's class, or a base of it, is defined outside the libraries and changes how requests are made."""
    return any(name in vars(base) and not is_of_library(base) for base in kind.__mro__ for name in _REQUEST_HOOKS)


def _content(request: Any) -> bytes:
    try:
        content: bytes = request.content
    except (AttributeError, RuntimeError):
        return b""  # The content is a file that is read while it is sent.
    return content


def body_of(options: Any) -> dict[str, Any]:
    """Return the JSON body of a request, including the caller's ``extra_body``.

    ``options`` are the options of the request in the form of the client's library.
    """
    json_data, extra = options.json_data, options.extra_json
    body = dict(json_data) if isinstance(json_data, Mapping) else {}
    return {**body, **extra} if isinstance(extra, Mapping) else body
