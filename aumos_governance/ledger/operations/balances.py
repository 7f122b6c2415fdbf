"""The envelopes that limit a charge, their balances, and the state of a notebook that is built from them.

An envelope has one balance for each of its periods, which are calendar periods in UTC.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from ...clock import EPOCH, MICROS
from ...errors import BudgetNotFoundError, InvalidAmountError
from ...types import BudgetPeriod, TrustLevel
from ..contract.facts import Balance, ClosedSessions, NotebookKey, SessionState
from ..rules.chain import encode
from ..rules.files import file_of, path_below
from ..rules.verdicts import Refusal, over_budget
from ..transaction.rows import BalanceRow, EnvelopeRow, NotebookRow, SessionRow
from ..transaction.work import Work

_MOST = 2**63 - 1
_DAY = 24 * 3600 * MICROS
_LIFETIME = BudgetPeriod.LIFETIME.value
_LEVELS = tuple(TrustLevel)


class EnvelopeBalance(NamedTuple):
    """An envelope and its balance in one period."""

    envelope: EnvelopeRow
    balance: BalanceRow


@lru_cache(maxsize=1024)
def envelope_id(*parts: str) -> str:
    """Return the id of an envelope, derived from its kind, subject and name: all servers derive the same id."""
    return sha256(encode(parts)).hexdigest()[:32]


def with_id_replaced(envelopes: str, old: str, new: str) -> str:
    """Return these ids, separated by spaces, with the old id replaced by the new id, and without duplicates."""
    return " ".join(dict.fromkeys(new if id == old else id for id in envelopes.split()))


@lru_cache(maxsize=1024)
def category_id(session_id: str, category: str) -> str:
    """Return the id of the envelope of a category's budget in a session."""
    return envelope_id("category", session_id, category)


def enclosing_ids(session: SessionRow) -> str:
    """Return the ids, separated by spaces, of the session's envelope and its outer envelopes, inner before outer."""
    return f"{session.envelope_id} {session.outer_envelopes}" if session.outer_envelopes else session.envelope_id


def envelopes_for(work: Work, session: SessionRow, category: str | None, *, missing: str | None = None) -> str:
    """Return the ids, separated by spaces, of all envelopes that limit a charge, inner before outer.

    If the session has no budget for the category, return ``missing``; if that is None, raise BudgetNotFoundError.
    """
    if category is None:
        return enclosing_ids(session)
    inner = category_id(session.id, category)
    if work.find(EnvelopeRow, inner) is None:
        if missing is None:
            raise BudgetNotFoundError(category)
        return missing
    return f"{inner} {enclosing_ids(session)}"


def balances_of(work: Work, envelopes: str, at: int) -> list[EnvelopeBalance]:
    """Return the envelopes with these ids, each with its balance in the period of the time ``at``."""
    found = []
    for id in envelopes.split():
        envelope = work.get(EnvelopeRow, id)
        found.append(EnvelopeBalance(envelope, work.balance(id, period_start(envelope.period, at))))
    return found


def overdraw(balances: list[EnvelopeBalance], amount: int) -> Refusal | None:
    """Return the refusal of an amount, in nano-USD, that would exceed a ceiling, or None if it exceeds none.

    The refusal names the first envelope whose ceiling the spent, held and requested amounts together exceed.
    """
    for envelope, balance in balances:
        total = balance.spent + balance.held + amount
        if total > envelope.ceiling:
            return over_ceiling(envelope, total)
    return None


def over_ceiling(envelope: EnvelopeRow, total: int) -> Refusal:
    """Return the refusal of an amount; ``total``, in nano-USD, is the envelope's sum with this amount included."""
    name = "" if envelope.kind == "session" else envelope.name
    return over_budget(total, envelope.ceiling, _in_words(envelope), envelope.kind, name)


def _in_words(envelope: EnvelopeRow) -> str:
    if envelope.kind == "session":
        return "budget"
    if envelope.kind == "category":
        return f"budget {envelope.name!r}"
    return f"the {envelope.period} ceiling {envelope.name!r}"


def check_sums(
    work: Work,
    notebook: NotebookRow,
    session: SessionRow,
    balances: list[EnvelopeBalance],
    amount: int,
    spent: int | None = None,
) -> None:
    """Raise InvalidAmountError if a sum would exceed the 64 bits of its column.

    ``amount`` is added to the balances. If the session is closed, ``spent`` (None for ``amount``) is added to the sum
    that the notebook's closed sessions spent. Every sum that may ever include the charge is checked: the balances, and
    the sum of the closed sessions. An open session's amounts are added to the latter sum when the session is closed.
    """
    for _, balance in balances:
        if balance.spent + balance.held + amount > _MOST:
            raise _too_much()
    if session.closed_at is None:
        own = work.balance(session.envelope_id, 0)
        closed = own.spent + own.held + amount
    else:
        closed = amount if spent is None else spent
        newest = None if notebook.session_id is None else work.get(SessionRow, notebook.session_id)
        if newest is not None and newest.closed_at is None:
            later = work.balance(newest.envelope_id, 0)
            closed += later.spent + later.held
    if notebook.closed_spent + closed > _MOST:
        raise _too_much()


def _too_much() -> InvalidAmountError:
    return InvalidAmountError("With this amount a sum would be more than the ledger can add up; nothing was recorded.")


def change_balances(
    work: Work,
    notebook: NotebookRow,
    session: SessionRow,
    balances: list[EnvelopeBalance],
    *,
    spent: int,
    held: int,
    charges: int = 0,
) -> None:
    """Add these amounts, in nano-USD, to all the balances, and for a closed session to the notebook's sum as well."""
    for _, balance in balances:
        balance.spent += spent
        balance.held += held
        balance.charges += charges
        work.save(balance)
    if session.closed_at is not None:
        notebook.closed_spent += spent
    work.touch(notebook)


# ---- periods


def period_start(period: str, at: int) -> int:
    """Return the start of the period that contains ``at``, both in microseconds since the epoch; 0 for ``lifetime``.

    A week starts on Monday, as in ISO 8601.
    """
    if period == _LIFETIME:
        return 0
    return _start(period, at // _DAY)


# Every period starts at midnight UTC, so all charges of a day share one cached result.
@lru_cache(maxsize=256)
def _start(period: str, days: int) -> int:
    day = EPOCH + timedelta(days=days)
    if period == BudgetPeriod.WEEKLY:
        day -= timedelta(days=day.weekday())
    elif period == BudgetPeriod.MONTHLY:
        day = day.replace(day=1)
    elif period == BudgetPeriod.YEARLY:
        day = day.replace(month=1, day=1)
    elif period != BudgetPeriod.DAILY:
        raise ValueError(f"The period must be one of {', '.join(BudgetPeriod)}, not {period!r}.")
    return (day - EPOCH).days * _DAY


# ---- the state


def state_at(work: Work, key: NotebookKey) -> SessionState:
    """Return the state of the notebook that has this path now, or an empty state if there is no such notebook."""
    notebook = work.notebook(key)
    if notebook is None:
        return SessionState(key, work.store.last_seq(key.owner, file_of(key.root, key.path)))
    state = state_of(work, notebook)
    return state if state.notebook == key else replace(state, notebook=key)


def seen_from(root: str, state: SessionState) -> SessionState:
    """Return a state whose notebook is named by its path below ``root``, instead of its stored root."""
    key = state.notebook
    if key.root == root:
        return state
    return replace(state, notebook=NotebookKey(key.owner, root, path_below(root, file_of(key.root, key.path))))


def state_of(work: Work, notebook: NotebookRow) -> SessionState:
    """Return the notebook's state, with the changes of this transaction."""
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
    """Return the notebook's open session, or None if there is none."""
    if notebook is None or notebook.session_id is None:
        return None
    session = work.get(SessionRow, notebook.session_id)
    return session if session.closed_at is None else None


def own_envelope(work: Work, session: SessionRow) -> EnvelopeRow:
    """Return the envelope that is the session's own budget."""
    return work.get(EnvelopeRow, session.envelope_id)


def build_state(
    notebook: NotebookRow, session: SessionRow | None, envelope: EnvelopeRow | None, spent: int, held: int
) -> SessionState:
    """Return the state that these rows describe; the state of a deleted notebook has only ``seq``."""
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
