"""`TrustManager`, with which SDK users set and check the trust levels of agents. Levels never change by themselves."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import TrustConfig
from ..errors import TrustLevelError
from ..ledger.contract.agreements import RemoveTrust, SetTrust, TouchTrust, TrustAssignment
from ..ledger.contract.queries import FindTrust, ListTrust
from ..realm import Realm, require_names, to_level
from ..types import TrustLevel

__all__ = ["SetLevelOptions", "TrustCheckResult", "TrustManager"]


@dataclass(frozen=True, slots=True)
class SetLevelOptions:
    """Options of `TrustManager.set_level`. ``assigned_by`` names who sets the level, for the audit record.

    ``force`` of the earlier SDK is accepted and has no effect, since every level from L0 to L5 can be set.
    """

    assigned_by: str | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class TrustCheckResult:
    """The result of `TrustManager.check_level`: whether an agent's level is at least the required level."""

    allowed: bool
    reason: str
    agent_id: str
    required_level: TrustLevel
    actual_level: TrustLevel
    scope: str | None = None


class TrustManager:
    """The trust levels of an engine's agents, ``engine.trust``.

    A level is for all of an agent's work, or for one ``scope``, a part of the work that the user names, such as
    ``"reports"``. Every method raises ValueError for an empty ``agent_id``, and for a level outside L0 to L5.
    """

    def __init__(self, config: TrustConfig | None = None, *, realm: Realm | None = None) -> None:
        self._config = config or TrustConfig()
        self._realm = realm or Realm()

    def set_level(
        self, agent_id: str, level: int, scope: str | None = None, options: SetLevelOptions | None = None
    ) -> None:
        """Set an agent's level for one scope or, with None, for all of its work, and write one audit record.

        The record has the level before and after, and who set it. The level for a scope takes precedence there.
        """
        require_names(agent_id=agent_id)
        self._realm.execute(
            SetTrust(
                key="",
                origin=self._realm.origin,
                notebook=self._realm.notebook,
                agent_id=agent_id,
                level=to_level(level),
                scope=scope or None,
                assigned_by=options.assigned_by if options is not None else None,
                realm=self._realm.name,
            )
        )

    def get_level(self, agent_id: str, scope: str | None = None) -> TrustLevel:
        """Return an agent's level for a scope; without one, its level for all work, and else the configured default."""
        require_names(agent_id=agent_id)
        found = self._realm.read(FindTrust(agent_id=agent_id, scope=scope or None, realm=self._realm.name))
        return TrustLevel(self._config.default_level) if found is None else found.level

    def check_level(self, agent_id: str, required_level: int, scope: str | None = None) -> TrustCheckResult:
        """Return whether an agent's level for a scope is at least the required level. Nothing is recorded."""
        required = to_level(required_level, "required_level")
        actual = self.get_level(agent_id, scope)
        allowed = actual >= required
        where = f" in scope {scope!r}" if scope else ""
        verdict = "meets" if allowed else "is below"
        reason = f"Agent {agent_id!r} has trust level {actual.short()}{where}, which {verdict} {required.short()}"
        return TrustCheckResult(allowed, reason, agent_id, required, actual, scope)

    def require_level(self, agent_id: str, required_level: int, scope: str | None = None) -> None:
        """Raise TrustLevelError if an agent's level for a scope is below the required level. Nothing is recorded."""
        result = self.check_level(agent_id, required_level, scope)
        if not result.allowed:
            raise TrustLevelError(agent_id, result.required_level, result.actual_level, scope)

    def touch(self, agent_id: str, scope: str | None = None) -> None:
        """Note that an agent is active now: store the time in its level for the scope and in its level for all work.

        `assignments` returns this time as ``touched_at``. It is only information: no level changes, and no audit record
        is written.
        """
        require_names(agent_id=agent_id)
        for place in (scope, None) if scope else (None,):
            self._realm.execute(
                TouchTrust(key="", origin=self._realm.origin, agent_id=agent_id, scope=place, realm=self._realm.name)
            )

    def remove(self, agent_id: str, scope: str | None = None) -> bool:
        """Remove an agent's level for one scope or, with None, for all work; return whether such a level was set."""
        require_names(agent_id=agent_id)
        return self._realm.execute(
            RemoveTrust(
                key="",
                origin=self._realm.origin,
                notebook=self._realm.notebook,
                agent_id=agent_id,
                scope=scope or None,
                realm=self._realm.name,
            )
        )

    def list_agents(self) -> list[str]:
        """Return the ids of the agents that have an assigned level, in alphabetical order."""
        return sorted({assignment.agent_id for assignment in self.assignments()})

    def assignments(self) -> tuple[TrustAssignment, ...]:
        """Return every level that is set for an agent, with who set it and when, in microseconds since the epoch."""
        return self._realm.read(ListTrust(realm=self._realm.name))
