"""The environment variables of a process that has a gateway key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["ProcessEnvironment"]


@dataclass(frozen=True, slots=True)
class ProcessEnvironment:
    """The variables of the configured providers: those that a process gets, and those that are taken from it."""

    variables: Callable[[str], Mapping[str, str]]
    """Those that point at the gateway and hold the key that is given. Called once the gateway listens."""
    withheld: frozenset[str]
    """Those that hold a configured provider's own key or address."""

    def changes(self, secret: str) -> dict[str, str | None]:
        """What changes for a process with this key: the variables that are set, and with None those taken out."""
        return {**dict.fromkeys(self.withheld), **self.variables(secret)}
