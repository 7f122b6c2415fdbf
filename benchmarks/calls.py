"""The time that governance adds to a call of a model, without Jupyter and in a governed kernel.

The provider is a small server on this machine, which responds at once.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
from openai import OpenAI

from aumos_governance import GovernanceEngine, govern
from tests.integrations.endpoint.server import Endpoint

from .bridge import _kernel, _measured
from .results import Results

_REQUEST: Final[Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 50}
_CHUNKS: Final = 2_000

# Runs in the kernel after the program of `bridge`, and makes a plain and a governed call in turn.
_PROGRAM: Final = """
import statistics
from openai import OpenAI
from aumos_governance import govern

plain = OpenAI(base_url={url!r}, api_key="key", max_retries=0)
governed = govern(plain)
request = {request!r}

def took(client):
    began = time.perf_counter()
    client.chat.completions.create(**request)
    return time.perf_counter() - began

def overhead(rounds):
    for client in (plain, governed): took(client)
    pairs = [(took(plain), took(governed)) for _ in range(rounds)]
    middle = statistics.median
    return {{"plain": middle(one for one, _ in pairs) * 1e3, "governed": middle(two for _, two in pairs) * 1e3,
             "over": middle(two - one for one, two in pairs) * 1e3}}
"""


def overhead(results: Results, folder: Path, rounds: int) -> None:
    """Measure the time that governance adds to a call, and the CPU time that it adds to a chunk of a streamed response.

    ``rounds`` is the number of calls, each with governance and without it.
    """
    with Endpoint() as endpoint:
        for name, url in (("memory", None), ("SQLite", f"sqlite:///{folder / 'calls.db'}")):
            with GovernanceEngine(ledger=url) as engine:
                plain = OpenAI(base_url=endpoint.openai_url, api_key="key", max_retries=0)
                one, two = _pairs(plain, govern(plain, engine=engine), rounds)
                results.add(
                    f"governed call over a plain one, {name}, p50", two - one, "ms", note=f"plain {one:.2f} {two:.2f}"
                )
        for way, most in (("socket", 1.0), ("comm", 5.0)):
            with _kernel(folder / f"calls-{way}", way) as (_, kernel):
                if way == "socket":
                    kernel.run("wait_for_socket()")
                assert kernel.run(_PROGRAM.format(url=endpoint.openai_url, request=_REQUEST)).status == "ok"
                measured = _measured(kernel, f"overhead({rounds})")
                note = f"plain {measured['plain']:.2f} governed {measured['governed']:.2f}"
                results.add(f"governed call over a plain one, {way}, p50", measured["over"], "ms", most, note)
    results.add("CPU of a governed streamed chunk over a plain one", _chunk(), "us", 50)


def _pairs(plain: OpenAI, governed: OpenAI, rounds: int) -> tuple[float, float]:
    def took(client: OpenAI) -> float:
        began = time.perf_counter()
        client.chat.completions.create(**_REQUEST)
        return (time.perf_counter() - began) * 1e3

    for client in (plain, governed):
        took(client)
    times = [(took(plain), took(governed)) for _ in range(rounds)]
    return statistics.median(one for one, _ in times), statistics.median(two for _, two in times)


def _chunk() -> float:
    """Return the CPU time that governance adds to a chunk of a streamed response, in microseconds.

    No server is involved: the client reads the response from memory.
    """
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, stream=_Stream()))
    plain = OpenAI(base_url="http://local/v1", api_key="key", http_client=httpx2.Client(transport=transport))
    with GovernanceEngine() as engine:
        governed = govern(plain, engine=engine)
        took: dict[OpenAI, list[float]] = {plain: [], governed: []}
        for _ in range(7):
            for client, times in took.items():
                times.append(_cpu(lambda client=client: _read(client)))  # type: ignore[misc]
        return (min(took[governed]) - min(took[plain])) / _CHUNKS * 1e6


def _read(client: OpenAI) -> None:
    with contextlib.closing(client.chat.completions.create(**_REQUEST, stream=True)) as stream:
        for _ in stream:
            pass


def _cpu(work: Callable[[], None]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


class _Stream(httpx2.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        head = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":'
        delta = b'[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"usage":null}\n\n'
        for _ in range(_CHUNKS):
            yield head + delta
        yield head + b'[],"usage":{"prompt_tokens":5,"completion_tokens":2000,"total_tokens":2005}}\n\n'
        yield b"data: [DONE]\n\n"
