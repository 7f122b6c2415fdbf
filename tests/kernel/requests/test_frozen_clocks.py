"""Requests end in time even where freezegun or time-machine has stopped or moved the clocks of the kernel."""

from __future__ import annotations

import time

import pytest

from tests.bridge.live_server import LiveServer
from tests.kernel.governed_kernel import CONNECT, notebook, stopped
from tests.kernel.real_kernel import LOAD

FREEZE = """
import sys, time
real = {{id(function): function for function in (time.time, time.monotonic, time.perf_counter)}}
def frozen(): return {at}
def freeze():
    # freezegun also replaces the functions in the module itself and under each name in all loaded modules.
    for module in list(sys.modules.values()):
        names = dict(getattr(module, "__dict__", None) or {{}})
        if names.get("__name__", "").partition(".")[0] in ("threading", "queue", "ipykernel", "zmq", "tornado"):
            continue
        for name, value in names.items():
            if id(value) in real and name != "real":
                setattr(module, name, frozen)
freeze()
"""
REQUESTS = {
    "thread": "client.request('spend', {'amount': '1'}, timeout=1)",
    "task": "await client.request_async('spend', {'amount': '1'}, timeout=1)",
}


@pytest.mark.parametrize(("kind", "at"), [("thread", 1_326_499_200.0), ("task", 4_102_444_800.0)])
def test_a_request_ends_within_its_time(server: LiveServer, kind: str, at: float) -> None:
    path = f"frozen-{kind}-{at:.0f}.ipynb"
    with notebook(server, path) as (kernel, _):
        kernel.run(f"%governance\n{CONNECT}\n%governance_spend 0.5")
        assert kernel.run(FREEZE.format(at=at)).status == "ok"
        assert kernel.value("(time.time(), time.monotonic())") == repr((at, at))
        with stopped(server):
            began = time.monotonic()
            outcome = kernel.run(REQUESTS[kind], timeout=30)
            assert time.monotonic() - began < 15
        assert outcome.ename == "ServerUnreachableError"
        assert kernel.run("%governance_spend 0.25").lines == ["Recorded: $0.25 for unknown ($9.25 remaining)"]
        assert abs(float(kernel.value("client._exp(10)")) - time.time()) < 60, "no expiry decades from now"


def test_a_kernel_that_loads_us_when_time_is_frozen_already(server: LiveServer) -> None:
    with notebook(server, "frozen-first.ipynb", load=False) as (kernel, _):
        assert kernel.run(FREEZE.format(at=1_326_499_200.0)).status == "ok"
        assert kernel.run(f"{LOAD}\n%governance\n{CONNECT}\n%governance_spend 0.5").status == "ok"
        with stopped(server):
            outcome = kernel.run(REQUESTS["thread"], timeout=30)
        assert outcome.ename == "ServerUnreachableError"
        assert abs(float(kernel.value("client._exp(10)")) - time.time()) < 60
