"""Anthropic's API at the gateway: which requests are free, how the output is limited, and how errors look."""

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
"""The free requests that are forwarded. Counting tokens is free:
https://platform.claude.com/docs/en/build-with-claude/token-counting. Other free requests are refused, since listing
files, for example, would show a client the files of all users of the provider's key."""
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
"""Anthropic's ``type`` of an error, by HTTP status: https://platform.claude.com/docs/en/api/errors."""


class AnthropicApi:
    """Reads and limits requests of Anthropic's API; implements `ProviderApi`."""

    provider: Provider = PROVIDER
    withheld_headers: frozenset[str] = frozenset({"anthropic-workspace-id", "anthropic-organization-id"})

    def credential(self, base_url: str, key: str) -> Mapping[str, str]:
        """Return the header ``x-api-key`` with the provider's key."""
        return {"x-api-key": key}

    def read(self, request: ApiRequest) -> ClientCall:
        """Return the client's request in the forms for computing its cost and forwarding it; see `ProviderApi.read`.

        Raises ConfigurationError if an output limit is not a whole number, or ``stream`` is not true or false.
        """
        for name in _OUTPUT.values():
            check_whole(request.body, name)
        check_flag(request.body, "stream")
        return ClientCall(replace(request, streamed=request.body.get("stream") is True), request.plain_path)

    def forwards(self, request: ApiRequest) -> bool:
        """Whether this free request is forwarded: only requests that list or describe models, or count tokens."""
        return forwards(request, _FREE)

    def models(self, request: ApiRequest) -> tuple[str, ...]:
        """Return the models that a request names besides its own: fallbacks, and models of tools such as an advisor."""
        named: list[str] = []
        for field in ("fallbacks", "tools"):
            entries = request.body.get(field)
            for entry in entries if isinstance(entries, list) else ():
                model = entry.get("model") if isinstance(entry, Mapping) else None
                if isinstance(model, str):
                    named.append(model)
        return tuple(named)

    def output_limit(self, request: ApiRequest) -> OutputLimit | None:
        """Return the limit in ``max_tokens`` of a message, or in ``max_tokens_to_sample`` of a completion.

        The lowest possible limit is 1 above the thinking budget. Returns None for other requests.
        """
        name = _OUTPUT.get(request.plain_path)
        if name is None:
            return None
        stated, thinking = request.body.get(name), request.body.get("thinking")
        budget = thinking.get("budget_tokens") if isinstance(thinking, Mapping) else None
        least = budget + _ABOVE_THINKING if isinstance(budget, int) and budget > 0 else 1
        return OutputLimit(stated if isinstance(stated, int) else None, least)

    def limited(self, request: ApiRequest, tokens: int, base_url: str) -> ApiRequest:
        """Return a copy of the request whose output limit is ``tokens`` tokens; see `ProviderApi.limited`."""
        body = {**request.body, _OUTPUT[request.plain_path]: tokens}
        return replace(request, body=body)

    def reader(self, paid: Paid, content_type: str) -> Reader:
        """Return a reader that finds the usage in the response to the call ``paid``; see `ProviderApi.reader`."""
        return reader_of(paid, content_type)

    def error(self, refusal: Refusal) -> Mapping[str, Any]:
        """Return the body of a response that reports ``refusal`` in the form of Anthropic's errors."""
        kind = _KINDS.get(HTTPStatus(refusal.status), "api_error")
        return {"type": "error", "error": {"type": kind, "message": refusal.message}}


API: Final[ProviderApi] = AnthropicApi()
