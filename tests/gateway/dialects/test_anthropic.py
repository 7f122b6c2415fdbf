"""Anthropic's API, as the gateway handles it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from aumos_governance import ConfigurationError
from aumos_governance.gateway.dialects.anthropic import API
from aumos_governance.gateway.dialects.api import OutputLimit, ProviderApi, Refusal
from aumos_governance.integrations.guarding.calls import ApiRequest, is_streamed
from aumos_governance.integrations.guarding.readers import Body, Events

BASE = "https://api.anthropic.com"
MESSAGES = "/v1/messages"


def api_request(path: str = MESSAGES, method: str = "POST", **body: Any) -> ApiRequest:
    return ApiRequest(method, path, body)


def test_it_is_a_dialect() -> None:
    api: ProviderApi = API
    assert api.provider.price_id == "anthropic"
    assert api.withheld_headers == {"anthropic-workspace-id", "anthropic-organization-id"}
    assert api.credential(BASE, "sk-ant") == {"x-api-key": "sk-ant"}


def test_a_request_is_read_with_its_query_and_forwarded_without() -> None:
    request = ApiRequest("POST", f"{MESSAGES}?beta=true", {"stream": True, "max_tokens": 9}, files=(3,))
    call = API.read(request)
    assert (call.path, call.request.path, call.from_host) == (MESSAGES, f"{MESSAGES}?beta=true", False)
    assert (call.request.method, call.request.body, call.request.files) == ("POST", request.body, (3,))
    assert call.request.streamed
    assert not API.read(api_request(stream=False)).request.streamed
    assert API.read(api_request()).request.path == MESSAGES


@pytest.mark.parametrize(
    "body",
    [{"max_tokens": "9"}, {"max_tokens": 9.5}, {"max_tokens_to_sample": "9"}, {"stream": "true"}, {"stream": 1}],
)
def test_a_value_that_could_be_read_otherwise_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        API.read(api_request(**body))


@pytest.mark.parametrize(
    ("method", "path", "forwarded"),
    [
        ("GET", "/v1/models", True),
        ("HEAD", "/v1/models", True),
        ("get", "/v1/models/claude-sonnet-5-5", True),
        ("POST", "/v1/messages/count_tokens", True),
        ("GET", "/v1/messages/count_tokens", False),
        ("DELETE", "/v1/models/claude-sonnet-5-5", False),
        ("GET", "/v1/models/", False),
        ("GET", "/v1/files", False),
        ("GET", "/v1/organizations/me", False),
    ],
)
def test_of_what_is_free_only_what_concerns_no_others_is_forwarded(method: str, path: str, forwarded: bool) -> None:
    assert API.forwards(api_request(path, method)) is forwarded


def test_fallbacks_and_advisors_are_models_as_well() -> None:
    request = api_request(
        model="claude-a",
        fallbacks=[{"model": "claude-b"}, "claude-x", {"model": 5}, None],
        tools=[{"type": "advisor", "model": "claude-c"}, {"name": "send"}],
    )
    assert API.models(request) == ("claude-b", "claude-c")
    assert API.models(api_request(fallbacks={"model": "claude-b"}, tools="x")) == ()
    assert API.models(api_request()) == ()


@pytest.mark.parametrize(
    ("path", "body", "limit"),
    [
        (MESSAGES, {}, OutputLimit(None, 1)),
        (MESSAGES, {"max_tokens": 50}, OutputLimit(50, 1)),
        (MESSAGES, {"max_tokens": 5000, "thinking": {"budget_tokens": 1024}}, OutputLimit(5000, 1025)),
        (MESSAGES, {"max_tokens": 5000, "thinking": {"budget_tokens": 1}}, OutputLimit(5000, 2)),
        (MESSAGES, {"max_tokens": 5000, "thinking": {"budget_tokens": 0}}, OutputLimit(5000, 1)),
        (MESSAGES, {"max_tokens": 5000, "thinking": {"budget_tokens": -5}}, OutputLimit(5000, 1)),
        (MESSAGES, {"max_tokens": 5000, "thinking": {"budget_tokens": "1024"}}, OutputLimit(5000, 1)),
        (MESSAGES, {"max_tokens": "50", "thinking": "adaptive"}, OutputLimit(None, 1)),
        ("/v1/complete", {"max_tokens_to_sample": 50, "max_tokens": 9}, OutputLimit(50, 1)),
        ("/v1/messages/count_tokens", {"max_tokens": 50}, None),
    ],
)
def test_the_limit_of_output_is_the_one_of_its_path(path: str, body: Any, limit: OutputLimit | None) -> None:
    assert API.output_limit(api_request(f"{path}?beta=true", **body)) == limit


def test_a_lower_limit_replaces_the_one_that_is_there_and_nothing_else() -> None:
    request = ApiRequest("POST", f"{MESSAGES}?beta=true", {"max_tokens": 50, "model": "m"}, streamed=True, files=(3,))
    changed = API.limited(request, 9, BASE)
    assert changed.body == {"max_tokens": 9, "model": "m"}
    assert (changed.method, changed.path, changed.streamed, changed.files) == ("POST", request.path, True, (3,))
    assert API.limited(api_request("/v1/complete"), 9, BASE).body == {"max_tokens_to_sample": 9}
    assert request.body["max_tokens"] == 50


@pytest.mark.parametrize(
    ("kind", "reader"), [("text/event-stream; charset=utf-8", Events), ("application/json", Body), ("", Body)]
)
def test_a_response_is_read_as_its_type_says(kind: str, reader: type) -> None:
    request = api_request(
        model="claude-sonnet-5-5", max_tokens=9, messages=[{"role": "user", "content": "x"}], stream=True
    )
    paid = API.provider.paid(request)
    assert paid is not None
    assert is_streamed(paid)
    assert type(API.reader(paid, kind)) is reader


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (HTTPStatus.PAYMENT_REQUIRED, "billing_error"),
        (HTTPStatus.UNAUTHORIZED, "authentication_error"),
        (HTTPStatus.SERVICE_UNAVAILABLE, "overloaded_error"),
        (HTTPStatus.BAD_GATEWAY, "api_error"),
    ],
)
def test_an_error_has_the_shape_of_the_api(status: HTTPStatus, kind: str) -> None:
    body = API.error(Refusal(status, "CODE", "Why."))
    assert body == {"type": "error", "error": {"type": kind, "message": "Why."}}
