"""The record of an engine's decisions, read from the ledger and added to it; nothing is ever evicted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from importlib import import_module
from itertools import islice
from typing import Any, Final

from ..clock import to_datetime, to_micros
from ..config import AuditConfig
from ..errors import InvalidRequestError
from ..ledger.contract.agreements import Record
from ..ledger.contract.audit_facts import AuditEntry
from ..ledger.contract.queries import AuditQuery, CountAudit
from ..realm import Realm
from ..types import GovernanceOutcome
from .query import AuditFilter, AuditQueryResult, to_outcome
from .record import EVENT, AuditRecord, GovernanceDecisionContext, context_of, detail_of, record_of

__all__ = ["AuditLogger"]

_PAGE: Final = 1000
_CONTEXT: Final = tuple(field.name for field in fields(GovernanceDecisionContext))
_COLUMNS: Final = ("record_id", "timestamp", "outcome", "decision", "reasons", *_CONTEXT)


class AuditLogger:
    """The decisions of an engine: those it evaluated, those for which it held an amount, and those logged here.

    What else happened (levels set, money charged and held, consents given) stands in the same hash chain; `entries`
    reads all of it.
    """

    def __init__(self, config: AuditConfig | None = None, *, realm: Realm | None = None) -> None:
        self._config = config or AuditConfig()
        self._realm = realm or Realm()

    def log(
        self,
        outcome: GovernanceOutcome | str,
        decision: str,
        reasons: Iterable[str] | None = None,
        context: GovernanceDecisionContext | None = None,
    ) -> AuditRecord:
        """Record a decision that the caller made. Raises ValueError for an outcome that is none."""
        decided = to_outcome(outcome)
        about = context or GovernanceDecisionContext()
        if not self._config.include_context:
            about = GovernanceDecisionContext(agent_id=about.agent_id)
        why, detail = tuple(reasons or ()), detail_of(about, decision)
        recorded = self._realm.execute(
            Record(
                key="",
                origin=self._realm.origin,
                notebook=self._realm.notebook,
                event=EVENT,
                outcome=decided,
                reasons=why,
                agent_id=about.agent_id,
                action_type=about.action_type,
                resource=about.resource,
                detail=detail,
            )
        )
        kept = context_of(about.agent_id, about.action_type, about.resource, detail)
        return AuditRecord(recorded.record_id, decided, decision, list(why), kept, to_datetime(recorded.at))

    def query(self, audit_filter: AuditFilter | None = None) -> AuditQueryResult:
        """The matching decisions, oldest first, all at once; `stream` gives them one by one."""
        wanted = audit_filter or AuditFilter()
        return AuditQueryResult(list(self.stream(wanted)), self._count(wanted), wanted)

    def stream(self, audit_filter: AuditFilter | None = None) -> Iterator[AuditRecord]:
        """The matching decisions, oldest first, read page by page: as many as there are, in little memory."""
        wanted = audit_filter or AuditFilter()
        records = (record_of(entry) for entry in self._entries(decisions=True, **_filters(wanted)))
        return islice(records, wanted.offset, wanted.offset + wanted.limit if wanted.limit else None)

    def entries(self) -> Iterator[AuditEntry]:
        """Every record of the engine's chain, oldest first, as the ledger keeps it, hashes included."""
        return self._entries()

    def count(self) -> int:
        """How many decisions there are."""
        return self._count(AuditFilter())

    def latest(self, n: int = 10) -> list[AuditRecord]:
        """The last ``n`` decisions, the newest last. Raises ValueError for ``n`` below 1."""
        if n < 1:
            raise InvalidRequestError(f"n must be a whole number from 1, not {n!r}.")
        newest = islice(self._entries(decisions=True, oldest_first=False, limit=min(n, _PAGE)), n)
        return [record_of(entry) for entry in newest][::-1]

    def to_dataframe(self, audit_filter: AuditFilter | None = None) -> Any:
        """The matching decisions as a pandas DataFrame, one row each. Raises ImportError without pandas."""
        try:
            pandas = import_module("pandas")
        except ImportError:
            raise ImportError("to_dataframe() needs pandas, which is not installed: pip install pandas.") from None
        return pandas.DataFrame((_row(record) for record in self.stream(audit_filter)), columns=list(_COLUMNS))

    def _count(self, wanted: AuditFilter) -> int:
        return self._realm.read(CountAudit(notebook=self._realm.notebook, decisions=True, **_filters(wanted)))

    def _entries(self, *, oldest_first: bool = True, limit: int = _PAGE, **filters: Any) -> Iterator[AuditEntry]:
        query = AuditQuery(notebook=self._realm.notebook, oldest_first=oldest_first, limit=limit, **filters)
        while True:
            page = self._realm.read(query)
            yield from page.records
            if page.cursor is None:
                return
            query = replace(query, cursor=page.cursor)


def _filters(wanted: AuditFilter) -> dict[str, Any]:
    return {
        "agent_id": wanted.agent_id,
        "outcome": wanted.outcome,
        "action_type": wanted.action_type,
        "resource": wanted.resource,
        "since": None if wanted.since is None else to_micros(wanted.since),
        "until": None if wanted.until is None else to_micros(wanted.until),
    }


def _row(record: AuditRecord) -> tuple[Any, ...]:
    context = (getattr(record.context, name) for name in _CONTEXT)
    outcome = record.outcome.value
    return (record.record_id, record.timestamp, outcome, record.decision, record.reasons, *context)
