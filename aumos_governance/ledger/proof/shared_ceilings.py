"""The part of a verification that derives, from audit records, which shared ceilings there must be.

A shared ceiling limits the sessions of one owner, or of a team, on all servers together. It has a name, amounts, and
members: the owners whose sessions it limits.
"""

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
    """An envelope that a server's configuration or a user has set, as the records describe it."""

    name: str
    kind: str
    period: str
    subject: str
    ceilings: set[int]
    """The amounts in nano-USD that the envelope's row may have as its ceiling. There are several if several servers
    configured the same ceiling with an earlier version: then any of the recorded amounts is right."""


class SharedCeilings:
    """The shared ceilings and their members, according to the records that were replayed so far.

    Earlier versions took shared ceilings from each server's configuration. The migration 0004 stored them in a table of
    their own. ``envelopes`` has all configured envelopes by their ids; this class adds those of shared ceilings.
    """

    def __init__(self, envelopes: dict[str, Configured]) -> None:
        self._envelopes = envelopes
        self.begun = False
        """Whether the replay is past the migration, so that all further records state shared ceilings themselves."""
        self.ceilings: dict[Name, tuple[str, ...]] = {}
        """By ceiling: the ids of its envelopes, one for each period; empty if a user has lifted the ceiling."""
        self.members: dict[str, set[tuple[str, str]]] = {}
        """By owner: the kinds and names of the shared ceilings around the owner's sessions."""
        self.all_envelopes: set[str] = set()
        """The ids of all envelopes that belonged to a shared ceiling at any time."""

    def begin(self, configurations: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]) -> None:
        """Derive the shared ceilings that the migration created; a second call does nothing.

        ``configurations`` has, by owner and root, the ceilings that each server had configured before the migration.
        """
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
        """Apply the record of a server's configuration, which creates each of its shared ceilings that does not exist.

        - ``owner``: the owner whose server was configured.
        - ``configured``: the ceilings in the configuration.
        - ``shared``: all shared ceilings of the owner, with the amounts at the time of the record. They only decide
          between several possible amounts of an envelope (see `Configured.ceilings`).
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
        """Apply the record of a user's change: the shared ceiling got new amounts, or was lifted.

        ``detail`` is the parsed JSON detail of the record; its field ``to`` is empty for a lifted ceiling.
        """
        name = (detail["kind"], detail["subject"], detail["name"])
        self.ceilings[name] = tuple(self._put(name, figures) for figures in detail["to"])

    def rows(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """Return the values that each row of the table ``ceilings`` must have, by the row's primary key."""
        return {name: {"envelopes": " ".join(ids)} for name, ids in self.ceilings.items()}

    def member_rows(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """Return the values that each row of the table ``memberships`` must have, by the row's primary key."""
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
    """Return an amount in nano-USD, given in USD as text, as records contain it: ``nano("0.05")`` is 50,000,000."""
    return int(Decimal(text).scaleb(9))
