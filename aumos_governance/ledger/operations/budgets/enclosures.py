"""The ceilings around a session: the ones that its server configures, and the shared ones of its owner."""

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
"""The kinds of shared ceilings: a configuration creates them, and only `SetCeiling` changes them."""
ORDER: Final = {kind.value: number for number, kind in enumerate(EnvelopeKind)}
"""By kind of envelope: its rank, inner before outer."""


def enclose(
    work: Work, notebook: NotebookRow, session: SessionRow, root: str | None, before: Sequence[Sequence[Any]] = ()
) -> bool:
    """Put ceilings around a session: its owner's shared ones and, with a ``root``, the ones configured for that root.

    ``before`` is the previous configuration of the same server, whose ceilings are removed. Ceilings that servers with
    other roots put around the session stay: its notebook may be reached from several roots, and a charge must stay
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
    """Yield the shared ceilings around this owner's sessions, lifted ones included, inner before outer."""
    for kind, name in json.loads(membership_of(work, owner).ceilings):
        yield work.get(CeilingRow, kind, subject_of(EnvelopeKind(kind), "", owner, ""), name)


def membership_of(work: Work, owner: str) -> MembershipRow:
    """Return the row that lists the shared ceilings around this owner's sessions; create the row if it is missing."""
    found = work.find(MembershipRow, owner)
    # An empty row is stored too: the opening of a session in another process, and the first ceiling, then lock it.
    return work.add(MembershipRow(owner, "[]")) if found is None else found


def subject_of(kind: EnvelopeKind, notebook_id: str, owner: str, root: str) -> str:
    """Return the subject of a configured envelope: the text that identifies whose charges the envelope limits.

    The subject is the notebook's id for a notebook's envelope, the owner for an owner's, the owner and root folder (as
    JSON) for a server's, and empty for a team's.
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
    """Yield the id and the specification of each envelope in a configuration that is not shared with other servers."""
    for spec in specs:
        name, _, kind, period = spec
        if EnvelopeKind(kind) not in SHARED:
            yield envelope_id(kind, _subject(kind, notebook, root), name, period), spec


def _subject(kind: str, notebook: NotebookRow, root: str | None) -> str:
    assert root is not None
    return subject_of(EnvelopeKind(kind), notebook.id, notebook.owner, root)
