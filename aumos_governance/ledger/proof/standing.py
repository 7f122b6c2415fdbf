"""What the ledger-wide chain says: which sessions were opened and closed, in which envelopes, in what order.

Openings, closings, configurations and shared ceilings all stand in this one chain, in the order in which they were
committed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ..contract.budgets import EnvelopeKind
from ..operations.balances import envelope_id, with_id_replaced
from ..operations.budgets.enclosures import SHARED, subject_of
from ..rules.chain import AUDIT_COLUMNS, dumps
from .keys import KEY_EVENTS, Keys
from .pending import ANY
from .shared import Configured, SharedCeilings, nano

__all__ = ["Entry", "Session", "Standing", "configuration"]

_INDEX: Final = {name: AUDIT_COLUMNS.index(name) for name in AUDIT_COLUMNS}


class Entry:
    """An audit record, by its columns' names; its details are read when they are requested."""

    __slots__ = ("_detail", "row")

    def __init__(self, row: Sequence[Any]) -> None:
        self.row = row
        self._detail: dict[str, Any] | None = None

    def __getattr__(self, name: str) -> Any:
        return self.row[_INDEX[name]]

    @property
    def detail(self) -> dict[str, Any]:
        if self._detail is None:
            self._detail = json.loads(self.row[_INDEX["detail"]])
        return self._detail

    @property
    def reason(self) -> str | None:
        """The first of the record's reasons."""
        reasons = json.loads(self.row[_INDEX["reasons"]])
        return reasons[0] if reasons else None


@dataclass(slots=True)
class Session:
    """What the records say of a session."""

    id: str
    notebook_id: str
    outer: str = ""
    """The envelopes around it, as its row should name them."""
    outers: set[str] = field(default_factory=set)
    """Those that it had at any time."""
    envelope_id: str | None = None
    """Its own envelope, as its row names it; None where there is no such row."""
    values: dict[str, Any] = field(default_factory=dict)
    """What its row's columns should be."""
    ceiling: Any = ANY
    categories: dict[str, tuple[str, int]] = field(default_factory=dict)
    """The period and ceiling of each category's budget."""
    stated: bool = True
    """Whether the records say which envelopes are around it; those of earlier versions leave it to its server's."""
    complete: bool = False
    """Whether it was opened by a version that records all that can be proven today."""
    closed: bool = False
    charges: int = 0
    """How many charges of it were compared by the database."""
    last: tuple[int, str, list[int]] | None = None
    """The day and the envelopes of the charge seen last, and what counts there."""
    known: set[tuple[str, str | None]] = field(default_factory=set)
    """Envelopes and category of charges that were found right."""


class Standing:
    """The replay of the ledger-wide chain. ``places`` has the owner and root of each notebook."""

    def __init__(self, places: dict[str, tuple[str, str]]) -> None:
        self._places = places
        self.sessions: dict[str, Session] = {}
        self.newest: dict[str, str] = {}
        """By notebook, the session that was opened last."""
        self.closings: dict[str, list[tuple[str, int]]] = {}
        """By notebook, its closed sessions and when each was closed, in order."""
        self.notebooks: set[str] = set()
        """All notebooks that a record names."""
        self.configurations: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.envelopes: dict[str, Configured] = {}
        self.shared = SharedCeilings(self.envelopes)
        self.keys = Keys()
        self.joined: set[str] = set()
        """Notebooks that turned out to be another one."""
        self.aliases: dict[str, str] = {}
        """By such a notebook, the one that it is."""
        self.renamed: set[str] = set()
        """Notebooks that were joined, or known by another root, so that their rows do not have their first server."""
        self.emptied: set[str] = set()
        """Envelopes of such notebooks, whose sums were moved: their rows stay, without figures."""

    def take(self, row: Sequence[Any]) -> None:
        """One record of the ledger-wide chain, which was found intact."""
        notebook_id = row[_INDEX["notebook_id"]]
        if notebook_id:
            self.notebooks.add(notebook_id)
        event = row[_INDEX["event"]]
        if event == "open":
            self._open(Entry(row))
        elif event == "close":
            entry = Entry(row)
            session = self.sessions.get(entry.detail["session"])
            if session is not None:
                session.closed = True
            self.closings.setdefault(notebook_id, []).append((entry.detail["session"], entry.at))
        elif event == "configure":
            self._configure(Entry(row).detail)
        elif event == "ceiling":
            detail = Entry(row).detail
            self.shared.begin(self.configurations)
            self.shared.set(detail)
            self._put_all(detail["around"])
        elif event == "enclose":
            # A session that is open lies in other ceilings from now on.
            entry = Entry(row)
            session = self.sessions[entry.detail["session"]]
            self._learn(self._placed(entry, session), session)
            self._put(session, entry.detail["around"])
        elif event == "join":
            # One notebook turned out to be another one, which has its sessions from now on.
            detail = Entry(row).detail
            self._join(detail["notebook"], detail["into"])
        elif event in KEY_EVENTS:
            self.keys.take(row, event, Entry(row).detail)

    def _open(self, entry: Entry) -> None:
        session = Session(entry.detail["session"], entry.notebook_id)
        self.sessions[session.id] = session
        self.newest[session.notebook_id] = session.id
        self._learn(self._placed(entry, session), session)
        session.stated = "around" in entry.detail
        self._put(session, entry.detail["around"] if session.stated else self._configured(session))

    def _configure(self, detail: dict[str, Any]) -> None:
        place = (detail["owner"], detail["root"])
        shared = detail.get("shared")
        if shared is not None:
            self.shared.begin(self.configurations)
        self.configurations[place] = detail["to"]
        around = detail.get("around")
        for session in self.sessions.values():
            if session.closed or (session.id not in around if around is not None else self._place(session) != place):
                continue
            self._learn(place, session)
            session.stated = session.stated and around is not None
            self._put(session, self._configured(session) if around is None else around[session.id])
        self._put_all(detail.get("elsewhere", {}))
        if shared is not None:
            self.shared.take(place[0], detail["to"], shared)

    def _put_all(self, around: dict[str, str]) -> None:
        for id, outer in around.items():
            self._put(self.sessions[id], outer)

    def finish(self) -> None:
        """All records were seen."""
        self.shared.begin(self.configurations)

    def _placed(self, entry: Entry, session: Session) -> tuple[str, str] | None:
        """The owner and root of the server that a record is of."""
        place, root = self._place(session), entry.detail.get("root")
        if "was" in entry.detail:
            self.renamed.add(session.notebook_id)
        return place if place is None or root is None else (place[0], root)

    def is_vague(self, session: Session) -> bool:
        """Whether neither records nor rows say which envelopes are, or were, around a session."""
        return not session.stated and session.notebook_id in self.renamed

    def _place(self, session: Session) -> tuple[str, str] | None:
        return self._places.get(session.notebook_id)

    def _put(self, session: Session, outer: str) -> None:
        session.outer = outer
        session.outers.add(outer)

    def _configured(self, session: Session) -> str:
        """The ceilings around a session as records of earlier versions have it: those of its notebook's server."""
        return " ".join(self._ids(self._place(session), session))

    def _ids(self, place: tuple[str, str] | None, session: Session) -> dict[str, tuple[dict[str, Any], str]]:
        found = {}
        for spec in self.configurations.get(place, ()) if place is not None else ():
            kind = EnvelopeKind(spec["encloses"])
            subject = subject_of(kind, session.notebook_id, *place)  # type: ignore[misc]
            found[envelope_id(kind.value, subject, spec["name"], spec["period"])] = (spec, subject)
        return found

    def _learn(self, place: tuple[str, str] | None, session: Session) -> None:
        """The ceilings of a configuration have these figures now that it was put around a session."""
        for id, (spec, subject) in self._ids(place, session).items():
            kind, ceiling = EnvelopeKind(spec["encloses"]), nano(spec["ceiling"])
            if kind in SHARED and self.shared.begun:
                # A configuration does not change them any more.
                continue
            known = self.envelopes.get(id)
            if known is None:
                self.envelopes[id] = Configured(spec["name"], kind.value, spec["period"], subject, {ceiling})
            elif kind in SHARED:
                known.ceilings.add(ceiling)
            else:
                known.ceilings = {ceiling}

    def owner_of(self, session: Session) -> str | None:
        """Whose the session's notebook is, by the ceilings around it; None where these do not say."""
        for id in session.outer.split():
            envelope = self.envelopes.get(id)
            if envelope is not None and envelope.kind == EnvelopeKind.OWNER.value:
                return envelope.subject
            if envelope is not None and envelope.kind == EnvelopeKind.SERVER.value:
                owner: str = json.loads(envelope.subject)[0]
                return owner
        return None

    def _join(self, goes: str, stays: str) -> None:
        self.joined.add(goes)
        self.renamed.update((goes, stays))
        self.aliases = {id: stays if into == goes else into for id, into in self.aliases.items()} | {goes: stays}
        mine, theirs = self.closings.get(stays, []), self.closings.pop(goes, [])
        if theirs and (not mine or mine[-1][1] < theirs[-1][1]):
            newest = self.newest.get(stays)
            if newest is None or self.sessions[newest].closed:
                self.newest[stays] = self.newest[goes]
            mine, theirs = theirs, mine
        # The last one names the session that was closed last; the order of the others has no meaning.
        self.closings[stays] = [*theirs, *mine]
        for session in self.sessions.values():
            if session.notebook_id == goes:
                session.notebook_id = stays
        for id, envelope in list(self.envelopes.items()):
            if envelope.subject == goes and envelope.kind == EnvelopeKind.NOTEBOOK.value:
                new = envelope_id(envelope.kind, stays, envelope.name, envelope.period)
                self.envelopes.setdefault(new, replace(envelope, subject=stays, ceilings=set(envelope.ceilings)))
                self.emptied.add(id)
                for session in self.sessions.values():
                    session.outer = with_id_replaced(session.outer, id, new)
                    session.outers = {with_id_replaced(outer, id, new) for outer in session.outers}


def configuration(specs: Sequence[dict[str, Any]]) -> str:
    """What the row of a configuration holds, given what its record says."""
    return dumps([[spec["name"], nano(spec["ceiling"]), spec["encloses"], spec["period"]] for spec in specs])
