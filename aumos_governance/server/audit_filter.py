"""The filter of ``GET audit``: query parameters read into an `AuditQuery`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Final

from ..errors import InvalidRequestError
from ..ledger.base import AuditQuery, NotebookKey
from ..notebooks import wishes
from ..types import GovernanceOutcome
from .rooms import clean_path

__all__ = ["PARAMETERS", "audit_query"]

PARAMETERS: Final = (
    "path",
    "session_id",
    "agent_id",
    "outcome",
    "event",
    "tool",
    "text",
    "since",
    "until",
    "limit",
    "cursor",
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


def audit_query(parameters: Mapping[str, str], key: Callable[[str], NotebookKey]) -> AuditQuery:
    """Raises InvalidRequestError, in a sentence that names the parameter."""
    path = parameters.get("path")
    return AuditQuery(
        notebook=None if path is None else key(clean_path(path)),
        session_id=wishes.optional_text(parameters, "session_id", "session_id"),
        agent_id=wishes.optional_text(parameters, "agent_id", "agent_id"),
        outcome=_outcome(parameters.get("outcome")),
        event=wishes.optional_text(parameters, "event", "event"),
        tool=wishes.optional_text(parameters, "tool", "tool"),
        text=wishes.optional_text(parameters, "text", "text"),
        since=_moment(parameters, "since"),
        until=_moment(parameters, "until"),
        limit=wishes.whole(parameters, "limit", default=100, least=1, most=1_000),
        cursor=wishes.optional_text(parameters, "cursor", "cursor"),
    )


def _outcome(raw: str | None) -> GovernanceOutcome | None:
    if raw is None:
        return None
    try:
        return GovernanceOutcome(raw)
    except ValueError:
        known = ", ".join(outcome.value for outcome in GovernanceOutcome)
        raise InvalidRequestError(f"The outcome must be one of {known}, not {raw[:40]!r}.") from None


def _moment(parameters: Mapping[str, str], name: str) -> int | None:
    """Microseconds since the epoch; a time without an offset is UTC, as all times of the ledger are."""
    raw = parameters.get(name)
    if raw is None:
        return None
    # Python 3.10 does not read the Z; and in a query string an unescaped plus sign arrives as a space.
    text = raw.strip().replace(" ", "+") if "T" in raw else raw.strip()
    try:
        moment = datetime.fromisoformat(f"{text[:-1]}+00:00" if text[-1:] in ("Z", "z") else text)
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)
        return (aware - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        raise InvalidRequestError(
            f"The {name} must be a time in ISO 8601, for example 2026-01-31T12:00:00Z, not {raw[:40]!r}."
        ) from None
