"""Which configured envelopes enclose a session."""

from __future__ import annotations

import json

from ..base import EnvelopeKind
from ..compact import dumps
from ..rows import ConfigurationRow, EnvelopeRow, NotebookRow, SessionRow
from ..work import Work
from .places import envelope_id

__all__ = ["enclose"]


def enclose(work: Work, notebook: NotebookRow, session: SessionRow) -> None:
    """Put the configured envelopes around a session, whose row the caller saves."""
    row = work.find(ConfigurationRow, notebook.owner, notebook.root)
    outer = []
    for name, ceiling, kind, period in json.loads(row.envelopes) if row is not None else ():
        subject = _subject(EnvelopeKind(kind), notebook)
        id = envelope_id(kind, subject, name, period)
        envelope = work.find(EnvelopeRow, id)
        if envelope is None:
            work.add(EnvelopeRow(id, kind, name, period, ceiling, subject))
        elif envelope.ceiling != ceiling:
            envelope.ceiling = ceiling
            work.save(envelope)
        outer.append(id)
    session.outer_envelopes = " ".join(outer)


def _subject(kind: EnvelopeKind, notebook: NotebookRow) -> str:
    if kind is EnvelopeKind.NOTEBOOK:
        return notebook.id
    if kind is EnvelopeKind.OWNER:
        return notebook.owner
    if kind is EnvelopeKind.SERVER:
        return dumps([notebook.owner, notebook.root])
    return ""
