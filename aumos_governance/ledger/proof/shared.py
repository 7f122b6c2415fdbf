"""What the records say of the ceilings that servers share: which stand, with which amounts, around whose sessions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..contract.budgets import EnvelopeKind
from ..operations.balances import envelope_id
from ..operations.budgets.enclosures import SHARED, subject_of
from ..rules.chain import dumps

__all__ = ["Configured", "SharedCeilings", "nano"]

Name = tuple[str, str, str]
"""Kind, subject and name."""


@dataclass(slots=True)
class Configured:
    """An envelope of a server's configuration."""

    name: str
    kind: str
    period: str
    subject: str
    ceilings: set[int]
    """What its ceiling may be: of one that an earlier version let several servers configure, any that was on record."""


class SharedCeilings:
    """The replay of shared ceilings. Earlier versions left them to the configurations, which a migration stored.

    ``envelopes`` are those that are known by their ids, to which the shared ones are added.
    """

    def __init__(self, envelopes: dict[str, Configured]) -> None:
        self._envelopes = envelopes
        self.begun = False
        """Whether the records from here on are of versions whose shared ceilings stand by themselves."""
        self.standing: dict[Name, tuple[str, ...]] = {}
        """The ids of the envelopes of each; none where it was lifted."""
        self.members: dict[str, set[tuple[str, str]]] = {}
        """By owner, the kinds and names of those around the owner's sessions."""
        self.stood: set[str] = set()
        """The ids of all envelopes that were one of them at any time."""

    def begin(self, configurations: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]) -> None:
        """Once: what the migration made of the configurations on record."""
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
        self.standing = {name: tuple(sorted(ids)) for name, ids in found.items()}

    def take(self, owner: str, configured: Iterable[Mapping[str, Any]], shared: Iterable[Mapping[str, Any]]) -> None:
        """A configuration: it creates what does not stand yet, and ``shared`` is what stands then.

        What stands is believed only where earlier versions left several amounts open.
        """
        for spec in configured:
            if EnvelopeKind(spec["encloses"]) in SHARED:
                name = self._join(owner, spec["encloses"], spec["name"])
                if name not in self.standing:
                    self.standing[name] = (self._put(name, spec),)
        for spec in shared:
            if spec["period"] is not None:
                kind = EnvelopeKind(spec["kind"])
                name = (kind.value, subject_of(kind, "", owner, ""), spec["name"])
                known = self._envelopes.get(envelope_id(*name, spec["period"]))
                if known is not None and nano(spec["ceiling"]) in known.ceilings:
                    known.ceilings = {nano(spec["ceiling"])}

    def set(self, detail: Mapping[str, Any]) -> None:
        """A user changed or lifted a ceiling."""
        name = (detail["kind"], detail["subject"], detail["name"])
        self.standing[name] = tuple(self._put(name, figures) for figures in detail["to"])

    def rows(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """The rows of the ceilings, by their keys."""
        return {name: {"envelopes": " ".join(ids)} for name, ids in self.standing.items()}

    def member_rows(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """The rows of the owners, by their keys."""
        return {(owner,): {"ceilings": dumps(sorted(map(list, names)))} for owner, names in self.members.items()}

    def _join(self, owner: str, kind: str, name: str) -> Name:
        self.members.setdefault(owner, set()).add((kind, name))
        return (kind, subject_of(EnvelopeKind(kind), "", owner, ""), name)

    def _id(self, name: Name, period: str) -> str:
        id = envelope_id(*name, period)
        self.stood.add(id)
        if id not in self._envelopes:
            self._envelopes[id] = Configured(name[2], name[0], period, name[1], set())
        return id

    def _put(self, name: Name, spec: Mapping[str, Any]) -> str:
        id = self._id(name, spec["period"])
        self._envelopes[id].ceilings = {nano(spec["ceiling"])}
        return id


def nano(text: str) -> int:
    """An amount of a record's details, in nano-USD."""
    return int(Decimal(text).scaleb(9))
