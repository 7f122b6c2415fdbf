"""Users' requests to sum up, verify and export the ledger's audit records."""

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
    """Reads the ledger's audit records for users' requests. All methods raise the ledger's errors."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def sums(self, query: AuditSums) -> dict[str, Any]:
        """Return the response body with the sums of the matching records, for each tool, agent or period of time.

        Each sum has the number of records, the number of denials, and the amount spent in USD, as text.
        """
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
        """Verify the chain of hashed records of one session, or all chains if ``session_id`` is None.

        ``known_head`` is the hash of a chain's last record, as the user noted it at an earlier time; one of the chains
        must still have this record. ``under`` is an owner and a server's root folder; with it, only the chains of their
        notebooks are verified. Returns the response body. Raises InvalidRequestError if ``known_head`` is not a hash.
        """
        if known_head is not None and not _is_hash(known_head):
            # Otherwise the result of a typing error would be the same as after a forgery: a missing head.
            raise InvalidRequestError("The known_head must be a record's hash: 64 hexadecimal digits, in lower case.")
        return asdict(self._ledger.verify(session_id, known_head=known_head, under=under))

    def session_of(self, notebook: NotebookKey) -> str:
        """Return the id of the notebook's open session, or else of its last closed session.

        Raises NotFoundError if the notebook never had a session.
        """
        session_id = self._ledger.read(ReadState(notebook=notebook)).session_id
        if session_id is None:
            raise NotFoundError(
                f"The notebook {notebook.path!r} never had a governance session, so it has no records to verify."
            )
        return session_id

    def export(self, query: AuditQuery, form: str) -> Generator[bytes, None, None]:
        """Yield the matching records as the parts of a file, each with up to 250 lines, in the query's order.

        ``form`` is a key of `EXPORTS`: ``jsonl`` or ``csv``. The records are read a page at a time, so that an export
        of any size needs little memory.
        """
        lines = EXPORTS[form](walk(self._ledger, query))
        while part := "".join(islice(lines, _LINES_AT_ONCE)):
            yield part.encode()


def _is_hash(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")
