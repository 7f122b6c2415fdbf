"""A hold belongs to one process of one kernel: if that process ends in any way, a user decides what the call cost."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.bridge.live_server import GOVERNANCE, LiveKernel, LiveServer, until


def events(server: LiveServer, path: str) -> list[str]:
    """Return the events of a notebook's records, newest first."""
    records = server.json("GET", GOVERNANCE + "audit", params={"path": path})["records"]
    return [record["event"] for record in records]


def hold(kernel: LiveKernel, amount: str = "1", **body: Any) -> str:
    response = kernel.do("hold", amount=amount, **body)
    assert response["ok"], response
    assert response["decision"]["allowed"], response
    return str(response["hold_id"])


def left(server: LiveServer, path: str) -> None:
    """Assert that the hold is unresolved, and still counts."""
    until(lambda: events(server, path)[0] == "unresolved", "the hold is unresolved")
    assert server.state(path)["held"] == "1"


def kill(kernel: LiveKernel) -> None:
    pid = kernel.run("import os; result(os.getpid())").result
    kernel.submit(f"os.kill({pid}, {int(signal.SIGKILL)})")


def test_held_settled_and_released(server: LiveServer) -> None:
    with server.notebook("hold.ipynb") as kernel:
        kernel.do("open", budget="5")
        first, second = hold(kernel), hold(kernel, "2", tool="gpt-4o")
        assert server.state("hold.ipynb")["held"] == "3"
        settled = kernel.do("settle", hold_id=first, amount="0")
        assert (settled["resolution"]["spent"], settled["state"]["held"]) == ("0", "2")
        released = kernel.do("release", hold_id=second)
        assert (released["resolution"]["outcome"], released["state"]["remaining"]) == ("released", "5")


def test_an_estimate_is_adjusted_once_and_on_record(server: LiveServer) -> None:
    with server.notebook("adjusted.ipynb") as kernel:
        kernel.do("open", budget="5")
        first = hold(kernel)
        kernel.do("settle", hold_id=first, amount="1", estimated=True, reference="openai/resp_1")
        assert server.state("adjusted.ipynb")["spent"] == "1"
        adjusted = kernel.do("adjust", reference="openai/resp_1", amount="0.25")
        record_id = adjusted["adjustment"].pop("record_id")
        assert adjusted["adjustment"] == {"hold_id": first, "estimate": "1", "spent": "0.25", "overrun": False}
        assert (adjusted["state"]["spent"], server.state("adjusted.ipynb")["spent"]) == ("0.25", "0.25")
        page = server.json("GET", GOVERNANCE + "audit", params={"path": "adjusted.ipynb", "event": "adjust"})
        (record,) = page["records"]
        assert (record["record_id"], record["spent_delta"]) == (record_id, "-0.75")
        assert record["detail"] == {"before": "1", "after": "0.25"}
        for named, code in (({"hold_id": first}, "ADJUSTED_ALREADY"), ({"reference": "openai/resp_2"}, "NOT_FOUND")):
            refused = kernel.do("adjust", amount="0.1", **named)
            assert (refused["ok"], refused["code"]) == (False, code)
        assert server.state("adjusted.ipynb")["spent"] == "0.25"


def test_a_cancelled_hold_gives_its_amount_back(server: LiveServer) -> None:
    with server.notebook("voided.ipynb") as kernel:
        kernel.do("open", budget="5")
        kernel.do("hold", request_id="taken", amount="2")
        assert kernel.do("cancel", of="taken")["voided"] is True
        assert server.state("voided.ipynb")["held"] == "0"
        kept = hold(kernel)
        kernel.do("settle", request_id="settled", hold_id=kept, amount="1")
        assert kernel.do("cancel", of="settled")["voided"] is False, "what is spent is spent"
        assert server.state("voided.ipynb")["spent"] == "1"


def test_a_kernel_cannot_resolve_what_another_holds(server: LiveServer) -> None:
    with server.notebook("mine.ipynb") as mine, server.notebook("theirs.ipynb") as theirs:
        mine.do("open")
        theirs.do("open")
        held = hold(mine)
        refused = theirs.do("settle", hold_id=held, amount="0")
        assert (refused["ok"], refused["code"]) == (False, "NOT_FOUND")


def test_a_kernel_that_is_shut_down(server: LiveServer) -> None:
    with server.notebook("shut.ipynb") as kernel:
        kernel.do("open", budget="5")
        hold(kernel)
        server.request("DELETE", f"api/kernels/{kernel.kernel_id}")
        left(server, "shut.ipynb")


def test_a_kernel_that_is_restarted_and_requests_nothing_more(server: LiveServer) -> None:
    with server.notebook("again.ipynb") as kernel:
        kernel.do("open", budget="5")
        hold(kernel)
        kernel.restart()
        left(server, "again.ipynb")
        kernel.greet()
        kept = hold(kernel, "2")
        assert kernel.do("settle", hold_id=kept, amount="2")["ok"], "what the next process holds is its own"
        assert events(server, "again.ipynb").count("unresolved") == 1


def test_a_kernel_that_is_killed_between_hold_and_settlement(server: LiveServer) -> None:
    with server.notebook("crash.ipynb") as kernel:
        kernel.do("open", budget="5")
        held = hold(kernel)
        kill(kernel)
        until(lambda: server.restarted(kernel.kernel_id), "the kernel is restarted")
        left(server, "crash.ipynb")
        # For the ledger, the restarted kernel is the same kernel, so a late settlement is accepted.
        kernel.reconnect()
        kernel.greet()
        late = kernel.do("settle", hold_id=held, amount="0.5")
        assert (late["state"]["held"], late["state"]["spent"]) == ("0", "0.5")


@pytest.mark.parametrize("argument", ["--AsyncIOLoopKernelRestarter.restart_limit=0", "--KernelManager.autorestart=0"])
def test_a_kernel_that_stays_dead(launch: Callable[..., LiveServer], argument: str) -> None:
    server = launch(argument).start()
    kernel = server.open_notebook("dead.ipynb")
    kernel.greet()
    kernel.do("open", budget="5")
    hold(kernel)
    kill(kernel)
    left(server, "dead.ipynb")
    kernel.close()


def test_a_kernel_that_dies_at_each_of_its_restarts(launch: Callable[..., LiveServer]) -> None:
    restarter = "--AsyncIOLoopKernelRestarter."
    server = launch(f"{restarter}restart_limit=2", f"{restarter}time_to_dead=0.5").start()
    broken = server.home / "broken"
    startup = server.home / "ipython" / "profile_default" / "startup" / "00-broken.py"
    startup.parent.mkdir(parents=True)
    startup.write_text(f"import os\nif os.path.exists({str(broken)!r}): os._exit(1)\n")
    with server.notebook("beside.ipynb") as beside:
        kernel = server.open_notebook("limit.ipynb")
        kernel.greet()
        kernel.do("open", budget="5")
        hold(kernel)
        broken.touch()
        kill(kernel)
        until(lambda: "restart failed" in server.log.read_text(), "the limit of restarts is reached", 60)
        left(server, "limit.ipynb")
        kernel.close()
        assert events(server, "limit.ipynb").count("unresolved") == 1
        assert beside.do("status")["ok"], "others are served as before"
        broken.unlink()
        with server.notebook("limit.ipynb") as again:
            kept = hold(again, "2")
            assert again.do("settle", hold_id=kept, amount="2")["state"]["spent"] == "2", "as is the next kernel"
    assert not server.raised()


def test_the_end_of_a_server(launch: Callable[..., LiveServer]) -> None:
    server = launch().start()
    kernel = server.open_notebook("ended.ipynb")
    kernel.greet()
    kernel.do("open", budget="5")
    hold(kernel)
    server.stop()
    kernel.close()
    assert not server.raised()
    server.start()
    left(server, "ended.ipynb")
    assert events(server, "ended.ipynb").count("unresolved") == 1


def test_the_death_of_a_server(launch: Callable[..., LiveServer]) -> None:
    server = launch().start()
    kernel = server.open_notebook("orphan.ipynb")
    kernel.greet()
    kernel.do("open", budget="5")
    hold(kernel)
    server.kill()
    kernel.close()
    server.start()
    assert events(server, "orphan.ipynb")[0] == "unresolved", "before anybody could ask"
    left(server, "orphan.ipynb")


def test_another_server_of_the_same_root_takes_nothing_for_abandoned(launch: Callable[..., LiveServer]) -> None:
    first = launch().start()
    with first.notebook("two.ipynb") as kernel:
        kernel.do("open", budget="5")
        kept = hold(kernel)
        second = launch().start()
        assert second.state("two.ipynb")["held"] == "1"
        assert "unresolved" not in events(second, "two.ipynb")
        (found,) = second.json("GET", GOVERNANCE + "holds")["holds"]
        assert (found["id"], found["state"]) == (kept, "held")
    second.stop()
