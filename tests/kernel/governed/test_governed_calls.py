"""A governed client in a kernel of a real server: its calls are charged to the notebook, and all its holds end."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.live_server import GOVERNANCE, LiveServer, until
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.wire import http
from tests.kernel.governed_kernel import connected, notebook, stopped
from tests.kernel.real_kernel import Kernel, meanwhile

CLIENT = """
%governance --trust-level 2 --budget 1
from openai import AsyncOpenAI, OpenAI
from aumos_governance import govern
address = {{"base_url": {url!r}, "api_key": "key", "max_retries": 0}}
client = govern(OpenAI(**address))
asked = {{"model": "gpt-4o", "messages": [{{"role": "user", "content": "Hello"}}], "max_tokens": 50}}
"""
CALL = "client.chat.completions.create(**asked)"
STREAM = "stream = client.chat.completions.create(**asked, stream=True)\nchunk = next(iter(stream))"


@pytest.fixture
def provider() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


def prepared(kernel: Kernel, provider: Endpoint) -> None:
    outcome = kernel.run(CLIENT.format(url=provider.openai_url))
    assert outcome.status == "ok", outcome


def settled(server: LiveServer, path: str) -> str:
    """Wait until nothing is held in the notebook, and return what is spent."""
    state = until(lambda: (state := server.state(path))["held"] == "0" and state, "nothing is held")
    return str(state["spent"])


def test_calls_are_charged_to_the_notebook(server: LiveServer, provider: Endpoint) -> None:
    with notebook(server, "calls.ipynb") as (kernel, _):
        prepared(kernel, provider)
        assert kernel.run(CALL).status == "ok"
        assert server.state("calls.ipynb")["spent"] == "0.0000975"
        assert kernel.run("for chunk in client.chat.completions.create(**asked, stream=True): pass").status == "ok"
        many = (
            "import asyncio\nclients = govern(AsyncOpenAI(**address))\n"
            "await asyncio.gather(*(clients.chat.completions.create(**asked) for _ in range(8)));"
        )
        assert kernel.run(many).status == "ok"
        state = server.state("calls.ipynb")
        assert (state["spent"], state["held"]) == ("0.000975", "0")
        denied = kernel.run("client.chat.completions.create(**asked | {'max_tokens': 200_000})")
        assert (denied.status, denied.ename) == ("error", "GovernanceDeniedError")
        assert provider.count == 10


REFUSED = """
for call in (
    lambda: client.chat.completions.create(**asked | {"model": "ours"}),
    lambda: client.post("/batches?key=secret", body={"model": "gpt-4o"}, cast_to=object),
):
    try:
        call()
    except Exception as error:
        print(type(error).__name__)
try:
    await govern(AsyncOpenAI(**address), agent_id="planner").chat.completions.create(**asked | {"model": "ours"})
except Exception as error:
    print(type(error).__name__)
"""


def test_a_call_that_could_not_be_decided_is_refused_and_on_record(server: LiveServer, provider: Endpoint) -> None:
    with notebook(server, "refused.ipynb") as (kernel, _):
        prepared(kernel, provider)
        assert kernel.run(REFUSED, cell_id="refusing").lines == ["ConfigurationError"] * 3
    records = server.json("GET", "aumos-governance/v1/audit?path=refused.ipynb&outcome=deny")["records"][::-1]
    assert [(one["code"], one["tool"], one["action_type"], one["agent_id"]) for one in records] == [
        ("PRICE_UNKNOWN", "ours", "chat.completions", None),
        ("METHOD_UNKNOWN", "gpt-4o", "POST /batches", None),
        ("PRICE_UNKNOWN", "ours", "chat.completions", "planner"),
    ]
    assert {(one["event"], one["actor"], one["cell"]["id"], one["amount"]) for one in records} == {
        ("evaluate", "kernel", "refusing", "0")
    }
    assert all(one["cell"]["count"] and "Hello" not in str(one) and "secret" not in str(one) for one in records)
    state = server.state("refused.ipynb")
    assert (state["spent"], state["held"], provider.count) == ("0", "0", 0)


def test_without_a_server_a_refusal_is_on_the_kernel_s_own_record(kernel: Kernel, provider: Endpoint) -> None:
    prepared(kernel, provider)
    assert kernel.run(REFUSED).lines == ["ConfigurationError"] * 3
    entries = (
        "from aumos_governance import notebook_engine\nprint(*(one.code for one in notebook_engine().audit.entries()))"
    )
    assert kernel.run(entries).lines == ["None PRICE_UNKNOWN METHOD_UNKNOWN PRICE_UNKNOWN"]


def test_what_a_kernel_leaves_behind_is_an_estimate(server: LiveServer, provider: Endpoint) -> None:
    provider.default = Reply(pause_after=2)
    with notebook(server, "left.ipynb") as (kernel, _):
        prepared(kernel, provider)
        assert kernel.run(STREAM).status == "ok"
        assert kernel.run("del stream, chunk\nimport gc; gc.collect();").status == "ok"
        first = settled(server, "left.ipynb")
        assert kernel.run(STREAM).status == "ok"
        held = Decimal(server.state("left.ipynb")["held"])
        # A stream that broke off is charged for what arrived, which is less than the hold.
        assert 0 < Decimal(first) < held
    # The kernel was shut down regularly at the end of the block.
    until(lambda: server.state("left.ipynb")["held"] == "0", "the last stream is settled")
    assert Decimal(server.state("left.ipynb")["spent"]) == 2 * Decimal(first)
    records = server.json("GET", "aumos-governance/v1/audit?path=left.ipynb&event=settle")["records"]
    assert [record["detail"] for record in records] == [{"estimated": True}] * 2
    assert server.json("GET", "aumos-governance/v1/holds?path=left.ipynb")["holds"] == []


COST = Decimal("0.0000975")
REQUEST_AFTER = """
from aumos_governance import notebook_engine
from aumos_governance.kernel.requests.connection import connect
budget = notebook_engine().budget
budget.create_budget("llm", 1, "lifetime")
mine = govern(OpenAI(**address), budget_category="llm")
told = []
for _ in range(15):
    mine.chat.completions.create(**asked)
    balance = budget.balance("llm")
    told.append((balance.spent, balance.held))
for _ in range(15):
    mine.chat.completions.create(**asked)
    state = connect(get_ipython()).client.request("status")["state"]
    told.append((state["spent"], state["held"]))
print(*(f"{spent} {held}" for spent, held in told), sep="\\n")
"""


def holds(server: LiveServer, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.json("GET", f"aumos-governance/v1/holds?path={path}")["holds"]
    return found


def test_a_request_right_after_a_call_sees_what_it_cost(server: LiveServer, provider: Endpoint) -> None:
    with notebook(server, "after.ipynb") as (kernel, _):
        prepared(kernel, provider)
        outcome = kernel.run(REQUEST_AFTER)
        assert outcome.status == "ok", outcome
        seen = [tuple(map(Decimal, line.split())) for line in outcome.lines]
        assert seen == [(COST * number, Decimal(0)) for number in range(1, 31)]
        shown = kernel.run(f"{CALL};\n%governance_status").displays
        assert "$0.0030225 spent" in str(shown[-1]["text/plain"])


def test_when_a_cell_has_ended_the_server_knows_what_it_cost(server: LiveServer, provider: Endpoint) -> None:
    with notebook(server, "ended.ipynb") as (kernel, _):
        prepared(kernel, provider)
        for number in range(1, 16):
            assert kernel.run(f"{CALL};").status == "ok"
            state = server.state("ended.ipynb")
            assert (Decimal(state["spent"]), state["held"]) == (COST * number, "0")


def test_a_kernel_that_dies_once_a_call_has_returned_leaves_its_cost_or_its_hold(
    server: LiveServer, provider: Endpoint
) -> None:
    with notebook(server, "killed.ipynb") as (kernel, _):
        prepared(kernel, provider)
        kernel.client.execute(f"import os, signal\n{CALL}\nos.kill(os.getpid(), signal.SIGKILL)")
        provider.wait_received(1)

        def accounted() -> bool:
            state = server.state("killed.ipynb")
            settled = (Decimal(state["spent"]), state["held"]) == (COST, "0")
            open_holds = [hold["state"] for hold in holds(server, "killed.ipynb")]
            return settled or (Decimal(state["held"]) >= COST and open_holds == ["unresolved"])

        until(accounted, "the call is settled, or its hold unresolved", 30)


def test_a_call_gets_its_response_while_the_server_stands_and_settled_when_it_goes_on(
    server: LiveServer, provider: Endpoint, tmp_path: Path
) -> None:
    provider.default = Reply(pause_after=0)
    returned = tmp_path / "returned"

    def stop_it() -> None:
        provider.wait_received(1)
        with stopped(server):
            provider.release()
            until(returned.exists, "the call has returned")

    with notebook(server, "stands.ipynb") as (kernel, _):
        prepared(kernel, provider)
        with meanwhile(stop_it):
            assert kernel.run(f"{CALL}\nopen({str(returned)!r}, 'w').close()").status == "ok"
        state = server.state("stands.ipynb")
        assert (Decimal(state["spent"]), state["held"]) == (COST, "0")


def test_an_interrupted_call_is_an_estimate(server: LiveServer, provider: Endpoint) -> None:
    provider.default = Reply(pause_after=0)
    held: list[str] = []

    def interrupt(kernel_id: str) -> None:
        provider.wait_received(1)
        held.append(server.state("interrupted-call.ipynb")["held"])
        server.request("POST", f"api/kernels/{kernel_id}/interrupt")

    with notebook(server, "interrupted-call.ipynb") as (kernel, kernel_id):
        prepared(kernel, provider)
        with meanwhile(lambda: interrupt(kernel_id)):
            outcome = kernel.run(CALL)
        assert (outcome.status, outcome.ename) == ("error", "KeyboardInterrupt")
        assert Decimal(held[0]) > 0
        assert [settled(server, "interrupted-call.ipynb")] == held
        records = server.json("GET", "aumos-governance/v1/audit?path=interrupted-call.ipynb&event=settle")["records"]
        assert [record["detail"] for record in records] == [{"estimated": True}]
        assert holds(server, "interrupted-call.ipynb") == []


BACKGROUND = """
import HTTP as http
state = {"status": "queued", "usage": None, "output": []}
def respond(request):
    told = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-4o", "background": True, "tools": []}
    return http.Response(200, json={**told, "parallel_tool_calls": True, "tool_choice": "auto", **state})
here = http.Client(transport=http.MockTransport(respond))
client = govern(OpenAI(**address, http_client=here))
""".replace("HTTP", http.__name__)
DONE = """
state |= {"status": "completed", "usage": {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}}
client.responses.retrieve("resp_1").status
"""


def adjustments(server: LiveServer, path: str) -> list[str]:
    page = server.json("GET", GOVERNANCE + "audit", params={"path": path, "event": "adjust"})
    return [record["detail"]["after"] for record in page["records"]]


def test_a_polled_background_response_is_adjusted(server: LiveServer, provider: Endpoint) -> None:
    with notebook(server, "background.ipynb") as (kernel, _):
        prepared(kernel, provider)
        assert kernel.run(BACKGROUND).status == "ok"
        assert kernel.run("client.responses.create(model='gpt-4o', input='x', background=True).status").status == "ok"
        assert settled(server, "background.ipynb") != "0.000225"
        for _ in range(2):
            assert kernel.run(DONE).status == "ok"
            assert settled(server, "background.ipynb") == "0.000225"
        assert adjustments(server, "background.ipynb") == ["0.000225"]


def test_the_kernel_after_a_restart_adjusts_it_too(server: LiveServer, provider: Endpoint) -> None:
    with notebook(server, "polled.ipynb") as (kernel, kernel_id):
        prepared(kernel, provider)
        assert kernel.run(BACKGROUND).status == "ok"
        assert kernel.run("client.responses.create(model='gpt-4o', input='x', background=True).status").status == "ok"
        settled(server, "polled.ipynb")
        server.json("POST", f"api/kernels/{kernel_id}/restart")
        with connected(server, kernel_id) as again:
            prepared(again, provider)
            assert again.run(BACKGROUND + DONE).status == "ok"
            assert settled(server, "polled.ipynb") == "0.000225"
            assert adjustments(server, "polled.ipynb") == ["0.000225"]
