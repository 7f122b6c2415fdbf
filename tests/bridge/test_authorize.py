"""Governed actions over the wire, on a server whose ledger responds in the thread of the request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.bridge.live_server import GOVERNANCE, LiveKernel, LiveServer, until

ACT = 'amount="0.5", tool="shell", shown={"tool": "shell", "code": "rm -r build"}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run a server with its ledger in memory and a short time for approvals."""
    live = LiveServer(
        tmp_path_factory.mktemp("server"),
        "--GovernanceExtension.database_url=memory://",
        "--GovernanceExtension.approval_timeout=7",
    )
    try:
        yield live.start()
    finally:
        live.close()


def send(kernel: LiveKernel, request_id: str, body: str = ACT) -> None:
    kernel.run(f"wire.send(wire.request('authorize', request_id={request_id!r}, {body}))")


def responses_to(kernel: LiveKernel, request_id: str, final: bool) -> list[dict[str, Any]]:
    """Return all messages for this request, once there is a response, or with ``final`` false a waiting message."""
    code = f"result([answer for answer in wire.responses.get({request_id!r}, ())])"

    def heard() -> list[dict[str, Any]]:
        responses: list[dict[str, Any]] = kernel.run(code).result
        return responses if any(("waiting" in response) is not final for response in responses) else []

    found: list[dict[str, Any]] = until(heard, "there is a response")
    return found


def approve(server: LiveServer, waiting: dict[str, Any]) -> None:
    body = {"decision": "approve", "digest": waiting["digest"]}
    server.json("POST", f"{GOVERNANCE}approvals/{waiting['approval_id']}", json=body)


def test_an_act_waits_and_says_so_until_it_is_approved(server: LiveServer) -> None:
    with server.notebook("act.ipynb") as kernel:
        kernel.do("open", trust_level=3, budget="5")
        send(kernel, "one")
        waiting = responses_to(kernel, "one", final=False)[0]["waiting"]
        send(kernel, "one")
        until(lambda: len(responses_to(kernel, "one", final=False)) == 2, "each copy is answered")
        approve(server, waiting)
        response = responses_to(kernel, "one", final=True)[-1]
        assert (response["decision"]["allowed"], response["state"]["held"]) == (True, "0.5")
        assert kernel.do("settle", hold_id=response["hold_id"], amount="0.5")["state"]["spent"] == "0.5"


def test_a_cancelled_act_requests_no_approval(server: LiveServer) -> None:
    with server.notebook("cancelled.ipynb") as kernel:
        kernel.do("open", trust_level=3, budget="5")
        send(kernel, "two")
        responses_to(kernel, "two", final=False)
        assert kernel.do("cancel", of="two", act=True)["voided"] is True
        assert responses_to(kernel, "two", final=True)[-1]["decision"]["code"] == "APPROVAL_WITHDRAWN"
        assert server.json("GET", GOVERNANCE + "approvals")["approvals"] == []


def test_the_server_says_how_long_a_user_has(server: LiveServer) -> None:
    with server.notebook("late.ipynb") as kernel:
        kernel.do("open", trust_level=3, budget="5")
        send(kernel, "three")
        responses = responses_to(kernel, "three", final=True)
        assert responses[-1]["decision"]["code"] == "APPROVAL_TIMEOUT"
        assert all("waiting" in response for response in responses[:-1])


def test_a_kernel_speaks_for_its_own_reports_alone(server: LiveServer) -> None:
    with server.notebook("mine.ipynb") as mine, server.notebook("theirs.ipynb") as theirs:
        for kernel in (mine, theirs):
            kernel.do("open", trust_level=4, budget="5")
            send(kernel, "four")
        report = responses_to(mine, "four", final=True)[0]["report_id"]
        hold = responses_to(theirs, "four", final=True)[0]["hold_id"]
        theirs.do("settle", hold_id=hold, amount="0.5", report_id=report, result="theirs")
        (listed,) = server.json("GET", GOVERNANCE + "reports", params={"path": "mine.ipynb"})["reports"]
        assert listed["shown"]["result"] is None
