"""The replay of records about shared ceilings: their names, their amounts, and the owners whose sessions they limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..contract.budgets import EnvelopeKind
from ..operations.balances import envelope_id
from ..operations.budgets.enclosures import SHARED, subject_of
from ..rules.chain import dumps

Name = tuple[str, str, str]
"""The kind, subject and name of a shared ceiling."""


@dataclass(slots=True)
class Configured:
    """An envelope from a server's configuration."""

    name: str
    kind: str
    period: str
    subject: str
    ceilings: set[int]
    """The amounts in nano-USD that the envelope's ceiling may have. There are several if an earlier version let several
    servers configure the same ceiling: then any of the recorded amounts is right."""


class SharedCeilings:
    """The shared ceilings that the records state.

    Earlier versions took shared ceilings from each server's configuration; a migration stored these as shared ceilings.
    ``envelopes`` has all configured envelopes by their ids; this class adds the envelopes of shared ceilings.
    """

    def __init__(self, envelopes: dict[str, Configured]) -> None:
        self._envelopes = envelopes
        self.begun = False
        """Whether the migration has run, so that the records from here on state shared ceilings themselves."""
        self.ceilings: dict[Name, tuple[str, ...]] = {}
        """By ceiling: the ids of its envelopes; empty if the ceiling was lifted."""
        self.members: dict[str, set[tuple[str, str]]] = {}
        """By owner: the kinds and names of the shared ceilings around the owner's sessions."""
        self.all_envelopes: set[str] = set()
        """The ids of all envelopes that belonged to a shared ceiling at any time."""

    def begin(self, configurations: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]) -> None:
        """Derive, once, the shared ceilings that the migration made of the configurations recorded before it."""
        if self.begun:
            return
        self.begun = True
        found: dict[Name, set[str]] = {}
        amounts: dict[str, set[int]] = {}
        for (owner, _), specs in configurations.items():
            for spec in specs:
                if EnvelopeKind(spec["encloses"]) in SHARED:
                    name = self._join(owner, spec["encloses"], spec["name"])
                    id = self._id(name, spec["period"])
                    found.setdefault(name, set()).add(id)
                    amounts.setdefault(id, set()).add(nano(spec["ceiling"]))
        for id, ceilings in amounts.items():
            self._envelopes[id].ceilings |= ceilings
        self.ceilings = {name: tuple(sorted(ids)) for name, ids in found.items()}

    def configure(
        self, owner: str, configured: Iterable[Mapping[str, Any]], shared: Iterable[Mapping[str, Any]]
    ) -> None:
        """Replay a configuration: it creates the shared ceilings in ``configured`` that do not exist yet.

        ``shared`` has the amounts that the record states for all the owner's shared ceilings. They are used only to
        choose among several possible amounts of earlier versions.
        """
        for spec in configured:
            if EnvelopeKind(spec["encloses"]) in SHARED:
                name = self._join(owner, spec["encloses"], spec["name"])
                if name not in self.ceilings:
                    self.ceilings[name] = (self._put(name, spec),)
        for spec in shared:
            if spec["period"] is not None:
                kind = EnvelopeKind(spec["kind"])
                name = (kind.value, subject_of(kind, "", owner, ""), spec["name"])
                known = self._envelopes.get(envelope_id(*name, spec["period"]))
                if known is not None and nano(spec["ceiling"]) in known.ceilings:
                    known.ceilings = {nano(spec["ceiling"])}

    def set(self, detail: Mapping[str, Any]) -> None:
        """Replay the record of a user who changed or lifted a ceiling."""
        name = (detail["kind"], detail["subject"], detail["name"])
        self.ceilings[name] = tuple(self._put(name, figures) for figures in detail["to"])

    def rows(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """Return the expected rows of ``ceilings``, by their keys."""
        return {name: {"envelopes": " ".join(ids)} for name, ids in self.ceilings.items()}

    def member_rows(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """Return the expected rows of ``memberships``, by their keys."""
        return {(owner,): {"ceilings": dumps(sorted(map(list, names)))} for owner, names in self.members.items()}

    def _join(self, owner: str, kind: str, name: str) -> Name:
        self.members.setdefault(owner, set()).add((kind, name))
        return (kind, subject_of(EnvelopeKind(kind), "", owner, ""), name)

    def _id(self, name: Name, period: str) -> str:
        id = envelope_id(*name, period)
        self.all_envelopes.add(id)
        if id not in self._envelopes:
            self._envelopes[id] = Configured(name[2], name[0], period, name[1], set())
        return id

    def _put(self, name: Name, spec: Mapping[str, Any]) -> str:
        id = self._id(name, spec["period"])
        self._envelopes[id].ceilings = {nano(spec["ceiling"])}
        return id


def nano(text: str) -> int:
    """Return the nano-USD of an amount in the detail of a record, which is USD as text."""
    return int(Decimal(text).scaleb(9))
