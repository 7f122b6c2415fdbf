"""A governed client looks like the plain one; other objects are refused with the object to pass in their place."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import anthropic
import openai
import pytest

from aumos_governance import ConfigurationError, InvalidRequestError, govern
from tests.integrations.chats import COST, chat, plain
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till
from tests.integrations.wire import feature


@pytest.fixture
def original(endpoint: Endpoint) -> Iterator[openai.OpenAI]:
    with plain(endpoint) as client:
        yield client


def governed(client: Any, till: Till) -> Any:
    return govern(client, engine=till.engine, budget_category="llm")


# ---- code that inspects a client


KINDS: dict[str, Callable[[], Any]] = {
    "openai": lambda: openai.OpenAI(api_key="k"),
    "openai-async": lambda: openai.AsyncOpenAI(api_key="k"),
    "azure": lambda: openai.AzureOpenAI(api_key="k", azure_endpoint="https://a.invalid", api_version="1"),
    "anthropic": lambda: anthropic.Anthropic(api_key="k"),
    "anthropic-async": lambda: anthropic.AsyncAnthropic(api_key="k"),
}


def outcome(act: Callable[[Any], Any], client: Any) -> Any:
    try:
        return act(client)
    except Exception as error:  # noqa: BLE001 - whatever the plain client raises
        return type(error), str(error).split(" object")[0]


LOOKS: dict[str, Callable[[Any], Any]] = {
    "hasattr": lambda client: (hasattr(client, "websocket_base_url"), hasattr(client, "nonsense")),
    "getattr": lambda client: getattr(client, "websocket_base_url", "default"),
    "missing": lambda client: client.nonsense,
    "getmembers": lambda client: [name for name, _ in inspect.getmembers(client)],
    "getmembers-static": lambda client: {
        name for name in dir(client) if inspect.getattr_static(client, name, ...) is not ...
    },
    "autospec": lambda client: type(mock.create_autospec(client)).__name__,
    "name": lambda client: (type(client).__name__, type(client).__module__, repr(client).partition(" at ")[0]),
    "copy": lambda client: type(copy.copy(client)).__name__,
    "deepcopy": lambda client: type(copy.deepcopy(client)).__name__,
    "pickle": pickle.dumps,
    "signature": lambda client: inspect.signature(type(client)),
    "vars": lambda client: [name for name in vars(client) if not name.startswith("_aumos")],
    "socket": lambda client: (client.__setattr__("websocket_base_url", "wss://x"), client.websocket_base_url)[1],
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of a plain client that deepcopy began
@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_it_looks_like_the_original(make: Callable[[], Any], look: Callable[[Any], Any], till: Till) -> None:
    client = make()
    copied = governed(client, till)
    assert isinstance(copied, type(client))
    assert outcome(look, copied) == outcome(look, client)


def test_copies_of_a_governed_client_are_governed(original: openai.OpenAI, till: Till) -> None:
    chat(copy.copy(governed(original, till)))
    assert till.spent == COST


def test_the_context_manager_closes_what_both_share(endpoint: Endpoint, till: Till) -> None:
    client = plain(endpoint)
    with governed(client, till) as copied:
        chat(copied)
    assert client.is_closed()


@pytest.mark.parametrize(
    "session",
    [
        lambda client: client.realtime.connect(model="gpt-realtime").__enter__(),
        lambda client: feature(client, "responses.connect")().__enter__(),
    ],
)
def test_sessions_over_a_socket_are_refused_when_they_are_opened(
    original: openai.OpenAI, till: Till, session: Callable[[Any], Any]
) -> None:
    with pytest.raises(ConfigurationError, match="Sessions over a WebSocket"):
        session(governed(original, till))


# ---- objects that are no clients


def test_the_module_s_own_client(endpoint: Endpoint, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai, "api_key", "key")
    monkeypatch.setattr(openai, "base_url", endpoint.openai_url)
    monkeypatch.setattr(openai, "http_client", None)
    monkeypatch.setattr(openai, "_client", None)
    client: Any = govern(openai, engine=till.engine, budget_category="llm")
    chat(client)
    chat(openai)  # type: ignore[arg-type]
    assert (till.spent, endpoint.count) == (COST, 2)
    # The module's functions use a governed client where it is given one.
    monkeypatch.setattr(openai, "_client", client)
    chat(openai)  # type: ignore[arg-type]
    assert till.spent == 2 * COST


def _wrapper(package: str, client: Any) -> Any:
    kind = type("Instructor", (), {"__init__": lambda self: setattr(self, "client", client)})
    kind.__module__ = f"{package}.core"
    return kind()


def _langchain() -> Any:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model="gpt-4o", api_key="k")  # type: ignore[arg-type]


OTHERS: dict[str, tuple[Callable[[], Any], str]] = {
    "instructor": (
        lambda: _wrapper("instructor", openai.OpenAI(api_key="k")),
        r"govern the client first.*instructor\.from_openai\(govern\(OpenAI\(\)\)\)",
    ),
    "wrapper": (lambda: _wrapper("ours", anthropic.Anthropic(api_key="k")), "govern the client first, then wrap"),
    "langchain": (_langchain, "GovernedCalls"),
    "class": (lambda: openai.OpenAI, r"not its class: govern\(OpenAI\(\)\)"),
    "module": (lambda: anthropic, r"govern\(anthropic\.Anthropic\(\)\)"),
    "resource": (lambda: openai.OpenAI(api_key="k").chat, "takes the whole client, not its Chat"),
    "nothing": (lambda: None, "of type NoneType"),
    "other module": (lambda: asyncio, "of type module"),
}


@pytest.mark.parametrize(("make", "sentence"), OTHERS.values(), ids=OTHERS)
def test_other_objects_are_refused_with_what_to_give_instead(
    make: Callable[[], Any], sentence: str, till: Till
) -> None:
    with pytest.raises(InvalidRequestError, match=sentence):
        governed(make(), till)
