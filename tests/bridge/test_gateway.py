"""The gateway on a real server: unmodified libraries in a kernel without a provider's key or governance code."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.bridge.live_server import GOVERNANCE, LiveServer, until
from tests.integrations.endpoint.server import Endpoint

PROVIDER_KEY = "sk-provider-the-real-one"
CHAT = """
import openai
client = {client}
response = client.chat.completions.create(
    model="gpt-4o-mini", max_tokens=50, messages=[{{"role": "user", "content": "Hello"}}]
)
result([response.choices[0].message.content, response.usage.prompt_tokens, response.usage.completion_tokens])
"""
MESSAGE = """
import anthropic
message = anthropic.Anthropic().messages.create(
    model="claude-haiku-4-5", max_tokens=50, messages=[{"role": "user", "content": "Hello"}]
)
result([message.content[0].text, message.usage.input_tokens, message.usage.output_tokens])
"""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as found:
        yield found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, endpoint: Endpoint) -> Iterator[LiveServer]:
    """Run a server whose environment has the provider's key, and that of a provider that is not configured."""
    home = tmp_path_factory.mktemp("gateway")
    keys = {"OPENAI_API_KEY": PROVIDER_KEY, "ANTHROPIC_AUTH_TOKEN": PROVIDER_KEY, "GROQ_API_KEY": "gsk-foreign"}
    live = LiveServer(home, environment=keys)
    providers = {
        "openai": {"key_env": "OPENAI_API_KEY", "base_url": endpoint.openai_url, "provider": "openai"},
        "anthropic": {"key_env": "ANTHROPIC_AUTH_TOKEN", "base_url": endpoint.anthropic_url},
    }
    (home / "config" / "jupyter_server_config.py").write_text(f"c.GovernanceExtension.providers = {providers!r}\n")
    try:
        yield live.start()
    finally:
        live.close()
    assert PROVIDER_KEY not in live.log.read_text()
    assert "sk-aumos-" not in live.log.read_text()


def spent(server: LiveServer, path: str) -> str:
    """Return the amount spent as text, in nano-dollars, once no hold is open."""
    until(lambda: server.state(path)["held"] == "0", "nothing is held")
    return str(server.state(path)["spent"])


def records(server: LiveServer, path: str, event: str) -> list[dict[str, Any]]:
    page = server.json("GET", GOVERNANCE + "audit", params={"path": path, "event": event})
    return list(page["records"])


def cost(tokens: list[int], into: int, out: int) -> str:
    """Return the exact cost in USD of input and output tokens, whose prices are in nano-dollars each."""
    nano = tokens[0] * into + tokens[1] * out
    return str(Decimal(nano).scaleb(-9).normalize())


def test_a_kernel_has_a_key_of_ours_in_place_of_the_providers(server: LiveServer) -> None:
    with server.notebook("environment.ipynb") as kernel:
        found = kernel.run("import os; result(dict(os.environ))").result
        assert PROVIDER_KEY not in found.values()
        assert found["OPENAI_API_KEY"].startswith("sk-aumos-")
        assert found["OPENAI_API_KEY"] == found["ANTHROPIC_API_KEY"] == found["AUMOS_GOVERNANCE_KEY"]
        assert "ANTHROPIC_AUTH_TOKEN" not in found
        assert found["GROQ_API_KEY"] == "gsk-foreign"
        address = server.json("GET", GOVERNANCE + "config")["gateway"]["address"]
        assert found["OPENAI_BASE_URL"] == f"{address}/llm/openai/v1"
        assert found["ANTHROPIC_BASE_URL"] == f"{address}/llm/anthropic"


def test_stock_clients_are_charged_without_a_line_of_code(server: LiveServer, endpoint: Endpoint) -> None:
    with server.notebook("stock.ipynb") as kernel:
        kernel.do("open", trust_level=2, budget="5")
        before = endpoint.count
        _, *tokens = kernel.run(CHAT.format(client="openai.OpenAI()")).result
        # gpt-4o-mini: $0.15 and $0.60 a million tokens.
        assert spent(server, "stock.ipynb") == cost(tokens, 150, 600)
        kernel.run(MESSAGE)
        until(lambda: len(records(server, "stock.ipynb", "settle")) == 2, "both calls are settled")
        assert endpoint.count == before + 2
        keys = [exchange.received.headers.get("authorization", "") for exchange in endpoint.exchanges[before:]]
        assert keys[0] == f"Bearer {PROVIDER_KEY}"
        assert "sk-aumos-" not in str([exchange.received.headers for exchange in endpoint.exchanges[before:]])


def test_without_a_session_a_stock_client_is_denied(server: LiveServer, endpoint: Endpoint) -> None:
    with server.notebook("denied.ipynb") as kernel:
        before = endpoint.count
        seen = kernel.run(
            "import openai\n"
            "try:\n"
            "    openai.OpenAI().chat.completions.create(model='gpt-4o-mini', max_tokens=5, messages=[])\n"
            "except openai.APIStatusError as error:\n"
            "    result([error.status_code, str(error)])"
        ).result
        assert seen[0] == 402
        assert endpoint.count == before


def test_a_governed_client_of_the_gateway_is_charged_once(server: LiveServer) -> None:
    with server.notebook("once.ipynb") as kernel:
        kernel.run("%load_ext aumos_governance.jupyter_extension\n%governance --budget 5")
        kernel.run("from aumos_governance.integrations.clients import govern")
        _, *tokens = kernel.run(CHAT.format(client="govern(openai.OpenAI())")).result
        assert spent(server, "once.ipynb") == cost(tokens, 150, 600)
        assert len(records(server, "once.ipynb", "hold")) == 1
        shown = kernel.run("result(repr(client))").result
        assert "charged by the gateway at http://127.0.0.1:" in shown


def test_a_call_is_recorded_with_its_cell_where_the_magics_are_loaded(server: LiveServer) -> None:
    with server.notebook("cells.ipynb") as kernel:
        kernel.run("%load_ext aumos_governance.jupyter_extension\n%governance --budget 5")
        count = kernel.run("result(get_ipython().displayhook.prompt_count)").result
        for number in (1, 2):
            kernel.run(CHAT.format(client="openai.OpenAI()"))
            until(lambda number=number: len(records(server, "cells.ipynb", "settle")) == number, "the call is settled")
        held = records(server, "cells.ipynb", "hold")
        settled = records(server, "cells.ipynb", "settle")
        assert sorted(record["cell"]["count"] for record in held) == [count + 1, count + 2]
        assert sorted(record["cell"]["count"] for record in settled) == [count + 1, count + 2]


def test_without_the_magics_it_is_recorded_with_the_kernel_alone(server: LiveServer) -> None:
    with server.notebook("kernel.ipynb") as kernel:
        kernel.do("open", trust_level=2, budget="5")
        kernel.run(CHAT.format(client="openai.OpenAI()"))
        until(lambda: records(server, "kernel.ipynb", "settle"), "the call is settled")
        (held,) = records(server, "kernel.ipynb", "hold")
        assert (held["cell"]["count"], held["actor"]) == (None, "kernel")


def test_a_key_of_a_provider_that_is_not_configured_is_pointed_out(server: LiveServer) -> None:
    with server.notebook("foreign.ipynb") as kernel:
        found = server.json("GET", GOVERNANCE + "kernels")["kernels"]
        (body,) = [each for each in found if each["id"] == kernel.kernel_id]
        assert body["foreign_keys"] == ["GROQ_API_KEY"]
        kernel.run("%load_ext aumos_governance.jupyter_extension\n%governance --budget 5")
        shown = str(kernel.run("%governance_status").messages)
        assert "Not governed: GROQ_API_KEY is a provider" in shown
        assert "gsk-foreign" not in shown
        assert "Gateway: http://127.0.0.1:" in shown
