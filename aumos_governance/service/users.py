"""The user behind a request: the name that is recorded, and the scope of the idempotency keys."""

from __future__ import annotations

from dataclasses import dataclass

from ..ledger.contract.facts import Origin

__all__ = ["User"]


@dataclass(frozen=True, slots=True)
class User:
    """A user as the server authenticated the request."""

    name: str
    """The ``actor`` of the records."""
    scope: str = ""
    """The namespace of the idempotency keys: the same for all requests of one client. Empty: one for each name."""

    def origin(self, within: tuple[str, str] | None = None) -> Origin:
        """The origin of a request; ``within`` is the owner and root that it is confined to."""
        return Origin(actor=self.name, person=True, scope=self.scope or f"user:{self.name}", within=within)
