"""The query parameters of ``GET audit`` and of the routes below it, parsed into queries of the ledger.

In all functions, ``parameters`` are the parameters of the request, and ``key`` finds the notebook at a path. They raise
InvalidRequestError, which names the invalid parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from ...clock import to_micros
from ...errors import InvalidRequestError
from ...ledger.contract.facts import NotebookKey
from ...ledger.contract.queries import AuditQuery, AuditSums
from ...service.records import EXPORTS
from ...types import GovernanceOutcome
from ...wire import fields
from ..identity.notebook_map import clean_path

_FILTERS: Final = (
    "path",
    "session_id",
    "agent_id",
    "outcome",
    "event",
    "tool",
    "action_type",
    "resource",
    "text",
    "since",
    "until",
)
PARAMETERS: Final = (*_FILTERS, "limit", "cursor")
SUMS_PARAMETERS: Final = (*_FILTERS, "by")
EXPORT_PARAMETERS: Final = (*_FILTERS, "format")
_SEARCHED: Final = frozenset({"text", "action_type", "resource", "event"})
"""The filters without an index in the database, so that reading one page may require reading the whole audit record."""
KeyOf = Callable[[str], NotebookKey]
"""Returns the notebook at a path below the server's root folder."""


def audit_query(parameters: Mapping[str, str], key: KeyOf) -> AuditQuery:
    """Return the ledger's query for a page of audit records, as ``GET audit`` requests it."""
    return AuditQuery(
        **_filters(parameters, key),
        limit=fields.whole(parameters, "limit", default=100, least=1, most=1_000),
        cursor=fields.optional_text(parameters, "cursor", "cursor"),
    )


def is_search(parameters: Mapping[str, str]) -> bool:
    """Whether a request with these filters may have to read the whole audit record, and so may take long."""
    return not _SEARCHED.isdisjoint(parameters)


def sums_query(parameters: Mapping[str, str], key: KeyOf) -> AuditSums:
    """Return the ledger's query for sums, as ``GET audit/sums`` requests it: by tool, unless ``by`` is set."""
    return AuditSums(**_filters(parameters, key), by=fields.optional_text(parameters, "by", "by") or "tool")


def export_query(parameters: Mapping[str, str], key: KeyOf) -> AuditQuery:
    """Return the ledger's query for all matching records, oldest first, as ``GET audit/export`` requests it."""
    return AuditQuery(**_filters(parameters, key), oldest_first=True)


def export_form(parameters: Mapping[str, str]) -> str:
    """Return the format of the file to export: the parameter ``format``, ``jsonl`` or ``csv``, or else ``jsonl``."""
    form = parameters.get("format", "jsonl")
    if form not in EXPORTS:
        raise InvalidRequestError(f"The format must be one of {', '.join(EXPORTS)}, not {form[:40]!r}.")
    return form


def _filters(parameters: Mapping[str, str], key: KeyOf) -> dict[str, Any]:
    path = parameters.get("path")
    texts = ("session_id", "agent_id", "event", "tool", "action_type", "resource", "text")
    return {
        "notebook": None if path is None else key(clean_path(path)),
        "outcome": _outcome(parameters.get("outcome")),
        "since": _moment(parameters, "since"),
        "until": _moment(parameters, "until"),
        **{name: fields.optional_text(parameters, name, name) for name in texts},
    }


def _outcome(raw: str | None) -> GovernanceOutcome | None:
    if raw is None:
        return None
    try:
        return GovernanceOutcome(raw)
    except ValueError:
        known = ", ".join(outcome.value for outcome in GovernanceOutcome)
        raise InvalidRequestError(f"The outcome must be one of {known}, not {raw[:40]!r}.") from None


def _moment(parameters: Mapping[str, str], name: str) -> int | None:
    """Return the time in the parameter ``name``, in microseconds since the epoch; None without this parameter.

    A time without an offset is read as UTC, as all times of the ledger are UTC.
    """
    raw = parameters.get(name)
    if raw is None:
        return None
    # Python 3.10 does not parse the Z, and an unescaped plus sign in a query string arrives as a space.
    text = raw.strip().replace(" ", "+") if "T" in raw else raw.strip()
    try:
        moment = datetime.fromisoformat(f"{text[:-1]}+00:00" if text[-1:] in ("Z", "z") else text)
        return to_micros(moment)
    except (ValueError, OverflowError):
        raise InvalidRequestError(
            f"The {name} must be a time in ISO 8601, for example 2026-01-31T12:00:00Z, not {raw[:40]!r}."
        ) from None
