"""The providers' Python libraries whose clients `govern` accepts. To add a library, add one line to `LIBRARIES`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from .provider import Provider


@dataclass(frozen=True, slots=True)
class Library:
    """A provider's Python library whose clients `govern` accepts."""

    name: str
    """The provider's name for messages."""
    calls: str
    """The name of the module with the adapter, ``PROVIDER``. The first governed client of the library imports it."""


LIBRARIES: Final[dict[str, Library]] = {
    "openai": Library("OpenAI", "aumos_governance.integrations.openai.calls"),
    "anthropic": Library("Anthropic", "aumos_governance.integrations.anthropic.calls"),
}
"""The supported libraries, by the name of the library's package."""


def provider_of(library: str) -> Provider:
    """Return the adapter for the clients of a library, named by its key in `LIBRARIES`."""
    return cast("Provider", import_module(LIBRARIES[library].calls).PROVIDER)


def is_of_library(kind: type[Any]) -> bool:
    """Whether a class is defined by one of `LIBRARIES`; a user's subclass of it is not."""
    return kind.__module__.partition(".")[0] in LIBRARIES


def library_names() -> str:
    """Return the names of all providers for a message: "OpenAI's or Anthropic's"."""
    *others, last = [f"{library.name}'s" for library in LIBRARIES.values()]
    return f"{', '.join(others)} or {last}" if others else last
