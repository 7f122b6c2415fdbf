"""The user who made a REST request, as the server authenticated the user, and the request's origin for the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from ..ledger.contract.facts import Origin


@dataclass(frozen=True, slots=True)
class User:
    """A human whom the server has authenticated, for one request."""

    name: str
    """The user's name, which the audit records have as ``actor``."""
    scope: str = ""
    """The namespace of the idempotency keys that the user's client chooses. If empty, each user name has its own."""

    def origin(self, within: tuple[str, str] | None = None) -> Origin:
        """Return the origin of this user's request, which states to the ledger that a human made it.

        ``within`` is an owner and a root folder. If it is set, the ledger accepts the id of a charge, an approval or a
        report in the request only if this item belongs to a notebook of that owner below that folder.
        """
        return Origin(actor=self.name, person=True, scope=self.scope or f"user:{self.name}", within=within)
