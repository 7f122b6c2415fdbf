"""The operations on shared ceilings, of kind ``owner`` or ``team``, which several servers apply to their notebooks.

The configuration of a server creates such a ceiling. Afterwards only a user's decision (`SetCeiling`) changes it, so
that the servers cannot overwrite each other's amounts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from .... import money
from ....errors import InvalidAmountError, InvalidRequestError, NotFoundError
from ....types import BudgetPeriod
from ...contract.budgets import CeilingState, EnvelopeKind, EnvelopeSpec, SetCeiling
from ...contract.facts import Balance
from ...contract.queries import ListCeilings
from ...rules.chain import LEDGER_CHAIN, check_text, dumps
from ...transaction.rows import CeilingRow, EnvelopeRow, NotebookRow, SessionRow
from ...transaction.selections import ALL_CEILINGS, MEMBERSHIPS, OPEN_SESSIONS_OF_OWNER, SESSIONS_IN
from ...transaction.work import Work, record
from ..balances import envelope_id, period_start
from ..registry import operation, reader
from .enclosures import SHARED, enclose, membership_of, shared_around, subject_of


def share(work: Work, owner: str, specs: Iterable[EnvelopeSpec]) -> bool:
    """Put the shared ceilings of a server's configuration around all sessions of an owner.

    A ceiling that is not stored yet is created; a stored one keeps its amount. Returns whether anything was added.
    """
    row = membership_of(work, owner)
    names = json.loads(row.ceilings)
    added = False
    for spec in specs:
        kind = spec.encloses
        if kind not in SHARED:
            continue
        subject = subject_of(kind, "", owner, "")
        if work.find(CeilingRow, kind.value, subject, spec.name) is None:
            id = _stored(work, kind.value, subject, spec.name, spec.period.value, spec.ceiling)
            work.add(CeilingRow(kind.value, subject, spec.name, id))
            added = True
        if [kind.value, spec.name] not in names:
            names.append([kind.value, spec.name])
    text = dumps(sorted(names))
    if text != row.ceilings:
        row.ceilings = text
        work.save(row)
        added = True
    return added


def shared_detail(work: Work, owner: str) -> list[dict[str, Any]]:
    """Return the shared ceilings around an owner's sessions, as JSON values for the detail of an audit record."""
    return [
        {"name": ceiling.name, "kind": ceiling.kind, **figures}
        for ceiling in shared_around(work, owner)
        for figures in _figures(work, ceiling) or [{"period": None, "ceiling": None}]
    ]


@operation(SetCeiling)
def set_ceiling(work: Work, request: SetCeiling) -> bool:
    """Execute `SetCeiling`: change a shared ceiling's amount or period, or lift it, around all sessions at once."""
    kind, subject, name, ceiling = request.encloses, request.subject, request.name, request.ceiling
    if kind not in SHARED:
        raise InvalidRequestError(
            f"A ceiling of the kind {kind.value!r} can be changed only in its server's configuration."
        )
    if ceiling is not None and (type(ceiling) is not int or not 0 <= ceiling <= money.MAX_NANO):
        raise InvalidAmountError("A ceiling must be a whole number of nano-dollars, from 0 to 1000000000 US dollars.")
    row = work.find(CeilingRow, kind.value, subject, name)
    if row is None:
        raise NotFoundError(f"There is no {kind.value} ceiling {name!r}; a server's configuration creates one.")
    period = None if ceiling is None else _period(work, row, request.period)
    sessions = _open_sessions(work, row)
    before, from_ = row.envelopes.split(), _figures(work, row)
    if ceiling is not None and period is not None:
        row.envelopes = _stored(work, row.kind, subject, name, period, ceiling)
    else:
        row.envelopes = ""
    to = _figures(work, row)
    if to == from_:
        return False
    work.save(row)
    gone = set(before) - set(row.envelopes.split())
    around = {}
    for session in sessions:
        stay = " ".join(id for id in session.outer_envelopes.split() if id not in gone)
        left, session.outer_envelopes = stay != session.outer_envelopes, stay
        if enclose(work, work.get(NotebookRow, session.notebook_id), session, None) or left:
            work.save(session)
            around[session.id] = session.outer_envelopes
    detail = {"kind": row.kind, "subject": subject, "name": name, "from": from_, "to": to, "around": around}
    record(work, LEDGER_CHAIN, None, request.origin, "ceiling", detail=detail)
    return True


def ceiling_states(work: Work, rows: Iterable[CeilingRow]) -> tuple[CeilingState, ...]:
    """Return the `CeilingState` of each of these shared ceilings, with its balance in the current period."""
    found = []
    for row in rows:
        kind = EnvelopeKind(row.kind)
        for id in row.envelopes.split():
            envelope = work.get(EnvelopeRow, id)
            balance = work.balance(id, period_start(envelope.period, work.now))
            figures = Balance(envelope.ceiling, balance.spent, balance.held)
            period = BudgetPeriod(envelope.period)
            found.append(CeilingState(kind, row.subject, row.name, period, balance.period_start, figures))
        if not row.envelopes:
            found.append(CeilingState(kind, row.subject, row.name, None, 0, Balance(0, 0, 0)))
    return tuple(found)


def _period(work: Work, row: CeilingRow, period: BudgetPeriod | None) -> str:
    if period is not None:
        return BudgetPeriod(period).value
    ids = row.envelopes.split()
    if len(ids) != 1:
        why = "was lifted" if not ids else "has several periods"
        raise InvalidRequestError(f"The {row.kind} ceiling {row.name!r} {why}; name the period that it is to have.")
    return work.get(EnvelopeRow, ids[0]).period


def _open_sessions(work: Work, row: CeilingRow) -> list[SessionRow]:
    """Return the open sessions, sorted by id, that a shared ceiling limits already or must limit from now on."""
    if row.kind == EnvelopeKind.OWNER.value:
        owners = [row.subject]
    else:
        named = [row.kind, row.name]
        owners = [member.owner for member in work.select(MEMBERSHIPS) if named in json.loads(member.ceilings)]
    found = {session.id: session for owner in owners for session in work.select(OPEN_SESSIONS_OF_OWNER, owner)}
    for id in row.envelopes.split():
        # An earlier version may have put the ceiling around a session, and its server is not configured with it now.
        found |= {session.id: session for session in work.select(SESSIONS_IN, id) if session.closed_at is None}
    return [found[id] for id in sorted(found)]


def _stored(work: Work, kind: str, subject: str, name: str, period: str, ceiling: int) -> str:
    """Store the amount of a shared ceiling, in nano-USD, for one period, and return the id of the envelope that has it.

    A shared ceiling, named by ``kind``, ``subject`` and ``name``, has an envelope for each of its periods. The envelope
    is created if it does not exist; otherwise its amount is replaced.
    """
    id = envelope_id(kind, subject, name, period)
    envelope = work.find(EnvelopeRow, id)
    if envelope is None:
        work.add(EnvelopeRow(id, kind, name, period, ceiling, subject))
    elif envelope.ceiling != ceiling:
        envelope.ceiling = ceiling
        work.save(envelope)
    return id


def _figures(work: Work, row: CeilingRow) -> list[dict[str, Any]]:
    envelopes = (work.get(EnvelopeRow, id) for id in row.envelopes.split())
    return [{"period": envelope.period, "ceiling": money.to_text(envelope.ceiling)} for envelope in envelopes]


@reader(ListCeilings)
def list_ceilings(work: Work, query: ListCeilings) -> tuple[CeilingState, ...]:
    """Execute `ListCeilings`: return the shared ceilings of all owners or of one, including lifted ones."""
    if query.owner is None:
        return ceiling_states(work, work.select(ALL_CEILINGS))
    check_text(query.owner)
    return ceiling_states(work, list(shared_around(work, query.owner)))
