"""The functions behind the REST routes of the audit record: pages of records, sums, verification, and exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, Final, NamedTuple

from ...errors import InvalidRequestError
from ...ledger.contract.facts import NotebookKey
from ...ledger.contract.queries import AuditQuery, AuditSums
from ...wire import fields
from ..identity.notebook_map import clean_path
from . import audit_filter
from .context import Context
from .route import Body, Download, Parameters, Request

_TYPES: Final = {"jsonl": "application/jsonl; charset=utf-8", "csv": "text/csv; charset=utf-8; header=present"}


class Chain(NamedTuple):
    """The query of ``GET audit/verify``: which chains of hashed records to verify.

    With ``session_id``, only that session's chain is verified; with ``path``, only that of the notebook's session; else
    all chains are. ``known_head`` is the hash of a record that must be in a verified chain, or None.
    """

    path: str | None
    session_id: str | None
    known_head: str | None


class Export(NamedTuple):
    """The query of ``GET audit/export``: the records to export, and the file's format, ``jsonl`` or ``csv``."""

    query: AuditQuery
    form: str


def records(context: Context, request: Request[AuditQuery]) -> Body:
    context.settle()
    return context.service.audit(context.within(request.query))


def sums(context: Context, request: Request[AuditSums]) -> Body:
    context.settle()
    return context.records.sums(context.within(request.query))


def verify(context: Context, request: Request[Chain]) -> Body:
    path, session_id, known_head = request.query
    if path is not None:
        session_id = context.records.session_of(context.place(path).notebook)
    return context.records.verify(session_id, known_head, context.under())


def export(context: Context, request: Request[Export]) -> Download:
    query, form = request.query
    context.settle()
    parts = context.records.export(context.within(query), form)
    today = datetime.now(timezone.utc).date().isoformat()
    return Download(parts, _TYPES[form], f"governance-audit-{today}.{form}")


def _chain(parameters: Mapping[str, str], _: Any) -> Chain:
    path = parameters.get("path")
    session_id = fields.optional_text(parameters, "session_id", "session_id")
    known_head = fields.optional_text(parameters, "known_head", "known_head")
    if path is not None and session_id is not None:
        raise InvalidRequestError("Set either path or session_id, not both.")
    return Chain(None if path is None else clean_path(path), session_id, known_head)


def _export(parameters: Mapping[str, str], key: Callable[[str], NotebookKey]) -> Export:
    form = audit_filter.export_form(parameters)
    return Export(audit_filter.export_query(parameters, key), form)


RECORDS: Final = Parameters(audit_filter.PARAMETERS, audit_filter.audit_query)
SUMS: Final = Parameters(audit_filter.SUMS_PARAMETERS, audit_filter.sums_query)
CHAIN: Final = Parameters(("path", "session_id", "known_head"), _chain)
EXPORT: Final = Parameters(audit_filter.EXPORT_PARAMETERS, _export)
