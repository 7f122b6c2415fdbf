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
    """Executes users' REST requests about the sessions of notebooks.

    Methods return response bodies and raise the ledger's errors. ``terms`` are the limits and defaults of sessions that
    the server configures.
    """

    def __init__(self, ledger: Ledger, terms: SessionTerms) -> None:
        self.ledger = ledger
        self.terms = terms

    def state(self, notebook: NotebookKey, *, shared_with: str | None = None) -> dict[str, Any]:
        """Return the body of ``GET state``: the figures of the notebook's session.

        ``shared_with`` is the path of the notebook whose session this one uses if that is another notebook's.
        """
        return STATE.write(self.ledger.read(ReadState(notebook=notebook)), shared_with)

    def states(self, owner: str, root: str, *, after: str = "", limit: int = 100) -> list[dict[str, Any]]:
        """Return the states of an owner's notebooks below a root folder, in the order of their paths.

        Only notebooks that ever had a session are included. The result has at most ``limit`` states, of paths that are
        sorted after ``after``.
        """
        query = ListStates(owner=owner, root=root, after=after, limit=limit)
        return [STATE.write(state) for state in self.ledger.read(query)]

    def change(
        self, user: User, notebook: NotebookKey, body: Mapping[str, Any], *, key: str | None = None
    ) -> dict[str, Any]:
        """Set the fields of a notebook's session that the body names, for a user; open a session if none is open.

        The fields are ``trust_level``, ``budget`` in USD, and ``agent_id``. ``key`` is the request's idempotency key.
        Returns the body of the new state.
        """
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
        """Close a notebook's session for a user, if a session is open; return the body of the new state.

        ``key`` is the request's idempotency key.
        """
        request = CloseSession(key=key or new_key(), origin=user.origin(), notebook=notebook, terms=self.terms)
        return STATE.write(self.ledger.execute(request))

    def audit(self, query: AuditQuery) -> dict[str, Any]:
        """Return one page of audit records, in the query's order, with the cursor of the next page."""
        page = self.ledger.read(query)
        return {"records": [ENTRY.write(entry) for entry in page.records], "cursor": page.cursor}
