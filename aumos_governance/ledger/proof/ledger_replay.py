"""The part of a verification that derives, from the ledger-wide chain, the sessions and the limits around them.

The ledger-wide chain has the audit records about opened and closed sessions, configured ceilings, shared ceilings,
joined notebooks and the gateway's keys, in the order of their commits. An *envelope* is a limit on the money of a
period. A session has its own envelope, its budget, and can be within others: the ceilings of its server or owner.
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
from .expected_rows import ANY
from .keys import KEY_EVENTS, Keys
from .shared_ceilings import Configured, SharedCeilings, nano

_INDEX: Final = {name: AUDIT_COLUMNS.index(name) for name in AUDIT_COLUMNS}


class Entry:
    """An audit record with its columns as attributes, for example ``entry.event``; JSON is parsed on first use."""

    __slots__ = ("_detail", "row")

    def __init__(self, row: Sequence[Any]) -> None:
        self.row = row
        self._detail: dict[str, Any] | None = None

    def __getattr__(self, name: str) -> Any:
        return self.row[_INDEX[name]]

    @property
    def detail(self) -> dict[str, Any]:
        """The values in the record's JSON column ``detail``, for example ``{"until": 1700000000000000}``."""
        if self._detail is None:
            self._detail = json.loads(self.row[_INDEX["detail"]])
        return self._detail

    @property
    def reason(self) -> str:
        """The first of the record's reasons."""
        reason: str = json.loads(self.row[_INDEX["reasons"]])[0]
        return reason


@dataclass(slots=True)
class Session:
    """A session as audit records describe it, with the values that its row must have; changed during the replay."""

    id: str
    notebook_id: str
    outer: str = ""
    """The ids of the envelopes around the session, its ceilings, separated by spaces: a value of the session's row."""
    outers: set[str] = field(default_factory=set)
    """All values that `outer` had so far. A charge must have the envelopes of the time when it was made."""
    envelope_id: str | None = None
    """The id of the session's own envelope, its budget, according to the session's row; None if the row is missing."""
    values: dict[str, Any] = field(default_factory=dict)
    """The values that the session's row must have, by column."""
    ceiling: Any = ANY
    """The session's budget in nano-USD, or `ANY` before the record of its opening was replayed."""
    categories: dict[str, tuple[str, int]] = field(default_factory=dict)
    """The budget of each category of the session: the period and the amount in nano-USD, by the category's name."""
    stated: bool = True
    """Whether the records name the envelopes around the session. Records of earlier versions do not; then the
    envelopes are derived from the server's configuration."""
    complete: bool = False
    """Whether the session was opened by a version that records all values that this version can verify."""
    closed: bool = False
    charges: int = 0
    """How many charges of the session were verified by the database's own comparison, without a rule."""
    last: tuple[int, str, list[int]] | None = None
    """The day, the envelopes and the sums of the last charge, so that the next charge finds the same sums quickly; None
    if the next charge must be checked by itself."""
    known: set[tuple[str, str | None]] = field(default_factory=set)
    """The pairs of envelopes and category that are right for a charge of the session, or cannot be judged."""


class LedgerReplay:
    """The sessions, notebooks, ceilings and keys that the records of the ledger-wide chain describe.

    One object serves one verification. ``servers`` has, by notebook id, the owner and root in the notebook's row.
    """

    def __init__(self, servers: dict[str, tuple[str, str]]) -> None:
        self._servers = servers
        self.sessions: dict[str, Session] = {}
        self.newest: dict[str, str] = {}
        """By notebook: the id of the session that was opened last."""
        self.closings: dict[str, list[tuple[str, int]]] = {}
        """By notebook: the ids of its closed sessions with the times of closing in microseconds, oldest first."""
        self.notebooks: set[str] = set()
        """The ids of all notebooks that a record names."""
        self.configurations: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.envelopes: dict[str, Configured] = {}
        self.shared = SharedCeilings(self.envelopes)
        self.keys = Keys()
        self.joined: set[str] = set()
        """The ids of notebooks that were joined to another notebook, because both were the same file."""
        self.aliases: dict[str, str] = {}
        """By id of a joined notebook: the id of the notebook that it was joined to."""
        self.renamed: set[str] = set()
        """Notebooks that were joined or got another root, so that their rows no longer name their first server."""
        self.emptied: set[str] = set()
        """Envelopes of joined notebooks. Their sums were moved to other envelopes; their rows remain, with zeros."""

    def replay_record(self, row: Sequence[Any]) -> None:
        """Apply one record of the ledger-wide chain, whose hash was verified, to the attributes of this object."""
        notebook_id = row[_INDEX["notebook_id"]]
        if notebook_id:
            self.notebooks.add(notebook_id)
        event = row[_INDEX["event"]]
        if event == "open":
            self._open(Entry(row))
        elif event == "close":
            entry = Entry(row)
            self.sessions[entry.detail["session"]].closed = True
            self.closings.setdefault(notebook_id, []).append((entry.detail["session"], entry.at))
        elif event == "configure":
            self._configure(Entry(row).detail)
        elif event == "ceiling":
            detail = Entry(row).detail
            self.shared.begin(self.configurations)
            self.shared.set(detail)
            self._put_all(detail["around"])
        elif event == "enclose":
            # An open session is within other ceilings from now on.
            entry = Entry(row)
            session = self.sessions[entry.detail["session"]]
            self._learn(self._server_of_record(entry, session), session)
            self._put(session, entry.detail["around"])
        elif event == "join":
            # A notebook was joined to another notebook, which has the sessions of both from now on.
            detail = Entry(row).detail
            self._join(detail["notebook"], detail["into"])
        elif event in KEY_EVENTS:
            self.keys.replay_record(row, event, Entry(row).detail)

    def _open(self, entry: Entry) -> None:
        session = Session(entry.detail["session"], entry.notebook_id)
        self.sessions[session.id] = session
        self.newest[session.notebook_id] = session.id
        self._learn(self._server_of_record(entry, session), session)
        session.stated = "around" in entry.detail
        self._put(session, entry.detail["around"] if session.stated else self._configured(session))

    def _configure(self, detail: dict[str, Any]) -> None:
        server = (detail["owner"], detail["root"])
        shared = detail.get("shared")
        if shared is not None:
            self.shared.begin(self.configurations)
        self.configurations[server] = detail["to"]
        around = detail.get("around")
        for session in self.sessions.values():
            if session.closed or (
                session.id not in around if around is not None else self._server_of(session) != server
            ):
                continue
            self._learn(server, session)
            session.stated = session.stated and around is not None
            self._put(session, self._configured(session) if around is None else around[session.id])
        self._put_all(detail.get("elsewhere", {}))
        if shared is not None:
            self.shared.configure(server[0], detail["to"], shared)

    def _put_all(self, around: dict[str, str]) -> None:
        for id, outer in around.items():
            self._put(self.sessions[id], outer)

    def finish(self) -> None:
        """End the replay after the last record. If no record was about shared ceilings, derive them now."""
        self.shared.begin(self.configurations)

    def _server_of_record(self, entry: Entry, session: Session) -> tuple[str, str] | None:
        """Return the owner and root folder of the server on which a session's record was made.

        The root is the record's own, if it states one, and else the root in the notebook's row. If the record says that
        the notebook had another root before, the notebook is added to `renamed`.
        """
        server, root = self._server_of(session), entry.detail.get("root")
        if "was" in entry.detail:
            self.renamed.add(session.notebook_id)
        return server if server is None or root is None else (server[0], root)

    def is_vague(self, session: Session) -> bool:
        """Whether it cannot be determined which envelopes were around a session.

        Its records are of an earlier version and do not name them, and its notebook was joined or moved since.
        """
        return not session.stated and session.notebook_id in self.renamed

    def _server_of(self, session: Session) -> tuple[str, str] | None:
        return self._servers.get(session.notebook_id)

    def _put(self, session: Session, outer: str) -> None:
        session.outer = outer
        session.outers.add(outer)

    def _configured(self, session: Session) -> str:
        """Return the ids of the envelopes that the current configuration of a session's server puts around the session.

        This is for sessions of earlier versions, whose records do not name them.
        """
        return " ".join(self._ids(self._server_of(session), session))

    def _ids(self, server: tuple[str, str] | None, session: Session) -> dict[str, tuple[dict[str, Any], str]]:
        """Return the envelopes that a server's current configuration puts around a session, by their ids.

        The values are the envelope's entry in the configuration, and its subject, i.e. the text that identifies whose
        charges it limits, such as a notebook's id.
        """
        found = {}
        for spec in self.configurations.get(server, ()) if server is not None else ():
            kind = EnvelopeKind(spec["encloses"])
            subject = subject_of(kind, session.notebook_id, *server)  # type: ignore[misc]
            found[envelope_id(kind.value, subject, spec["name"], spec["period"])] = (spec, subject)
        return found

    def _learn(self, server: tuple[str, str] | None, session: Session) -> None:
        """Note the amounts of the envelopes that a server's configuration puts around a session.

        The ledger stores an amount at this moment too, and not when the server is configured.
        """
        for id, (spec, subject) in self._ids(server, session).items():
            kind, ceiling = EnvelopeKind(spec["encloses"]), nano(spec["ceiling"])
            if kind in SHARED and self.shared.begun:
                # A configuration no longer changes shared ceilings.
                continue
            known = self.envelopes.get(id)
            if known is None:
                self.envelopes[id] = Configured(spec["name"], kind.value, spec["period"], subject, {ceiling})
            elif kind in SHARED:
                known.ceilings.add(ceiling)
            else:
                known.ceilings = {ceiling}

    def owner_of(self, session: Session) -> str | None:
        """Return the owner of the session's notebook according to the ceilings around the session.

        Return None if no ceiling of an owner or a server is around the session, since no other record names the owner.
        """
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
        # Only the last element matters, the session that was closed last; the order of the others has no meaning.
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
    """Return the JSON text that a row of ``configurations`` must have in the column ``envelopes``.

    ``specs`` are the configured ceilings in the record of the ``configure`` event.
    """
    return dumps([[spec["name"], nano(spec["ceiling"]), spec["encloses"], spec["period"]] for spec in specs])
