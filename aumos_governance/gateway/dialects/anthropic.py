"""Anthropic's API, as the gateway handles it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from ...integrations.anthropic.calls import PROVIDER
from ...integrations.guarding.calls import ApiRequest, Paid
from ...integrations.guarding.provider import Provider
from ...integrations.guarding.readers import Reader, reader_of
from .api import ClientCall, OutputLimit, ProviderApi, Refusal
from .values import check_flag, check_whole, forwards

_FREE: Final = re.compile(r"GET /v1/models(?:/.+)?|POST /v1/messages/count_tokens")
"""The free requests that are forwarded; counting tokens is free:
https://platform.claude.com/docs/en/build-with-claude/token-counting. Other free requests, such as listing files, would
show a client the data of all users of the provider's key."""
_OUTPUT: Final = {"/v1/messages": "max_tokens", "/v1/complete": "max_tokens_to_sample"}
_ABOVE_THINKING: Final = 1
"""``max_tokens`` must exceed the thinking budget by at least this number of tokens:
https://platform.claude.com/docs/en/build-with-claude/extended-thinking."""
_KINDS: Final = {
    HTTPStatus.BAD_REQUEST: "invalid_request_error",
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.PAYMENT_REQUIRED: "billing_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.NOT_FOUND: "not_found_error",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "request_too_large",
    HTTPStatus.SERVICE_UNAVAILABLE: "overloaded_error",
    HTTPStatus.GATEWAY_TIMEOUT: "timeout_error",
}
"""The types of errors by status: https://platform.claude.com/docs/en/api/errors."""


class AnthropicApi:
    """Anthropic's API; implements `ProviderApi`."""

    provider: Provider = PROVIDER
    withheld_headers: frozenset[str] = frozenset({"anthropic-workspace-id", "anthropic-organization-id"})

    def credential(self, base_url: str, key: str) -> Mapping[str, str]:
        """Implement `ProviderApi.credential`."""
        return {"x-api-key": key}

    def read(self, request: ApiRequest) -> ClientCall:
        """Implement `ProviderApi.read`."""
        for name in _OUTPUT.values():
            check_whole(request.body, name)
        check_flag(request.body, "stream")
        return ClientCall(replace(request, streamed=request.body.get("stream") is True), request.plain_path)

    def forwards(self, request: ApiRequest) -> bool:
        """Implement `ProviderApi.forwards`."""
        return forwards(request, _FREE)

    def models(self, request: ApiRequest) -> tuple[str, ...]:
        """Implement `ProviderApi.models`: return the models of fallbacks, and of advisors among the tools."""
        named: list[str] = []
        for field in ("fallbacks", "tools"):
            entries = request.body.get(field)
            for entry in entries if isinstance(entries, list) else ():
                model = entry.get("model") if isinstance(entry, Mapping) else None
                if isinstance(model, str):
                    named.append(model)
        return tuple(named)

    def output_limit(self, request: ApiRequest) -> OutputLimit | None:
        """Implement `ProviderApi.output_limit`."""
        name = _OUTPUT.get(request.plain_path)
        if name is None:
            return None
        stated, thinking = request.body.get(name), request.body.get("thinking")
        budget = thinking.get("budget_tokens") if isinstance(thinking, Mapping) else None
        least = budget + _ABOVE_THINKING if isinstance(budget, int) and budget > 0 else 1
        return OutputLimit(stated if isinstance(stated, int) else None, least)

    def limited(self, request: ApiRequest, tokens: int, base_url: str) -> ApiRequest:
        """Implement `ProviderApi.limited`."""
        body = {**request.body, _OUTPUT[request.plain_path]: tokens}
        return replace(request, body=body)

    def reader(self, paid: Paid, content_type: str) -> Reader:
        """Implement `ProviderApi.reader`."""
        return reader_of(paid, content_type)

    def error(self, refusal: Refusal) -> Mapping[str, Any]:
        """Implement `ProviderApi.error`."""
        kind = _KINDS.get(HTTPStatus(refusal.status), "api_error")
        return {"type": "error", "error": {"type": kind, "message": refusal.message}}


API: Final[ProviderApi] = AnthropicApi()
