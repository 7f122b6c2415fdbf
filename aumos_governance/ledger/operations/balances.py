"""Functions on envelopes and their balances, and on the state of a notebook, which is built from them.

An *envelope* is a limit on money: a session's budget, a category's budget, or a ceiling around sessions. It limits the
charges in each of its periods, which are calendar periods in UTC, and has one *balance* for each: the sums of what is
spent and held. Amounts are in nano-USD.
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
    """An envelope, which is a limit on money, and its balance in one period: the sums of what is spent and held."""

    envelope: EnvelopeRow
    balance: BalanceRow


@lru_cache(maxsize=1024)
def envelope_id(*parts: str) -> str:
    """Return the id of an envelope, a hash of the parts that identify it, such as its kind, subject, name and period.

    All servers that share a database derive the same id.
    """
    return sha256(encode(parts)).hexdigest()[:32]


def with_id_replaced(envelopes: str, old: str, new: str) -> str:
    """Return a text of envelopes' ids, separated by spaces, with ``old`` replaced by ``new`` and without duplicates."""
    return " ".join(dict.fromkeys(new if id == old else id for id in envelopes.split()))


@lru_cache(maxsize=1024)
def category_id(session_id: str, category: str) -> str:
    """Return the id of the envelope that is a category's budget within a session."""
    return envelope_id("category", session_id, category)


def enclosing_ids(session: SessionRow) -> str:
    """Return the ids of the session's own budget and of the ceilings around it, inner before outer.

    The ids are separated by spaces.
    """
    return f"{session.envelope_id} {session.outer_envelopes}" if session.outer_envelopes else session.envelope_id


def envelopes_for(work: Work, session: SessionRow, category: str | None, *, missing: str | None = None) -> str:
    """Return the ids of all envelopes that limit a charge in a session, separated by spaces, inner before outer.

    With ``category`` set, the category's budget comes first. If the session has no budget for this category, the
    function returns ``missing``, or raises BudgetNotFoundError if ``missing`` is None.
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
    """Return the envelopes with these ids, each with its balance in the period that contains the time ``at``.

    ``envelopes`` has the ids, separated by spaces; ``at`` is in microseconds since the epoch.
    """
    found = []
    for id in envelopes.split():
        envelope = work.get(EnvelopeRow, id)
        found.append(EnvelopeBalance(envelope, work.balance(id, period_start(envelope.period, at))))
    return found


def overdraw(balances: list[EnvelopeBalance], amount: int) -> Refusal | None:
    """Return the reason for refusing a charge of this amount, in nano-USD, or None if it stays within all ceilings.

    The refusal names the first envelope whose ceiling is below the sum of its spent, held and requested amounts.
    """
    for envelope, balance in balances:
        total = balance.spent + balance.held + amount
        if total > envelope.ceiling:
            return over_ceiling(envelope, total)
    return None


def over_ceiling(envelope: EnvelopeRow, total: int) -> Refusal:
    """Return the reason for refusing a charge that would exceed an envelope's ceiling.

    ``total`` is the sum, in nano-USD, that would be spent and held under the envelope with this charge.
    """
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
    """Raise InvalidAmountError if a charge would make a sum too large for its database column, which has 64 bits.

    Amounts are in nano-USD. ``amount`` would be added to the balances. If the session is closed, ``spent`` (None for
    ``amount``) would be added to the sum that the notebook's closed sessions spent. If the session is open, its amounts
    are added to that sum when it is closed; so this sum is checked now as well.
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
    return InvalidAmountError(
        "With this amount a sum would be more than the ledger can add up, about 9.2 billion US dollars; nothing was"
        " recorded."
    )


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
    """Add amounts, in nano-USD, to the balances of a charge; a negative amount reduces them.

    If the session is closed, ``spent`` is also added to the sum that the notebook's closed sessions spent. ``charges``
    is added to the balances' number of charges.
    """
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
    """Return the state of the notebook that this key names now, or an empty state if the ledger knows no such notebook.

    The state names the notebook by ``key``.
    """
    notebook = work.notebook(key)
    if notebook is None:
        return SessionState(key, work.store.last_seq(key.owner, file_of(key.root, key.path)))
    state = state_of(work, notebook)
    return state if state.notebook == key else replace(state, notebook=key)


def seen_from(root: str, state: SessionState) -> SessionState:
    """Return the same state with its notebook named by the path below ``root``.

    The ledger stores one of the root folders from which a notebook is used; a server of another root folder knows the
    notebook by another path.
    """
    key = state.notebook
    if key.root == root:
        return state
    return replace(state, notebook=NotebookKey(key.owner, root, path_below(root, file_of(key.root, key.path))))


def state_of(work: Work, notebook: NotebookRow) -> SessionState:
    """Return a notebook's state as of now, including the changes that this transaction has made so far."""
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
    """Return the envelope that is the budget of this session; its ``ceiling`` is the budget in nano-USD."""
    return work.get(EnvelopeRow, session.envelope_id)


def build_state(
    notebook: NotebookRow, session: SessionRow | None, envelope: EnvelopeRow | None, spent: int, held: int
) -> SessionState:
    """Return the state of a notebook, built from its row, its newest session, and the session's budget.

    ``spent`` and ``held`` are the session's amounts in nano-USD. If the notebook is deleted, or has no session, the
    state has only the notebook's key and ``seq``.
    """
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
