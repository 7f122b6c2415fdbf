"""The source that commands read with ``--database-url``, or if no server runs: a ledger, opened for reading only."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..errors import InvalidRequestError, NotFoundError
from ..ledger.contract.facts import NotebookKey
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import ListStates, ReadState
from ..ledger.reading import open_reader
from ..ledger.rules.cursors import MAX_PAGE
from ..ledger.rules.files import file_of
from ..server.rest import audit_filter
from ..service.records import Records
from ..service.waiting import Waiting
from ..wire import fields
from ..wire.bodies import ENTRY, STATE


class LedgerSource:
    """A `Source` that reads the ledger at ``url`` directly, also while servers write to it.

    The constructor raises the errors of `open_reader` if the ledger cannot be opened.
    """

    def __init__(self, url: str) -> None:
        self._reader = open_reader(url)
        # A reader has only a ledger's `read`, and nothing below calls anything else.
        self._ledger = cast(Ledger, self._reader)
        self._records = Records(self._ledger)
        self.name = f"ledger {self._reader.name}"

    def places(self) -> list[dict[str, Any]]:
        found = []
        listed: set[tuple[str, str]] = set()
        for owner, root in self._reader.places():
            # A root's list includes all notebooks below its folder. One root may lie below another, and "/a" comes
            # before "/a/b", so notebooks that an earlier root listed are left out.
            files = [(file_of(root, body["path"]), body) for body in self._notebooks(owner, root)]
            notebooks = [body for file, body in files if (owner, file) not in listed]
            listed |= {(owner, file) for file, _ in files}
            holds = [body for body in self._holds(owner, root) if (owner, body["id"]) not in listed]
            listed |= {(owner, body["id"]) for body in holds}
            if notebooks or holds:
                body = {"owner": owner, "root": root, "notebooks": notebooks, "holds": holds, "kernels": None}
                found.append(body)
        return found

    def audit(self, filters: Mapping[str, str], last: int) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while len(records) < last:
            limit = str(min(last - len(records), MAX_PAGE))
            page = self._ledger.read(audit_filter.audit_query({**filters, **cursor, "limit": limit}, self._key))
            records += map(ENTRY.write, page.records)
            if page.cursor is None:
                break
            cursor = {"cursor": page.cursor}
        return records[::-1]

    def verify(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        session_id = parameters.get("session_id")
        if "path" in parameters:
            session_id = self._records.session_of(self._key(parameters["path"]))
        return self._records.verify(session_id, parameters.get("known_head"))

    def export(self, filters: Mapping[str, str], file_format: str) -> Iterator[bytes]:
        return self._records.export(audit_filter.export_query(filters, self._key), file_format)

    def close(self) -> None:
        self._reader.close()

    def _notebooks(self, owner: str, root: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self._ledger.read(ListStates(owner=owner, root=root, after=after, limit=MAX_PAGE))
            found += map(STATE.write, page)
            if len(page) < MAX_PAGE:
                return found
            after = page[-1].notebook.path

    def _holds(self, owner: str, root: str) -> list[dict[str, Any]]:
        waiting = Waiting(self._ledger, owner, root)
        page = waiting.holds(None, "", MAX_PAGE)
        found: list[dict[str, Any]] = page["holds"]
        while page["after"] is not None:
            page = waiting.holds(None, page["after"], MAX_PAGE)
            found += page["holds"]
        return found

    def _key(self, path: str) -> NotebookKey:
        """Return the notebook at a path as the user typed it.

        The path is either relative to the root folder of the notebook's server or includes this folder. Raises
        NotFoundError if the ledger has no notebook at this path, and InvalidRequestError if several servers or users
        have one.
        """
        path = fields.text({"path": path}, "path", "path")
        # By owner and file, since several roots may contain the same file.
        by_file = {
            (owner, file_of(root, key.path)): key
            for owner, root in self._reader.places()
            for key in _keys(owner, root, path)
            if self._ledger.read(ReadState(notebook=key)).seq
        }
        found = list(by_file.values())
        if not found:
            raise NotFoundError(
                f"The {self.name} has no notebook {path!r}; run jupyter governance status to see all notebooks."
            )
        if len(found) > 1:
            listed = ", ".join(f"{posixpath.join(key.root, key.path)} of {key.owner}" for key in found[:5])
            raise InvalidRequestError(
                f"The {self.name} has several notebooks {path!r} ({listed}); write the path with the server's root"
                " folder before it, or name the session with --session-id."
            )
        return found[0]


def _keys(owner: str, root: str, path: str) -> set[NotebookKey]:
    """Return the notebooks of one owner and root folder that ``path`` may mean.

    A path such as ``home/ann/a.ipynb`` may be relative to the root, or may include the root ``/home/ann``.
    """
    path = path.strip("/")
    return {NotebookKey(owner, root, path), NotebookKey(owner, root, path.removeprefix(f"{root.strip('/')}/"))}
