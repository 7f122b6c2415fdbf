"""Reads the setting ``GovernanceExtension.providers``, in which an administrator lists the gateway's providers.

It is a dict such as ``{"openai": {"key_file": "/etc/aumos/openai.key"}}``. Each entry becomes an `Upstream`. The
message for an invalid entry names the field and its value, except for secrets.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from ... import money
from ...errors import AumOSGovernanceError, ConfigurationError
from ...integrations.pricing.model_names import is_local
from ...integrations.pricing.prices import Prices
from ..contract import Dialect, Upstream
from .key_sources import CommandKey, FileKey, VariableKey, no_key
from .known_providers import KNOWN, KnownProvider

SETTING: Final = "GovernanceExtension.providers"
EXAMPLE: Final = "{'openai': {'key_file': '/etc/aumos/openai.key'}}"
_SOURCES: Final = ("key_file", "key_env", "key_command")
_FIELDS: Final = (
    *_SOURCES,
    "key",
    "base_url",
    "api",
    "provider",
    "models",
    "denied_models",
    "prices",
    "cost",
    "default_cost",
    "fee",
    "headers",
    "timeout",
    "connect_timeout",
    "output_limit",
    "max_hold",
)
_APIS: Final[tuple[Dialect, ...]] = ("openai", "anthropic", "google")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
"""The syntax of a header's name: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2."""
_CREDENTIALS: Final = frozenset({"authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie", "host"})
_WEEK: Final = 7 * 24 * 3600
_MOST_TOKENS: Final = 10_000_000


def read_providers(value: object, environment: Mapping[str, str] | None = None) -> dict[str, Upstream]:
    """Return an upstream for each provider that ``value``, the setting ``providers``, configures, by provider name.

    ``environment`` has the variables that an entry's ``key_env`` may name; by default it is this process's environment.
    Each provider's key is read once here, so that a server with a missing key does not start. Raises ConfigurationError
    if a value is not valid.
    """
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{SETTING} is {_shown(value)}, but must be a dict such as {EXAMPLE}.")
    if value:
        _check_libraries()
    return {
        _name(name): _Entry(name, entry, os.environ if environment is None else environment).upstream()
        for name, entry in value.items()
    }


def _check_libraries() -> None:
    missing = [name for name in ("aiohttp", "genai_prices") if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"{SETTING} needs {' and '.join(missing)}, which the server's environment does not have;"
            " pip install 'aumos-governance[gateway]' and start the server again."
        )


def _name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{SETTING} has a provider named {_shown(name)}; a name has at most 40 lower-case letters, digits, - and _."
        )
    return name


class _Entry:
    """One provider's entry in the setting ``providers``.

    `upstream` validates the fields one by one and raises ConfigurationError for the first invalid one.
    """

    def __init__(self, name: str, entry: object, environment: Mapping[str, str]) -> None:
        self._name = name
        self._where = f"{SETTING}[{name!r}]"
        self._environment = environment
        if not isinstance(entry, Mapping):
            raise ConfigurationError(f"{self._where} is {_shown(entry)}, but must be a dict, as in {EXAMPLE}.")
        for field in entry:
            if field not in _FIELDS:
                raise ConfigurationError(
                    f"{self._where} has the unknown field {_shown(field)};"
                    f" {_did_you_mean(field, _FIELDS) or f'the fields are {_listed(_FIELDS)}.'}"
                )
        self._entry: Mapping[str, Any] = entry
        self._known: KnownProvider | None = KNOWN.get(name)

    def upstream(self) -> Upstream:
        base_url = self._base_url()
        key, variables = self._key(base_url)
        upstream = Upstream(
            name=self._name,
            dialect=self._dialect(),
            base_url=base_url,
            key=key,
            prices=self._prices(),
            provider=self._provider(),
            models=self._patterns("models"),
            denied_models=self._patterns("denied_models"),
            headers=self._headers(),
            connect_seconds=self._seconds("connect_timeout", 10.0),
            read_seconds=self._seconds("timeout", 600.0),
            output_limit=self._output_limit(),
            max_hold=self._max_hold(),
            key_variables=variables,
        )
        return replace(upstream, key_refused=key.refuse) if isinstance(key, CommandKey) else upstream

    def _refuse(self, field: str, valid: str) -> NoReturn:
        raise ConfigurationError(f"{self._where}[{field!r}] is {_shown(self._entry[field])}, but must be {valid}.")

    def _base_url(self) -> str:
        given = self._entry.get("base_url")
        if given is None:
            if self._known is None or self._known.base_url is None:
                hint = "" if self._known else _did_you_mean(self._name, KNOWN)
                raise ConfigurationError(
                    f"{self._where} has no base_url, the address that the provider's own libraries use, for example"
                    f" 'https://api.example.com/v1'{f'; {hint}' if hint else '.'}"
                )
            return self._known.base_url
        valid = "an address such as 'https://api.example.com/v1', without a user, a query or a fragment"
        if not isinstance(given, str) or not given.isascii() or any(ord(character) <= 32 for character in given):
            self._refuse("base_url", valid)
        try:
            parts = urlsplit(given)
            _ = parts.port
        except ValueError:
            self._refuse("base_url", valid)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or "?" in given:
            self._refuse("base_url", valid)
        if "#" in given:
            self._refuse("base_url", valid)
        return given.rstrip("/")

    def _key(self, base_url: str) -> tuple[Callable[[], str | None], tuple[str, ...]]:
        if self._entry.get("key") is not None:
            # The message does not show the value, which is a secret.
            raise ConfigurationError(
                f"{self._where}['key'] may only be None: a key does not belong in a configuration file; name"
                " key_file, key_env or key_command."
            )
        named = [source for source in _SOURCES if self._entry.get(source) is not None]
        if len(named) > 1:
            raise ConfigurationError(f"{self._where} has {' and '.join(named)}; name only one of them.")
        if not named:
            if is_local(base_url):
                return no_key, ()
            raise ConfigurationError(
                f"{self._where} has no key; name key_file, key_env or key_command (only a server on this machine or a"
                " private network may need none)."
            )
        if not is_local(base_url) and not base_url.startswith("https:"):
            self._refuse("base_url", "an address with https, since a key is sent there")
        source = named[0]
        where, value = f"{self._where}[{source!r}]", self._entry[source]
        if source == "key_command":
            if (
                not isinstance(value, (list, tuple))
                or not value
                or not all(isinstance(word, str) and "\0" not in word for word in value)
                or not value[0]
            ):
                self._refuse(source, "a list of a program and its arguments, such as ['pass', 'show', 'openai']")
            return CommandKey(where, value), ()
        if not isinstance(value, str) or not value or "\0" in value:
            self._refuse(
                source, "the path of a file" if source == "key_file" else "the name of an environment variable"
            )
        if source == "key_file":
            return FileKey(where, value), ()
        return VariableKey(where, value, self._environment), (value,)

    def _dialect(self) -> Dialect:
        default: Dialect = self._known.dialect if self._known else "openai"
        given = self._entry.get("api")
        if given is None:
            return default
        for api in _APIS:
            if given == api:
                return api
        return self._refuse("api", f"one of {_listed(_APIS)}")

    def _provider(self) -> str | None:
        given = self._entry.get("provider")
        if given is None:
            # If the base URL belongs to another vendor that genai-prices knows, that vendor's price list applies.
            return self._known.seller if self._known else None
        ids = [provider.id for provider in import_module("genai_prices.data_snapshot").get_snapshot().providers]
        if given not in ids:
            hint = _did_you_mean(given, ids) or "an example is 'openai'."
            raise ConfigurationError(
                f"{self._where}['provider'] is {_shown(given)}, but must be a provider's id in genai-prices; {hint}"
            )
        return str(given)

    def _prices(self) -> Prices:
        amounts = {name: self._entry.get(name) for name in ("cost", "default_cost", "fee")}
        try:
            for name, amount in amounts.items():
                if amount is not None:
                    money.parse(amount, what=name)
            return Prices(price=self._entry.get("prices"), **amounts)
        except AumOSGovernanceError as error:
            raise ConfigurationError(f"The prices of {self._where} cannot be used: {error.message}") from None

    def _patterns(self, field: str) -> tuple[str, ...]:
        given = self._entry.get(field)
        if given is None:
            return ()
        valid = "a list of models, which may have wildcards, for example ['gpt-5*']"
        if not isinstance(given, (list, tuple)) or not all(isinstance(each, str) and each for each in given):
            self._refuse(field, valid)
        if field == "models" and not given:
            # An empty list looks as if it allowed no model, but would allow all.
            self._refuse(field, valid + "; leave it out to allow all")
        return tuple(given)

    def _headers(self) -> dict[str, str]:
        given = self._entry.get("headers")
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            self._refuse("headers", "a dict of names and values, for example {'OpenAI-Organization': 'org-1'}")
        for name, value in given.items():
            if not isinstance(name, str) or not _HEADER.fullmatch(name) or name.lower() in _CREDENTIALS:
                raise ConfigurationError(
                    f"{self._where}['headers'] has the name {_shown(name)}, which cannot be set here; for the"
                    " key, name key_file, key_env or key_command, and the gateway adds its header."
                )
            if not isinstance(value, str) or not value.isascii() or not value.isprintable():
                # The message does not show the value, since a header may be a secret.
                raise ConfigurationError(f"{self._where}['headers'][{name!r}] must be one line of visible ASCII text.")
        return dict(given)

    def _seconds(self, field: str, default: float) -> float:
        given = self._entry.get(field)
        if given is None:
            return default
        if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given <= _WEEK:
            self._refuse(field, f"a number of seconds, more than 0 and at most {_WEEK}")
        return float(given)

    def _output_limit(self) -> int | None:
        given = self._entry.get("output_limit")
        if given is None:
            return None
        if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= _MOST_TOKENS:
            self._refuse("output_limit", f"a whole number of tokens from 1 to {_MOST_TOKENS}")
        return given

    def _max_hold(self) -> int | None:
        given = self._entry.get("max_hold")
        if given is None:
            return None
        try:
            nano = money.parse(given)
        except AumOSGovernanceError:
            nano = 0
        if nano <= 0:
            self._refuse("max_hold", "an amount of US dollars above 0, for example '0.50'")
        return nano


def _did_you_mean(word: object, words: Iterable[str]) -> str:
    close = get_close_matches(word, list(words), n=1) if isinstance(word, str) else []
    return f"did you mean {close[0]!r}?" if close else ""


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
