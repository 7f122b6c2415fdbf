"""Which ceilings enclose a session: what its server is configured with, and what servers share around its owner."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ...contract.budgets import EnvelopeKind
from ...rules.chain import dumps
from ...transaction.rows import CeilingRow, ConfigurationRow, EnvelopeRow, MembershipRow, NotebookRow, SessionRow
from ...transaction.work import Work
from ..places import envelope_id

__all__ = ["ORDER", "SHARED", "enclose", "membership_of", "shared_around", "subject_of"]

SHARED: Final = (EnvelopeKind.OWNER, EnvelopeKind.TEAM)
"""Kinds that several servers share: a configuration creates one, and only `SetCeiling` changes it."""
ORDER: Final = {kind.value: number for number, kind in enumerate(EnvelopeKind)}
"""By kind, inner before outer."""


def enclose(
    work: Work, notebook: NotebookRow, session: SessionRow, root: str | None, before: Sequence[Sequence[Any]] = ()
) -> bool:
    """Put the ceilings that servers share around a session, whose row the caller saves; with a root also the envelopes
    that a server of this root is configured with.

    ``before`` is what the same server was configured with. What servers of other roots put around the session stays:
    several roots may reach its notebook, and a charge must fit in the ceilings of all.

    Returns whether other ceilings, or other figures of them, are around it now.
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
    """The ceilings that servers share around this owner's sessions, lifted ones included, inner before outer."""
    for kind, name in json.loads(membership_of(work, owner).ceilings):
        yield work.get(CeilingRow, kind, subject_of(EnvelopeKind(kind), "", owner, ""), name)


def membership_of(work: Work, owner: str) -> MembershipRow:
    """Which shared ceilings are around this owner's sessions."""
    found = work.find(MembershipRow, owner)
    # Even none is written down: an opening in another process and the first ceilings then meet at this row.
    return work.add(MembershipRow(owner, "[]")) if found is None else found


def subject_of(kind: EnvelopeKind, notebook_id: str, owner: str, root: str) -> str:
    """Whose a configured envelope is that encloses this notebook."""
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
    """The ids of the envelopes of a configuration that no other server shares."""
    for spec in specs:
        name, _, kind, period = spec
        if EnvelopeKind(kind) not in SHARED:
            yield envelope_id(kind, _subject(kind, notebook, root), name, period), spec


def _subject(kind: str, notebook: NotebookRow, root: str | None) -> str:
    assert root is not None
    return subject_of(EnvelopeKind(kind), notebook.id, notebook.owner, root)
