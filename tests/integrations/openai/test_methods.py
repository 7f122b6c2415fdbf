"""Every method of OpenAI's library that sends data is known to be paid or free, or is refused with a message."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from openai import OpenAI
from openai._resource import SyncAPIResource

from aumos_governance import ConfigurationError
from aumos_governance.integrations.guarding.calls import ApiRequest
from aumos_governance.integrations.openai.calls import PROVIDER

_PAID = {
    *("/chat/completions", "/completions", "/embeddings", "/responses", "/responses/compact"),
    *("/images/generations", "/images/edits", "/images/variations"),
    *("/audio/speech", "/audio/transcriptions", "/audio/translations", "/batches"),
}
_REFUSED = {
    # Training, and what runs graders or samples a model in an evaluation: billed later, by what was done.
    *("/fine_tuning/jobs", "/fine_tuning/jobs/x/resume", "/fine_tuning/alpha/graders/run", "/evals/x/runs"),
    # By the second of a video, which the request shows, at prices that genai-prices does not have.
    *("/videos", "/videos/edits", "/videos/extensions", "/videos/x/remix", "/videos/characters"),
    # By the session of a container.
    "/containers",
    # Files are stored there by the day, and searches have a fee.
    *("/vector_stores/x/files", "/vector_stores/x/file_batches", "/vector_stores/x/search"),
    # Runs of assistants and agents, which go on by themselves, and schedules that begin some.
    *("/threads/runs", "/threads/x/runs", "/threads/x/runs/x/submit_tool_outputs"),
    *("/agents/sessions", "/agents/sessions/x", "/agents/sessions/x/events", "/agents/automations"),
    *("/agents/automations/x", "/agents/automations/x/resume", "/agents/automations/x/invocations"),
    *("/agents/environments", "/agents/environments/x/files"),
    # Sessions of speech, billed as they go on.
    *("/realtime/calls", "/realtime/calls/x/accept", "/live/sessions", "/live/sessions/x/accept"),
    "/live/sessions/x/fork",
    # Of unknown price.
    *("/content_provenance_checks", "/decisions"),
}
_ARGUMENTS: dict[str, Any] = {"messages": [], "file": b"x", "tools": [], "input": "x", "image": b"x", "files": [b"x"]}


class _Sent(Exception):  # noqa: N818 - it stands for a request that was made
    """The request that a method makes."""


def _resources(owner: Any) -> Iterator[tuple[str, Any]]:
    for name in dir(type(owner)):
        if not name.startswith(("_", "with_")) and not inspect.isfunction(inspect.getattr_static(type(owner), name)):
            found = getattr(owner, name, None)
            if isinstance(found, SyncAPIResource):
                yield name, found
                yield from ((f"{name}.{inner}", each) for inner, each in _resources(found))


def _methods() -> Iterator[tuple[str, str, str]]:
    """The name, HTTP method and path of each method of a resource that sends something."""

    def capture(_cast_to: Any, options: Any, **_: Any) -> None:
        raise _Sent(options.method, options.url.partition("?")[0])

    client = OpenAI(api_key="key")
    vars(client)["request"] = capture
    for name, resource in _resources(client):
        for method, function in inspect.getmembers(type(resource), inspect.isfunction):
            needed = [
                each.name
                for each in list(inspect.signature(function).parameters.values())[1:]
                if each.default is each.empty and each.kind in (each.KEYWORD_ONLY, each.POSITIONAL_OR_KEYWORD)
            ]
            if method.startswith("_"):
                continue
            try:
                made = getattr(resource, method)(**{each: _ARGUMENTS.get(each, "x") for each in needed})
                # A manager makes its request when it is entered.
                made.__enter__()
            except _Sent as sent:
                yield f"{name}.{method}", *sent.args
            except Exception:  # noqa: BLE001 - helpers that wait, poll, open a socket or read a file
                continue


METHODS = sorted({(method.lower(), path): name for name, method, path in _methods()}.items())


@pytest.mark.parametrize(("request_", "name"), METHODS, ids=[f"{name}" for _, name in METHODS])
def test_each_is_classified(request_: tuple[str, str], name: str) -> None:
    method, path = request_
    requested = ApiRequest(method, path, {"model": "gpt-4o", "file_ids": None})
    if method in ("get", "delete"):
        assert PROVIDER.paid(requested) is None
    elif path in _PAID - {"/batches"}:
        assert PROVIDER.paid(requested) is not None
    elif path in _REFUSED:
        with pytest.raises(ConfigurationError, match=f"POST {path} was not sent"):
            PROVIDER.paid(requested)
    elif path != "/batches":
        assert PROVIDER.paid(requested) is None, f"{name} is neither known as paid nor refused"


def test_the_list_is_whole() -> None:
    found = {path for (_, path), _ in METHODS}
    # Fewer in earlier versions: of 2.20, the lowest, more than 80.
    assert len(found) > (120 if hasattr(OpenAI, "live") else 80)
    assert {"/chat/completions", "/vector_stores", "/realtime/client_secrets"} <= found
    assert ("/skills" in found) == hasattr(OpenAI, "skills")


def test_a_vector_store_with_files_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="POST /vector_stores was not sent"):
        PROVIDER.paid(ApiRequest("post", "/vector_stores", {"file_ids": ["file"]}))


@pytest.mark.parametrize("path", ["/threads/runs", "/agents/sessions", "/skillsets", "/vector_stores/x/search", "/new"])
def test_what_only_looks_like_a_free_one_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match="was not sent"):
        PROVIDER.paid(ApiRequest("post", path, {}))
