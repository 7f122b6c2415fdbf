"""Audit records as files: JSON Lines and CSV, as streams of any length."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from typing import Any, Final

from ... import money
from ...clock import time_text
from ...printing import json_printable, printable
from ..contract.audit_facts import AuditEntry
from ..contract.ledger import Ledger
from ..contract.queries import AuditQuery
from .chain import dumps
from .cursors import MAX_PAGE

__all__ = ["COLUMNS", "csv_lines", "json_lines", "walk"]

COLUMNS: Final = tuple(field.name for field in fields(AuditEntry))
"""The columns of a CSV file, and the members of a line of JSON."""
_MONEY: Final = frozenset({"amount", "spent_delta", "held_delta"})
_FORMULA: Final = re.compile("(^|;)( *'* *[=+\\-@\u2212\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])")
"""Where a cell, or a cell of those who split at semicolons, would be a formula, also in full width and small forms, and
also where it has an apostrophe already, so that removing one apostrophe always restores the text."""


def walk(ledger: Ledger, query: AuditQuery) -> Iterator[AuditEntry]:
    """All records that match the query, in its order, page by page: nothing is locked, and little is in memory.

    Records written meanwhile are there when they come after the place that was reached.
    """
    page = ledger.read(replace(query, limit=MAX_PAGE))
    yield from page.records
    while page.cursor is not None:
        page = ledger.read(replace(query, limit=MAX_PAGE, cursor=page.cursor))
        yield from page.records


def json_lines(records: Iterable[AuditEntry]) -> Iterator[str]:
    """One line of JSON for each record, newline included.

    Everything is in it that its hash covers, so that a chain can be verified from the file; amounts are
    integer nano-USD and times integer microseconds, as hashed. Characters that a terminal or an editor acts on are
    written as JSON's own escapes, which are the same text once it is read.
    """
    for record in records:
        members = {name: getattr(record, name) for name in COLUMNS}
        members["outcome"] = None if record.outcome is None else record.outcome.value
        members["detail"] = dict(record.detail)
        yield json_printable(dumps(members)) + "\n"


def csv_lines(records: Iterable[AuditEntry]) -> Iterator[str]:
    r"""A line of titles, then one line for each record, as RFC 4180 has it, CRLF included.

    It is for users, and not to be read back: amounts are USD, times are ISO 8601 in UTC. What a spreadsheet would take
    for a formula, also one that splits cells at a semicolon, is preceded by an apostrophe; control characters, line
    breaks and marks that turn the direction of text are written out, as ``\n`` or ``\u202e``.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in _rows(records):
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _rows(records: Iterable[AuditEntry]) -> Iterator[Iterable[Any]]:
    yield COLUMNS
    for record in records:
        yield [_cell(name, getattr(record, name)) for name in COLUMNS]


def _cell(name: str, value: Any) -> Any:
    if name in _MONEY:
        return money.to_text(value)
    if name == "at":
        return time_text(value)
    if name == "detail":
        return _harmless(json_printable(dumps(dict(value)))) if value else ""
    if name == "reasons":
        value = "; ".join(value)
    elif name == "outcome":
        return "" if value is None else value.value
    if isinstance(value, str):
        return _harmless(printable(value))
    return "" if value is None else value


def _harmless(text: str) -> str:
    return _FORMULA.sub("\\1'\\2", text)
