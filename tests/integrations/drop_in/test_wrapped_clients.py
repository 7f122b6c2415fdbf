"""Attributes that were set on a client before it was governed are on the governed client too, or are refused."""

from __future__ import annotations

import asyncio
import functools
import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import anthropic
import openai
import pytest

from aumos_governance import ConfigurationError, govern
from tests.integrations.chats import COST, MESSAGES, chat, plain
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till, priced
from tests.integrations.wire import needs_parameter

MESSAGE: Any = {"model": "claude-sonnet-5-5", "messages": MESSAGES, "max_tokens": 50}
MESSAGE_COST = priced("claude-sonnet-5-5", {"input_tokens": 11, "output_tokens": 7}, provider="anthropic")
with warnings.catch_warnings():
    # Importing one wrapper warns that another has moved.
    warnings.simplefilter("ignore", DeprecationWarning)
    from langsmith.wrappers import wrap_anthropic, wrap_openai

CALLS: list[str] = []

own: Any = None
own_original: Any = None


@pytest.fixture
def wrapped(endpoint: Endpoint) -> Iterator[openai.OpenAI]:
    CALLS.clear()
    with plain(endpoint) as client:
        yield client


def governed(client: Any, till: Till) -> Any:
    return govern(client, engine=till.engine, budget_category="llm")


def by_closure(client: Any) -> None:
    original = client.chat.completions.create

    @functools.wraps(original)
    def create(**requested: Any) -> Any:
        CALLS.append("closure")
        return original(**requested)

    client.chat.completions.create = create


def by_global_name(client: Any) -> None:
    global own  # noqa: PLW0603 - as a cell of a notebook does
    own = client.chat.completions.create
    client.chat.completions.create = lambda **requested: (CALLS.__iadd__(["global"]), own(**requested))[1]


def by_default_argument(client: Any) -> None:
    def create(original: Any = client.chat.completions.create, **requested: Any) -> Any:
        CALLS.append("default")
        return original(**requested)

    client.chat.completions.create = create


def by_partial(client: Any) -> None:
    def create(original: Any, **requested: Any) -> Any:
        CALLS.append("partial")
        return original(**requested)

    client.chat.completions.create = functools.partial(create, client.chat.completions.create)


def twice(client: Any) -> None:
    by_closure(client)
    by_global_name(client)
    by_partial(client)


def at_request(client: Any) -> None:
    original = client.request

    def request(*arguments: Any, **given: Any) -> Any:
        CALLS.append("request")
        return original(*arguments, **given)

    client.request = request


def by_langsmith(client: Any) -> None:
    wrap_openai(client)
    CALLS.append("langsmith")


WRAPPERS = {
    "closure": (by_closure, ["closure"]),
    "global": (by_global_name, ["global"]),
    "default": (by_default_argument, ["default"]),
    "partial": (by_partial, ["partial"]),
    "several": (twice, ["partial", "global", "closure"]),
    "request": (at_request, ["request"]),
    "langsmith": (by_langsmith, ["langsmith"]),
}


@pytest.mark.parametrize(("wrap", "ran"), WRAPPERS.values(), ids=WRAPPERS)
def test_a_tracing_wrapper_lives_on_and_its_calls_are_charged(
    wrapped: openai.OpenAI, till: Till, wrap: Callable[[Any], None], ran: list[str]
) -> None:
    wrap(wrapped)
    client = governed(wrapped, till)
    chat(client)
    assert (till.spent, ran) == (COST, CALLS)
    assert ("create" in vars(client.chat.completions)) == ("create" in vars(wrapped.chat.completions))
    # The original is used as before, and not governed.
    chat(wrapped)
    assert till.spent == COST


def test_wrappers_of_anthropic_s_client_live_on(endpoint: Endpoint, till: Till) -> None:
    with anthropic.Anthropic(base_url=endpoint.anthropic_url, api_key="key") as client:
        traced = governed(wrap_anthropic(client), till)
        assert "create" in vars(traced.messages)
        traced.messages.create(**MESSAGE)
        assert till.spent == MESSAGE_COST
        with traced.messages.stream(**MESSAGE) as stream:
            stream.get_final_message()
    assert till.spent == 2 * MESSAGE_COST


def by_class(client: Any) -> None:
    original = client.chat.completions.stream

    class Base:
        def __init__(self, **requested: Any) -> None:
            self.requested = requested

        def __enter__(self) -> Any:
            return self.manager.__enter__()

        def __exit__(self, *error: object) -> None:
            self.manager.__exit__(*error)

        manager: Any = None

    class Manager(Base):
        def __init__(self, **requested: Any) -> None:
            super().__init__(**requested)
            CALLS.append("class")

        def __enter__(self) -> Any:
            self.manager = original(**self.requested)
            return super().__enter__()

    client.chat.completions.stream = Manager


def test_a_class_in_place_of_a_method_lives_on(wrapped: openai.OpenAI, till: Till) -> None:
    by_class(wrapped)
    with governed(wrapped, till).chat.completions.stream(model="gpt-4o", messages=MESSAGES, max_tokens=50) as stream:
        stream.get_final_completion()
    assert (till.spent, CALLS) == (COST, ["class"])


def test_wrappers_of_an_async_client_live_on(endpoint: Endpoint, till: Till) -> None:
    async def main() -> None:
        async with openai.AsyncOpenAI(base_url=endpoint.openai_url, api_key="key") as client:
            original = client.chat.completions.create

            async def create(**requested: Any) -> Any:
                CALLS.append("async")
                return await original(**requested)

            client.chat.completions.create = create  # type: ignore[method-assign]
            await governed(client, till).chat.completions.create(model="gpt-4o", messages=MESSAGES, max_tokens=50)

    CALLS.clear()
    asyncio.run(main())
    assert (till.spent, CALLS) == (COST, ["async"])


def test_global_names_of_a_wrapper_are_read_as_they_are_when_it_runs(wrapped: openai.OpenAI, till: Till) -> None:
    by_global_name(wrapped)
    client = governed(wrapped, till)
    later: list[str] = []
    with mock.patch.object(inspect.getmodule(by_global_name), "CALLS", later):
        chat(client)
    assert later == ["global"]


class Tracer:
    """A tracer that keeps the client's method where no other code can find it."""

    def __init__(self, client: Any) -> None:
        self.original = client.chat.completions.create

    def create(self, **requested: Any) -> Any:
        return self.original(**requested)


def by_tracer(client: Any) -> None:
    client.chat.completions.create = Tracer(client).create


def by_writing_function(client: Any) -> None:
    global own_original  # noqa: PLW0603 - as a cell of a notebook does
    own_original = client.chat.completions.create

    def create(**requested: Any) -> Any:
        global own  # noqa: PLW0603 - as a cell of a notebook does
        own = requested
        return own_original(**requested)

    client.chat.completions.create = create


def by_proxy(client: Any) -> None:
    class Proxy:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

    client.chat = Proxy(client.chat)


def by_cache(client: Any) -> None:
    client.chat.completions.create = functools.lru_cache(client.chat.completions.create)


@pytest.mark.parametrize("wrap", [by_tracer, by_writing_function, by_proxy, by_cache])
def test_what_cannot_live_on_is_refused_aloud(wrapped: openai.OpenAI, till: Till, wrap: Callable[[Any], None]) -> None:
    wrap(wrapped)
    with pytest.raises(ConfigurationError, match=r"client\.chat.* govern the client first, then wrap what govern"):
        governed(wrapped, till)


def test_a_stand_in_for_a_method_lives_on(wrapped: openai.OpenAI, till: Till) -> None:
    wrapped.models.list = mock.Mock(return_value="none")  # type: ignore[method-assign]
    assert governed(wrapped, till).models.list() == "none"


class Tenant(openai.OpenAI):
    __slots__ = ("region",)

    def __init__(self, tenant: str, **options: Any) -> None:
        super().__init__(**options)
        self.tenant = tenant
        self.region = "eu"

    def request(self, *arguments: Any, **given: Any) -> Any:
        CALLS.append(self.tenant)
        return super().request(*arguments, **given)


def test_a_subclass_with_a_constructor_of_its_own(endpoint: Endpoint, till: Till) -> None:
    CALLS.clear()
    with Tenant("acme", base_url=endpoint.openai_url, api_key="key") as client:
        client.notes = ["mine"]  # type: ignore[attr-defined]
        copied = governed(client, till)
        chat(copied)
        assert (copied.tenant, copied.region, copied.notes, CALLS) == ("acme", "eu", ["mine"], ["acme"])
        assert copied.notes is client.notes  # type: ignore[attr-defined]
        assert till.spent == COST
        for each in (client, copied):
            with pytest.raises(TypeError):
                each.with_options(timeout=1)


def test_hooks_and_clients_of_http_live_on(endpoint: Endpoint, till: Till) -> None:
    seen: list[str] = []
    hooks: Any = {"request": [lambda request: seen.append(request.url.path)]}
    with openai.DefaultHttpxClient(event_hooks=hooks) as http, plain(endpoint, http_client=http) as client:
        copied = governed(client, till)
        chat(copied)
        assert copied._client is http
    assert seen == ["/v1/chat/completions"]


def test_middleware_is_bound_to_the_copy(endpoint: Endpoint, till: Till) -> None:
    def note(request: Any, go: Any) -> Any:
        CALLS.append("middleware")
        return go(request)

    needs_parameter(anthropic.Anthropic, "middleware")
    CALLS.clear()
    with anthropic.Anthropic(base_url=endpoint.anthropic_url, api_key="key", middleware=[note]) as client:
        governed(client, till).messages.create(**MESSAGE)
    assert (till.spent, CALLS) == (MESSAGE_COST, ["middleware"])
