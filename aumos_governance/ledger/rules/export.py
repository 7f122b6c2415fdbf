"""Exports of audit records as JSON Lines, for programs, and as CSV, for spreadsheets.

They are written line by line, so that the memory does not limit their length.
"""

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

COLUMNS: Final = tuple(field.name for field in fields(AuditEntry))
"""The names of the columns in a CSV export, and of the members of each JSON object in a JSON Lines export."""
_MONEY: Final = frozenset({"amount", "spent_delta", "held_delta"})
_FORMULA: Final = re.compile("(^|;)( *'* *[=+\\-@\u2212\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])")
"""Matches text that a spreadsheet would run as a formula: ``=``, ``+``, ``-`` or ``@`` at the start of a cell or after
a semicolon, since some spreadsheets split cells there. It also matches full-width and small forms of these signs, and
formulas that apostrophes precede already, so that removing one apostrophe always restores the text."""


def walk(ledger: Ledger, query: AuditQuery) -> Iterator[AuditEntry]:
    """Yield all audit records that match the query, in its order, by reading page after page.

    So nothing is locked, and only one page is in memory. Records that are written meanwhile are included if they sort
    after the records that were yielded already.
    """
    page = ledger.read(replace(query, limit=MAX_PAGE))
    yield from page.records
    while page.cursor is not None:
        page = ledger.read(replace(query, limit=MAX_PAGE, cursor=page.cursor))
        yield from page.records


def json_lines(records: Iterable[AuditEntry]) -> Iterator[str]:
    """Yield one line of JSON for each record, with its newline.

    A line has every field that the record's hash covers, so that a chain can be verified from the file; amounts are
    integer nano-USD and times integer microseconds, as hashed. Characters that a terminal or an editor acts on are
    written as JSON escapes, which a JSON parser reads as the same text.
    """
    for record in records:
        members = {name: getattr(record, name) for name in COLUMNS}
        members["outcome"] = None if record.outcome is None else record.outcome.value
        members["detail"] = dict(record.detail)
        yield json_printable(dumps(members)) + "\n"


def csv_lines(records: Iterable[AuditEntry]) -> Iterator[str]:
    r"""Yield a line of column names, then one line for each record: CSV by RFC 4180, with CRLF at the end of each line.

    The text is for users, not for programs: amounts are USD, times are ISO 8601 in UTC. Text that a spreadsheet would
    read as a formula, also after a semicolon, is preceded by an apostrophe; control characters, line breaks and marks
    that change the direction of text are written as escapes, such as ``\n`` or ``\u202e``.
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
    """Return the text with an apostrophe before each part that a spreadsheet would otherwise run as a formula."""
    return _FORMULA.sub("\\1'\\2", text)
