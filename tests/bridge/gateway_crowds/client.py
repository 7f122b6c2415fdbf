"""OpenAI's own client in a process of its own, which calls the gateway until it is stopped or killed.

Each line of stdin is a `Work`, or ``stop``, which ends the calls in progress. The process prints a line for each call
as soon as it has ended, and ``stopped``.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.bridge.gateway_crowds.upstream import Prompt

MODEL = "agent-1"
_PAUSE = 0.05
"""The seconds to wait after a failed call, since the reason may last."""


@dataclass
class Work:
    base_url: str
    keys: list[str]
    """The gateway's keys, which the workers use in turn."""
    workers: int
    seed: int
    first: int
    """The output limit of the first call; each further call has another one, which identifies its hold."""
    hanging: int = 2
    """The most calls whose response never ends."""


@dataclass
class Call:
    """One call, as its client knows it."""

    limit: int
    worker: int
    key: int
    began: float
    """The start of the call, by the monotonic clock that all processes share."""
    came: str
    """``whole``, ``part`` if the stream ended early without an error, ``refused``, ``broken`` or ``left``."""
    used: int | None = None
    """The output tokens of a complete response."""
    status: int | None = None
    code: str | None = None
    why: str = ""


class Client:
    def __init__(self, work: Work) -> None:
        import openai

        self._work = work
        self._chance = random.Random(work.seed)
        self._next = work.first
        self._hanging = 0
        self._openai = openai
        self._clients = [
            openai.AsyncOpenAI(base_url=work.base_url, api_key=key, max_retries=0, timeout=120) for key in work.keys
        ]

    async def run(self) -> None:
        try:
            await asyncio.gather(*(self._go_on(worker) for worker in range(self._work.workers)))
        finally:
            for client in self._clients:
                await client.close()

    async def _go_on(self, worker: int) -> None:
        while True:
            call = await self._call(worker)
            if call.came != "whole":
                await asyncio.sleep(_PAUSE)

    async def _call(self, worker: int) -> Call:
        chance = self._chance
        prompt = Prompt(chance.randint(5, 200), chance.randint(1, 6), chance.choice([0.0, 0.002, 0.01]))
        streamed, with_usage = chance.random() < 0.7, chance.random() < 0.5
        if self._hanging < self._work.hanging and chance.random() < 0.1:
            self._hanging += 1
            prompt.hang = True
        call = Call(self._next, worker, worker % len(self._clients), time.monotonic(), "whole")
        self._next += 1
        try:
            call.used = await used_by(
                self._clients[call.key], call.limit, prompt, streamed=streamed, with_usage=with_usage
            )
            call.came = "whole" if call.used is not None else "part"
        except self._openai.APIStatusError as error:
            body = error.body if isinstance(error.body, dict) else {}
            call.came, call.status, call.code, call.why = "refused", error.status_code, body.get("code"), error.message
        except asyncio.CancelledError:
            call.came = "left"
            raise
        except Exception as error:  # noqa: BLE001 - the library raises errors of its own and of its transport
            call.came, call.why = "broken", repr(error)
        finally:
            # One write of a whole line, which is complete even if the process is killed afterwards.
            os.write(1, json.dumps(asdict(call)).encode() + b"\n")
            if prompt.hang:
                self._hanging -= 1
        return call


async def used_by(client: Any, limit: int, prompt: Prompt, *, streamed: bool, with_usage: bool = False) -> int | None:
    """Make a call; return the output tokens that its response states, or None if a stream was not complete."""
    messages = [{"role": "user", "content": prompt.text()}]
    requested = {"model": MODEL, "max_completion_tokens": limit, "messages": messages}
    if not streamed:
        response = await client.chat.completions.create(**requested)
        return int(response.choices[0].message.content)
    options = {"stream_options": {"include_usage": True}} if with_usage else {}
    text, finished, usage = "", None, None
    async for chunk in await client.chat.completions.create(**requested, **options, stream=True):
        for choice in chunk.choices:
            text, finished = text + choice.delta.content, choice.finish_reason
        usage = chunk.usage or usage
    return int(text) if finished and (usage is not None) == with_usage else None


async def main() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("ready", flush=True)
    running: asyncio.Task[None] | None = None
    while line := (await reader.readline()).decode().strip():
        if line != "stop":
            running = asyncio.create_task(Client(Work(**json.loads(line))).run())
            continue
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        print("stopped", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
