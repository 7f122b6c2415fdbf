"""The environment variables of a process that has a gateway key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["ProcessEnvironment"]


@dataclass(frozen=True, slots=True)
class ProcessEnvironment:
    """The variables that a client's process gets for the configured providers, and those that are removed from it."""

    variables: Callable[[str], Mapping[str, str]]
    """Returns the variables with the gateway's addresses and the key passed to it; called once the gateway listens."""
    withheld: frozenset[str]
    """The variables with the configured providers' own keys, which are removed."""

    def changes(self, secret: str) -> dict[str, str | None]:
        """Return the variables to set for a process with this key; None for a variable to remove."""
        return {**dict.fromkeys(self.withheld), **self.variables(secret)}
