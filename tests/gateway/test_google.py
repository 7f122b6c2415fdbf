"""google-genai, unmodified, through the gateway."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from google import genai
from google.genai import errors
from pydantic_ai import Agent
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.providers.google import GoogleProvider

from tests.gateway.gateway_server import PROVIDER_KEY, SECRET, GatewayServer
from tests.integrations.endpoint.replies import Reply, Tokens
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.google.charges import price_of
from tests.integrations.google.library import MODEL, PROGRAMS, QUESTION, TEXT, USED, client
from tests.integrations.till import needs_prices_of_0_2, priced
from tests.integrations.wire import http

# google-genai makes a subclass of aiohttp's session, and aiohttp warns about that.
pytestmark = [needs_prices_of_0_2, pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")]
COST = priced(MODEL, {"input_tokens": 11, "output_tokens": 12}, provider="google")
BODY: dict[str, Any] = {"contents": [{"parts": [{"text": QUESTION}]}]}


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_request_of_a_program_costs_what_it_used(name: str, server: GatewayServer) -> None:
    program = PROGRAMS[name]
    server.endpoint.script(*program.replies)
    assert program.run(client(server.google_url, SECRET)) == program.got
    assert server.spent == price_of(program)
    assert server.events() == (["hold", "settle"] * len(program.replies) if program.model else [])
    for exchange in server.endpoint.exchanges:
        assert exchange.received.headers["x-goog-api-key"] == PROVIDER_KEY
        assert SECRET not in str(exchange.received)


def test_the_environment_alone_is_enough(server: GatewayServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.google_url)
    monkeypatch.setenv("GEMINI_API_KEY", SECRET)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    server.endpoint.default = Reply(usage=USED)
    library = genai.Client()
    assert library.models.generate_content(model=MODEL, contents=QUESTION).text == TEXT
    assert server.spent == COST


def test_a_framework_that_uses_the_library_is_charged_as_well(server: GatewayServer) -> None:
    server.endpoint.default = Reply(usage=USED)
    library = client(server.google_url, SECRET)

    async def run() -> str:
        model = GoogleModel(MODEL, provider=GoogleProvider(client=library))
        try:
            return (await Agent(model).run(QUESTION)).output
        finally:
            await library.aio.aclose()

    assert asyncio.run(run()) == TEXT
    assert server.spent == COST


def test_a_key_in_the_address_is_taken_and_not_sent_on(server: GatewayServer) -> None:
    server.endpoint.default = Reply(usage=USED)
    url = f"{server.google_url}/v1beta/models/{MODEL}:generateContent?key={SECRET}"
    assert http.post(url, json=BODY).status_code == 200
    assert server.spent == COST
    [exchange] = server.endpoint.exchanges
    assert "key=" not in exchange.received.path
    assert http.post(url.replace(SECRET, "AIzaOther"), json=BODY).status_code == 401


def test_a_stream_that_is_an_array_is_passed_on_and_charged(server: GatewayServer) -> None:
    server.endpoint.default = Reply(usage=USED)
    url = f"{server.google_url}/v1beta/models/{MODEL}:streamGenerateContent"
    response = http.post(url, json=BODY, headers={"x-goog-api-key": SECRET})
    pieces = json.loads(response.content)
    assert "".join(piece["candidates"][0]["content"]["parts"][0]["text"] for piece in pieces) == TEXT
    assert server.spent == COST
    assert server.events() == ["hold", "settle"]


def test_an_array_goes_on_to_the_client_as_it_comes(server: GatewayServer) -> None:
    server.endpoint.default = Reply(usage=USED, pause_after=1)
    url = f"{server.google_url}/v1beta/models/{MODEL}:streamGenerateContent"
    with http.stream("POST", url, json=BODY, headers={"x-goog-api-key": SECRET}) as response:
        chunks = response.iter_raw()
        assert next(chunks).startswith(b"[{")
        server.endpoint.release()
        b"".join(chunks)
    assert server.spent == COST


def test_a_stream_that_breaks_off_is_charged_as_far_as_it_came(server: GatewayServer) -> None:
    server.endpoint.script(Reply(usage=USED, error_after=3))
    library = client(server.google_url, SECRET)
    with pytest.raises(errors.APIError):
        list(library.models.generate_content_stream(model=MODEL, contents=QUESTION))
    assert server.spent == priced(MODEL, {"input_tokens": 11, "output_tokens": 3 + 5}, provider="google")
    assert server.events() == ["hold", "estimated"]


def test_a_denial_is_an_error_of_the_library_that_says_what_to_do(endpoint: Endpoint) -> None:
    with GatewayServer(endpoint, budget="0.000001") as server:
        library = client(server.google_url, SECRET)
        with pytest.raises(errors.ClientError) as raised:
            library.models.generate_content(model=MODEL, contents=QUESTION)
    assert (raised.value.code, raised.value.status) == (402, "FAILED_PRECONDITION")
    assert "raise the budget in the Governance panel" in str(raised.value)
    assert endpoint.count == 0


def test_an_error_of_googles_costs_nothing_and_is_passed_on(server: GatewayServer) -> None:
    server.endpoint.default = Reply(status=400)
    library = client(server.google_url, SECRET)
    with pytest.raises(errors.ClientError, match="INVALID_ARGUMENT"):
        library.models.generate_content(model=MODEL, contents=QUESTION)
    assert server.spent == 0
    assert server.events() == ["hold", "release"]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/v1beta/cachedContents", "billed by the hour"),
        ("/v1beta/models/gemini-2.5-flash:batchGenerateContent", "one by one"),
        ("/v1beta/interactions", "generateContent"),
        (f"/v1beta/models/{MODEL}:generateContent?fields=candidates", "would not state its usage"),
        (f"/v1beta/models/{MODEL}:generateContent?alt=proto", "alt"),
        ("/v1beta/fileSearchStores", "several users share its key"),
    ],
)
def test_what_may_cost_something_unknown_is_refused_in_googles_shape(
    server: GatewayServer, path: str, why: str
) -> None:
    response = http.post(server.google_url + path, json=BODY, headers={"x-goog-api-key": SECRET})
    assert response.status_code == 400
    assert response.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert why in response.json()["error"]["message"]
    assert "govern(" not in response.json()["error"]["message"]
    assert server.endpoint.count == 0


def test_headers_that_choose_who_pays_or_another_tier_are_not_sent_on(server: GatewayServer) -> None:
    server.endpoint.default = Reply(usage=USED)
    chosen = {
        "x-goog-user-project": "theirs",
        "x-vertex-ai-llm-shared-request-type": "priority",
        "x-http-method-override": "GET",
    }
    url = f"{server.google_url}/v1beta/models/{MODEL}:generateContent"
    http.post(url, json=BODY, headers={"x-goog-api-key": SECRET, **chosen})
    [exchange] = server.endpoint.exchanges
    assert not chosen.keys() & exchange.received.headers.keys()


def test_the_output_limit_is_fitted_to_what_is_held_at_most(endpoint: Endpoint) -> None:
    endpoint.default = Reply(usage=Tokens(input=11, output=7))
    with GatewayServer(endpoint, max_hold=10_000_000) as server:
        library = client(server.google_url, SECRET)
        library.models.generate_content(model=MODEL, contents=QUESTION)
        [exchange] = endpoint.exchanges
        limit = exchange.received.json["generationConfig"]["maxOutputTokens"]
        assert 3_000 < limit < 4_000
        [held] = server.records("hold")
        assert Decimal(held["amount"]) <= Decimal("0.01")
