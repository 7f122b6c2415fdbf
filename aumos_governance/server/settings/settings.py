"""The server's configuration as one object, in which no setting contradicts another.

This module needs neither traitlets nor a server, so that the commands can use it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ... import money
from ..._version import __version__
from ...errors import ConfigurationError
from ...ledger.contract.budgets import EnvelopeSpec
from ...ledger.contract.terms import SessionTerms
from ...types import TrustLevel


@dataclass(frozen=True, slots=True)
class Settings:
    """A server's configuration, from the start of the server on. `read_settings` makes and checks it."""

    terms: SessionTerms
    warn_at: tuple[str, ...]
    """The fractions of a budget at which the display of the amount spent changes colour, rising, as decimal text."""
    autostart: bool
    database_url: str
    envelopes: tuple[EnvelopeSpec, ...] = ()
    """The ceilings over the money of several sessions, as the setting ``envelopes`` states them."""
    at_limit: str = "deny"
    """What happens to a call that exceeds a limit on money, unless its notebook chooses: ``deny`` denies it, and
    ``ask`` lets it wait for a user."""
    autostart_terms: SessionTerms | None = None
    """The terms of sessions that the server opens: `terms` with the trust level and budget of the setting
    ``autostart``. None if that setting is only true or false."""

    @property
    def shared(self) -> bool:
        """Whether servers of other users may use the same ledger, since it is on a database server."""
        return not self.database_url.startswith(("sqlite:", "memory:"))

    def body(self) -> dict[str, Any]:
        """Return the settings that ``GET config`` shows to users.

        The ledger's address is not one of them, since it may contain a password.
        """
        terms = self.terms
        return {
            "version": __version__,
            "default_budget": money.to_text(terms.default_budget),
            "default_trust_level": int(terms.default_trust_level),
            "max_budget": None if terms.max_budget is None else money.to_text(terms.max_budget),
            "max_trust_level": int(terms.max_trust_level),
            "warn_at": list(self.warn_at),
            "strict": terms.strict,
            "autostart": self.autostart,
            "at_limit": self.at_limit,
        }


def default_database_url(data_dir: Path) -> str:
    """Return the URL of the default ledger: a SQLite file below ``data_dir``, Jupyter's data folder."""
    return f"sqlite:///{data_dir.absolute() / 'aumos_governance' / 'ledger.sqlite'}"


def read_settings(
    *,
    default_budget: str,
    default_trust_level: int,
    max_budget: str | None,
    max_trust_level: int,
    warn_at: Sequence[str],
    strict: bool,
    autostart: bool | Mapping[str, Any],
    database_url: str,
    envelopes: Sequence[EnvelopeSpec] = (),
    at_limit: str = "deny",
) -> Settings:
    """Return the settings as one configuration.

    Each setting must have been validated by its trait. ``max_budget`` and ``default_budget`` are in USD, as text.
    Raises ConfigurationError if settings contradict each other; its message names a setting to change.
    """
    ceiling = None if max_budget is None else money.parse(max_budget)
    terms = SessionTerms(
        default_trust_level=TrustLevel(default_trust_level),
        default_budget=money.parse(default_budget),
        max_trust_level=TrustLevel(max_trust_level),
        max_budget=ceiling,
        strict=strict,
    )
    _check_maxima(terms, "default_budget", "default_trust_level")
    autostart_terms = None
    if isinstance(autostart, Mapping):
        level, budget = autostart.get("trust_level"), autostart.get("budget")
        autostart_terms = replace(
            terms,
            default_trust_level=terms.default_trust_level if level is None else TrustLevel(level),
            default_budget=terms.default_budget if budget is None else money.parse(budget),
        )
        _check_maxima(autostart_terms, "autostart.budget", "autostart.trust_level")
    return Settings(
        terms=terms,
        warn_at=tuple(warn_at),
        autostart=autostart is not False,
        database_url=database_url,
        envelopes=tuple(envelopes),
        at_limit=at_limit,
        autostart_terms=autostart_terms,
    )


def _check_maxima(terms: SessionTerms, budget: str, level: str) -> None:
    if terms.max_budget is not None and terms.default_budget > terms.max_budget:
        raise ConfigurationError(
            f"GovernanceExtension.{budget} is {money.display(terms.default_budget)}, but must be at most"
            f" {money.display(terms.max_budget)}, the max_budget."
        )
    if terms.default_trust_level > terms.max_trust_level:
        raise ConfigurationError(
            f"GovernanceExtension.{level} is {int(terms.default_trust_level)}, but must be at most"
            f" {int(terms.max_trust_level)}, the max_trust_level."
        )
