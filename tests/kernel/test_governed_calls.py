"""A governed client in a kernel of a real server: charged to the notebook, and nothing stays held when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.bridge.live_server import LiveServer, until
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.kernel.real_kernel import Kernel
from tests.kernel.test_governed import notebook

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


@pytest.fixture(scope="module", params=["socket", "comm"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Whichever way the asks go."""
    home = tmp_path_factory.mktemp(request.param)
    live = LiveServer(home, f"--GovernanceExtension.local_socket={request.param == 'socket'}")
    try:
        yield live.start()
    finally:
        live.close()


@pytest.fixture
def provider() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


def prepared(kernel: Kernel, provider: Endpoint) -> None:
    outcome = kernel.run(CLIENT.format(url=provider.openai_url))
    assert outcome.status == "ok", outcome


def settled(server: LiveServer, path: str) -> str:
    """What the notebook has spent once nothing is held in it any more."""
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


def test_what_a_kernel_leaves_behind_is_an_estimate(server: LiveServer, provider: Endpoint) -> None:
    provider.default = Reply(pause_after=2)
    with notebook(server, "left.ipynb") as (kernel, _):
        prepared(kernel, provider)
        assert kernel.run(STREAM).status == "ok"
        assert kernel.run("del stream, chunk\nimport gc; gc.collect();").status == "ok"
        first = settled(server, "left.ipynb")
        assert kernel.run(STREAM).status == "ok"
        assert server.state("left.ipynb")["held"] == first
    # The kernel has ended meanwhile, in the regular way.
    until(lambda: server.state("left.ipynb")["spent"] == str(2 * Decimal(first)), "the last stream is settled")
    records = server.json("GET", "aumos-governance/v1/audit?path=left.ipynb&event=settle")["records"]
    assert [record["detail"] for record in records] == [{"estimated": True}] * 2
    assert server.json("GET", "aumos-governance/v1/holds?path=left.ipynb")["holds"] == []
