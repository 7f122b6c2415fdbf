"""A provider in a process of its own that keeps to a request's output limit, and behaves as the prompt states.

Usage: upstream.py PORT. It prints a line once it listens. A prompt is the JSON text of a `Prompt`. ``GET /figures``
returns what it counted since its start.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import web

INPUT = 11
"""The input tokens of each prompt."""


@dataclass
class Prompt:
    tokens: int = 100
    """The output tokens of the response, if the limit allows them."""
    events: int = 4
    """The events of a stream before the last one."""
    pause: float = 0.0
    """The seconds before each event, and before a response that is no stream."""
    hang: bool = False
    """Whether the rest of the response never comes."""
    together: int = 0
    """The number of open calls for which the first response waits."""

    def text(self) -> str:
        # All prompts have one length, so that all inputs have the same bound.
        return json.dumps(asdict(self)).ljust(200)


@dataclass
class Figures:
    begun: int = 0
    responded: int = 0
    open: int = 0
    most: int = 0
    """The most calls that were open at once."""
    hanging: int = 0
    ended: list[float] = field(default_factory=list)
    """The times when calls ended without a response, by the monotonic clock that all processes share."""


class Upstream:
    def __init__(self) -> None:
        self.figures = Figures()
        self._came = asyncio.Condition()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/figures":
            return web.json_response(asdict(self.figures))
        body = await request.json()
        figures, prompt = self.figures, Prompt(**json.loads(body["messages"][-1]["content"]))
        figures.begun += 1
        figures.open += 1
        figures.most = max(figures.most, figures.open)
        async with self._came:
            self._came.notify_all()
        try:
            response = await self._respond(request, body, prompt)
            figures.responded += 1
            return response
        except (asyncio.CancelledError, ConnectionError):
            # The gateway has closed the connection.
            figures.ended.append(time.monotonic())
            return web.Response()
        finally:
            figures.open -= 1

    async def _respond(self, request: web.BaseRequest, body: dict[str, Any], prompt: Prompt) -> web.StreamResponse:
        if self.figures.most < prompt.together:
            async with self._came:
                await self._came.wait_for(lambda: self.figures.most >= prompt.together)
        used = min(prompt.tokens, body["max_completion_tokens"])
        usage = {"prompt_tokens": INPUT, "completion_tokens": used, "total_tokens": INPUT + used}
        if not body.get("stream"):
            await asyncio.sleep(prompt.pause)
            await self._hang(prompt)
            message = {"role": "assistant", "content": str(used)}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            return web.json_response(_of("chat.completion", body, [choice]) | {"usage": usage})
        out = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await out.prepare(request)
        for number in range(prompt.events + 1):
            await asyncio.sleep(prompt.pause)
            if number == prompt.events // 2:
                await self._hang(prompt)
            delta = {"content": str(used) if number == prompt.events else " "}
            finish = "stop" if number == prompt.events else None
            await out.write(_event(_of(_CHUNK, body, [{"index": 0, "delta": delta, "finish_reason": finish}])))
        if body.get("stream_options", {}).get("include_usage"):
            await out.write(_event(_of(_CHUNK, body, []) | {"usage": usage}))
        await out.write(b"data: [DONE]\n\n")
        await out.write_eof()
        return out

    async def _hang(self, prompt: Prompt) -> None:
        if prompt.hang:
            self.figures.hanging += 1
            try:
                await asyncio.Event().wait()
            finally:
                self.figures.hanging -= 1


_CHUNK = "chat.completion.chunk"


def _of(kind: str, body: dict[str, Any], choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": body["model"], "choices": choices}


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


async def main(port: int) -> None:
    # The handler of a request is cancelled when its client disconnects.
    server = web.Server(Upstream().handle, handler_cancellation=True, access_log=None)
    await asyncio.get_running_loop().create_server(server, "127.0.0.1", port, backlog=1024, reuse_address=True)
    print("ready", flush=True)
    # The process ends when the one that started it ends.
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
