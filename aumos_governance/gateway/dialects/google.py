"""Google's Gemini API at the gateway, also as Vertex AI serves it: free requests, output limits and errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl

from ...errors import ConfigurationError
from ...integrations.google.calls import PROVIDER
from ...integrations.google.fields import field_of, listed, mapping_of, spelled, whole_of
from ...integrations.google.paths import target_of
from ...integrations.guarding.calls import READS, ApiRequest, Paid
from ...integrations.guarding.provider import Provider
from ...integrations.guarding.readers import Reader, reader_of
from .api import ClientCall, OutputLimit, ProviderApi, Refusal

_GENERATES: Final = frozenset({"generateContent", "streamGenerateContent"})
_HIDES_USAGE: Final = frozenset({"fields", "callback"})
"""Query parameters that a client may not use, because they can remove the usage from the response or make the response
something else than JSON: https://cloud.google.com/apis/docs/system-parameters."""
_CREDENTIALS: Final = frozenset({"access_token", "oauth_token"})
_OAUTH: Final = "ya29."
"""The beginning of Google's OAuth access tokens, which Vertex AI accepts instead of a key."""
_ONE_FILE: Final = re.compile(r"(?:/v\w+)?/files/[\w.-]+|(?:/download)?/v\w+/files/[\w.-]+:download")
_OPERATION: Final = re.compile(r"(?:/v\w+)?/(?:[\w.@-]+/)*operations/[\w.-]+")
_MODELS: Final = re.compile(r"(?:/v\w+)?/(?:[\w.@-]+/)*models(?:/[\w.@-]+)?")
_UPLOAD: Final = re.compile(r"(?:/resumable)?/upload/v\w+/files")
_VERSION: Final = "/v1beta"
_VERSIONED: Final = re.compile(r"/(?:v\d|upload/|resumable/|download/|ws/)")
_STATUS: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""Google's name for an error, by HTTP status: https://cloud.google.com/apis/design/errors. Google has no name for 402.
This table uses ``FAILED_PRECONDITION`` for it, since clients do not retry after that error."""


class GoogleApi:
    """Reads and limits requests of Google's Gemini API; implements `ProviderApi`."""

    provider: Provider = PROVIDER
    withheld_headers: frozenset[str] = frozenset(
        {
            # These choose the project that is billed, and hide the usage in a response.
            "x-goog-user-project",
            "x-goog-fieldmask",
            # Vertex AI's tiers by header, which have other prices:
            # https://docs.cloud.google.com/vertex-ai/generative-ai/docs/priority-paygo.
            "x-vertex-ai-llm-request-type",
            "x-vertex-ai-llm-shared-request-type",
        }
    )

    def credential(self, base_url: str, key: str) -> Mapping[str, str]:
        """Return the header ``x-goog-api-key`` with the provider's key, or ``authorization`` with an access token."""
        return {"authorization": f"Bearer {key}"} if key.startswith(_OAUTH) else {"x-goog-api-key": key}

    def read(self, request: ApiRequest) -> ClientCall:
        """Return the client's request in the forms for computing its cost and forwarding it; see `ProviderApi.read`.

        A path without a version is forwarded with ``/v1beta``. Like Google, the gateway accepts field names in camel or
        snake case, and numbers as text. Raises ConfigurationError for query parameters that would hide the usage or
        replace the request, and if the request states its output limit twice.
        """
        for name, _ in parse_qsl(request.path.partition("?")[2], keep_blank_values=True):
            if name in _HIDES_USAGE:
                raise ConfigurationError(
                    f"{request.name} was not sent: with {name} in its address the response would not state its usage;"
                    " leave it out."
                )
            if name.startswith("$") or name in _CREDENTIALS:
                # Parameters such as $httpHeaders and $req replace the request's headers and body.
                raise ConfigurationError(
                    f"{request.name} was not sent: the gateway does not forward {name}; leave it out of the address."
                )
        # This raises ConfigurationError if the request states its limit both in camel case and in snake case.
        self.output_limit(request)
        path = request.plain_path
        # LiteLLM sends no version of its own, since it expects the version in the base URL.
        return ClientCall(request, path if _VERSIONED.match(path) is not None else f"{_VERSION}{path}")

    def forwards(self, request: ApiRequest) -> bool:
        """Whether this free request is forwarded.

        Forwarded are requests that list or describe models, count tokens, upload a file, or read an operation or file
        that the client names, and those that delete a named file.
        """
        path, method = request.plain_path, request.method.lower()
        if method not in READS:
            return _UPLOAD.fullmatch(path) is not None or target_of(path) is not None
        if _ONE_FILE.fullmatch(path) is not None:
            return True
        return method != "delete" and any(each.fullmatch(path) is not None for each in (_MODELS, _OPERATION))

    def models(self, request: ApiRequest) -> tuple[str, ...]:
        """Return the models that the single requests in a batch of embeddings name, each once."""
        requests = listed(field_of(request.body, "requests"))
        named = [each.get("model") for each in requests if isinstance(each, Mapping)]
        return tuple(dict.fromkeys(model.rpartition("/")[2] for model in named if isinstance(model, str)))

    def output_limit(self, request: ApiRequest) -> OutputLimit | None:
        """Return the limit in ``generationConfig.maxOutputTokens``; None for a request that does not generate content.

        The lowest possible limit is 1 above the thinking budget, since the tokens of thoughts count toward the limit.
        """
        target = target_of(request.plain_path)
        if target is None or target.method not in _GENERATES:
            return None
        config = mapping_of(request.body, "generationConfig")
        # Thoughts count toward the limit: with a limit below their budget the response might be empty.
        thoughts = whole_of(mapping_of(config, "thinkingConfig"), "thinkingBudget") or 0
        return OutputLimit(whole_of(config, "maxOutputTokens") or None, thoughts + 1)

    def limited(self, request: ApiRequest, tokens: int, base_url: str) -> ApiRequest:
        """Return a copy of the request with ``tokens`` as its ``maxOutputTokens``, in the request's own spelling."""
        place = spelled(request.body, "generationConfig")
        config = mapping_of(request.body, "generationConfig")
        config = {**config, spelled(config, "maxOutputTokens"): tokens}
        return replace(request, body={**request.body, place: config})

    def reader(self, paid: Paid, content_type: str) -> Reader:
        """Return a reader that finds the usage in the response to the call ``paid``; see `ProviderApi.reader`."""
        return reader_of(paid, content_type, streamed=bool(getattr(paid, "streamed", False)))

    def error(self, refusal: Refusal) -> Mapping[str, Any]:
        """Return the body of a response that reports ``refusal`` in the form of Google's errors."""
        info = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": refusal.code,
            "domain": "aumos-governance",
        }
        status = _STATUS.get(refusal.status, "UNKNOWN")
        return {"error": {"code": refusal.status, "message": refusal.message, "status": status, "details": [info]}}


API: Final[ProviderApi] = GoogleApi()
