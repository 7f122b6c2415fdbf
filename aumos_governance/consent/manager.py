"""`ConsentManager`, with which SDK users record consents.

A consent is a permission for an agent to use a type of data, such as ``"health_data"``, for one purpose or for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from ..clock import to_datetime, to_micros
from ..config import ConsentConfig
from ..errors import InvalidRequestError
from ..ledger.contract.agreements import Consent, GrantConsent, RevokeConsent
from ..ledger.contract.queries import FindConsent, ListConsents
from ..realm import Realm, require_names

__all__ = ["ConsentCheckResult", "ConsentManager", "ConsentRecord"]


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """A consent that was recorded. If ``purpose`` is None, it covers every purpose. Times are in UTC."""

    agent_id: str
    data_type: str
    purpose: str | None
    granted_by: str
    granted_at: datetime
    expires_at: datetime | None = None

    def is_expired(self) -> bool:
        """Return whether the time ``expires_at`` of the consent has passed."""
        return self.expires_at is not None and datetime.now(timezone.utc) >= self.expires_at


@dataclass(frozen=True, slots=True)
class ConsentCheckResult:
    """The result of `ConsentManager.check_consent`: whether an agent may use the data.

    ``record`` is the consent that covers the use, or None.
    """

    granted: bool
    reason: str
    agent_id: str
    data_type: str
    purpose: str | None = None
    record: ConsentRecord | None = None


class ConsentManager:
    """The consents for the agents of an engine, ``engine.consent``.

    Every method raises ValueError, with the argument's name, if ``agent_id``, ``data_type`` or ``granted_by`` is
    empty. A datetime without a time zone is read as UTC.
    """

    def __init__(self, config: ConsentConfig | None = None, *, realm: Realm | None = None) -> None:
        self._config = config or ConsentConfig()
        self._realm = realm or Realm()

    def record_consent(
        self, agent_id: str, data_type: str, purpose: str | None, granted_by: str, expires_at: datetime | None = None
    ) -> ConsentRecord:
        """Record a consent, and write one audit record. An earlier consent for the same use is replaced.

        ``granted_by`` names who has given the consent. A ``purpose`` of None covers every purpose. An empty purpose
        raises ValueError, since it is not clear whether it means every purpose or none. Without ``expires_at`` the
        consent is valid until it is revoked.
        """
        require_names(agent_id=agent_id, data_type=data_type, granted_by=granted_by)
        if purpose == "":
            raise InvalidRequestError("purpose must be a non-empty string, or None to cover every purpose.")
        return _record(
            self._realm.execute(
                GrantConsent(
                    key="",
                    origin=self._realm.origin,
                    notebook=self._realm.notebook,
                    agent_id=agent_id,
                    data_type=data_type,
                    purpose=purpose,
                    granted_by=granted_by,
                    until=None if expires_at is None else to_micros(expires_at),
                    realm=self._realm.name,
                )
            )
        )

    def check_consent(self, agent_id: str, data_type: str, purpose: str | None = None) -> ConsentCheckResult:
        """Return whether a consent covers a use of data: a consent for exactly this purpose or for every purpose.

        Expired consents are ignored. If no consent covers the use, it is allowed unless ``default_deny`` is set in the
        engine's `ConsentConfig`. Nothing is recorded.
        """
        require_names(agent_id=agent_id, data_type=data_type)
        use = f"agent {agent_id!r} to use {data_type!r}" + (f" for {purpose!r}" if purpose else "")
        found = self._realm.read(
            FindConsent(agent_id=agent_id, data_type=data_type, purpose=purpose or None, realm=self._realm.name)
        )
        record = None if found is None else _record(found)
        if record is not None:
            granted, reason = True, f"{record.granted_by!r} allowed {use}"
        elif self._config.default_deny:
            granted, reason = False, f"No consent allows {use}"
        else:
            granted, reason = True, f"No consent allows {use}, but the configuration allows it without one"
        return ConsentCheckResult(granted, reason, agent_id, data_type, purpose, record)

    def revoke_consent(self, agent_id: str, data_type: str, purpose: str | None = None) -> None:
        """Revoke an agent's consent for a data type and a purpose, and write one audit record.

        With ``purpose=None``, the consent that was recorded without a purpose is revoked, and no other. Raises
        ConsentNotFoundError if there is no such consent.
        """
        require_names(agent_id=agent_id, data_type=data_type)
        self._revoke(agent_id, data_type, purpose or None)

    def revoke_all_for_agent(self, agent_id: str) -> int:
        """Revoke all consents for an agent, each with an audit record, and return their number."""
        require_names(agent_id=agent_id)
        return self._revoke(agent_id, None, None)

    def list_consents(self, agent_id: str) -> list[ConsentRecord]:
        """Return the consents of an agent in order of data type and purpose, also expired ones, but no revoked ones."""
        require_names(agent_id=agent_id)
        found = self._realm.read(ListConsents(agent_id=agent_id, realm=self._realm.name))
        return [_record(consent) for consent in found]

    def _revoke(self, agent_id: str, data_type: str | None, purpose: str | None) -> int:
        return self._realm.execute(
            RevokeConsent(
                key="",
                origin=self._realm.origin,
                notebook=self._realm.notebook,
                agent_id=agent_id,
                data_type=data_type,
                purpose=purpose,
                realm=self._realm.name,
            )
        )


def _record(consent: Consent) -> ConsentRecord:
    return ConsentRecord(
        consent.agent_id,
        consent.data_type,
        consent.purpose,
        consent.granted_by,
        to_datetime(consent.granted_at),
        None if consent.expires_at is None else to_datetime(consent.expires_at),
    )
