"""The user who made a request: the name in the records, and the scope of the idempotency keys."""

from __future__ import annotations

from dataclasses import dataclass

from ..ledger.contract.facts import Origin


@dataclass(frozen=True, slots=True)
class User:
    """A user whom the server has authenticated."""

    name: str
    """The user's name, which the audit records have as ``actor``."""
    scope: str = ""
    """The namespace of the idempotency keys, the same for all requests of one client; if empty, one for each name."""

    def origin(self, within: tuple[str, str] | None = None) -> Origin:
        """Return the origin of a request of this user.

        With ``within`` (an owner and a root folder), the ledger accepts the id of a charge, approval or report in the
        request only if it belongs to that owner and folder.
        """
        return Origin(actor=self.name, person=True, scope=self.scope or f"user:{self.name}", within=within)
