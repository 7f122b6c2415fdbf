"""A Jupyter server extension for the benchmark `footprint`, which measures governance's CPU time in the server.

That is the time of governance's threads, and of its callbacks on the server's loop; ``GET own-cpu`` returns it. The
extension is loaded before governance. The file is copied into the server's folder, so it imports nothing of the
benchmarks.
"""

from __future__ import annotations

import asyncio
import functools
import json
import threading
import time
import types
from importlib import import_module
from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

# The methods of governance that the server's loop calls: timers, streams, listeners, tasks and wrapped methods.
ENTRIES = {
    "aumos_governance.server.kernels.bridge.Bridge": ("_watch_kernels", "_read_rows", "on_kernel_event"),
    "aumos_governance.server.kernels.comm_transport.CommTransport": ("_on_frames",),
    "aumos_governance.server.identity.contents_moves.ContentsMoves": ("_begun", "_finish"),
    "aumos_governance.server.live.state_events.OpenHolds": ("_begin",),
    "aumos_governance.server.kernels.comm_transport.Outbox": ("_flush",),
    "aumos_governance.server.live.state_events.StateEvents": ("_emit_arrived", "_emit_next"),
}
_loop_seconds = 0.0
_inside = False


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(app: Any) -> None:
    for place, names in ENTRIES.items():
        module, _, owner = place.rpartition(".")
        kind = getattr(import_module(module), owner)
        for name in names:
            # Fails for a name that does not exist any more, which would otherwise be taken as one that takes no time.
            setattr(kind, name, _timed(getattr(kind, name)))
    base = app.web_app.settings["base_url"]
    app.web_app.add_handlers(".*$", [(url_path_join(base, "own-cpu"), _Handler)])


class _Handler(APIHandler):
    @web.authenticated
    def get(self) -> None:
        threads = sum(
            time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
            for thread in threading.enumerate()
            if thread.name.startswith("aumos-governance") and thread.ident is not None
        )
        body = {
            "threads": threads,
            "loop": _loop_seconds,
            "process": time.process_time(),
            "resident": int(Path("/proc/self/statm").read_text().split()[1]) * 4096,
            "thread_count": threading.active_count(),
        }
        self.finish(json.dumps(body))


def _timed(function: Any) -> Any:
    if asyncio.iscoroutinefunction(function):

        @functools.wraps(function)
        async def timed_task(*args: Any, **kwargs: Any) -> Any:
            return await _steps(function(*args, **kwargs))

        return timed_task

    @functools.wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        return _timed_step(lambda: function(*args, **kwargs))

    return timed


@types.coroutine
def _steps(task: Any) -> Any:
    step = functools.partial(task.send, None)
    while True:
        try:
            waits_for = _timed_step(step)
        except StopIteration as done:
            return done.value
        try:
            step = functools.partial(task.send, (yield waits_for))
        except BaseException as error:  # noqa: BLE001 - the task itself must handle it
            step = functools.partial(task.throw, error)


def _timed_step(step: Any) -> Any:
    """Call ``step``, a callback or a part of a task on the loop, and add its CPU time to `_loop_seconds`.

    A step that is called within another one is part of that one's time, and is not added again.
    """
    global _inside, _loop_seconds  # noqa: PLW0603
    if _inside or threading.current_thread() is not threading.main_thread():
        return step()
    _inside = True
    began = time.thread_time()
    try:
        return step()
    finally:
        _loop_seconds += time.thread_time() - began
        _inside = False
