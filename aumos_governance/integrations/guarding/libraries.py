"""The libraries whose clients `govern` takes. A provider is registered by one line here, and by nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from .provider import Provider

__all__ = ["LIBRARIES", "Library", "is_of_library", "library_names", "provider_of"]


@dataclass(frozen=True, slots=True)
class Library:
    """One provider's library for Python."""

    name: str
    """The provider, as sentences name it."""
    calls: str
    """The module whose ``PROVIDER`` knows what requests cost. It is imported where a client is governed first."""


LIBRARIES: Final[dict[str, Library]] = {
    "openai": Library("OpenAI", "aumos_governance.integrations.openai.calls"),
    "anthropic": Library("Anthropic", "aumos_governance.integrations.anthropic.calls"),
}
"""By the name of the library's package."""


def provider_of(library: str) -> Provider:
    """What knows the requests of one of `LIBRARIES`."""
    return cast("Provider", import_module(LIBRARIES[library].calls).PROVIDER)


def is_of_library(kind: type[Any]) -> bool:
    """Whether a class is one of the libraries' own, and not of a user's subclass of it."""
    return kind.__module__.partition(".")[0] in LIBRARIES


def library_names() -> str:
    """All of them, as in "OpenAI's or Anthropic's"."""
    *others, last = [f"{library.name}'s" for library in LIBRARIES.values()]
    return f"{', '.join(others)} or {last}" if others else last
