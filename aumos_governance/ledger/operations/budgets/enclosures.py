"""Functions that put ceilings around a session, so that its charges must stay within them.

Around a session are the ceilings that its server configures for its own notebooks, and the *shared* ceilings, of kind
``owner`` or ``team``, which limit the session's owner on all servers that share the database.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ...contract.budgets import EnvelopeKind
from ...rules.chain import dumps
from ...transaction.rows import CeilingRow, ConfigurationRow, EnvelopeRow, MembershipRow, NotebookRow, SessionRow
from ...transaction.work import Work
from ..balances import envelope_id

SHARED: Final = (EnvelopeKind.OWNER, EnvelopeKind.TEAM)
"""The kinds of ceilings that servers share. A server's configuration creates one, and only `SetCeiling` changes it."""
ORDER: Final = {kind.value: number for number, kind in enumerate(EnvelopeKind)}
"""By kind of ceiling, its rank in the order in which the ledger checks the ceilings around a session, as a sort key."""


def enclose(
    work: Work, notebook: NotebookRow, session: SessionRow, root: str | None, before: Sequence[Sequence[Any]] = ()
) -> bool:
    """Put ceilings around a session, so that they limit its charges.

    They are the shared ceilings of its owner and, unless ``root`` is None, those that the server of this root folder is
    configured with. ``before`` is the previous configuration of the same server, whose ceilings are removed. Ceilings
    of servers with other root folders stay: the notebook may be used from several servers, and a charge must stay
    within the ceilings of all. The caller saves the session's row.

    Returns whether the session has other ceilings than before, or a ceiling with another amount.
    """
    row = None if root is None else work.find(ConfigurationRow, notebook.owner, root)
    outer = [id for ceiling in shared_around(work, notebook.owner) for id in ceiling.envelopes.split()]
    former = {id for id, _ in _own(before, notebook, root)}
    differs = False
    for id, (name, ceiling, kind, period) in _own(() if row is None else json.loads(row.envelopes), notebook, root):
        envelope = work.find(EnvelopeRow, id)
        if envelope is None:
            work.add(EnvelopeRow(id, kind, name, period, ceiling, _subject(kind, notebook, root)))
        elif envelope.ceiling != ceiling:
            envelope.ceiling = ceiling
            work.save(envelope)
            differs = True
        outer.append(id)
    around = [*outer, *(id for id in session.outer_envelopes.split() if id not in former and id not in outer)]
    if set(around) == set(session.outer_envelopes.split()):
        return differs
    around.sort(key=lambda id: ORDER[work.get(EnvelopeRow, id).kind])
    session.outer_envelopes = " ".join(around)
    return True


def shared_around(work: Work, owner: str) -> Iterator[CeilingRow]:
    """Yield the shared ceilings (of kind ``owner`` or ``team``) around this owner's sessions, inner before outer.

    Lifted ceilings are included.
    """
    for kind, name in json.loads(membership_of(work, owner).ceilings):
        yield work.get(CeilingRow, kind, subject_of(EnvelopeKind(kind), "", owner, ""), name)


def membership_of(work: Work, owner: str) -> MembershipRow:
    """Return the row that lists the shared ceilings around this owner's sessions; add an empty row if there is none."""
    found = work.find(MembershipRow, owner)
    # An empty row is stored as well, so that a request that opens a session and a request of another process that adds
    # the first ceiling lock the same row.
    return work.add(MembershipRow(owner, "[]")) if found is None else found


def subject_of(kind: EnvelopeKind, notebook_id: str, owner: str, root: str) -> str:
    """Return the subject of a configured ceiling: the text that identifies whose charges the ceiling limits.

    The subject of a ceiling of kind ``notebook`` is the notebook's id, and of kind ``owner`` the owner. For ``server``
    it is the owner and the root folder, as JSON, and for ``team`` it is empty.
    """
    if kind is EnvelopeKind.NOTEBOOK:
        return notebook_id
    if kind is EnvelopeKind.OWNER:
        return owner
    if kind is EnvelopeKind.SERVER:
        return dumps([owner, root])
    return ""


def _own(
    specs: Sequence[Sequence[Any]], notebook: NotebookRow, root: str | None
) -> Iterator[tuple[str, Sequence[Any]]]:
    """Yield each ceiling of a server's configuration that is not shared, as its envelope's id and its specification.

    A specification is ``[name, ceiling in nano-USD, kind, period]``, as a `ConfigurationRow` stores it.
    """
    for spec in specs:
        name, _, kind, period = spec
        if EnvelopeKind(kind) not in SHARED:
            yield envelope_id(kind, _subject(kind, notebook, root), name, period), spec


def _subject(kind: str, notebook: NotebookRow, root: str | None) -> str:
    assert root is not None
    return subject_of(EnvelopeKind(kind), notebook.id, notebook.owner, root)
