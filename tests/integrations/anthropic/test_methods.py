"""Every method of Anthropic's library is known to cost nothing, to be paid for, or to be refused."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import Anthropic
from anthropic._resource import SyncAPIResource

from aumos_governance import ConfigurationError
from aumos_governance.integrations.anthropic.calls import PROVIDER
from aumos_governance.integrations.guarding.calls import ApiRequest

_WITHOUT_REQUEST = {"beta.webhooks.parse_unverified", "beta.webhooks.unwrap", "beta.messages.thread"}
"""Methods without a request of their own: the first ones check what a server received; a thread makes its requests by
`messages.create` and `messages.stream`."""
_PAID = {"/v1/messages", "/v1/messages/batches", "/v1/complete"}
_REFUSED = {
    # Managed Agents: a session is billed by its tokens and its running time. These methods begin or continue one.
    "/v1/sessions",
    "/v1/sessions/x/events",
    "/v1/deployments",
    "/v1/deployments/x",
    "/v1/deployments/x/run",
    "/v1/deployments/x/unpause",
    # A model's work, billed by its tokens.
    "/v1/dreams",
}


class _Sent(Exception):  # noqa: N818 - it stands for a request that was made
    """The request that a method makes."""


def _requests() -> Iterator[tuple[str, str, str]]:
    """The name, HTTP method and path of each method of the library that makes a request."""

    def capture(_cast_to: Any, options: Any, **_: Any) -> None:
        raise _Sent(options.method, options.url.partition("?")[0])

    client = Anthropic(api_key="key")
    vars(client)["request"] = capture
    seen: set[type] = set()
    pending = [(name, getattr(client, name)) for name in _resources(client)]
    while pending:
        name, resource = pending.pop()
        if type(resource) in seen:
            continue
        seen.add(type(resource))
        pending += [(f"{name}.{inner}", getattr(resource, inner)) for inner in _resources(resource)]
        for method in (found for found in dir(type(resource)) if not found.startswith("_")):
            function = inspect.getattr_static(type(resource), method)
            if inspect.isfunction(function) and f"{name}.{method}" not in _WITHOUT_REQUEST:
                yield from _request_of(f"{name}.{method}", getattr(resource, method))


def _resources(owner: Any) -> Iterator[str]:
    # Earlier versions of the library make them with the client, later ones when they are used.
    made = {name for name, value in vars(owner).items() if isinstance(value, SyncAPIResource)}
    for name in sorted({*dir(type(owner)), *made}):
        lazy = type(inspect.getattr_static(type(owner), name, None)).__name__ == "cached_property"
        if (lazy or name in made) and not name.startswith(("with_", "_")):
            yield name


def _request_of(name: str, method: Any) -> Iterator[tuple[str, str, str]]:
    needed = {
        argument.name: b"x" if argument.name in ("file", "archive") else "x"
        for argument in inspect.signature(method).parameters.values()
        if argument.default is argument.empty
        and argument.kind in (argument.KEYWORD_ONLY, argument.POSITIONAL_OR_KEYWORD)
    }
    given = {name: {"messages": [], "tools": [], "max_tokens": 1}.get(name, value) for name, value in needed.items()}
    try:
        made = method(**given)
        # A manager, or a runner, makes its request when it is used.
        if hasattr(made, "__enter__"):
            made.__enter__()
        elif hasattr(made, "__iter__"):
            next(iter(made))
    except _Sent as sent:
        yield (name, *sent.args)


REQUESTS = sorted(set(_requests()))
NAMES = {name for name, _, _ in REQUESTS}
_HAS_SESSIONS = "beta.sessions.create" in NAMES


def _kind(method: str, path: str) -> str:
    try:
        return "free" if PROVIDER.paid(ApiRequest(method, path, {"model": "claude-opus-5"})) is None else "paid"
    except ConfigurationError as refusal:
        return "refused" if "was not sent" in refusal.message else refusal.message


def test_the_library_s_methods_are_found() -> None:
    assert {"messages.create", "messages.stream", "messages.count_tokens", "messages.batches.create"} <= NAMES
    if _HAS_SESSIONS:
        assert len(NAMES) > 350
        assert {"beta.messages.tool_runner", "beta.messages.parse", "files.upload"} <= NAMES


@pytest.mark.parametrize(("name", "method", "path"), REQUESTS, ids=[name for name, _, _ in REQUESTS])
def test_each_is_classified(name: str, method: str, path: str) -> None:
    """Fails for a new method that no rule classifies as free; look its price up in the price list then."""
    expected = "free" if method in ("get", "delete") else "paid" if path in _PAID else "free"
    assert _kind(method, path) == ("refused" if method == "post" and path in _REFUSED else expected)


@pytest.mark.skipif(not _HAS_SESSIONS, reason="an earlier version of the library")
@pytest.mark.parametrize("path", sorted(_REFUSED))
def test_what_is_refused_is_in_the_library(path: str) -> None:
    assert any((method, found) == ("post", path) for _, method, found in REQUESTS)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/sessions/x/events/more",
        "/v1/messages/batches/x/run",
        "/v1/files/x/transcribe",
        "/v1/messages/x",
        "/v1/new",
        "/v2/files",
    ],
)
def test_what_is_unknown_is_refused(path: str) -> None:
    assert _kind("post", path) == "refused"
