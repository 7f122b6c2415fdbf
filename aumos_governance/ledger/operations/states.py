"""A notebook's state as answers show it."""

from __future__ import annotations

from dataclasses import replace

from ...types import TrustLevel
from ..contract.facts import Balance, ClosedSessions, NotebookKey, SessionState
from ..rules.files import file_of, path_below
from ..transaction.rows import EnvelopeRow, NotebookRow, SessionRow
from ..transaction.work import Work

__all__ = ["build_state", "open_session_of", "own_envelope", "seen_from", "state_at", "state_of"]

_LEVELS = tuple(TrustLevel)


def state_at(work: Work, key: NotebookKey) -> SessionState:
    """The state of whatever notebook has this path now."""
    notebook = work.notebook(key)
    if notebook is None:
        return SessionState(key, work.store.last_seq(key.owner, file_of(key.root, key.path)))
    state = state_of(work, notebook)
    return state if state.notebook == key else replace(state, notebook=key)


def seen_from(root: str, state: SessionState) -> SessionState:
    """The state with the notebook named from this root, whichever it was named from first."""
    key = state.notebook
    if key.root == root:
        return state
    return replace(state, notebook=NotebookKey(key.owner, root, path_below(root, file_of(key.root, key.path))))


def state_of(work: Work, notebook: NotebookRow) -> SessionState:
    """The notebook's state with all that this transaction has changed."""
    state = work.states.get(notebook.id)
    if state is None:
        if notebook.session_id is None:
            state = build_state(notebook, None, None, 0, 0)
        else:
            session = work.get(SessionRow, notebook.session_id)
            balance = work.balance(session.envelope_id, 0)
            state = build_state(notebook, session, own_envelope(work, session), balance.spent, balance.held)
        work.states[notebook.id] = state
    return state


def open_session_of(work: Work, notebook: NotebookRow | None) -> SessionRow | None:
    """The notebook's open session."""
    if notebook is None or notebook.session_id is None:
        return None
    session = work.get(SessionRow, notebook.session_id)
    return session if session.closed_at is None else None


def own_envelope(work: Work, session: SessionRow) -> EnvelopeRow:
    """The envelope that is the session's own budget."""
    return work.get(EnvelopeRow, session.envelope_id)


def build_state(
    notebook: NotebookRow, session: SessionRow | None, envelope: EnvelopeRow | None, spent: int, held: int
) -> SessionState:
    """The state that these rows amount to; of a deleted notebook nothing is left but ``seq``."""
    key = NotebookKey(notebook.owner, notebook.root, notebook.path)
    if session is None or envelope is None or notebook.deleted_at is not None:
        return SessionState(key, notebook.seq)
    previous = None
    if notebook.closed_sessions:
        previous = ClosedSessions(
            notebook.closed_sessions, notebook.closed_spent, notebook.closed_budget, notebook.closed_at or 0
        )
    return SessionState(
        key,
        notebook.seq,
        session.closed_at is None,
        session.id,
        _LEVELS[session.trust_level],
        Balance(envelope.ceiling, spent, held),
        session.agent_id,
        session.trust_set_by,
        session.budget_set_by,
        bool(session.trust_by_person),
        bool(session.budget_by_person),
        session.opened_at,
        session.opened_by,
        session.closed_at,
        previous,
    )
