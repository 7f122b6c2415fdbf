"""Sums, verification and exports of the audit record, as users request them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict
from itertools import islice
from typing import Any, Final

from .. import money
from ..errors import InvalidRequestError, NotFoundError
from ..ledger.contract.facts import NotebookKey
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import AuditQuery, AuditSums, ReadState
from ..ledger.rules.export import csv_lines, json_lines, walk

EXPORTS: Final = {"jsonl": json_lines, "csv": csv_lines}
_LINES_AT_ONCE: Final = 250


class Records:
    """The reader of the ledger's audit records. All methods raise the ledger's errors."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def sums(self, query: AuditSums) -> dict[str, Any]:
        """Return the number of records and the amounts spent, for each tool, agent or period of time."""
        return {
            "by": query.by,
            "sums": [
                {
                    "name": found.name,
                    "records": found.records,
                    "denied": found.denied,
                    "spent": money.to_text(found.spent),
                }
                for found in self._ledger.read(query)
            ],
        }

    def verify(
        self, session_id: str | None, known_head: str | None, under: tuple[str, str] | None = None
    ) -> dict[str, Any]:
        """Verify the chain of one session, or all chains if ``session_id`` is None.

        With ``known_head``, also check that one of the chains has a record with this hash. ``under`` is an owner and a
        server's root folder; only the chains of their notebooks are then verified. Raises InvalidRequestError if
        ``known_head`` is not a hash.
        """
        if known_head is not None and not _is_hash(known_head):
            # Otherwise the result of a typing error would be the same as after a forgery: a missing head.
            raise InvalidRequestError("The known_head must be a record's hash, 64 hexadecimal digits.")
        return asdict(self._ledger.verify(session_id, known_head=known_head, under=under))

    def session_of(self, notebook: NotebookKey) -> str:
        """Return the id of the notebook's open session, or else of its last closed session.

        Raises NotFoundError if the notebook never had a session.
        """
        session_id = self._ledger.read(ReadState(notebook=notebook)).session_id
        if session_id is None:
            raise NotFoundError("This notebook never had a governance session, so it has no records to verify.")
        return session_id

    def export(self, query: AuditQuery, form: str) -> Generator[bytes, None, None]:
        """Yield the matching records, in the query's order, as parts of a file; the record is never read as a whole."""
        lines = EXPORTS[form](walk(self._ledger, query))
        while part := "".join(islice(lines, _LINES_AT_ONCE)):
            yield part.encode()


def _is_hash(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")
