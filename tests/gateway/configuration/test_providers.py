"""The setting ``providers``: the upstreams that are made of it, and the sentence that refuses each wrong value."""

from __future__ import annotations

import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aumos_governance.errors import ConfigurationError
from aumos_governance.gateway.configuration import providers
from aumos_governance.gateway.configuration.known_providers import KNOWN
from aumos_governance.gateway.configuration.providers import read_providers
from aumos_governance.gateway.contract import Upstream

KEY = "sk-secret-0123456789"
LOCAL = {"base_url": "http://127.0.0.1:8000/v1"}


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "openai.key"
    path.write_text(f"{KEY}\n")
    path.chmod(0o600)
    return path


def one(entry: Any, name: str = "openai", **environment: str) -> Upstream:
    return read_providers({name: entry}, environment)[name]


def refusal(value: Any, **environment: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_providers(value, environment)
    message = caught.value.message
    assert message.startswith(("GovernanceExtension.providers", "The prices of GovernanceExtension.providers"))
    assert KEY not in message
    assert "\n" not in message
    return message


# ---- valid entries


def test_a_known_provider_needs_only_its_key() -> None:
    upstream = one({"key_env": "TEAM_KEY"}, TEAM_KEY=KEY)
    assert (upstream.name, upstream.dialect, upstream.base_url, upstream.provider) == (
        "openai",
        "openai",
        "https://api.openai.com/v1",
        "openai",
    )
    assert upstream.key() == KEY
    assert upstream.key_variables == ("TEAM_KEY",)
    assert (upstream.models, upstream.denied_models, upstream.headers) == ((), (), {})
    assert (upstream.connect_seconds, upstream.read_seconds) == (10.0, 600.0)
    assert (upstream.output_limit, upstream.max_hold) == (None, None)
    assert KEY not in repr(upstream)


def test_every_field_of_a_provider_is_read() -> None:
    entry = {
        "key_env": "TEAM_KEY",
        "base_url": "https://llm.example.org/proxy/v1/",
        "api": "anthropic",
        "provider": "anthropic",
        "models": ["claude-*"],
        "denied_models": ["claude-opus-*"],
        "prices": {"claude-*": {"input_mtok": 3, "output_mtok": "15"}},
        "fee": "0.001",
        "headers": {"X-Team": "five"},
        "timeout": 30,
        "connect_timeout": 2.5,
        "output_limit": 4096,
        "max_hold": "0.50",
    }
    upstream = one(entry, "campus", TEAM_KEY=KEY)
    assert upstream.base_url == "https://llm.example.org/proxy/v1"
    assert (upstream.dialect, upstream.provider) == ("anthropic", "anthropic")
    assert upstream.allows("claude-haiku-4-5")
    assert not upstream.allows("claude-opus-4-5")
    assert not upstream.allows("gpt-5")
    assert upstream.headers == {"X-Team": "five"}
    assert (upstream.connect_seconds, upstream.read_seconds) == (2.5, 30.0)
    assert (upstream.output_limit, upstream.max_hold) == (4096, 500_000_000)
    assert upstream.prices.rates("claude-own", provider="anthropic").fee == Decimal("0.001")


def test_a_flat_cost_is_what_each_call_costs() -> None:
    rates = one({**LOCAL, "cost": 0}, "vllm").prices.rates("any", provider="")
    assert rates.flat == 0


@pytest.mark.parametrize("name", [name for name, known in KNOWN.items() if known.base_url is not None])
def test_each_known_provider_can_be_configured_by_its_name(name: str) -> None:
    upstream = one({"key_env": "TEAM_KEY"}, name, TEAM_KEY=KEY)
    assert upstream.dialect == KNOWN[name].dialect
    # A seller that is not an id of genai-prices would be refused in the setting.
    if upstream.provider is not None:
        assert one({"key_env": "TEAM_KEY", "provider": upstream.provider}, name, TEAM_KEY=KEY).provider


def test_where_a_request_goes_is_the_clients_path_at_the_providers_host() -> None:
    upstream = one({"key_env": "TEAM_KEY"}, "groq", TEAM_KEY=KEY)
    assert upstream.client_path == "/llm/groq/openai/v1"
    assert upstream.url("/openai/v1/chat/completions") == "https://api.groq.com/openai/v1/chat/completions"


# ---- keys


def test_a_key_in_a_file_is_read_again_when_the_file_changes(key_file: Path) -> None:
    upstream = one({"key_file": str(key_file)})
    assert upstream.key() == KEY
    other = key_file.with_name("next.key")
    other.write_text("sk-next")
    other.chmod(0o600)
    other.replace(key_file)
    assert upstream.key() == "sk-next"
    key_file.unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        upstream.key()


def test_a_missing_key_file_is_refused(tmp_path: Path) -> None:
    message = refusal({"openai": {"key_file": str(tmp_path / "none.key")}})
    assert "['key_file'] is" in message
    assert "No such file or directory" in message


@pytest.mark.parametrize("content", ["", " \n", "two words", "two\nlines", "schlüssel", "a\x00b"])
def test_a_file_that_holds_no_key_is_refused(key_file: Path, content: str) -> None:
    key_file.write_text(content, "utf-8")
    message = refusal({"openai": {"key_file": str(key_file)}})
    assert "is empty" in message or "is not a key" in message


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_a_key_file_that_others_can_read_is_refused(key_file: Path) -> None:
    key_file.chmod(0o604)
    assert "chmod 600" in refusal({"openai": {"key_file": str(key_file)}})
    key_file.chmod(0o640)
    assert one({"key_file": str(key_file)}).key() == KEY


def test_a_folder_is_no_key_file(tmp_path: Path) -> None:
    assert "which is not a file" in refusal({"openai": {"key_file": str(tmp_path)}})


def test_a_missing_variable_is_refused() -> None:
    assert "no such environment variable" in refusal({"openai": {"key_env": "TEAM_KEY"}})


def test_a_command_prints_the_key_without_a_shell() -> None:
    upstream = one({"key_command": [sys.executable, "-c", "import sys; print(sys.argv[1])", f"{KEY}$HOME"]})
    assert upstream.key() == f"{KEY}$HOME"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ([sys.executable, "-c", f"import sys; print('{KEY}'); sys.exit(3)"], "exit status 3"),
        ([sys.executable, "-c", "pass"], "is empty"),
        (["/nonexistent/program"], "cannot be started"),
        ("echo key", "must be a list"),
        ([], "must be a list"),
        (["echo", 1], "must be a list"),
    ],
)
def test_a_command_that_gives_no_key_is_refused(command: Any, words: str) -> None:
    assert words in refusal({"openai": {"key_command": command}})


def test_a_command_that_takes_too_long_is_refused() -> None:
    command = [sys.executable, "-c", "import threading; threading.Event().wait()"]
    with pytest.raises(ConfigurationError, match=r"printed no key within 0\.2 seconds"):
        providers.CommandKey("GovernanceExtension.providers['openai']['key_command']", command, 0.2)


def test_only_a_server_nearby_needs_no_key() -> None:
    assert one(LOCAL, "vllm").key() is None
    assert one({"key": None}, "ollama").key() is None
    assert "has no key" in refusal({"openai": {}})
    assert "has no key" in refusal({"openai": {"key": None}})


def test_a_key_in_the_configuration_itself_is_refused() -> None:
    assert "may only be None" in refusal({"openai": {"key": KEY}})


def test_a_key_is_not_sent_without_encryption_to_another_network() -> None:
    entry = {"key_env": "TEAM_KEY", "base_url": "http://llm.example.org/v1"}
    assert "an address with https" in refusal({"campus": entry}, TEAM_KEY=KEY)
    assert one({**entry, "base_url": "http://vllm.internal/v1"}, "campus", TEAM_KEY=KEY).key() == KEY


# ---- wrong values


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("openai", "must be a dict"),
        ([], "must be a dict"),
        ({"openai": KEY[:3]}, "must be a dict"),
        ({"Open AI": LOCAL}, "lower-case"),
        ({1: LOCAL}, "lower-case"),
        ({"a/b": LOCAL}, "lower-case"),
        ({"opnai": {"key_env": "TEAM_KEY"}}, "did you mean 'openai'?"),
        ({"campus": {"key_env": "TEAM_KEY"}}, "has no base_url"),
        ({"azure": {"key_env": "TEAM_KEY"}}, "has no base_url"),
        ({"vllm": {**LOCAL, "key_fil": "x"}}, "did you mean 'key_file'?"),
        ({"vllm": {**LOCAL, "zzz": "x"}}, "the fields are key_file,"),
        ({"vllm": {**LOCAL, 3: "x"}}, "the fields are key_file,"),
        ({"vllm": {"key_env": "TEAM_KEY", "key_file": "x"}}, "name only one"),
        ({"vllm": {"key_env": 3}}, "must be the name of an environment variable"),
        ({"vllm": {"key_file": ""}}, "must be the path of a file"),
        ({"vllm": {"base_url": "127.0.0.1:8000"}}, "must be an address"),
        ({"vllm": {"base_url": "ftp://127.0.0.1"}}, "must be an address"),
        ({"vllm": {"base_url": "http://me:pw@127.0.0.1"}}, "must be an address"),
        ({"vllm": {"base_url": "http://127.0.0.1/v1?a=b"}}, "must be an address"),
        ({"vllm": {"base_url": "http://127.0.0.1/v1#a"}}, "must be an address"),
        ({"vllm": {"base_url": "http://127.0.0.1:99999/v1"}}, "must be an address"),
        ({"vllm": {"base_url": "http://127.0.0.1/v 1"}}, "must be an address"),
        ({"vllm": {"base_url": 3}}, "must be an address"),
        ({"vllm": {**LOCAL, "api": "gemini"}}, "one of openai, anthropic, google"),
        ({"vllm": {**LOCAL, "provider": "opnai"}}, "did you mean 'openai'?"),
        ({"vllm": {**LOCAL, "provider": 3}}, "in genai-prices"),
        ({"vllm": {**LOCAL, "models": "gpt-5"}}, "must be a list of models"),
        ({"vllm": {**LOCAL, "models": []}}, "leave it out"),
        ({"vllm": {**LOCAL, "denied_models": [3]}}, "must be a list of models"),
        ({"vllm": {**LOCAL, "prices": {"inputs": 3}}}, "no price named 'inputs'"),
        ({"vllm": {**LOCAL, "prices": 3}}, "price must be a mapping"),
        ({"vllm": {**LOCAL, "prices": {"input_mtok": -1}}}, "must be an amount"),
        ({"vllm": {**LOCAL, "cost": "much"}}, "cost"),
        ({"vllm": {**LOCAL, "fee": -1}}, "fee"),
        ({"vllm": {**LOCAL, "default_cost": []}}, "default_cost"),
        ({"vllm": {**LOCAL, "headers": []}}, "must be a dict"),
        ({"vllm": {**LOCAL, "headers": {"Authorization": "x"}}}, "cannot be set here"),
        ({"vllm": {**LOCAL, "headers": {"a b": "x"}}}, "cannot be set here"),
        ({"vllm": {**LOCAL, "headers": {"X-A": f"{KEY}\r\nX-B: c"}}}, "one line"),
        ({"vllm": {**LOCAL, "timeout": "30"}}, "number of seconds"),
        ({"vllm": {**LOCAL, "timeout": True}}, "number of seconds"),
        ({"vllm": {**LOCAL, "connect_timeout": 0}}, "number of seconds"),
        ({"vllm": {**LOCAL, "timeout": float("nan")}}, "number of seconds"),
        ({"vllm": {**LOCAL, "output_limit": 0}}, "whole number of tokens"),
        ({"vllm": {**LOCAL, "output_limit": 1.5}}, "whole number of tokens"),
        ({"vllm": {**LOCAL, "max_hold": 0}}, "above 0"),
        ({"vllm": {**LOCAL, "max_hold": "much"}}, "above 0"),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(value: Any, words: str) -> None:
    message = refusal(value, TEAM_KEY=KEY)
    assert words in message
    assert message.endswith((".", "?"))


def test_what_the_gateway_needs_is_named_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "find_spec", lambda name: None if name == "aiohttp" else object())
    message = refusal({"vllm": LOCAL})
    assert "needs aiohttp" in message
    assert "pip install 'aumos-governance[gateway]'" in message
    # Without a configured provider the libraries are not needed.
    assert read_providers({}) == {}
