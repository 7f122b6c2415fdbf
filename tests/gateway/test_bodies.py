"""The memory of bodies is limited for each request, for each key and in all; large bodies do not delay other calls."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from aumos_governance.gateway import bodies, contents
from aumos_governance.gateway.contents import LARGE, json_bytes, memory_of, object_of, text_of
from aumos_governance.integrations.guarding import readers
from tests.gateway.gateway_server import SECRET, GatewayServer
from tests.gateway.raw import CHAT, Raw, Received, requested
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import priced

BODY = json.dumps(CHAT).encode()
OTHER = "sk-aumos-another-kernel"
PADDED = BODY + b" " * 1_500


def memory(body: bytes) -> int:
    """Return the bytes of memory that the gateway counts for a call with this body."""
    return len(body) + memory_of(body.decode())


def until(status: int, request: Callable[[], Received]) -> Received:
    """Repeat a request until its response has this status: other bodies are counted only after a moment."""
    while (response := request()).status != status:
        pass
    return response


def test_bodies_are_bounded_each_and_in_all(endpoint: Endpoint) -> None:
    with GatewayServer(endpoint, max_body_bytes=2_000, max_total_bytes=(memory(PADDED) + 1_000) * 4 // 3) as server:
        assert requested(server, b" " * 2_001).status == 413
        assert requested(server, gzip.compress(b" " * 2_001), content_encoding="gzip").status == 413
        with Raw(server) as first:
            first.send(b" " * 1_900, content_length="1999")
            # The first body counts although it has not arrived completely.
            assert until(503, lambda: requested(server, PADDED)).headers["retry-after"]
        until(200, lambda: requested(server, PADDED))


def test_one_key_leaves_room_for_the_others(endpoint: Endpoint) -> None:
    # An eighth body would fit into the total, but not into the share of the key of the other seven.
    max_total_bytes = 7 * 1_900 + memory(PADDED) + 1_000
    assert 7 * 1_900 + memory(PADDED) > max_total_bytes * 3 // 4 > 7 * 1_900
    with GatewayServer(endpoint, max_body_bytes=2_000, max_total_bytes=max_total_bytes) as server, ExitStack() as held:
        server.keys.holders[OTHER] = replace(server.keys.holders[SECRET], key_id="key2")

        def hold(secret: str) -> None:
            held.enter_context(Raw(server)).send(b" " * 1_900, secret=secret, content_length="1999")

        for _ in range(7):
            hold(SECRET)
        own = until(503, lambda: requested(server, PADDED))
        assert "in progress with this key" in own.json["error"]["message"]
        assert requested(server, PADDED, secret=OTHER).status == 200
        hold(OTHER)
        common = until(503, lambda: requested(server, PADDED, secret=OTHER))
        assert "memory that the gateway has" in common.json["error"]["message"]


def test_a_body_that_never_fits_is_too_large(endpoint: Endpoint) -> None:
    bomb = json.dumps(CHAT | {"x": [[]] * 5_000}).encode()
    with GatewayServer(endpoint, max_total_bytes=400_000) as server:
        response = requested(server, bomb)
        assert (response.status, response.headers["x-aumos-code"]) == (413, "TOO_LARGE")
        assert "more memory" in response.json["error"]["message"]
        assert requested(server).status == 200
        assert server.events() == ["hold", "settle"]


def test_what_was_counted_is_given_back(endpoint: Endpoint) -> None:
    # Only one body fits at a time.
    with GatewayServer(endpoint, max_total_bytes=memory(PADDED) * 2) as server:
        for _ in range(3):
            assert requested(server, PADDED).status == 200
        assert requested(server, b"[1]").status == 400
        assert requested(server, PADDED).status == 200


SHAPES: list[Any] = [
    {"a": [[]] * 20_000},
    {"a": [{}] * 20_000},
    {"a": [{"b": {}}] * 20_000},
    {"a": [{"b": 1.5, "c": 1000}] * 20_000},
    {"a": [1000 + number for number in range(20_000)]},
    {"a": [number / 7 for number in range(20_000)]},
    {"a": [f"t{number}" for number in range(20_000)]},
    {f"t{number}": f"u{number}" for number in range(20_000)},
    {f"t{number}": [number + 1000] for number in range(20_000)},
    {"a": [[[[[[number + 1000]]]]] for number in range(20_000)]},
    {"a": "word, " * 100_000},
    {"a": "wörd " * 100_000},
    {"a": "word " * 100_000 + "\N{GRINNING FACE}"},
    {"a": ["語" * 1_000] * 100},
]


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=range(len(SHAPES)))
def test_values_take_no_more_memory_than_is_counted(shape: Any, *, ascii_only: bool) -> None:
    text = text_of(json.dumps(shape, ensure_ascii=ascii_only, separators=(",", ":")).encode())
    counted = memory_of(text)
    tracemalloc.start()
    try:
        values = object_of(text)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert values == shape
    assert taken <= counted < 8 * taken


@pytest.mark.parametrize(("text", "of_each"), [("abcdef", 1), (r"\u4e2d", 2), (r"\ud83d\ude00", 4)])
def test_a_string_is_counted_by_the_bytes_that_its_characters_take(text: str, of_each: int) -> None:
    body = f'{{"a": "{text * 10_000}"}}'
    assert of_each * len(body) <= memory_of(body) < of_each * len(body) + 1_000


def test_marks_within_texts_are_not_counted() -> None:
    text = json.dumps({"a": 'say: "x", {[\\' * 100_000})
    assert memory_of(text) < 4 * len(text)
    marks, plain = (f'{{"a": "{character * 20_000}", "b": []}}' for character in ",x")
    assert memory_of(marks) == memory_of(plain)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": {}, "b": [], "c": [1, 2.5, None, True], "d": "x", "e": [{"f": ["g"]}, "h"]},
        {"long": 'wört "\\\n\ud83d\N{GRINNING FACE}' * 100_000, "list": ["x" * 300_000, 1, None]},
    ],
)
def test_what_is_written_is_what_json_dumps_gives(value: Any) -> None:
    assert json_bytes(value) == json.dumps(value).encode()


def test_a_body_that_is_nested_too_deeply_for_steps_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(contents, "_write", fail)
    assert json_bytes({"a": [1]}) == b'{"a": [1]}'


def test_other_threads_may_run_while_a_long_text_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once: list[int] = []

    def noted(value: Any, *, dumps: Any = json.dumps) -> Any:
        text = dumps(value)
        at_once.append(len(text))
        return text

    value = {"a": {"b": [1, "x" * 1_000_000]}}
    expected = json.dumps(value).encode()
    # `json.dumps` lets no other thread run.
    monkeypatch.setattr(json, "dumps", noted)
    assert json_bytes(value) == expected
    assert max(at_once) < 300_000


@pytest.mark.parametrize("large", [False, True])
def test_a_large_body_is_read_and_written_beside_the_other_calls(
    server: GatewayServer, monkeypatch: pytest.MonkeyPatch, *, large: bool
) -> None:
    names: dict[str, str] = {}

    def noted(work: Callable[..., Any], *given: Any) -> Any:
        names[work.__name__] = threading.current_thread().name
        return work(*given)

    for work in (text_of, memory_of, object_of, json_bytes):
        monkeypatch.setattr(bodies, work.__name__, partial(noted, work))
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * (LARGE if large else 100)}}
    body = CHAT | {"messages": [{"role": "user", "content": [picture]}]}
    assert requested(server, json.dumps(body).encode()).status == 200
    assert server.endpoint.exchange(0).received.json["messages"] == body["messages"]
    assert len(names) == 3 + large
    assert all((name != "aumos-gateway") == large for name in names.values())


def test_others_are_served_while_a_large_body_is_read(server: GatewayServer, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(text: str) -> Any:
        if len(text) > LARGE:
            begun.set()
            assert go_on.wait(20)
        return object_of(text)

    monkeypatch.setattr(bodies, "object_of", slow)
    with Raw(server) as large:
        large.send(BODY + b" " * LARGE)
        assert begun.wait(20)
        assert requested(server).status == 200
        go_on.set()
        assert large.receive().status == 200


def test_a_large_body_whose_client_left_delays_the_next_one_until_its_thread_has_ended() -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        assert go_on.wait(20)
        ended.set()

    async def main() -> bool:
        all_bodies = bodies.Bodies()
        left = asyncio.ensure_future(all_bodies.process(slow, LARGE + 1))
        await asyncio.to_thread(begun.wait, 20)
        left.cancel()
        following = asyncio.ensure_future(all_bodies.process(ended.is_set, LARGE + 1))
        # Time in which the next body would be processed if it did not wait.
        await asyncio.wait((following,), timeout=0.1)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await left
        return await following

    assert asyncio.run(main())


@pytest.mark.parametrize("large", [False, True])
def test_a_large_response_is_parsed_once_and_beside_the_other_calls(
    server: GatewayServer, monkeypatch: pytest.MonkeyPatch, *, large: bool
) -> None:
    names: list[str] = []

    def noted(content: bytes, *, body_of_json: Any = readers.body_of_json) -> Any:
        names.append(threading.current_thread().name)
        return body_of_json(content)

    monkeypatch.setattr(readers, "body_of_json", noted)
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    body = json.dumps({"id": "c1", "model": "gpt-4o", "choices": [], "usage": usage}).encode()
    server.endpoint.script(Reply(body=body + b" " * (LARGE if large else 100)))
    assert requested(server).body.startswith(body)
    assert server.spent == priced("gpt-4o", {"input_tokens": 11, "output_tokens": 7})
    [name] = names
    assert (name != "aumos-gateway") == large


def test_a_large_form_is_read_beside_the_other_calls(server: GatewayServer, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []

    def noted(*given: Any, fields_of: Any = bodies.fields_of) -> Any:
        names.append(threading.current_thread().name)
        return fields_of(*given)

    monkeypatch.setattr(bodies, "fields_of", noted)
    form = f'--B\r\nContent-Disposition: form-data; name="input"\r\n\r\n{"x" * LARGE}\r\n--B--\r\n'.encode()
    requested(server, form, path="/llm/openai/v1/embeddings", content_type="multipart/form-data; boundary=B")
    assert names
    assert "aumos-gateway" not in names
