"""What a user reads and changes of notebooks' sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ledger.contract.facts import NotebookKey
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import AuditQuery, ListStates, ReadState
from ..ledger.contract.requests import ChangeSession, CloseSession, new_key
from ..ledger.contract.terms import SessionTerms
from ..wire import fields
from ..wire.bodies import ENTRY, STATE
from .users import User

__all__ = ["UserRequests"]


class UserRequests:
    """The bodies of sessions and their record; raises what the ledger raises."""

    def __init__(self, ledger: Ledger, terms: SessionTerms) -> None:
        self.ledger = ledger
        self.terms = terms

    def state(self, notebook: NotebookKey, *, shared_with: str | None = None) -> dict[str, Any]:
        """The body of ``GET state``."""
        return STATE.write(self.ledger.read(ReadState(notebook=notebook)), shared_with)

    def states(self, owner: str, root: str, *, after: str = "", limit: int = 100) -> list[dict[str, Any]]:
        """The states of all notebooks that were ever governed, by path."""
        query = ListStates(owner=owner, root=root, after=after, limit=limit)
        return [STATE.write(state) for state in self.ledger.read(query)]

    def change(
        self, user: User, notebook: NotebookKey, body: Mapping[str, Any], *, key: str | None = None
    ) -> dict[str, Any]:
        """A user's change; opens a session where there is none. Raises what the ledger raises."""
        fields.known_only(body, ("trust_level", "budget", "agent_id"))
        request = ChangeSession(
            key=key or new_key(),
            origin=user.origin(),
            notebook=notebook,
            terms=self.terms,
            trust_level=fields.optional_level(body),
            budget=fields.optional_budget(body),
            agent_id=fields.optional_text(body, "agent_id", "agent id"),
        )
        return STATE.write(self.ledger.execute(request).state)

    def close(self, user: User, notebook: NotebookKey, *, key: str | None = None) -> dict[str, Any]:
        """A user closes the session; with none open nothing changes."""
        request = CloseSession(key=key or new_key(), origin=user.origin(), notebook=notebook, terms=self.terms)
        return STATE.write(self.ledger.execute(request))

    def audit(self, query: AuditQuery) -> dict[str, Any]:
        """One page of records, in the query's order, with the cursor of the next one."""
        page = self.ledger.read(query)
        return {"records": [ENTRY.write(entry) for entry in page.records], "cursor": page.cursor}
