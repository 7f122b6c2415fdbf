"""Trust levels of agents: set explicitly, stored in the ledger, never changed by themselves."""

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
    """``assigned_by`` says who sets the level. ``force`` is accepted and has no effect: nothing is refused."""

    assigned_by: str | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class TrustCheckResult:
    """Whether an agent's level reaches the required one."""

    allowed: bool
    reason: str
    agent_id: str
    required_level: TrustLevel
    actual_level: TrustLevel
    scope: str | None = None


class TrustManager:
    """The levels of agents, everywhere or in one scope.

    Every method raises ValueError for an empty ``agent_id`` and for a level that is not one of L0 to L5.
    """

    def __init__(self, config: TrustConfig | None = None, *, realm: Realm | None = None) -> None:
        self._config = config or TrustConfig()
        self._realm = realm or Realm()

    def set_level(
        self, agent_id: str, level: int, scope: str | None = None, options: SetLevelOptions | None = None
    ) -> None:
        """Give the agent this level, everywhere or in ``scope``: one audit record with from, to and who."""
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
        """The agent's level in the scope, else its level everywhere, else the configured default."""
        require_names(agent_id=agent_id)
        found = self._realm.read(FindTrust(agent_id=agent_id, scope=scope or None, realm=self._realm.name))
        return TrustLevel(self._config.default_level) if found is None else found.level

    def check_level(self, agent_id: str, required_level: int, scope: str | None = None) -> TrustCheckResult:
        """Whether the agent reaches the level; nothing is recorded."""
        required = to_level(required_level, "required_level")
        actual = self.get_level(agent_id, scope)
        allowed = actual >= required
        where = f" in scope {scope!r}" if scope else ""
        verdict = "meets" if allowed else "is below"
        reason = f"Agent {agent_id!r} has trust level {actual.short()}{where}, which {verdict} {required.short()}"
        return TrustCheckResult(allowed, reason, agent_id, required, actual, scope)

    def require_level(self, agent_id: str, required_level: int, scope: str | None = None) -> None:
        """Raises TrustLevelError when the agent is below the level."""
        result = self.check_level(agent_id, required_level, scope)
        if not result.allowed:
            raise TrustLevelError(agent_id, result.required_level, result.actual_level, scope)

    def touch(self, agent_id: str, scope: str | None = None) -> None:
        """Note that the agent was active now, in the scope and everywhere.

        It changes no level, and nothing depends on it: `assignments` shows it, and no audit record is written.
        """
        require_names(agent_id=agent_id)
        for place in (scope, None) if scope else (None,):
            self._realm.execute(
                TouchTrust(key="", origin=self._realm.origin, agent_id=agent_id, scope=place, realm=self._realm.name)
            )

    def remove(self, agent_id: str, scope: str | None = None) -> bool:
        """Take away the level in ``scope``, or without one the level everywhere; False when there was none."""
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
        """The agents that have a level of their own, in order of their ids."""
        return sorted({assignment.agent_id for assignment in self.assignments()})

    def assignments(self) -> tuple[TrustAssignment, ...]:
        """Every level that was given, with who gave it and when (microseconds since the epoch)."""
        return self._realm.read(ListTrust(realm=self._realm.name))
