"""Which configured envelopes enclose a session."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..base import EnvelopeKind
from ..compact import dumps
from ..rows import ConfigurationRow, EnvelopeRow, NotebookRow, SessionRow
from ..work import Work
from .places import envelope_id

__all__ = ["enclose", "subject_of"]


def enclose(
    work: Work, notebook: NotebookRow, session: SessionRow, root: str, before: Sequence[Sequence[Any]] = ()
) -> bool:
    """Put the envelopes that a server of this root is configured with around a session, whose row the caller saves.

    ``before`` is what the same server was configured with. What servers of other roots put around the session stays:
    several roots may reach its notebook, and a charge must fit in the ceilings of all.

    Answers whether other ceilings, or other figures of them, are around it now.
    """
    row = work.find(ConfigurationRow, notebook.owner, root)
    former = {
        envelope_id(kind, subject_of(EnvelopeKind(kind), notebook.id, notebook.owner, root), name, period)
        for name, _, kind, period in before
    }
    outer = []
    differs = False
    for name, ceiling, kind, period in json.loads(row.envelopes) if row is not None else ():
        subject = subject_of(EnvelopeKind(kind), notebook.id, notebook.owner, root)
        id = envelope_id(kind, subject, name, period)
        envelope = work.find(EnvelopeRow, id)
        if envelope is None:
            work.add(EnvelopeRow(id, kind, name, period, ceiling, subject))
        elif envelope.ceiling != ceiling:
            envelope.ceiling = ceiling
            work.save(envelope)
            differs = True
        outer.append(id)
    kept = [id for id in session.outer_envelopes.split() if id not in former and id not in outer]
    around = [*outer, *kept]
    if set(around) == set(session.outer_envelopes.split()):
        return differs
    session.outer_envelopes = " ".join(around)
    return True


def subject_of(kind: EnvelopeKind, notebook_id: str, owner: str, root: str) -> str:
    """Whose a configured envelope is that encloses this notebook."""
    if kind is EnvelopeKind.NOTEBOOK:
        return notebook_id
    if kind is EnvelopeKind.OWNER:
        return owner
    if kind is EnvelopeKind.SERVER:
        return dumps([owner, root])
    return ""
