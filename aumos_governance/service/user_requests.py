"""Users' requests to read and change the sessions of notebooks, and to read their audit records."""

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


class UserRequests:
    """The handler of users' REST requests about sessions. It returns response bodies and raises the ledger's errors."""

    def __init__(self, ledger: Ledger, terms: SessionTerms) -> None:
        self.ledger = ledger
        self.terms = terms

    def state(self, notebook: NotebookKey, *, shared_with: str | None = None) -> dict[str, Any]:
        """Return the body of ``GET state``."""
        return STATE.write(self.ledger.read(ReadState(notebook=notebook)), shared_with)

    def states(self, owner: str, root: str, *, after: str = "", limit: int = 100) -> list[dict[str, Any]]:
        """Return the states of notebooks that ever had a session, at most ``limit``, in the order of their paths."""
        query = ListStates(owner=owner, root=root, after=after, limit=limit)
        return [STATE.write(state) for state in self.ledger.read(query)]

    def change(
        self, user: User, notebook: NotebookKey, body: Mapping[str, Any], *, key: str | None = None
    ) -> dict[str, Any]:
        """Change a notebook's session for a user, or open one if none is open; return the body of the new state."""
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
        """Close a notebook's session for a user, if a session is open; return the body of the new state."""
        request = CloseSession(key=key or new_key(), origin=user.origin(), notebook=notebook, terms=self.terms)
        return STATE.write(self.ledger.execute(request))

    def audit(self, query: AuditQuery) -> dict[str, Any]:
        """Return one page of audit records, in the query's order, with the cursor of the next page."""
        page = self.ledger.read(query)
        return {"records": [ENTRY.write(entry) for entry in page.records], "cursor": page.cursor}
