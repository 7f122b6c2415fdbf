"""Requests of a real kernel to a real server: every operation, malformed messages, and what a page sees of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from aumos_governance import __version__
from aumos_governance.wire.protocol import EVENT_SCHEMA_ID
from tests.bridge.live_server import GOVERNANCE, RAW_KERNEL, LiveKernel, LiveServer, until


@pytest.fixture(scope="module")
def shared(server: LiveServer) -> Iterator[LiveKernel]:
    """Yield a kernel for tests that leave it unchanged."""
    with server.notebook("shared.ipynb") as kernel:
        yield kernel


def test_the_whole_path(server: LiveServer) -> None:
    (server.root / "work").mkdir()
    with server.notebook("work/whole.ipynb") as kernel:
        greeting = kernel.run("result(wire.hello())").result
        assert greeting["version"] == __version__
        assert greeting["notebook"] == "work/whole.ipynb"
        assert (greeting["default_budget"], greeting["default_trust_level"]) == ("10", 2)
        assert abs(greeting["server_time"] - time.time()) < 30

        never = kernel.do("status")
        assert (never["state"]["session_id"], never["previous"]) == (None, None)
        denied = kernel.do("spend", amount="0.05")
        assert (denied["ok"], denied["decision"]["allowed"], denied["decision"]["code"]) == (True, False, "NO_SESSION")

        opened = kernel.do("open", trust_level=2, budget="10.0")
        assert (opened["opened"], opened["resumed"], opened["state"]["budget"]) == (True, False, "10")
        for amount in ("0.05", "0.03", "0.12"):
            spent = kernel.do("spend", amount=amount, tool="gpt-4o")
            assert spent["decision"]["allowed"]
        assert (spent["state"]["spent"], spent["state"]["remaining"]) == ("0.2", "9.8")
        too_much = kernel.do("spend", amount="9.81")
        assert too_much["decision"]["code"] == "BUDGET_EXCEEDED"
        assert server.state("work/whole.ipynb") == kernel.do("status")["state"] == too_much["state"]

        again = kernel.do("open", trust_level=2, budget="10.0")
        assert (again["opened"], again["resumed"]) == (False, True)
        records = kernel.do("audit", limit=3)["records"]
        assert [record["event"] for record in records] == ["spend", "spend", "spend"]
        assert [record["outcome"] for record in records] == ["allow", "allow", "deny"]

        closed = kernel.do("close")
        assert (closed["state"]["active"], closed["state"]["spent"]) == (False, "0.2")
        assert server.state("work/whole.ipynb") == closed["state"]
        fresh = kernel.do("open")
        assert (fresh["state"]["spent"], fresh["previous"]["spent"]) == ("0", "0.2")


def test_who_requested_is_recorded(server: LiveServer) -> None:
    with server.notebook("cell.ipynb") as kernel:
        kernel.do("open")
        kernel.do("spend", amount="1", cell={"id": "c-7", "count": 3})
        record = server.json("GET", GOVERNANCE + "audit", params={"path": "cell.ipynb"})["records"][0]
        assert (record["actor"], record["cell"]) == ("kernel", {"id": "c-7", "count": 3})


def test_the_same_request_gets_the_same_response_and_is_not_done_again(server: LiveServer) -> None:
    with server.notebook("retry.ipynb") as kernel:
        kernel.do("open", budget="5")
        kernel.run(
            "ask = wire.request('spend', amount='1')\n"
            "wire.send(ask, ask); wire.wait(ask['id']); wire.send({**ask, 'exp': ask['exp'] + 60})\n"
            "with wire.arrived: wire.arrived.wait_for(lambda: len(wire.responses[ask['id']]) == 3, 20)"
        )
        responses = kernel.run("result(wire.responses[ask['id']])").result
        assert len(responses) == 3
        assert len({response["decision"]["charge_id"] for response in responses}) == 1
        other = kernel.run("wire.responses.clear(); result(wire.do('spend', request_id=ask['id'], amount='2'))").result
        assert (other["ok"], other["code"]) == (False, "IDEMPOTENCY_KEY_REUSED")
        assert server.state("retry.ipynb")["spent"] == "1"


def test_an_expired_request_is_not_done(server: LiveServer) -> None:
    with server.notebook("late.ipynb") as kernel:
        kernel.do("open")
        for op, body in (("spend", {"amount": "1"}), ("status", {}), ("close", {})):
            late = kernel.do(op, ttl=-1, **body)
            assert (late["ok"], late["code"]) == (False, "EXPIRED")
        assert (server.state("late.ipynb")["spent"], server.state("late.ipynb")["active"]) == ("0", True)


def test_a_cancelled_request_is_taken_back(server: LiveServer) -> None:
    with server.notebook("cancel.ipynb") as kernel:
        kernel.do("open", budget="5")
        kernel.do("spend", request_id="taken", amount="2")
        assert kernel.do("cancel", of="taken")["voided"] is True
        assert server.state("cancel.ipynb")["spent"] == "0"
        # The cancel came before the request that it cancels.
        assert kernel.do("cancel", of="later")["ok"] is True
        refused = kernel.do("spend", request_id="later", amount="2")
        assert (refused["ok"], refused["code"]) == (False, "CONFLICT")
        assert server.state("cancel.ipynb")["spent"] == "0"


def test_before_any_hello_nothing_is_done(server: LiveServer) -> None:
    kernel = server.open_notebook("mute.ipynb")
    try:
        kernel.run("import json\ndef result(value): print('<<' + json.dumps(value) + '>>')")
        kernel.run(RAW_KERNEL)
        response = kernel.run(
            "import time\n"
            "for _ in range(50):\n"
            "    try:\n"
            "        ask = wire.request('open'); wire.send(ask); wire.wait(ask['id'], timeout=0.25); break\n"
            "    except TimeoutError: pass\n"
            "result(wire.responses[ask['id']][0])"
        ).result
        assert (response["ok"], response["code"]) == (False, "HELLO_REQUIRED")
        assert server.state("mute.ipynb")["seq"] == 0
        assert kernel.run("result(wire.hello())").result["ok"]
        assert kernel.do("open")["opened"]
    finally:
        kernel.close()
        server.request("DELETE", f"api/kernels/{kernel.kernel_id}")


@pytest.mark.parametrize(
    ("malformed", "code", "word"),
    [
        ({"op": "refund"}, "INVALID_REQUEST", "refund"),
        ({"op": ["spend"]}, "INVALID_REQUEST", "op"),
        ({"exp": "soon"}, "INVALID_REQUEST", "exp"),
        ({"exp": 1e300}, "INVALID_REQUEST", "exp"),
        ({"cell": 7}, "INVALID_REQUEST", "cell"),
        ({"op": "spend"}, "INVALID_REQUEST", "amount"),
        ({"op": "spend", "amount": "nan"}, "INVALID_AMOUNT", "finite"),
        ({"op": "spend", "amount": "-1"}, "INVALID_AMOUNT", "negative"),
        ({"op": "spend", "amount": "0"}, "INVALID_AMOUNT", "more than 0"),
        ({"op": "spend", "amount": "1", "tool": "x" * 1_001}, "INVALID_REQUEST", "tool"),
        ({"op": "spend", "amount": "1", "tol": "x"}, "INVALID_REQUEST", "tol"),
        ({"op": "open", "trust_level": 9}, "INVALID_REQUEST", "trust level"),
        ({"op": "audit", "limit": 0}, "INVALID_REQUEST", "limit"),
        ({"op": "cancel"}, "INVALID_REQUEST", "cancel"),
        ({"op": "hello", "incarnation": ""}, "INVALID_REQUEST", "incarnation"),
    ],
)
def test_a_malformed_request_gets_one_clear_response(
    shared: LiveKernel, malformed: dict[str, object], code: str, word: str
) -> None:
    op = malformed.get("op", "status")
    body = {key: value for key, value in malformed.items() if key != "op"}
    response = shared.run(
        f"bad, good = {{**wire.request('status'), **{body!r}, 'op': {op!r}}}, wire.request('status')\n"
        "wire.send(bad, good)\nresult(wire.wait(bad['id'], good['id']))"
    ).result
    assert (response[0]["ok"], response[0]["code"]) == (False, code)
    assert word in response[0]["message"]
    assert response[1]["ok"] is True, "the other request of the message must not suffer"


@pytest.mark.parametrize(
    ("message", "ids", "word"),
    [
        ({"v": 2, "asks": [{"id": "v2", "op": "status"}]}, ["v2"], "version"),
        ({"v": True, "asks": []}, [None], "version"),
        ({"asks": []}, [None], "version"),
        ({"v": 1}, [None], "asks"),
        ({"v": 1, "asks": {"id": "x"}}, [None], "asks"),
        ({"v": 1, "asks": [{"id": f"n{n}"} for n in range(1_001)]}, ["n0", "n999"], "1000"),
        ({"v": 1, "asks": [None, "x", {"op": "status"}]}, [None], "object"),
    ],
    ids=[
        "version 2",
        "version true",
        "no version",
        "no asks",
        "asks no list",
        "too many",
        "no asks at all",
    ],
)
def test_a_garbled_message_gets_one_clear_response(
    shared: LiveKernel, message: dict[str, object], ids: list[object], word: str
) -> None:
    shared.run("wire.responses.clear()")
    responses = shared.run(f"wire.comm.send(json.loads({json.dumps(message)!r}))\nresult(wire.wait(*{ids!r}))").result
    for response in responses:
        assert (response["ok"], response["code"]) == (False, "INVALID_REQUEST")
        assert word in response["message"]
    assert shared.do("status")["ok"] is True


def test_requests_that_come_together_get_their_responses_together(shared: LiveKernel) -> None:
    responses = shared.run(
        "asks = [wire.request('hello', incarnation='i', version='0', python='3') for _ in range(500)]\n"
        "wire.send(*asks)\nresult(sorted({answer['in'] for answer in wire.wait(*[ask['id'] for ask in asks])}))"
    ).result
    assert len(responses) <= 3


def test_a_change_reaches_every_page(server: LiveServer) -> None:
    with server.notebook("events.ipynb") as kernel, server.events() as stream:
        opened = kernel.do("open", budget="5")["state"]

        def next_event() -> dict[str, object]:
            while True:
                event = json.loads(stream.recv())
                if event["schema_id"] == EVENT_SCHEMA_ID and event["path"] == "events.ipynb":
                    return {name: value for name, value in event.items() if name in opened}

        assert next_event() == opened
        spent = kernel.do("spend", amount="1")["state"]
        assert next_event() == spent
        changed = server.json("PATCH", GOVERNANCE + "state", params={"path": "events.ipynb"}, json={"budget": "3"})
        assert next_event() == changed


def test_a_user_tightens_and_the_kernel_cannot_loosen(server: LiveServer) -> None:
    with server.notebook("person.ipynb") as kernel:
        kernel.do("open", budget="10")
        changed = server.json("PATCH", GOVERNANCE + "state", params={"path": "person.ipynb"}, json={"budget": "5"})
        wished = kernel.do("open", budget="10")
        assert wished["state"]["budget"] == "5"
        assert changed["set_by"] in wished["notes"][0]
        assert kernel.do("spend", amount="5.01")["decision"]["allowed"] is False


def test_eight_threads_never_overspend(server: LiveServer) -> None:
    with server.notebook("threads.ipynb") as kernel:
        kernel.do("open", budget="5")
        allowed = kernel.run(
            "from concurrent.futures import ThreadPoolExecutor\n"
            "def spend(_): return wire.do('spend', amount='0.01')['decision']['allowed']\n"
            "with ThreadPoolExecutor(8) as pool: result(sum(pool.map(spend, range(1000))))"
        ).result
        assert allowed == 500
        state = server.state("threads.ipynb")
        assert (state["spent"], state["remaining"], state["over"]) == ("5", "0", "0")


def test_two_thousand_requests_leave_the_kernel_busy_and_its_output_whole(server: LiveServer) -> None:
    with server.notebook("busy.ipynb") as kernel:
        kernel.do("open", budget="1000")
        cell = kernel.submit(
            "for number in range(500):\n"
            "    print('line', number)\n"
            "    for _ in range(4): answer = wire.do('spend', amount='0.01')\n"
            "result(answer['state']['spent'])"
        )
        until(lambda: server.state("busy.ipynb")["spent"] != "0", "the asks began")
        seen = []
        while server.state("busy.ipynb")["spent"] != "20":
            seen.append(server.kernel_state(kernel.kernel_id))
            # Polling without a pause would take the server's only core from the requests.
            time.sleep(0.05)
        # The last poll may come after the end of the cell.
        assert set(seen[:-1]) == {"busy"}
        assert len(seen) > 5
        done = kernel.collect(cell)
        assert done.result == "20"
        assert [line for line in done.text.splitlines() if line.startswith("line ")] == [
            f"line {n}" for n in range(500)
        ]
        idle = [message for message in done.messages if message["content"].get("execution_state") == "idle"]
        assert len(idle) == 1


def test_a_chatty_kernel_neither_loses_nor_delays_requests(server: LiveServer) -> None:
    with server.notebook("chatty.ipynb") as kernel:
        kernel.do("open", budget="1000")
        # The flood exceeds the server's buffer for pages, so the figures are returned in a file.
        kernel.submit(
            "import time\n"
            "for number in range(20_000): wire.kernel.session.send(wire.kernel.iopub_socket, 'display_data',\n"
            "    {'data': {'text/plain': str(number)}, 'metadata': {}}, ident=b'kernel.display_data')\n"
            "times = []\n"
            "for _ in range(20):\n"
            "    began = time.perf_counter(); assert wire.do('spend', amount='0.01')['decision']['allowed']\n"
            "    times.append(time.perf_counter() - began)\n"
            "with open('times.new', 'w') as out: json.dump(times, out)\n"
            "import os; os.rename('times.new', 'times.json')"
        )
        written = server.root / "times.json"
        until(written.exists, "all asks were answered", 60)
        assert server.state("chatty.ipynb")["spent"] == "0.2"
        times = json.loads(written.read_text())
        # A flood that went through the channel of governance took seconds; this one does not.
        assert max(times) < 2.0
        assert sorted(times)[10] < 0.5
