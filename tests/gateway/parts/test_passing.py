"""Passing a provider's response on to the client, and when its call is charged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from aumos_governance.gateway import passing
from aumos_governance.gateway.passing import broken_off, pass_on, pass_unpaid
from aumos_governance.gateway.refusals import RefusedError

KEY = "sk-provider"
MIB = 1024 * 1024


class Response:
    """A provider's response of these pieces, which breaks off after them where there is an ``error``."""

    def __init__(self, *pieces: bytes, status: int = 200, error: Exception | None = None) -> None:
        self.status = status
        self.reason = "Because"
        self.content_length = sum(map(len, pieces))
        self.taken = 0
        self._pieces = pieces
        self._error = error
        self.content = SimpleNamespace(iter_any=self._iter)

    async def _iter(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self.taken += 1
            yield piece
        if self._error is not None:
            raise self._error

    async def read(self) -> bytes:
        if self._error is not None:
            raise self._error
        return b"".join(self._pieces)


class Noted:
    """A stand-in for a charge, or for a reader of a paid or free response; it records the calls of its methods."""

    ended = False

    def __init__(self) -> None:
        self.done_with: list[Any] = []
        self.open = True

    def settle(self, reader: object) -> None:
        self.done_with.append("settle")
        self.open = False

    def settle_partly(self, reader: object) -> None:
        self.done_with.append("partly")

    def feed(self, data: bytes) -> bytes:
        self.done_with.append(data)
        return data.upper()

    def rest(self) -> bytes:
        return b"|rest"

    def response(self) -> None:
        self.done_with.append("parsed")

    def done(self) -> None:
        self.done_with.append("done")


async def at_once(work: Callable[[], Any], size: int) -> Any:
    return work()


def unpaid(response: Response, key: str | None = KEY, later: Noted | None = None) -> web.Response:
    headers: CIMultiDict[str] = CIMultiDict({"x-request-id": "r1"})
    found = asyncio.run(pass_unpaid(None, response, headers, key, "school", later))  # type: ignore[arg-type]
    assert isinstance(found, web.Response)
    assert (found.status, found.reason, found.headers["x-request-id"]) == (response.status, "Because", "r1")
    return found


def paid(response: Response, charge: Noted, reader: Noted) -> web.Response:
    options: dict[str, Any] = {"streamed": False, "key": KEY, "name": "school", "process": at_once}
    found = asyncio.run(pass_on(None, response, CIMultiDict(), charge, reader, **options))  # type: ignore[arg-type]
    assert isinstance(found, web.Response)
    return found


# ---- free responses


@pytest.mark.parametrize("status", [200, 400, 404, 500])
def test_a_short_response_goes_on_without_the_providers_key(status: int) -> None:
    response = Response(b"of " + KEY.encode(), b" and so on", status=status)
    assert unpaid(response).body == b"of *** and so on"
    assert unpaid(Response(b"of sk-provider", status=status), key=None).body == b"of sk-provider"
    assert unpaid(Response(b"abc", status=status), key="").body == b"abc"


@pytest.mark.parametrize(("status", "heard"), [(200, [b"abc", "done"]), (400, []), (399, [b"abc", "done"])])
def test_what_a_free_response_states_of_an_earlier_call_is_heard(status: int, heard: list[Any]) -> None:
    later = Noted()
    unpaid(Response(b"abc", status=status), later=later)
    assert later.done_with == heard


@pytest.mark.parametrize("status", [400, 500])
def test_an_error_that_breaks_off_goes_on_without_a_body(status: int) -> None:
    response = Response(b"abc", status=status, error=aiohttp.ClientPayloadError())
    assert unpaid(response).body == b""


@pytest.mark.parametrize(
    ("broken", "status", "code"),
    [
        (aiohttp.ClientPayloadError(), 502, "UPSTREAM_BROKEN"),
        (asyncio.TimeoutError(), 504, "UPSTREAM_TIMEOUT"),
    ],
)
def test_a_free_response_that_breaks_off_is_an_error(broken: Exception, status: int, code: str) -> None:
    response = Response(b"abc", error=broken)
    with pytest.raises(RefusedError, match="is not charged") as error:
        unpaid(response)
    assert (error.value.refusal.status, error.value.refusal.code) == (status, code)


@pytest.mark.parametrize(("sizes", "taken", "length"), [((MIB, 1, 1), 2, MIB), ((MIB,), 1, MIB), ((5, 5), 2, 10)])
def test_of_an_error_a_mebibyte_is_read(sizes: tuple[int, ...], taken: int, length: int) -> None:
    response = Response(*(b"x" * size for size in sizes), status=500)
    assert len(unpaid(response).body or b"") == length  # type: ignore[arg-type]
    assert response.taken == taken


def test_a_free_response_is_read_to_its_end() -> None:
    body = b"x" * 200_000
    assert unpaid(Response(body)).body == body


@pytest.mark.parametrize("gone", [False, True])
def test_a_long_free_response_that_breaks_off_ends_the_clients_connection(*, gone: bool) -> None:
    request = make_mocked_request("GET", "/")
    transport = request.transport
    if gone:
        request.protocol.transport = None
    response = Response(b"x" * 300_000, error=aiohttp.ClientPayloadError())
    asyncio.run(pass_unpaid(request, response, CIMultiDict(), KEY, "school"))  # type: ignore[arg-type]
    assert transport.abort.called != gone  # type: ignore[union-attr]


# ---- responses to paid calls


def test_a_short_response_goes_on_once_it_is_settled() -> None:
    charge, reader, response = Noted(), Noted(), Response(b"abc", b"def")
    assert paid(response, charge, reader).body == b"ABCDEF|rest"
    reader.feed = lambda data: data  # type: ignore[method-assign]
    assert paid(Response(b"of " + KEY.encode()), Noted(), reader).body == b"of ***|rest"
    assert (charge.done_with, reader.done_with) == (["settle"], [b"abcdef"])


@pytest.mark.parametrize(
    ("broken", "status", "code"),
    [
        (aiohttp.ClientPayloadError(), 502, "UPSTREAM_BROKEN"),
        (ConnectionResetError(), 502, "UPSTREAM_BROKEN"),
        (asyncio.TimeoutError(), 504, "UPSTREAM_TIMEOUT"),
    ],
)
def test_a_short_response_that_breaks_off_is_charged_as_far_as_it_came(
    broken: Exception, status: int, code: str
) -> None:
    charge, reader, response = Noted(), Noted(), Response(b"abc", error=broken)
    with pytest.raises(RefusedError, match="charged as") as error:
        paid(response, charge, reader)
    assert (error.value.refusal.status, error.value.refusal.code) == (status, code)
    assert charge.done_with == ["partly"]
    assert broken_off("school", broken).refusal == error.value.refusal


def test_the_last_bytes_of_a_body_wait_until_it_is_settled() -> None:
    charge, reader, sizes = Noted(), Noted(), []

    async def process(work: Callable[[], Any], size: int) -> Any:
        sizes.append(size)
        return work()

    reading = passing._PaidResponse(charge, reader, process, streamed=False)  # type: ignore[arg-type]
    assert [reading.feed(chunk) for chunk in (b"a", b"b", b"c")] == [b"", b"A", b"B"]
    assert charge.done_with == []
    assert asyncio.run(reading.done()) == b"C|rest"
    assert (charge.done_with, sizes, reader.done_with[-1]) == (["settle"], [3], "parsed")
    reading.close()
    assert charge.done_with == ["settle"]


@pytest.mark.parametrize(("whole", "end"), [(True, "settle"), (False, "partly")])
def test_a_body_whose_client_left_is_charged_as_far_as_it_came(*, whole: bool, end: str) -> None:
    async def process(work: Callable[[], Any], size: int) -> Any:
        raise asyncio.CancelledError

    charge = Noted()
    reading = passing._PaidResponse(charge, Noted(), process, streamed=False)  # type: ignore[arg-type]
    reading.feed(b"a")
    if whole:
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(reading.done())
    reading.close()
    assert charge.done_with == [end]


def test_a_stream_goes_on_as_it_comes_and_is_settled_once_it_has_reported_its_usage() -> None:
    charge, reader = Noted(), Noted()
    reading = passing._PaidResponse(charge, reader, at_once, streamed=True)  # type: ignore[arg-type]
    assert reading.feed(b"a") == b"A"
    assert charge.done_with == []
    reader.ended = True
    assert reading.feed(b"b") == b"B"
    assert charge.done_with == ["settle"]
    assert reading.feed(b"c") == b"C"
    assert charge.done_with == ["settle"]
    assert asyncio.run(reading.done()) == b"|rest"
    assert "parsed" not in reader.done_with


def test_a_free_stream_is_heard_as_it_goes_on() -> None:
    later = Noted()
    reading = passing._FreeResponse(later)  # type: ignore[arg-type]
    assert (reading.feed(b"a"), asyncio.run(reading.done())) == (b"a", b"")
    assert later.done_with == [b"a", "done"]
    plain = passing._FreeResponse(None)
    assert (plain.feed(b"a"), asyncio.run(plain.done())) == (b"a", b"")


@pytest.mark.parametrize(("length", "short"), [(0, True), (262_144, True), (262_145, False), (None, False)])
def test_what_is_short_goes_on_in_one_piece(length: int | None, short: bool) -> None:
    assert passing._is_short(SimpleNamespace(content_length=length)) is short  # type: ignore[arg-type]
