"""Google's API, as the gateway handles it."""

from __future__ import annotations

from typing import Any

import pytest

from aumos_governance import ConfigurationError
from aumos_governance.gateway.dialects.api import OutputLimit, ProviderApi, Refusal
from aumos_governance.gateway.dialects.google import API
from aumos_governance.integrations.guarding.calls import ApiRequest
from aumos_governance.integrations.guarding.elements import Elements
from aumos_governance.integrations.guarding.readers import Body, Events
from aumos_governance.integrations.pricing.prices import Prices

BASE = "https://generativelanguage.googleapis.com"
GENERATE = "/v1beta/models/gemini-2.5-flash:generateContent"
STREAM = "/v1beta/models/gemini-2.5-flash:streamGenerateContent"


def requested(path: str = GENERATE, method: str = "POST", **body: Any) -> ApiRequest:
    return ApiRequest(method, path, body)


def test_it_is_a_dialect() -> None:
    api: ProviderApi = API
    assert api.provider.price_id == "google"


def test_a_key_goes_into_the_header_that_takes_it() -> None:
    assert API.credential(BASE, "AIzaSecret") == {"x-goog-api-key": "AIzaSecret"}
    assert API.credential("https://aiplatform.googleapis.com", "ya29.abc") == {"authorization": "Bearer ya29.abc"}


def test_a_path_is_forwarded_without_its_query_which_the_gateway_cleans() -> None:
    call = API.read(requested(f"{STREAM}?alt=sse&key=secret", contents=[]))
    assert call.path == STREAM
    assert call.request.plain_path == STREAM


@pytest.mark.parametrize("path", ["/models/gemini-2.5-flash:generateContent", "/models"])
def test_a_path_without_a_version_gets_one(path: str) -> None:
    assert API.read(requested(path)).path == f"/v1beta{path}"


@pytest.mark.parametrize("name", ["$httpHeaders", "$req", "$fields", "access_token", "oauth_token"])
def test_what_stands_in_for_the_request_itself_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="out of the address"):
        API.read(requested(f"{GENERATE}?{name}=x"))
    with pytest.raises(ConfigurationError, match="out of the address"):
        API.read(requested(f"{GENERATE}?{name}="))


def test_a_limit_that_is_there_twice_is_refused_before_anything_else() -> None:
    with pytest.raises(ConfigurationError, match="keep one of them"):
        API.read(requested(generationConfig={"maxOutputTokens": 1, "max_output_tokens": 9}))


@pytest.mark.parametrize("name", ["fields", "callback"])
def test_what_would_hide_the_usage_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="would not state its usage"):
        API.read(requested(f"{GENERATE}?{name}=candidates"))


@pytest.mark.parametrize(
    ("method", "path", "forwarded"),
    [
        ("GET", "/v1beta/models", True),
        ("GET", "/models", True),
        ("GET", "/v1beta/models/gemini-2.5-flash", True),
        ("GET", "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash", True),
        ("POST", "/v1beta/models/gemini-2.5-flash:countTokens", True),
        ("GET", "/v1beta/models/veo-3/operations/abc", True),
        ("POST", "/upload/v1beta/files", True),
        ("GET", "/v1beta/files/abc", True),
        ("GET", "/v1beta/files/abc:download?alt=media", True),
        ("DELETE", "/v1beta/files/abc", True),
        ("GET", "/v1beta/files", False),
        ("GET", "/v1beta/cachedContents", False),
        ("DELETE", "/v1beta/cachedContents/abc", False),
        ("GET", "/v1beta/fileSearchStores", False),
        ("POST", "/v1beta/fileSearchStores", False),
        ("GET", "/v1beta/batches/abc", False),
        ("POST", "/v1beta/batches/abc:cancel", False),
        ("DELETE", "/v1beta/models/mine", False),
        ("GET", "/v1beta/tunedModels", False),
        ("GET", "/anything", False),
    ],
)
def test_what_is_free_is_forwarded_where_it_concerns_its_client_alone(method: str, path: str, forwarded: bool) -> None:
    assert API.forwards(requested(path, method)) is forwarded


class TestOutputLimit:
    @pytest.mark.parametrize(
        ("config", "limit"),
        [
            ({}, OutputLimit(None)),
            ({"generationConfig": {"maxOutputTokens": 900}}, OutputLimit(900)),
            ({"generation_config": {"max_output_tokens": 900}}, OutputLimit(900)),
            ({"generationConfig": {"maxOutputTokens": 0}}, OutputLimit(None)),
            ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 512}}}, OutputLimit(None, 513)),
            ({"generationConfig": {"thinkingConfig": {"thinkingBudget": -1}}}, OutputLimit(None)),
        ],
    )
    def test_it_is_read(self, config: Any, limit: OutputLimit) -> None:
        assert API.output_limit(requested(**config)) == limit
        assert API.output_limit(requested(STREAM, **config)) == limit

    def test_a_response_without_text_has_none(self) -> None:
        assert API.output_limit(requested("/v1beta/models/gemini-embedding-001:embedContent")) is None
        assert API.output_limit(requested("/v1beta/models", "GET")) is None

    @pytest.mark.parametrize(
        ("config", "fitted"),
        [
            ({}, {"generationConfig": {"maxOutputTokens": 100}}),
            (
                {"generationConfig": {"temperature": 0}},
                {"generationConfig": {"temperature": 0, "maxOutputTokens": 100}},
            ),
            (
                {"generation_config": {"max_output_tokens": 900}},
                {"generation_config": {"max_output_tokens": 100}},
            ),
        ],
    )
    def test_it_is_fitted_in_the_clients_own_spelling(self, config: Any, fitted: Any) -> None:
        request = requested(contents=[], **config)
        assert API.limited(request, 100, BASE).body == {"contents": [], **fitted}
        assert request.body == {"contents": [], **config}
        assert API.output_limit(API.limited(request, 100, BASE)) == OutputLimit(100)


def test_the_models_that_a_batch_of_embeddings_names_are_known() -> None:
    path = "/v1beta/models/gemini-embedding-001:batchEmbedContents"
    request = {"model": "models/gemini-embedding-001", "content": {}}
    assert API.models(requested(path, requests=[request] * 2)) == ("gemini-embedding-001",)
    assert API.models(requested()) == ()
    other = API.provider.paid(requested(path, requests=[{**request, "model": "models/gemini-embedding-2"}]))
    assert other is not None
    with pytest.raises(ConfigurationError, match="its body names the model models/gemini-embedding-2"):
        other.worst(Prices().rates("gemini-embedding-001", provider="google"))


@pytest.mark.parametrize(
    ("path", "content_type", "kind"),
    [
        (GENERATE, "application/json; charset=UTF-8", Body),
        (f"{STREAM}?alt=sse", "text/event-stream", Events),
        (STREAM, "application/json; charset=UTF-8", Elements),
        (STREAM, "text/event-stream", Events),
    ],
)
def test_a_response_is_read_as_it_arrives(path: str, content_type: str, kind: type) -> None:
    request = requested(path, contents=[])
    paid = API.provider.paid(request)
    assert paid is not None
    assert type(API.reader(paid, content_type)) is kind


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (402, "FAILED_PRECONDITION"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (413, "INVALID_ARGUMENT"),
        (418, "UNKNOWN"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (502, "UNAVAILABLE"),
        (503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
    ],
)
def test_a_refusal_is_one_of_googles_errors(status: int, name: str) -> None:
    error = API.error(Refusal(status, "BUDGET_EXCEEDED", "No money is left."))["error"]
    assert (error["code"], error["message"], error["status"]) == (status, "No money is left.", name)
    assert error["details"][0]["reason"] == "BUDGET_EXCEEDED"
