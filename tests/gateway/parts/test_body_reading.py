"""A request's body is read completely, decompressed in bounded steps, and counted until its call has ended."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import zlib
from types import SimpleNamespace
from typing import Any

import pytest

from aumos_governance.gateway import bodies as bodies_module
from aumos_governance.gateway.bodies import MAX_BODY_BYTES, MAX_TOTAL_BYTES, Bodies, Body
from aumos_governance.gateway.contents import memory_of
from aumos_governance.gateway.refusals import RefusedError

MIB = 1024 * 1024
KEY = "key1"
TEXT = bytes(range(256)) * 40


class Content:
    """The pieces of a body as they arrive; None is a piece that never arrives."""

    def __init__(self, pieces: list[bytes | None]) -> None:
        self._pieces = pieces

    async def readany(self) -> bytes:
        piece = self._pieces.pop(0) if self._pieces else b""
        if piece is None:
            await asyncio.Event().wait()
        return piece or b""


class Writer:
    """Records what is written before the response."""

    def __init__(self) -> None:
        self.written = b""
        self.output_size = 0

    async def write(self, data: bytes) -> None:
        self.written += data
        self.output_size += len(data)


def request(*pieces: bytes | None, length: int | None = None, **headers: str) -> Any:
    return SimpleNamespace(
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        content_length=length,
        can_read_body=bool(pieces),
        content=Content(list(pieces)),
        writer=Writer(),
    )


def read(body: Body, of: Any) -> bytes:
    return asyncio.run(body.read(of))


def refused(body: Body, of: Any) -> tuple[int, str]:
    with pytest.raises(RefusedError) as error:
        read(body, of)
    return error.value.refusal.status, error.value.refusal.code


def pieces(data: bytes, size: int = 100) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def test_a_body_is_as_large_as_the_documentation_says() -> None:
    assert (MAX_BODY_BYTES, MAX_TOTAL_BYTES) == (64 * MIB, 256 * MIB)
    assert Bodies().max_body_bytes == MAX_BODY_BYTES
    within = Bodies()
    # One key may have three quarters of the total.
    for key, size in (("a", MAX_TOTAL_BYTES * 3 // 4), ("b", MAX_TOTAL_BYTES // 4)):
        within.reserve(key, size)
        with pytest.raises(RefusedError):
            within.reserve(key, 1)


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_a_body_is_put_together(encoding: str) -> None:
    headers = {"content_encoding": encoding} if encoding else {}
    assert read(Body(Bodies(), KEY), request(*pieces(TEXT), **headers)) == TEXT
    one = bytes(300)
    assert read(Body(Bodies(), KEY), request(one, **headers)) is one
    assert read(Body(Bodies(), KEY), request(**headers)) == b""


def test_each_body_has_its_bound_to_the_byte() -> None:
    within = Bodies(max_body_bytes=300, max_total_bytes=10_000)
    assert len(read(Body(within, KEY), request(b"x" * 150, b"x" * 150, length=300))) == 300
    assert refused(Body(within, KEY), request(b"x", length=301)) == (413, "TOO_LARGE")
    # These bodies are longer than 300 bytes without a header that states it.
    assert refused(Body(within, KEY), request(b"x" * 150, b"x" * 151)) == (413, "TOO_LARGE")
    assert refused(Body(within, KEY), request(gzip.compress(b"x" * 301), content_encoding="gzip")) == (413, "TOO_LARGE")
    assert len(read(Body(within, KEY), request(gzip.compress(b"x" * 300), content_encoding="gzip"))) == 300


def test_what_is_too_large_is_named_in_mib() -> None:
    with pytest.raises(RefusedError, match="more than 64 MiB"):
        read(Body(Bodies(), KEY), request(b"x", length=64 * MIB + 1))


def test_all_bodies_together_have_a_bound_until_their_calls_are_over() -> None:
    within = Bodies(max_body_bytes=300, max_total_bytes=500)
    first, second, third = (Body(within, f"key{number}") for number in range(3))
    read(first, request(b"x" * 300))
    read(second, request(b"x" * 200))
    with pytest.raises(RefusedError) as error:
        read(third, request(b"x"))
    assert (error.value.refusal.status, error.value.refusal.code) == (503, "BUSY")
    assert error.value.headers == {"retry-after": "1"}
    first.close()
    first.close()
    third.close()
    assert len(read(third, request(b"x" * 300))) == 300
    assert refused(Body(within, "key4"), request(b"x"))[0] == 503


def test_one_key_has_no_more_than_its_share() -> None:
    within = Bodies(max_body_bytes=300, max_total_bytes=400)
    first = Body(within, KEY)
    read(first, request(b"x" * 200))
    assert refused(Body(within, KEY), request(b"x" * 101)) == (503, "BUSY")
    assert len(read(Body(within, KEY), request(b"x" * 100))) == 100
    assert len(read(Body(within, "another"), request(b"x" * 100))) == 100
    first.close()
    assert len(read(Body(within, KEY), request(b"x" * 200))) == 200


def test_the_parsed_values_are_counted_beside_the_bytes() -> None:
    within, content = Bodies(), json.dumps({"a": ["b"] * 50}).encode()
    body, values = Body(within, KEY), memory_of(content.decode())
    read(body, request(content))
    assert within._size == len(content)
    parsed = asyncio.run(body.json_object(content))
    assert within._size == len(content) + values
    sent = asyncio.run(body.encode({**parsed, "c": "d" * 100}, len(content)))
    assert within._size == len(sent) + values
    body.close()
    assert within._size == 0


@pytest.mark.parametrize(("less", "status"), [(0, None), (2, 413)])
def test_one_body_may_take_all_the_memory_of_its_key(less: int, status: int | None) -> None:
    content = b'{"a": 1}'
    memory = len(content) + memory_of(content.decode())
    # One key may have three quarters of the total.
    body = Body(Bodies(max_total_bytes=-(-memory * 4 // 3) - less), KEY)
    if status is None:
        assert asyncio.run(body.json_object(content)) == {"a": 1}
    else:
        with pytest.raises(RefusedError) as error:
            asyncio.run(body.json_object(content))
        assert error.value.refusal.status == status


def test_of_a_form_the_files_are_counted_once() -> None:
    within, parts = Bodies(), (b'name="a"\r\n\r\n1', b'name="b"; filename="b"\r\n\r\n' + b"x" * 300)
    content = b"".join(b"--B\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--B--\r\n"
    body = Body(within, KEY)
    assert asyncio.run(body.form(content, "multipart/form-data; boundary=B")) == ({"a": "1"}, (300,))
    assert within._size == 2 * len(content) - 300
    body.close()
    assert within._size == 0


def test_a_client_that_waits_for_leave_gets_it_before_its_body() -> None:
    of = request(TEXT, expect="100-Continue")
    assert read(Body(Bodies(), KEY), of) == TEXT
    assert of.writer.written == b"HTTP/1.1 100 Continue\r\n\r\n"
    # The interim response does not count as output of the final one.
    assert of.writer.output_size == 0
    plain = request(TEXT)
    read(Body(Bodies(), KEY), plain)
    assert plain.writer.written == b""


def test_a_request_without_a_body_is_read_whatever_its_headers_say_of_one() -> None:
    of = request(expect="100-continue", content_encoding="gzip")
    assert read(Body(Bodies(), KEY), of) == b""
    assert of.writer.written == b""


def test_a_body_that_stops_in_the_middle_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies_module, "_SILENCE_SECONDS", 0.01)
    body = Body(Bodies(), KEY)

    async def work() -> set[asyncio.Task[Any]]:
        with pytest.raises(RefusedError) as error:
            await body.read(request(b"x", None))
        assert (error.value.refusal.status, error.value.refusal.code) == (408, "TIMEOUT")
        await asyncio.sleep(0)
        return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type] # a task runs this

    assert asyncio.run(work()) == set()


def _raw(data: bytes) -> bytes:
    made = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return made.compress(data) + made.flush()


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("X-GZIP", gzip.compress(TEXT, mtime=0)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", _raw(TEXT)),
    ],
)
def test_a_compressed_body_is_read_in_whatever_pieces_it_comes(encoding: str, data: bytes, size: int) -> None:
    assert read(Body(Bodies(), KEY), request(*pieces(data, size), content_encoding=encoding)) == TEXT


def test_what_is_compressed_a_thousand_times_is_counted_step_by_step() -> None:
    data = gzip.compress(b"x" * 5 * MIB)
    assert read(Body(Bodies(), KEY), request(data, content_encoding="gzip")) == b"x" * 5 * MIB
    steps: list[int] = []
    within = Bodies()
    reserve = within.reserve
    within.reserve = lambda key, size: (steps.append(size), reserve(key, size))[1]  # type: ignore[method-assign]
    read(Body(within, KEY), request(data, content_encoding="gzip"))
    assert sum(steps) == 5 * MIB
    assert max(steps) == MIB
    small = Bodies(max_body_bytes=2 * MIB)
    body = Body(small, KEY)
    assert refused(body, request(data, content_encoding="gzip"))[0] == 413
    assert small._size == 2 * MIB
    body.close()
    assert small._size == 0


@pytest.mark.parametrize(
    ("encoding", "data", "status"),
    [
        ("gzip", TEXT, 400),
        ("gzip", gzip.compress(TEXT, mtime=0)[:-1], 400),
        ("gzip", gzip.compress(TEXT, mtime=0) + b"x", 400),
        ("gzip", zlib.compress(TEXT), 400),
        ("gzip", _raw(TEXT), 400),
        ("x-gzip", zlib.compress(TEXT), 400),
        ("deflate", zlib.compress(TEXT)[:-1], 400),
        ("deflate", zlib.compress(TEXT)[:500] + b"\x00" * 300, 400),
        ("deflate", TEXT, 400),
        ("zstd", TEXT, 415),
        ("gzip, gzip", TEXT, 415),
    ],
)
def test_what_is_damaged_or_in_another_encoding_is_refused(encoding: str, data: bytes, status: int) -> None:
    for size in (50, 100_000):
        assert refused(Body(Bodies(), KEY), request(*pieces(data, size), content_encoding=encoding))[0] == status


class Brotli:
    """A stand-in for the module ``brotli``: each byte stands for four of it, 0 ends the data, and 255 is not valid."""

    error = ArithmeticError

    class Decompressor:
        def __init__(self) -> None:
            self._left = b""
            self._ended = False

        def process(self, data: bytes, output_buffer_limit: int) -> bytes:
            assert output_buffer_limit == MIB
            if data and self._left:
                raise AssertionError("what was made before is taken first")
            self._left += data
            now, self._left = self._left[:2], self._left[2:]
            if 255 in now:
                raise ArithmeticError
            self._ended = self._ended or 0 in now
            return b"".join(bytes([byte]) * 4 for byte in now if byte)

        def can_accept_more_data(self) -> bool:
            return not self._left

        def is_finished(self) -> bool:
            return self._ended


def test_brotli_is_read_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "brotli", Brotli)  # type: ignore[arg-type] # as far as it is used
    assert read(Body(Bodies(), KEY), request(b"\1\2\3", b"\4\5\0", content_encoding="br")) == bytes(
        byte for byte in range(1, 6) for _ in range(4)
    )
    assert refused(Body(Bodies(), KEY), request(b"\1\2\3", content_encoding="br"))[0] == 400
    assert refused(Body(Bodies(), KEY), request(b"\1\2\3\xff", content_encoding="br"))[0] == 400
    assert refused(Body(Bodies(), KEY), request(b"\1\0", b"\xff", content_encoding="br"))[0] == 400
    assert refused(Body(Bodies(), KEY), request(b"\1\0", content_encoding="zstd")) == (415, "UNSUPPORTED_ENCODING")
    monkeypatch.setitem(sys.modules, "brotli", None)  # type: ignore[arg-type] # it cannot be imported
    assert refused(Body(Bodies(), KEY), request(b"\1\0", content_encoding="br")) == (415, "UNSUPPORTED_ENCODING")


def test_a_body_is_a_json_object_or_nothing() -> None:
    assert asyncio.run(Body(Bodies(), KEY).json_object(b"")) == {}
    assert asyncio.run(Body(Bodies(), KEY).json_object(b' {"a": 1}')) == {"a": 1}
    for content in (b"[]", b"1", b"null", b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(RefusedError) as error:
            asyncio.run(Body(Bodies(), KEY).json_object(content))
        assert (error.value.refusal.status, error.value.refusal.code) == (400, "INVALID_REQUEST")
