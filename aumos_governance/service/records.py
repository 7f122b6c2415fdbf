"""The audit record for users: summed, verified and written out."""

from __future__ import annotations

from collections.abc import Generator
from itertools import islice
from typing import Any, Final

from .. import money
from ..errors import InvalidRequestError, NotFoundError
from ..ledger.contract.facts import NotebookKey
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import AuditQuery, AuditSums, ReadState
from ..ledger.rules.export import csv_lines, json_lines, walk

__all__ = ["EXPORTS", "Records"]

EXPORTS: Final = {"jsonl": json_lines, "csv": csv_lines}
_LINES_AT_ONCE: Final = 250


class Records:
    """Reads the ledger's audit records; raises what the ledger raises."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def sums(self, query: AuditSums) -> dict[str, Any]:
        """What the matching records of each tool, agent or stretch of time add up to."""
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
        """Verify one session, or everything, and prove that ``known_head`` is in a chain where it is given.

        With ``under``, those of one owner and server root alone.
        """
        if known_head is not None and not _is_hash(known_head):
            # Taken for a head that is not there, a typing error would look like a forgery.
            raise InvalidRequestError("The known_head must be a record's hash, 64 hexadecimal digits.")
        result = self._ledger.verify(session_id, known_head=known_head, under=under)
        return {
            "ok": result.ok,
            "checked": result.checked,
            "heads": dict(result.heads),
            "problem": result.problem,
            "chain": result.chain,
            "seq": result.seq,
            "findings": [
                {
                    "code": found.code,
                    "table": found.table,
                    "record": found.record,
                    "seq": found.seq,
                    "problem": found.problem,
                }
                for found in result.findings
            ],
            "unlisted": result.unlisted,
            "covered": dict(result.covered),
            "not_covered": list(result.not_covered),
        }

    def session_of(self, notebook: NotebookKey) -> str:
        """The notebook's open session, or else the one closed last. Raises NotFoundError when there was none."""
        session_id = self._ledger.read(ReadState(notebook=notebook)).session_id
        if session_id is None:
            raise NotFoundError("This notebook never had a governance session, so it has no records to verify.")
        return session_id

    def export(self, query: AuditQuery, form: str) -> Generator[bytes, None, None]:
        """The matching records, in the query's order, as parts of a file; read bit by bit, never as a whole."""
        lines = EXPORTS[form](walk(self._ledger, query))
        while part := "".join(islice(lines, _LINES_AT_ONCE)):
            yield part.encode()


def _is_hash(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")
