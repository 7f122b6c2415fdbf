"""OpenAI's API and APIs compatible with it, also Azure's, at the gateway: free requests, output limits and errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from ...integrations.guarding.calls import READS, ApiRequest, Paid
from ...integrations.guarding.provider import Provider
from ...integrations.guarding.readers import Reader, reader_of
from ...integrations.openai.calls import PROVIDER
from .api import ClientCall, OutputLimit, ProviderApi, Refusal
from .values import check_flag, check_whole, forwards

_DEPLOYMENT: Final = re.compile(r"(?:/openai)?/deployments/([^/]+)(/.*)")
"""Matches a path at Azure, such as ``/openai/deployments/my-model/chat/completions``; the groups are the deployment and
the rest."""
_VERSION: Final = re.compile(r"^(?:/openai)?/v1(?=/)")
"""Matches the version at the beginning of a path, such as ``/v1``. It is removed, since it may be in the client's path
and in the upstream's base URL."""
_FREE: Final = re.compile(
    r"GET /models(?:/.+)?"
    # Moderations are listed as free at https://platform.openai.com/docs/pricing, and counting tokens has no price.
    r"|POST /(?:moderations|responses/input_tokens)"
    # These need the id of a response or conversation, which only its creator knows. Lists would show the ids of others.
    r"|(?:GET|DELETE) /(?:responses|chat/completions|conversations)/[^/]+"
    r"|GET /(?:responses/[^/]+/input_items|chat/completions/[^/]+/messages)"
    r"|POST /responses/[^/]+/cancel"
    r"|POST /conversations|(?:GET|POST) /conversations/[^/]+/items|(?:GET|DELETE) /conversations/[^/]+/items/[^/]+"
)
_OUTPUT: Final[Mapping[str, tuple[str, ...]]] = {
    "/chat/completions": ("max_completion_tokens", "max_tokens"),
    "/completions": ("max_tokens",),
    "/responses": ("max_output_tokens",),
}
_LEAST: Final = {"/responses": 16}
"""The lowest output limit, in tokens, by path, if it is not 1:
https://platform.openai.com/docs/api-reference/responses/create."""
_COUNTS: Final = ("n", "best_of", "max_tool_calls", "partial_images")
_OWN_HOSTS: Final = ("api.openai.com", ".api.openai.com")
_AZURE: Final = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com", ".azure-api.net")


class OpenAIApi:
    """Reads and limits requests of OpenAI's API, and of servers compatible with it; implements `ProviderApi`."""

    provider: Provider = PROVIDER
    # These headers choose the account that pays, which only the administrator may choose.
    withheld_headers: frozenset[str] = frozenset({"openai-organization", "openai-project"})

    def credential(self, base_url: str, key: str) -> Mapping[str, str]:
        """Return the header ``authorization`` with the provider's key, or ``api-key`` for a base URL of Azure."""
        if _is_of(base_url, _AZURE):
            # https://learn.microsoft.com/azure/ai-services/openai/reference#authentication
            return {"api-key": key}
        return {"authorization": f"Bearer {key}"}

    def read(self, request: ApiRequest) -> ClientCall:
        """Return the client's request in the forms for computing its cost and forwarding it; see `ProviderApi.read`.

        A version such as ``/v1`` is removed from the path. If the path names a deployment at Azure, the cost is
        computed for the deployment's name as the model. Raises ConfigurationError if a limit or count is not a whole
        number, or ``stream`` is not true or false.
        """
        path, _, query = request.path.partition("?")
        body = request.body
        deployed = _DEPLOYMENT.fullmatch(path)
        forwarded = path
        if deployed is not None:
            path = deployed[2]
            # The path determines which model responds, even if the body names another model.
            body = {**body, "model": deployed[1]} if body else body
        else:
            forwarded = path = _VERSION.sub("", path)
        for name in (*_COUNTS, *_OUTPUT.get(path, ())):
            if not request.files:
                check_whole(body, name)
        check_flag(body, "stream")
        known_path = f"{path}?{query}" if query else path
        known = replace(request, path=known_path, body=body, streamed=body.get("stream") is True)
        return ClientCall(known, forwarded, from_host=deployed is not None)

    def forwards(self, request: ApiRequest) -> bool:
        """Whether this free request is forwarded.

        Forwarded are requests that list models, moderate text, count tokens or create a conversation, and those that
        name the id of a response, completion or conversation, which only its creator knows.
        """
        return forwards(request, _FREE)

    def models(self, request: ApiRequest) -> tuple[str, ...]:
        """Return the fallback models in the field ``models`` of a request to OpenRouter.

        See https://openrouter.ai/docs/features/model-routing.
        """
        others = request.body.get("models") if request.method.lower() not in READS else None
        return tuple(str(name) for name in others) if isinstance(others, (list, tuple)) else ()

    def output_limit(self, request: ApiRequest) -> OutputLimit | None:
        """Return the highest output limit in the fields of the request, such as ``max_completion_tokens``.

        Its ``stated`` is None if no field states one. Returns None for other requests than chat completions,
        completions and responses.
        """
        names = _OUTPUT.get(request.plain_path)
        if names is None:
            return None
        stated = [value for name in names if isinstance(value := request.body.get(name), int)]
        return OutputLimit(max(stated) if stated else None, _LEAST.get(request.plain_path, 1))

    def limited(self, request: ApiRequest, tokens: int, base_url: str) -> ApiRequest:
        """Return a copy of the request with ``tokens`` in each field that states its output limit.

        Without such a field, one is added: the newer name for servers of OpenAI and Azure, the older name for all
        others, which may not know the newer one.
        """
        names = _OUTPUT[request.plain_path]
        given = [name for name in names if request.body.get(name) is not None]
        # Only the servers of OpenAI and Azure are known to accept the newer name, and they refuse the older one for
        # some models.
        name = names[0] if _is_of(base_url, _OWN_HOSTS + _AZURE) else names[-1]
        body = {**request.body, **dict.fromkeys(given or [name], tokens)}
        return replace(request, body=body)

    def reader(self, paid: Paid, content_type: str) -> Reader:
        """Return a reader that finds the usage in the response to the call ``paid``; see `ProviderApi.reader`."""
        return reader_of(paid, content_type)

    def error(self, refusal: Refusal) -> Mapping[str, Any]:
        """Return the body of a response that reports ``refusal`` in the form of OpenAI's errors.

        See https://platform.openai.com/docs/guides/error-codes.
        """
        kind = _KINDS.get(refusal.status, "invalid_request_error" if refusal.status < _SERVER else "server_error")
        return {"error": {"message": refusal.message, "type": kind, "param": None, "code": refusal.code}}


API: Final[ProviderApi] = OpenAIApi()
_SERVER: Final = 500
_KINDS: Final[Mapping[int, str]] = {
    HTTPStatus.PAYMENT_REQUIRED: "insufficient_quota",
    HTTPStatus.UNAUTHORIZED: "authentication_error",
}


def _is_of(base_url: str, hosts: tuple[str, ...]) -> bool:
    host = urlsplit(base_url).hostname or ""
    return any(host == each or (each.startswith(".") and host.endswith(each)) for each in hosts)
