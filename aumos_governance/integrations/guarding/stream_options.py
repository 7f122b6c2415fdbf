"""Serves streams from servers that refuse a request for a stream's usage.

OpenAI's API reports the usage of a stream only where ``stream_options`` requests it, so `govern` adds that field. Some
servers that speak like OpenAI respond with 400 or 422. Which ones is found out by their responses, and remembered in
this process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Final

from ...steps import Steps, now, when_awaited

__all__ = ["Place", "StreamOptions", "resending", "stream_options"]

Place = tuple[str, str]
"""A base URL and a model: one address may lead to several servers, chosen by the model."""
_REFUSALS: Final = (400, 422)
_BARE: Final[ContextVar[bool]] = ContextVar("aumos_governance_bare", default=False)
"""The request that is being made goes out as its caller wrote it."""


class StreamOptions:
    """What was found out so far. Each method is one operation on a set, so threads need no lock."""

    def __init__(self) -> None:
        self._refuse: set[Place] = set()
        self._accept: set[Place] = set()

    def withheld(self, place: Place) -> bool:
        """Whether a request to this place goes out without the field, unless its caller set it."""
        return place in self._refuse or _BARE.get()

    def may_refuse(self, place: Place, error: BaseException) -> bool:
        """Whether a request that ended with this error may have been refused for the field.

        The sentence of the refusal is the server's own and decides nothing: the request is sent again as the caller
        wrote it, and its response counts.
        """
        return self.may_refuse_with(place, getattr(error, "status_code", None))

    def may_refuse_with(self, place: Place, status: object) -> bool:
        """As `may_refuse`, for the status of a response."""
        return status in _REFUSALS and place not in self._accept

    def accepts(self, place: Place) -> None:
        """This server accepted a request with the field."""
        self._accept.add(place)

    def refuses(self, place: Place) -> None:
        """This server refused a request with the field, and accepted the same one without it."""
        self._refuse.add(place)


stream_options: Final = StreamOptions()


def resending(kind: Any, *, awaited: bool) -> Any:
    """A subclass of a governed client's class that sends a refused request again as its caller wrote it."""

    class Resending(kind):  # type: ignore[misc]
        def _resent(self, send: Callable[[], Any], options: Any) -> Steps[Any]:
            request = _Request(self, options)
            try:
                response = send()
                if awaited:
                    response = yield response
            except Exception as error:
                if not request.may_go_again(error):
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
    """Whether the response may be a stream: the body of any other request is never changed."""
    body = options.json_data
    return bool(given.get("stream") or type(body) is not dict or body.get("stream") or options.extra_json)


class _Request:
    """A request whose body, as the caller wrote it, may be changed where it is sent."""

    def __init__(self, client: Any, options: Any) -> None:
        self._client, self._options = client, options
        self._json, self._extra = options.json_data, options.extra_json

    def accepted(self) -> None:
        """The server accepted it as it was sent."""
        if self._changed:
            stream_options.accepts(self._place())

    def may_go_again(self, error: Exception) -> bool:
        """Whether it was changed, and may have been refused for that."""
        return self._changed and stream_options.may_refuse(self._place(), error)

    @contextmanager
    def bare(self) -> Iterator[None]:
        """Here it goes out as its caller wrote it; if the server accepts that, it is known what was refused."""
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
