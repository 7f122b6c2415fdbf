"""OpenAI's API, and compatible APIs of other servers, as the gateway handles them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from aumos_governance import ConfigurationError
from aumos_governance.gateway.dialects.api import OutputLimit, ProviderApi, Refusal
from aumos_governance.gateway.dialects.openai import API
from aumos_governance.integrations.guarding.calls import ApiRequest, is_streamed
from aumos_governance.integrations.guarding.readers import Body, Events

BASE = "https://api.openai.com/v1"
CHAT = "/chat/completions"


def api_request(path: str = CHAT, method: str = "POST", **body: Any) -> ApiRequest:
    return ApiRequest(method, path, body)


def test_it_is_a_dialect() -> None:
    api: ProviderApi = API
    assert api.provider.price_id == "openai"
    assert api.withheld_headers == {"openai-organization", "openai-project"}


@pytest.mark.parametrize(
    ("base", "header"),
    [
        (BASE, "authorization"),
        ("https://one.openai.azure.com/openai", "api-key"),
        ("https://one.services.ai.azure.com", "api-key"),
        ("https://one.cognitiveservices.azure.com", "api-key"),
        ("https://one.azure-api.net", "api-key"),
        # These hosts contain a name of Azure's, but are not below it.
        ("https://openai.azure.com.example.org", "authorization"),
        ("https://notopenai.azure.com", "authorization"),
        ("no address", "authorization"),
    ],
)
def test_a_key_goes_into_the_header_of_the_address(base: str, header: str) -> None:
    assert API.credential(base, "sk-1") == {header: "sk-1" if header == "api-key" else "Bearer sk-1"}


@pytest.mark.parametrize("path", [CHAT, f"/v1{CHAT}", f"/openai/v1{CHAT}"])
def test_a_request_is_read_with_its_query_and_forwarded_without_version(path: str) -> None:
    request = ApiRequest("POST", f"{path}?a=b", {"stream": True, "n": 2}, files=(3,), bare=True)
    call = API.read(request)
    assert (call.path, call.request.path, call.from_host) == (CHAT, f"{CHAT}?a=b", False)
    assert (call.request.method, call.request.body) == ("POST", request.body)
    assert (call.request.files, call.request.bare, call.request.streamed) == ((3,), True, True)
    assert API.read(api_request(path)).request.path == CHAT
    assert not API.read(api_request(path, stream=False)).request.streamed


@pytest.mark.parametrize("path", ["/models/school/v1/large", "/models/v1/v1/large"])
def test_a_version_within_the_path_stays(path: str) -> None:
    assert API.read(api_request(path, "GET")).path == path
    assert API.read(api_request(f"/v1{path}", "GET")).path == path


@pytest.mark.parametrize("prefix", ["", "/openai"])
def test_a_deployment_says_which_model_responds(prefix: str) -> None:
    path = f"{prefix}/deployments/mine{CHAT}"
    call = API.read(api_request(f"{path}?api-version=1", model="other", n=1))
    assert (call.path, call.request.path, call.from_host) == (path, f"{CHAT}?api-version=1", True)
    assert call.request.body == {"model": "mine", "n": 1}
    assert API.read(api_request(path)).request.body == {}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHAT, {"n": "2"}),
        (CHAT, {"max_tokens": "9"}),
        (CHAT, {"max_completion_tokens": 1.5}),
        ("/completions", {"best_of": "2"}),
        ("/responses", {"max_output_tokens": "9"}),
        ("/responses", {"max_tool_calls": "9"}),
        ("/images/generations", {"partial_images": "2"}),
        (CHAT, {"stream": "true"}),
    ],
)
def test_a_value_that_could_be_read_otherwise_is_refused(path: str, body: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        API.read(api_request(path, **body))


def test_the_values_of_a_form_are_texts() -> None:
    form = ApiRequest("POST", "/images/edits", {"n": "2"}, files=(3,))
    assert API.read(form).request.body == {"n": "2"}


@pytest.mark.parametrize(
    ("method", "path", "forwarded"),
    [
        ("GET", "/models", True),
        ("HEAD", "/models", True),
        ("get", "/models/gpt-4o", True),
        ("POST", "/moderations", True),
        ("POST", "/responses/input_tokens", True),
        ("GET", "/responses/r1", True),
        ("DELETE", "/chat/completions/c1", True),
        ("POST", "/responses/r1/cancel", True),
        ("POST", "/conversations/c1/items", True),
        ("DELETE", "/conversations/c1/items/i1", True),
        ("GET", "/responses", False),
        ("GET", "/chat/completions", False),
        ("DELETE", "/models/mine", False),
        ("GET", "/files", False),
        ("POST", "/organization/projects", False),
        ("GET", "/responses/r1/cancel", False),
    ],
)
def test_of_what_is_free_only_what_concerns_no_others_is_forwarded(method: str, path: str, forwarded: bool) -> None:
    assert API.forwards(api_request(path, method)) is forwarded


def test_fallbacks_are_models_as_well() -> None:
    assert API.models(api_request(model="a", models=["b", "c"])) == ("b", "c")
    assert API.models(api_request(models=("b",))) == ("b",)
    assert API.models(api_request(models="bc")) == ()
    assert API.models(api_request()) == ()
    assert API.models(api_request("/responses", "GET", models=["b"])) == ()


@pytest.mark.parametrize(
    ("path", "body", "limit"),
    [
        (CHAT, {}, OutputLimit(None, 1)),
        (CHAT, {"max_tokens": 50}, OutputLimit(50, 1)),
        (CHAT, {"max_tokens": 50, "max_completion_tokens": 60}, OutputLimit(60, 1)),
        (CHAT, {"max_tokens": 60, "max_completion_tokens": 50}, OutputLimit(60, 1)),
        (CHAT, {"max_tokens": None}, OutputLimit(None, 1)),
        (CHAT, {"max_output_tokens": 50}, OutputLimit(None, 1)),
        ("/completions", {"max_tokens": 50, "max_completion_tokens": 60}, OutputLimit(50, 1)),
        ("/responses", {"max_output_tokens": 50, "max_tokens": 60}, OutputLimit(50, 16)),
        ("/embeddings", {"max_tokens": 50}, None),
    ],
)
def test_the_limit_of_output_is_the_one_of_its_path(path: str, body: Any, limit: OutputLimit | None) -> None:
    assert API.output_limit(api_request(f"{path}?a=b", **body)) == limit


@pytest.mark.parametrize(
    ("base", "body", "name"),
    [
        (BASE, {}, "max_completion_tokens"),
        ("https://eu.api.openai.com/v1", {}, "max_completion_tokens"),
        ("https://one.openai.azure.com/openai", {}, "max_completion_tokens"),
        ("https://openrouter.ai/api/v1", {}, "max_tokens"),
        ("https://notapi.openai.com/v1", {}, "max_tokens"),
        (BASE, {"max_tokens": 50}, "max_tokens"),
        ("https://openrouter.ai/api/v1", {"max_completion_tokens": 50}, "max_completion_tokens"),
    ],
)
def test_a_lower_limit_has_the_name_that_is_there_or_that_the_server_knows(base: str, body: Any, name: str) -> None:
    request = ApiRequest("POST", f"{CHAT}?a=b", {"model": "m", **body}, streamed=True, files=(3,), bare=True)
    changed = API.limited(request, 9, base)
    assert changed.body == {"model": "m", name: 9}
    assert (changed.method, changed.path) == ("POST", request.path)
    assert (changed.streamed, changed.files, changed.bare) == (True, (3,), True)


@pytest.mark.parametrize("base", [BASE, "https://openrouter.ai/api/v1"])
@pytest.mark.parametrize(("path", "name"), [("/completions", "max_tokens"), ("/responses", "max_output_tokens")])
def test_the_other_methods_know_one_name_for_their_limit(base: str, path: str, name: str) -> None:
    assert API.limited(api_request(path), 9, base).body == {name: 9}


def test_each_limit_that_is_there_is_lowered() -> None:
    changed = API.limited(api_request(max_tokens=50, max_completion_tokens=60), 9, BASE)
    assert changed.body == {"max_tokens": 9, "max_completion_tokens": 9}


@pytest.mark.parametrize(
    ("kind", "reader"), [("text/event-stream; charset=utf-8", Events), ("application/json", Body), ("", Body)]
)
def test_a_response_is_read_as_its_type_says(kind: str, reader: type) -> None:
    request = ApiRequest(
        "POST", CHAT, {"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}]}, streamed=True
    )
    paid = API.provider.paid(request)
    assert paid is not None
    assert is_streamed(paid)
    assert type(API.reader(paid, kind)) is reader


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (HTTPStatus.PAYMENT_REQUIRED, "insufficient_quota"),
        (HTTPStatus.UNAUTHORIZED, "authentication_error"),
        (HTTPStatus.BAD_REQUEST, "invalid_request_error"),
        (499, "invalid_request_error"),
        (HTTPStatus.INTERNAL_SERVER_ERROR, "server_error"),
        (HTTPStatus.BAD_GATEWAY, "server_error"),
    ],
)
def test_an_error_has_the_shape_of_the_api(status: int, kind: str) -> None:
    body = API.error(Refusal(status, "CODE", "Why."))
    assert body == {"error": {"message": "Why.", "type": kind, "param": None, "code": "CODE"}}
