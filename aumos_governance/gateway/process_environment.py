"""The environment variables to set and remove for a process that gets a gateway key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessEnvironment:
    """The environment variables to set, and the ones to remove, in a client's process for the configured providers."""

    variables: Callable[[str], Mapping[str, str]]
    """Returns the variables to set for a client's key: the gateway's addresses, and that key. It must not be called
    before the gateway listens."""
    withheld: frozenset[str]
    """The names of the variables to remove, since they may hold the configured providers' own keys."""

    def changes(self, secret: str) -> dict[str, str | None]:
        """Return the changes to a process's environment: the value of each variable to set, None for one to remove."""
        return {**dict.fromkeys(self.withheld), **self.variables(secret)}
