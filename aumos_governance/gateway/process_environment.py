"""The changes to the environment of a kernel, terminal or command that gets a gateway key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessEnvironment:
    """What the server changes in the environment of every process that gets a gateway key."""

    variables: Callable[[str], Mapping[str, str]]
    """Returns the variables to set for a client, given the client's gateway key: the gateway's addresses, and that key.
    It may be called only when the gateway is listening."""
    withheld: frozenset[str]
    """The names of the variables to remove, since they may hold the configured providers' own keys."""

    def changes(self, secret: str) -> dict[str, str | None]:
        """Return the environment's changes for a client with the gateway key ``secret``, by variable name.

        A value of None means that the variable is removed.
        """
        return {**dict.fromkeys(self.withheld), **self.variables(secret)}
