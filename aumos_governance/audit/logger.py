"""`AuditLogger`, with which SDK users read the recorded decisions of an engine, and record their own decisions.

The records are in the engine's ledger. None is ever evicted.
"""

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
    """An engine's audit trail, ``engine.audit``: all decisions of the engine, and the decisions that `log` has added.

    The same hash chain has records of all other events (levels set, money charged and held, consents given). Only
    `entries` returns these as well.
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
        """Record a decision that the caller has made itself, and return the record.

        ``decision`` is a sentence that describes the decision, and ``context`` the action that it is about. Raises
        ValueError for an unknown outcome.
        """
        outcome = to_outcome(outcome)
        context = context or GovernanceDecisionContext()
        if not self._config.include_context:
            context = GovernanceDecisionContext(agent_id=context.agent_id)
        reasons, detail = tuple(reasons or ()), detail_of(context, decision)
        recorded = self._realm.execute(
            Record(
                key="",
                origin=self._realm.origin,
                notebook=self._realm.notebook,
                event=EVENT,
                outcome=outcome,
                reasons=reasons,
                agent_id=context.agent_id,
                action_type=context.action_type,
                resource=context.resource,
                detail=detail,
            )
        )
        context = context_of(context.agent_id, context.action_type, context.resource, detail)
        return AuditRecord(recorded.record_id, outcome, decision, list(reasons), context, to_datetime(recorded.at))

    def query(self, audit_filter: AuditFilter | None = None) -> AuditQueryResult:
        """Return the decisions that match a filter, or all, in one list, oldest first.

        For many decisions `stream` needs less memory.
        """
        criteria = audit_filter or AuditFilter()
        return AuditQueryResult(list(self.stream(criteria)), self._count(criteria), criteria)

    def stream(self, audit_filter: AuditFilter | None = None) -> Iterator[AuditRecord]:
        """Return an iterator over the decisions that match a filter, or over all, oldest first.

        It reads the ledger page by page.
        """
        criteria = audit_filter or AuditFilter()
        records = (record_of(entry) for entry in self._entries(decisions=True, **_filters(criteria)))
        return islice(records, criteria.offset, criteria.offset + criteria.limit if criteria.limit else None)

    def entries(self) -> Iterator[AuditEntry]:
        """Return an iterator over the audit records of all events, and not only decisions, oldest first.

        The records are as the ledger stores them, with their hashes, and with amounts in nano-USD.
        """
        return self._entries()

    def count(self) -> int:
        """Return the number of all recorded decisions."""
        return self._count(AuditFilter())

    def latest(self, n: int = 10) -> list[AuditRecord]:
        """Return the last ``n`` decisions, the newest last. Raises ValueError for ``n`` below 1."""
        if n < 1:
            raise InvalidRequestError(f"n must be a whole number of at least 1, not {n!r}.")
        newest = islice(self._entries(decisions=True, oldest_first=False, limit=min(n, _PAGE)), n)
        return [record_of(entry) for entry in newest][::-1]

    def to_dataframe(self, audit_filter: AuditFilter | None = None) -> Any:
        """Return the decisions that match a filter, or all, as a pandas DataFrame with one row for each decision.

        Raises ImportError if pandas is not installed.
        """
        try:
            pandas = import_module("pandas")
        except ImportError:
            raise ImportError("to_dataframe() needs pandas, which is not installed: pip install pandas.") from None
        return pandas.DataFrame((_row(record) for record in self.stream(audit_filter)), columns=list(_COLUMNS))

    def _count(self, criteria: AuditFilter) -> int:
        return self._realm.read(CountAudit(notebook=self._realm.notebook, decisions=True, **_filters(criteria)))

    def _entries(self, *, oldest_first: bool = True, limit: int = _PAGE, **filters: Any) -> Iterator[AuditEntry]:
        query = AuditQuery(notebook=self._realm.notebook, oldest_first=oldest_first, limit=limit, **filters)
        while True:
            page = self._realm.read(query)
            yield from page.records
            if page.cursor is None:
                return
            query = replace(query, cursor=page.cursor)


def _filters(criteria: AuditFilter) -> dict[str, Any]:
    return {
        "agent_id": criteria.agent_id,
        "outcome": criteria.outcome,
        "action_type": criteria.action_type,
        "resource": criteria.resource,
        "since": None if criteria.since is None else to_micros(criteria.since),
        "until": None if criteria.until is None else to_micros(criteria.until),
    }


def _row(record: AuditRecord) -> tuple[Any, ...]:
    context = (getattr(record.context, name) for name in _CONTEXT)
    outcome = record.outcome.value
    return (record.record_id, record.timestamp, outcome, record.decision, record.reasons, *context)
