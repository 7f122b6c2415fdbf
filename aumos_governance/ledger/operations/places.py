"""Where a charge counts: the envelopes that enclose it, each with its balance in the period that counts."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from ...errors import BudgetNotFoundError, InvalidAmountError
from ..rules.compact import encode
from ..rules.periods import period_start
from ..rules.verdicts import Refusal, over_budget
from ..transaction.rows import BalanceRow, EnvelopeRow, NotebookRow, SessionRow
from ..transaction.work import Work

__all__ = [
    "Place",
    "called",
    "category_id",
    "check_sums",
    "count",
    "envelope_id",
    "envelopes_for",
    "name_of",
    "overdraw",
    "places_of",
]

_MOST = 2**63 - 1


class Place(NamedTuple):
    """An envelope, and its balance in the period that counts."""

    envelope: EnvelopeRow
    balance: BalanceRow


@lru_cache(maxsize=1024)
def envelope_id(*parts: str) -> str:
    """The id of an envelope that is known by what it is for: everyone who looks finds the same one."""
    return sha256(encode(parts)).hexdigest()[:32]


@lru_cache(maxsize=1024)
def category_id(session_id: str, category: str) -> str:
    """The id of a category's envelope within a session."""
    return envelope_id("category", session_id, category)


def envelopes_for(work: Work, session: SessionRow, category: str | None, *, missing: str | None = None) -> str:
    """The ids of all envelopes that a charge must fit in, inner before outer.

    When the session has no budget for the category, answers ``missing``, or with None raises BudgetNotFoundError.
    """
    if category is None:
        return session.envelopes
    inner = category_id(session.id, category)
    if work.find(EnvelopeRow, inner) is None:
        if missing is None:
            raise BudgetNotFoundError(category)
        return missing
    return f"{inner} {session.envelopes}"


def places_of(work: Work, envelopes: str, at: int) -> list[Place]:
    """The envelopes with these ids, and their balances in the period of ``at``."""
    found = []
    for id in envelopes.split():
        envelope = work.get(EnvelopeRow, id)
        found.append(Place(envelope, work.balance(id, period_start(envelope.period, at))))
    return found


def overdraw(places: list[Place], amount: int) -> Refusal | None:
    """What keeps ``amount`` from fitting into all envelopes, if anything."""
    for envelope, balance in places:
        total = balance.spent + balance.held + amount
        if total > envelope.ceiling:
            return over_budget(total, envelope.ceiling, called(envelope), envelope.kind, name_of(envelope))
    return None


def check_sums(
    work: Work, notebook: NotebookRow, session: SessionRow, places: list[Place], amount: int, spent: int | None = None
) -> None:
    """Raises InvalidAmountError when a sum would leave the range of the columns.

    ``amount`` is what the balances grow by, and ``spent``, where it is another amount, what is spent now. Every sum is
    looked at in which it may ever count: the balances, and what the notebook's closed sessions spent, to which an open
    one is added when it is closed.
    """
    if any(balance.spent + balance.held + amount > _MOST for _, balance in places):
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
    return InvalidAmountError("The amount is more than the ledger can add up.")


def count(
    work: Work,
    notebook: NotebookRow,
    session: SessionRow,
    places: list[Place],
    *,
    spent: int,
    held: int,
    charges: int = 0,
) -> None:
    """Change the balances of all places; a closed session's sum in its notebook follows."""
    for _, balance in places:
        balance.spent += spent
        balance.held += held
        balance.charges += charges
        work.save(balance)
    if session.closed_at is not None:
        notebook.closed_spent += spent
    work.touch(notebook)


def name_of(envelope: EnvelopeRow) -> str:
    """The envelope's name where it has one of its own."""
    return "" if envelope.kind == "session" else envelope.name


def called(envelope: EnvelopeRow) -> str:
    """The envelope as a sentence names it."""
    if envelope.kind == "session":
        return "budget"
    if envelope.kind == "category":
        return f"budget {envelope.name!r}"
    return f"the {envelope.period} ceiling {envelope.name!r}"
