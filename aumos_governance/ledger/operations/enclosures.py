"""Which configured envelopes enclose a session."""

from __future__ import annotations

import json

from ..base import EnvelopeKind
from ..compact import dumps
from ..rows import ConfigurationRow, EnvelopeRow, NotebookRow, SessionRow
from ..work import Work
from .places import envelope_id

__all__ = ["enclose", "subject_of"]


def enclose(work: Work, notebook: NotebookRow, session: SessionRow) -> None:
    """Put the configured envelopes around a session, whose row the caller saves."""
    row = work.find(ConfigurationRow, notebook.owner, notebook.root)
    outer = []
    for name, ceiling, kind, period in json.loads(row.envelopes) if row is not None else ():
        subject = subject_of(EnvelopeKind(kind), notebook.id, notebook.owner, notebook.root)
        id = envelope_id(kind, subject, name, period)
        envelope = work.find(EnvelopeRow, id)
        if envelope is None:
            work.add(EnvelopeRow(id, kind, name, period, ceiling, subject))
        elif envelope.ceiling != ceiling:
            envelope.ceiling = ceiling
            work.save(envelope)
        outer.append(id)
    session.outer_envelopes = " ".join(outer)


def subject_of(kind: EnvelopeKind, notebook_id: str, owner: str, root: str) -> str:
    """Whose a configured envelope is that encloses this notebook."""
    if kind is EnvelopeKind.NOTEBOOK:
        return notebook_id
    if kind is EnvelopeKind.OWNER:
        return owner
    if kind is EnvelopeKind.SERVER:
        return dumps([owner, root])
    return ""
