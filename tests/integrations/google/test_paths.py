"""Which requests to Google are paid, which are free, and which are refused with a reason."""

from __future__ import annotations

import pytest

from aumos_governance import ConfigurationError
from aumos_governance.integrations.google.calls import PROVIDER
from aumos_governance.integrations.google.paths import Target, target_of
from aumos_governance.integrations.guarding.calls import ApiRequest

VERTEX = "/v1/projects/mine/locations/us-central1/publishers/google/models"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/v1beta/models/gemini-2.5-flash:generateContent", Target("gemini-2.5-flash", "generateContent")),
        ("/models/gemini-2.5-flash:embedContent", Target("gemini-2.5-flash", "embedContent")),
        ("/v1beta/tunedModels/mine:generateContent", Target("tunedModels/mine", "generateContent")),
        (f"{VERTEX}/gemini-x:predict", Target("gemini-x", "predict", "us-central1", "google")),
        ("/v1beta1/publishers/google/models/gemini-x:predict", Target("gemini-x", "predict", None, "google")),
        (
            "/v1/projects/p/locations/eu/endpoints/12:generateContent",
            Target("endpoints/12", "generateContent", "eu"),
        ),
        ("/v1beta/models/a/../b:generateContent", None),
        ("/v1beta/models/gemini%2Fx:generateContent", None),
        ("/v1beta/models/gemini-2.5-flash", None),
    ],
)
def test_a_path_names_model_and_method(path: str, target: Target | None) -> None:
    assert target_of(path) == target


@pytest.mark.parametrize(
    ("path", "name", "model"),
    [
        ("/v1beta/models/gemini-2.5-flash:generateContent", "generateContent", "gemini-2.5-flash"),
        ("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse&key=x", "generateContent", "gemini-2.5-flash"),
        ("/v1beta/models/gemini-embedding-001:embedContent", "embedContent", "gemini-embedding-001"),
        ("/v1beta/models/gemini-embedding-001:batchEmbedContents", "embedContent", "gemini-embedding-001"),
        (f"{VERTEX}/gemini-embedding-001:predict", "predict", "gemini-embedding-001"),
    ],
)
def test_a_paid_request_is_a_call_of_its_model(path: str, name: str, model: str) -> None:
    paid = PROVIDER.paid(ApiRequest("post", path, {}))
    assert paid is not None
    assert (paid.name, paid.model) == (name, model)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/v1beta/models/gemini-2.5-flash:countTokens"),
        ("post", f"{VERTEX}/gemini-2.5-flash:countTokens"),
        ("post", f"{VERTEX}/gemini-2.5-flash:computeTokens"),
        ("post", f"{VERTEX}/veo-3:fetchPredictOperation"),
        ("get", "/v1beta/models"),
        ("get", "/v1beta/models/gemini-2.5-flash"),
        ("post", "/upload/v1beta/files?uploadType=resumable"),
        ("post", "/v1beta/files:register"),
        ("get", "/v1beta/files/abc"),
        ("delete", "/v1beta/cachedContents/abc"),
        ("get", "/v1beta/operations/abc"),
        ("post", "/v1beta/batches/abc:cancel"),
        ("post", "/v1beta/fileSearchStores"),
    ],
)
def test_what_the_price_list_does_not_name_is_free(method: str, path: str) -> None:
    assert PROVIDER.paid(ApiRequest(method, path, {})) is None


@pytest.mark.parametrize(
    ("method", "path", "why"),
    [
        ("post", "/v1beta/cachedContents", "billed by the hour"),
        ("patch", "/v1beta/cachedContents/abc", "billed by the hour"),
        ("post", "/v1beta/models/gemini-2.5-flash:batchGenerateContent", "one by one"),
        ("post", "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent", "batchEmbedContents"),
        ("post", "/v1/projects/p/locations/l/batchPredictionJobs", "one by one"),
        ("post", "/v1beta/interactions", "generateContent"),
        ("post", "/v1alpha/auth_tokens", "Live API"),
        ("get", "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent", "WebSocket"),
        ("get", "/ws/google.cloud.aiplatform.v1.LlmBidiService/BidiGenerateContent", "WebSocket"),
        ("post", "/v1beta/openai/chat/completions", "/openai"),
        ("post", "/v1beta/fileSearchStores/abc:importFile", "not known"),
        ("post", "/upload/v1beta/fileSearchStores/abc:uploadToFileSearchStore", "not known"),
        ("post", "/v1beta/models/gemini-2.5-flash:somethingNew", "not known"),
        ("post", "/v1beta/tunedModels", "not known"),
        ("post", "/v1beta/files/..%2fmodels%2fgemini-2.5-flash:generateContent", "not known"),
        ("post", "/v1beta/models/gemini-2.5-flash:generateContent?alt=proto", "alt"),
        ("post", "/v1/projects/p/locations/l/publishers/anthropic/models/claude:predict", "anthropic"),
    ],
)
def test_what_may_cost_something_unknown_is_refused_with_its_reason(method: str, path: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"was not sent: .*{why}"):
        PROVIDER.paid(ApiRequest(method, path, {}))


def test_a_refusal_names_no_key() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        PROVIDER.paid(ApiRequest("post", "/v1beta/cachedContents?key=secret", {}))
    assert "secret" not in str(refusal.value)
