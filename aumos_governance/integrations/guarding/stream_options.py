"""Support for servers that refuse the field ``stream_options``.

OpenAI's API reports the usage of a stream only if ``stream_options`` requests it, so `govern` adds that field. Some
servers with OpenAI's API respond with 400 or 422 to a request with the field. The request is then sent again without
it. If the server accepts the second request, this process adds the field to no more requests to that server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Final

from ...steps import Steps, now, when_awaited

Place = tuple[str, str]
"""A base URL and a model, which identify one server: servers behind one address may differ by model."""
_REFUSALS: Final = (400, 422)
_BARE: Final[ContextVar[bool]] = ContextVar("aumos_governance_bare", default=False)
"""Whether this thread or task is sending a request again without ``stream_options``, as its caller wrote it."""


class StreamOptions:
    """The servers that are known to accept, or to refuse, requests with the field ``stream_options``.

    Each method is a single operation of a set, so no lock is needed.
    """

    def __init__(self) -> None:
        self._refuse: set[Place] = set()
        self._accept: set[Place] = set()

    def withheld(self, place: Place) -> bool:
        """Whether `govern` must not add ``stream_options`` to requests to this server, which refuses the field."""
        return place in self._refuse or _BARE.get()

    def may_refuse(self, place: Place, error: BaseException) -> bool:
        """Whether ``stream_options`` may be why the server refused a request, judged by the status of ``error``.

        The error's message is not read, since it differs from server to server. The field was the reason if the same
        request succeeds without it.
        """
        return self.may_refuse_with(place, getattr(error, "status_code", None))

    def may_refuse_with(self, place: Place, status: object) -> bool:
        """Whether ``stream_options`` may be why the server refused a request, judged by the response's HTTP status."""
        return status in _REFUSALS and place not in self._accept

    def accepts(self, place: Place) -> None:
        """Note that the server accepted a request with ``stream_options``."""
        self._accept.add(place)

    def refuses(self, place: Place) -> None:
        """Note that the server refused a request with ``stream_options``, and accepted the same request without it."""
        self._refuse.add(place)


stream_options: Final = StreamOptions()
"""What this process knows about servers that it has sent requests with ``stream_options`` to."""


def resending(kind: Any, *, awaited: bool) -> Any:
    """Return a subclass of a governed client's class that sends a request again if ``stream_options`` may be refused.

    The second request is as the caller wrote it, without this field. ``awaited`` is whether the client is asynchronous.
    """

    class Resending(kind):  # type: ignore[misc]
        def _resent(self, send: Callable[[], Any], options: Any) -> Steps[Any]:
            request = _Request(self, options)
            try:
                response = send()
                if awaited:
                    response = yield response
            except Exception as error:
                if not request.may_be_resent(error):
                    raise
            else:
                request.accepted()
                return response
            with request.bare():
                response = send()
                return (yield response) if awaited else response

    class Synchronous(Resending):
        def request(self, cast_to: Any, options: Any, *arguments: Any, **given: Any) -> Any:
            send = partial(super().request, cast_to, options, *arguments, **given)
            return now(self._resent(send, options)) if _may_stream(options, given) else send()

    class Asynchronous(Resending):
        async def request(self, cast_to: Any, options: Any, *arguments: Any, **given: Any) -> Any:
            send = partial(super().request, cast_to, options, *arguments, **given)
            return await (when_awaited(self._resent(send, options)) if _may_stream(options, given) else send())

    return Asynchronous if awaited else Synchronous


def _may_stream(options: Any, given: Mapping[str, Any]) -> bool:
    """Whether the response to a request may be a stream; `govern` adds ``stream_options`` only to these requests.

    ``options`` are the library's options of the request, and ``given`` the keyword arguments of the client's method.
    """
    body = options.json_data
    return bool(given.get("stream") or type(body) is not dict or body.get("stream") or options.extra_json)


class _Request:
    """A request of a client, with the body that the caller wrote, before `govern` may add ``stream_options`` to it."""

    def __init__(self, client: Any, options: Any) -> None:
        self._client, self._options = client, options
        self._json, self._extra = options.json_data, options.extra_json

    def accepted(self) -> None:
        """Note that the server accepts ``stream_options``, if `govern` had added it to this request."""
        if self._changed:
            stream_options.accepts(self._place())

    def may_be_resent(self, error: Exception) -> bool:
        """Whether `govern` added ``stream_options`` to the request, and this may be why the server refused it."""
        return self._changed and stream_options.may_refuse(self._place(), error)

    @contextmanager
    def bare(self) -> Iterator[None]:
        """Restore the body that the caller wrote; the ``with`` block sends this body.

        If the block raises no error, note that the server refuses ``stream_options``.
        """
        place = self._place()
        self._options.json_data, self._options.extra_json = self._json, self._extra
        before = _BARE.set(True)
        try:
            yield
        finally:
            _BARE.reset(before)
        stream_options.refuses(place)

    @property
    def _changed(self) -> bool:
        return self._options.json_data is not self._json

    def _place(self) -> Place:
        place: Place = self._client._governor().place(self._options)
        return place
