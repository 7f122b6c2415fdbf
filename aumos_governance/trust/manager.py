"""The manager through which SDK users set and check the trust levels of agents, which never change by themselves."""

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

    ``force`` of the earlier SDK is accepted and has no effect, since no level is refused.
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
    """The trust levels of an engine's agents, each for one scope or for all scopes.

    Every method raises ValueError for an empty ``agent_id``, and for a level outside L0 to L5.
    """

    def __init__(self, config: TrustConfig | None = None, *, realm: Realm | None = None) -> None:
        self._config = config or TrustConfig()
        self._realm = realm or Realm()

    def set_level(
        self, agent_id: str, level: int, scope: str | None = None, options: SetLevelOptions | None = None
    ) -> None:
        """Set an agent's level, in ``scope`` or, with None, in all scopes, and write one audit record.

        The record has the level before and after, and who set it.
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
        """Return the agent's level in the scope, else its level in all scopes, else the configured default."""
        require_names(agent_id=agent_id)
        found = self._realm.read(FindTrust(agent_id=agent_id, scope=scope or None, realm=self._realm.name))
        return TrustLevel(self._config.default_level) if found is None else found.level

    def check_level(self, agent_id: str, required_level: int, scope: str | None = None) -> TrustCheckResult:
        """Return whether the agent's level is at least the required level. Nothing is recorded."""
        required = to_level(required_level, "required_level")
        actual = self.get_level(agent_id, scope)
        allowed = actual >= required
        where = f" in scope {scope!r}" if scope else ""
        verdict = "meets" if allowed else "is below"
        reason = f"Agent {agent_id!r} has trust level {actual.short()}{where}, which {verdict} {required.short()}"
        return TrustCheckResult(allowed, reason, agent_id, required, actual, scope)

    def require_level(self, agent_id: str, required_level: int, scope: str | None = None) -> None:
        """Raise TrustLevelError if the agent's level is below the required level."""
        result = self.check_level(agent_id, required_level, scope)
        if not result.allowed:
            raise TrustLevelError(agent_id, result.required_level, result.actual_level, scope)

    def touch(self, agent_id: str, scope: str | None = None) -> None:
        """Store the current time as the agent's last activity, in the scope and in all scopes.

        The time is only information for users of `assignments`: no level changes, and no audit record is written.
        """
        require_names(agent_id=agent_id)
        for place in (scope, None) if scope else (None,):
            self._realm.execute(
                TouchTrust(key="", origin=self._realm.origin, agent_id=agent_id, scope=place, realm=self._realm.name)
            )

    def remove(self, agent_id: str, scope: str | None = None) -> bool:
        """Remove the agent's level in ``scope`` or, with None, its level for all scopes; return whether it existed."""
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
        """Return every level that is set, with who set it and when, in microseconds since the epoch."""
        return self._realm.read(ListTrust(realm=self._realm.name))
