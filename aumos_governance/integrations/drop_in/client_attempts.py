"""Where the libraries of OpenAI and Anthropic send a request: each one that they send is held just before, by itself.

Both libraries prepare each attempt in `_prepare_options` and `_prepare_request`, and hand over its response to
`_process_response`. Anthropic's, since it has middleware, does all this in `_attempt_request`, which the middleware may
call as often as it likes, from other threads and tasks, and still while the caller reads a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

from ...errors import ConfigurationError
from ...steps import Steps, now, when_awaited
from ..guarding.attempts import CURRENT, PLANNED, SENDING, Attempt, Call, Sending
from ..guarding.calls import ApiRequest, Paid, body_of_json
from ..guarding.later import Later, reading_along
from ..guarding.libraries import is_of_library
from ..guarding.resends import SendCounter, may_send_again

__all__ = ["body_of", "has_middleware", "with_attempts"]

_REQUEST_HOOKS: Final = ("_prepare_options", "_build_request", "_prepare_request")


class _Governor(Protocol):
    def call(self, owner: object, options: Any, streamed: bool) -> Call | None: ...

    def paid(self, request: ApiRequest) -> Paid | None: ...

    def later(self, options: Any, streamed: bool) -> Later | None: ...


def has_middleware(client: Any) -> bool:
    """Whether the client's library may send something else than it was called with, or send it several times."""
    return bool(getattr(client, "_middleware", ()))


def with_attempts(kind: Any, *, awaited: bool = False) -> Any:
    """A subclass of a client's class that holds and settles each attempt; its subclass says who governs, and how."""
    made = _hooked(_planning(kind, awaited=awaited), awaited=awaited)
    return _sending(made, awaited=awaited) if hasattr(kind, "_attempt_request") else made


def _planning(kind: Any, *, awaited: bool) -> Any:
    rereads, sends = _changes_requests(kind), hasattr(kind, "_attempt_request")

    # Where nothing sets it, an interrupt may have left there what another client was sending.
    class Planning(kind):  # type: ignore[misc]
        def _plan(self, options: Any) -> tuple[Any, ConfigurationError] | None:
            # What is refused is recorded by the caller, which knows whether that is to be awaited.
            governor = self._governor()
            try:
                PLANNED.set(None)
                sending = SENDING.get() if sends else None
                PLANNED.set(_plan(governor, self, options, sending))
            except ConfigurationError as refusal:
                return governor, refusal
            return None

        def _later(self, given: Mapping[str, Any]) -> Later | None:
            # Of what was paid for just now, the attempt itself reads the response.
            if PLANNED.get() is not None or not _is_success(given["response"]):
                return None
            later: Later | None = self._governor().later(given["options"], bool(given.get("stream")))
            return later

        def _attempt(self, request: Any) -> Attempt | None:
            planned, sending = PLANNED.get(), SENDING.get() if sends else None
            if planned is None:
                return None
            if rereads:
                planned = _really(self._governor(), planned, request)
            streamed = planned[0].request.streamed if sending is None else sending.streamed
            attempt = Attempt(*planned, streamed=streamed, sending=sending)
            if may_send_again(self):
                attempt.sends = SendCounter(attempt, request.extensions, awaited=awaited)
            return attempt

    return Planning


def _hooked(kind: Any, *, awaited: bool) -> Any:
    """What the library calls around each attempt, with what was there before."""
    done: Callable[[Steps[Any]], Any] = when_awaited if awaited else now

    class Hooked(kind):  # type: ignore[misc]
        def _prepare_options(self, options: Any) -> Any:
            if (refused := self._plan(options)) is None:
                return super()._prepare_options(options)
            governor, refusal = refused
            return done(self._refused(governor, refusal, options))

        def _prepare_request(self, request: Any) -> Any:
            return done(self._held(super()._prepare_request, request))

        def _process_response(self, **given: Any) -> Any:
            return done(self._heard(super()._process_response, given))

        def _refused(self, governor: Any, refusal: ConfigurationError, options: Any) -> Steps[Any]:
            raise ((yield governor.refused_async(refusal, options)) if awaited else governor.refused(refusal, options))

        def _held(self, prepare: Callable[..., Any], request: Any) -> Steps[None]:
            prepared = prepare(request)
            if awaited:
                yield prepared
            if (attempt := self._attempt(request)) is not None:
                yield from attempt.holding(awaited=awaited)

        def _heard(self, process: Callable[..., Any], given: dict[str, Any]) -> Steps[Any]:
            if (call := CURRENT.get()) is not None and call.last is not None:
                yield from call.last.responding(given["response"], awaited=awaited)
            elif (later := self._later(given)) is not None:
                yield from reading_along(given["response"], later, awaited=awaited)
            processed = process(**given)
            return (yield processed) if awaited else processed

    return Hooked


def _sending(kind: Any, *, awaited: bool) -> Any:
    """For a library that sends each attempt in a function of its own."""
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
    """The call that an attempt belongs to, and what it pays for, which middleware may have changed; None: it is free.

    Raises ConfigurationError.
    """
    call = CURRENT.get()
    if call is not None and call.owner is client and not call.over:
        if not has_middleware(client):
            return call, call.paid
        for known in (call, *call.changed):
            if known.is_for(options.method, options.url, body_of(options)):
                return call, known.paid
    else:
        # In a thread or a task of the middleware's own, or while the caller reads a stream.
        call = None
    changed = governor.call(client, options, sending is not None and sending.streamed)
    if changed is None:
        return None
    if call is not None:
        call.changed.append(changed)
        return call, changed.paid
    changed.over = True
    return changed, changed.paid


def _really(governor: _Governor, planned: tuple[Call, Paid], request: Any) -> tuple[Call, Paid]:
    """The same, read from the request that is sent, for a client whose own class may have changed it."""
    call, paid = planned
    body = body_of_json(_content(request))
    if not body or call.is_for(call.request.method, call.request.path, body):
        return planned
    return call, governor.paid(replace(call.request, body=body)) or paid


def _changes_requests(kind: type[Any]) -> bool:
    """Whether a class that is of neither library may change what is sent."""
    return any(name in vars(base) and not is_of_library(base) for base in kind.__mro__ for name in _REQUEST_HOOKS)


def _is_success(response: Any) -> bool:
    return 200 <= int(getattr(response, "status_code", 200)) < 300


def _content(request: Any) -> bytes:
    try:
        content: bytes = request.content
    except (AttributeError, RuntimeError):
        return b""  # A file that is read while it is sent.
    return content


def body_of(options: Any) -> dict[str, Any]:
    """The body that a library's options say, with what their caller adds to it."""
    body, extra = options.json_data, options.extra_json
    read = dict(body) if isinstance(body, Mapping) else {}
    return {**read, **extra} if isinstance(extra, Mapping) else read
