"""What is sent to a provider for a client, when it is sent again, and that the provider's key is masked."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aumos_governance.gateway.configuration.key_sources import CommandKey
from aumos_governance.gateway.headers import Mask
from aumos_governance.gateway.upstreams import Destination
from tests.gateway.gateway_server import PATIENCE, PROVIDER_KEY, GatewayServer
from tests.gateway.raw import CHAT, Raw, requested
from tests.gateway.recorder import DONE, USED, CannedResponse, Recorder, completion, event
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import priced

COST = priced("gpt-4o", {"input_tokens": 11, "output_tokens": 7})
STREAM = json.dumps(CHAT | {"stream": True}).encode()
EVENTS = {"content-type": "text/event-stream"}
RESPONSE = CannedResponse(body=completion())
STREAMED = CannedResponse(body=event("Yes.") + USED + DONE, headers=EVENTS)
OVERRIDES = (
    "X-HTTP-Method-Override",
    "X-HTTP-Method",
    "X-Method-Override",
    "X-Original-URL",
    "X-Rewrite-URL",
    "x_http_method_override",
    "x_api_key",
)


# ---- headers that must not be forwarded


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/llm/openai/v1/chat/completions", CHAT),
        ("/llm/anthropic/v1/messages", CHAT | {"model": "claude-sonnet-4-5"}),
        ("/llm/google/v1beta/models/gemini-2.5-flash:generateContent", {"contents": [{"parts": [{"text": "What?"}]}]}),
    ],
)
@pytest.mark.parametrize("name", OVERRIDES)
def test_no_header_makes_another_request_of_the_one_that_was_measured(
    server: GatewayServer, path: str, body: dict[str, object], name: str
) -> None:
    # The header is not passed as a keyword, since `Raw` sends underscores as hyphens.
    requested(server, json.dumps(body).encode(), path=path, **{"user-agent": f"agent\r\n{name}: /v1/files"})
    headers = server.endpoint.exchange(0).received.headers
    assert headers["user-agent"] == "agent"
    assert headers.get(name.lower()) != "/v1/files"


# ---- the address


@pytest.mark.parametrize("path", ["/llm/openai/api/v1/chat/completions", "/llm/openai/chat/completions"])
def test_a_path_may_begin_with_that_of_the_base_url(endpoint: Endpoint, path: str) -> None:
    with Recorder(RESPONSE) as provider, GatewayServer(endpoint, base_url=f"{provider.address}/api/v1") as server:
        assert requested(server, path=path).status == 200
        assert [sent.path for sent in provider.sent] == ["/api/v1/chat/completions"]


# ---- a second attempt


@pytest.fixture
def responses(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The provider's responses; with these references to them the garbage collection closes none."""
    found: list[object] = []
    send = Destination.send

    async def kept(*given: Any) -> Any:
        found.append(await send(*given))
        return found[-1]

    monkeypatch.setattr(Destination, "send", kept)
    return found


@pytest.mark.usefixtures("responses")
@pytest.mark.parametrize(
    ("second", "status", "end"), [(CannedResponse(status=0), 502, "estimated"), (STREAMED, 200, "settle")]
)
def test_the_first_response_is_given_up_before_the_second_attempt(
    endpoint: Endpoint, second: CannedResponse, status: int, end: str
) -> None:
    endless = CannedResponse(status=400, body=b'{"error"', length=1_000_000)
    with Recorder(endless, second) as provider, GatewayServer(endpoint, base_url=provider.url) as server:
        assert requested(server, STREAM).status == status
        assert provider.cut.wait(PATIENCE)
        assert ["stream_options" in sent.json for sent in provider.sent] == [True, False]
        assert server.events() == ["hold", end]


@pytest.mark.parametrize("status", [302, 401])
def test_a_response_that_no_client_gets_is_closed(endpoint: Endpoint, responses: list[object], status: int) -> None:
    endless = CannedResponse(status=status, body=b"{", length=1_000)
    with Recorder(endless) as provider, GatewayServer(endpoint, base_url=provider.url) as server:
        assert requested(server).status == 502
        assert provider.cut.wait(PATIENCE)
        assert len(responses) == 1


def test_a_second_attempt_that_is_refused_costs_nothing(endpoint: Endpoint) -> None:
    refusal = CannedResponse(status=400, headers={"connection": "close"})
    with Recorder(refusal) as provider, GatewayServer(endpoint, base_url=provider.url) as server:
        assert [requested(server, STREAM).status for _ in range(2)] == [400, 400]
        # The field was not the reason, so it is sent again.
        assert ["stream_options" in sent.json for sent in provider.sent] == [True, False, True, False]
        assert server.events() == ["hold", "release"] * 2


def test_a_server_that_accepted_the_field_gets_no_second_attempt(endpoint: Endpoint) -> None:
    with (
        Recorder(STREAMED, CannedResponse(status=400)) as provider,
        GatewayServer(endpoint, base_url=provider.url) as server,
    ):
        assert [requested(server, STREAM).status for _ in range(2)] == [200, 400]
        assert len(provider.sent) == 2


def test_a_second_attempt_is_sent_as_json_as_well(endpoint: Endpoint) -> None:
    with (
        Recorder(CannedResponse(status=400), STREAMED) as provider,
        GatewayServer(endpoint, base_url=provider.url) as server,
    ):
        assert requested(server, STREAM, content_type="text/plain").status == 200
        assert [sent.headers["content-type"] for sent in provider.sent] == ["application/json"] * 2


def test_what_one_deployment_refuses_another_gets(endpoint: Endpoint) -> None:
    paths = [f"/llm/openai/openai/deployments/{name}/chat/completions" for name in ("gpt-4o-2024-08-06", "gpt-4o")]
    with (
        Recorder(CannedResponse(status=400), STREAMED) as provider,
        GatewayServer(endpoint, base_url=f"{provider.address}/openai") as server,
    ):
        assert [requested(server, STREAM, path=path).status for path in paths] == [200, 200]
        assert ["stream_options" in sent.json for sent in provider.sent] == [True, False, True]


def test_what_a_deployment_refuses_is_remembered_whatever_the_body_names(endpoint: Endpoint) -> None:
    path = "/llm/openai/openai/deployments/gpt-4o-2024-08-06/chat/completions"
    with (
        Recorder(CannedResponse(status=400), STREAMED) as provider,
        GatewayServer(endpoint, base_url=f"{provider.address}/openai") as server,
    ):
        for model in ("gpt-4o", "another", "gpt-4o"):
            body = STREAM.replace(b'"gpt-4o"', json.dumps(model).encode())
            assert requested(server, body, path=path).status == 200
        # The field is refused once for each model, and not sent to that model again.
        assert ["stream_options" in sent.json for sent in provider.sent] == [True, False, True, False]


def test_what_is_held_stands_while_the_second_attempt_is_under_way(endpoint: Endpoint) -> None:
    endpoint.script(Reply(status=400), Reply(pause_after=0))
    with GatewayServer(endpoint) as server, Raw(server) as raw:
        raw.send(STREAM.replace(b"gpt-4o", b"gpt-4.1-nano"))
        endpoint.exchange(1)
        assert Decimal(server.budget()["held"]) > 0
        endpoint.release()
        assert raw.receive().status == 200
        assert [entry["event"] for entry in server.records()] == ["hold", "settle"]


@pytest.mark.parametrize("body", [STREAM, json.dumps(CHAT).encode()])
def test_a_connection_to_the_provider_serves_one_call_after_another(endpoint: Endpoint, body: bytes) -> None:
    canned = STREAMED if body is STREAM else RESPONSE
    with Recorder(canned) as provider, GatewayServer(endpoint, base_url=provider.url) as server:
        for _ in range(3):
            assert requested(server, body).status == 200
        assert len(provider.sent) == 3
        assert len(provider.connections) == 1


# ---- a key that was replaced


def command(folder: Path, printed: str) -> list[str]:
    """Return a command that prints ``printed``, and records in a file how often it ran."""
    (folder / "key").write_text(printed)
    program = "import sys; p = sys.argv[1]; print(open(p + '/key').read()); open(p + '/runs', 'a').write('.')"
    return [sys.executable, "-c", program, str(folder)]


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text())


def test_a_command_runs_again_when_its_key_is_refused(tmp_path: Path, endpoint: Endpoint) -> None:
    key = CommandKey("key_command", command(tmp_path, "sk-first-key"))
    refused = CannedResponse(status=401)
    with (
        Recorder(refused, RESPONSE, refused) as provider,
        GatewayServer(endpoint, base_url=provider.url, key=key, key_refused=key.refuse) as server,
    ):
        (tmp_path / "key").write_text("sk-second-key")
        assert requested(server).status == 200
        assert server.spent == COST
        assert server.events() == ["hold", "settle"]
        keys = [sent.headers["authorization"] for sent in provider.sent]
        assert keys == ["Bearer sk-first-key", "Bearer sk-second-key"]
        # The command does not run twice within a minute, so the client gets the refusal, without another attempt.
        (tmp_path / "key").write_text("sk-third-key")
        assert requested(server).status == 502
        assert len(provider.sent) == 3
        assert runs(tmp_path) == 2


def test_a_refused_key_is_read_again_once_in_a_while(tmp_path: Path) -> None:
    now = 0.0
    key = CommandKey("key_command", command(tmp_path, "sk-first-key"), monotonic=lambda: now)
    key.refuse("sk-another-key")
    assert (key(), runs(tmp_path)) == ("sk-first-key", 1)
    key.refuse("sk-first-key")
    assert (key(), runs(tmp_path)) == ("sk-first-key", 2)
    assert (key(), runs(tmp_path)) == ("sk-first-key", 2)
    (tmp_path / "key").write_text("sk-second-key")
    now = 60.0
    assert (key(), key(), runs(tmp_path)) == ("sk-second-key", "sk-second-key", 3)


# ---- the key in a response


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("length", [1, 100_000])
def test_a_provider_that_repeats_its_key_does_not_show_it(endpoint: Endpoint, *, streamed: bool, length: int) -> None:
    text = f"{PROVIDER_KEY} " * length
    canned = (
        CannedResponse(body=event(text) + USED + DONE, headers=EVENTS)
        if streamed
        else CannedResponse(body=completion(text))
    )
    with Recorder(canned) as provider, GatewayServer(endpoint, base_url=provider.url) as server:
        response = requested(server, STREAM if streamed else json.dumps(CHAT).encode())
        assert response.status == 200
        assert PROVIDER_KEY.encode() not in response.body
        assert response.body.count(b"***") == length
        assert [entry["event"] for entry in server.records()] == ["hold", "settle"]


def test_a_free_response_does_not_show_the_key_either(endpoint: Endpoint) -> None:
    body = json.dumps({"data": [f"key {PROVIDER_KEY}"] * 20_000}).encode()
    with Recorder(CannedResponse(body=body)) as provider, GatewayServer(endpoint, base_url=provider.url) as server:
        response = requested(server, b"", method="GET", path="/llm/openai/v1/models")
        assert PROVIDER_KEY.encode() not in response.body
        assert len(response.json["data"]) == 20_000


def test_a_key_is_masked_wherever_a_body_is_divided() -> None:
    key = "sk-sk-aab-sk-aac"
    body = f"{key}{key} sk-sk-aab {key}\nsk-{key}x{key[:-1]}".encode()
    expected = body.replace(key.encode(), b"***")
    for first in range(len(body) + 1):
        for second in range(first, len(body) + 1):
            mask = Mask(key)
            parts = body[:first], body[first:second], body[second:]
            assert b"".join(mask.feed(part) for part in parts) + mask.rest() == expected
    assert Mask(None).feed(body) == Mask("short").whole(body) == body


# ---- the type of the body


FORM = "multipart/form-data; boundary=B"


def form(**fields: str) -> bytes:
    parts = (
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    return ("".join(parts) + "--B--\r\n").encode()


def test_a_form_without_files_goes_on_as_the_form_that_it_is(server: GatewayServer) -> None:
    body = form(model="text-embedding-3-small", input="What?")
    requested(server, body, path="/llm/openai/v1/embeddings", content_type=FORM)
    received = server.endpoint.exchange(0).received
    assert received.headers["content-type"] == FORM
    assert received.content == body


def test_a_form_that_costs_nothing_goes_on_as_a_form_too(endpoint: Endpoint) -> None:
    with Recorder(CannedResponse()) as provider, GatewayServer(endpoint, base_url=provider.url) as server:
        requested(server, form(input="What?"), path="/llm/openai/v1/moderations", content_type=FORM)
        assert [sent.headers["content-type"] for sent in provider.sent] == [FORM]


def test_a_form_in_place_of_json_with_an_output_limit_is_refused(server: GatewayServer) -> None:
    response = requested(
        server, form(model="gpt-4o", prompt="What?"), path="/llm/openai/v1/completions", content_type=FORM
    )
    assert response.status == 400
    assert "send it as JSON" in response.json["error"]["message"]
    assert server.endpoint.count == 0


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"]
)
def test_json_that_is_called_something_else_goes_on_as_json(server: GatewayServer, content_type: str) -> None:
    assert requested(server, content_type=content_type).status == 200
    assert server.endpoint.exchange(0).received.headers["content-type"] == "application/json"
