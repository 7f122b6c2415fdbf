"""The environment variables of the gateway's clients, as the providers' own libraries read them."""

from __future__ import annotations

import os

import anthropic
import openai
import pytest
from agents.tracing.provider import DefaultTraceProvider
from agents.tracing.traces import NoOpTrace
from google import genai

from aumos_governance.gateway.configuration.environment import past_proxies, variables, withheld
from aumos_governance.gateway.configuration.providers import read_providers
from aumos_governance.gateway.contract import Upstream
from aumos_governance.gateway.process_environment import ProcessEnvironment
from aumos_governance.wire.provider_keys import GATEWAY_ENV, GATEWAY_KEY_ENV, foreign_keys

ADDRESS = "http://127.0.0.1:4321"
OURS = "sk-aumos-test"
THEIRS = "sk-theirs"


def configured(*names: str) -> dict[str, Upstream]:
    return read_providers({name: {"key_env": "TEAM_KEY"} for name in names}, {"TEAM_KEY": THEIRS})


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of this process, which libraries read, without the variables of providers and proxies."""
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "ANTHROPIC_", "GOOGLE_", "GEMINI_", "AZURE_")) or "PROXY" in name.upper():
            monkeypatch.delenv(name)
    return monkeypatch


def put(environment: pytest.MonkeyPatch, *names: str) -> None:
    for name, value in variables(configured(*names), ADDRESS, OURS).items():
        environment.setenv(name, value)


def complete(before: dict[str, str], upstreams: dict[str, Upstream]) -> dict[str, str]:
    """Return the environment ``before`` with the changes that a client of the gateway gets."""
    environment = ProcessEnvironment(lambda secret: variables(upstreams, ADDRESS, secret), withheld(upstreams))
    changed = {**before, **environment.changes(OURS)}
    return {name: value for name, value in changed.items() if value is not None}


def test_openais_library_finds_the_gateway(environment: pytest.MonkeyPatch) -> None:
    put(environment, "openai")
    client = openai.OpenAI()
    assert (str(client.base_url), client.api_key) == (f"{ADDRESS}/llm/openai/v1/", OURS)


def test_anthropics_library_finds_the_gateway(environment: pytest.MonkeyPatch) -> None:
    put(environment, "anthropic")
    client = anthropic.Anthropic()
    assert (str(client.base_url), client.api_key) == (f"{ADDRESS}/llm/anthropic/", OURS)


def test_googles_library_finds_the_gateway(environment: pytest.MonkeyPatch) -> None:
    put(environment, "google")
    options = genai.Client()._api_client
    assert options._http_options.base_url == f"{ADDRESS}/llm/google"
    assert options.api_key == OURS


def test_googles_library_has_nothing_to_warn_of(
    environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put(environment, "google")
    genai.Client()
    assert not caplog.records
    # litellm and pydantic-ai read GEMINI_API_KEY where GOOGLE_API_KEY is not set.
    assert os.environ["GEMINI_API_KEY"] == OURS
    assert "GOOGLE_API_KEY" not in os.environ


def test_the_agents_library_sends_no_traces_with_our_key_to_openai(environment: pytest.MonkeyPatch) -> None:
    traces = DefaultTraceProvider()
    assert not isinstance(traces.create_trace("a"), NoOpTrace)
    put(environment, "openai")
    traces = DefaultTraceProvider()
    assert isinstance(traces.create_trace("a"), NoOpTrace)
    # A user who has a trace processor of their own may enable traces again.
    traces.set_disabled(False)
    assert not isinstance(traces.create_trace("a"), NoOpTrace)


def test_azures_client_finds_the_gateway(environment: pytest.MonkeyPatch) -> None:
    azure = {"azure": {"key_env": "TEAM_KEY", "base_url": "https://five.openai.azure.com"}}
    for name, value in variables(read_providers(azure, {"TEAM_KEY": THEIRS}), ADDRESS, OURS).items():
        environment.setenv(name, value)
    client = openai.AzureOpenAI(api_version="2024-10-21")
    assert (str(client.base_url), client.api_key) == (f"{ADDRESS}/llm/azure/openai/", OURS)


def test_a_library_that_adds_the_path_itself_gets_the_address_without_it() -> None:
    found = variables(configured("groq"), ADDRESS, OURS)
    assert found["GROQ_BASE_URL"] == f"{ADDRESS}/llm/groq"
    assert found["GROQ_API_BASE"] == f"{ADDRESS}/llm/groq/openai/v1"


def test_a_library_with_an_api_of_its_own_does_not_send_the_key_to_its_provider() -> None:
    found = variables(configured("cohere"), ADDRESS, OURS)
    addresses = {"CO_API_URL", "CO_BASE_URL", "COHERE_API_BASE"}
    assert {name: found[name] for name in addresses} == dict.fromkeys(addresses, f"{ADDRESS}/llm/cohere")


def test_libraries_of_one_provider_read_different_variables() -> None:
    found = variables(configured("mistral", "huggingface"), ADDRESS, OURS)
    addresses = {"MISTRAL_API_BASE", "MISTRAL_AZURE_API_BASE", "MISTRAL_BASE_URL"}
    assert {name: found[name] for name in addresses} == dict.fromkeys(addresses, f"{ADDRESS}/llm/mistral/v1")
    assert found["HUGGINGFACE_API_BASE"] == f"{ADDRESS}/llm/huggingface/v1/chat/completions"


def test_only_variables_of_configured_providers_are_there() -> None:
    found = variables(configured("openai"), ADDRESS, OURS)
    assert found == {
        GATEWAY_ENV: f"{ADDRESS}/llm",
        GATEWAY_KEY_ENV: OURS,
        "OPENAI_BASE_URL": f"{ADDRESS}/llm/openai/v1",
        "OPENAI_API_BASE": f"{ADDRESS}/llm/openai/v1",
        "OPENAI_API_KEY": OURS,
        "OPENAI_AGENTS_DISABLE_TRACING": "1",
    }


def test_a_provider_of_a_name_of_its_own_is_found_by_the_gateways_variables() -> None:
    upstreams = read_providers({"campus": {"base_url": "http://127.0.0.1:8000/v1"}})
    assert variables(upstreams, ADDRESS, OURS) == {GATEWAY_ENV: f"{ADDRESS}/llm", GATEWAY_KEY_ENV: OURS}
    assert withheld(upstreams) == frozenset()


def test_the_configured_providers_own_keys_are_taken_out_and_no_others() -> None:
    before = {
        "ANTHROPIC_API_KEY": THEIRS,
        "ANTHROPIC_AUTH_TOKEN": THEIRS,
        "GEMINI_API_KEY": THEIRS,
        "GOOGLE_API_KEY": THEIRS,
        "HF_TOKEN": THEIRS,
        "TEAM_KEY": THEIRS,
        "OPENAI_API_KEY": "of a provider that is not configured",
        "PATH": "/bin",
    }
    after = complete(before, configured("anthropic", "google", "huggingface"))
    assert THEIRS not in after.values()
    assert after["ANTHROPIC_API_KEY"] == after["GEMINI_API_KEY"] == OURS
    assert "GOOGLE_API_KEY" not in after
    assert "ANTHROPIC_AUTH_TOKEN" not in after
    assert "HF_TOKEN" not in after
    assert after["OPENAI_API_KEY"] == "of a provider that is not configured"
    assert after["PATH"] == "/bin"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"no_proxy": "a.example, 127.0.0.1"}, "a.example,127.0.0.1,localhost"),
        ({"NO_PROXY": "a.example", "no_proxy": "b.example"}, "a.example,b.example,127.0.0.1,localhost"),
        ({"NO_PROXY": "*"}, "*"),
    ],
)
@pytest.mark.parametrize("proxy", ["HTTP_PROXY", "all_proxy"])
def test_no_proxy_stands_between_a_client_and_the_gateway(proxy: str, before: dict[str, str], after: str) -> None:
    assert past_proxies({**before, proxy: "http://proxy.example:3128"}) == {"NO_PROXY": after, "no_proxy": after}
    assert past_proxies(before) == {}


def test_a_key_of_a_provider_that_is_not_configured_is_foreign() -> None:
    before = {"OPENAI_API_KEY": THEIRS, "ANTHROPIC_AUTH_TOKEN": THEIRS, "GITHUB_TOKEN": THEIRS, "GROQ_API_KEY": ""}
    assert foreign_keys(before) == ("ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY")
    assert foreign_keys(complete(before, configured("openai"))) == ("ANTHROPIC_AUTH_TOKEN",)
