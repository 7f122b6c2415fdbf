"""The interface through which commands read data: a command works the same on a governed server and on a ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol


class Source(Protocol):
    """A governed server or a ledger that a command reads. The caller must close it.

    Methods return bodies in the format of the REST interface, and raise AumOSGovernanceError.
    """

    name: str
    """The source's name in messages, such as "server http://localhost:8888/"."""

    def places(self) -> list[dict[str, Any]]:
        """Return the notebooks, holds and kernels, in one dictionary for each user and root folder.

        A server has one dictionary, a ledger may have many. The items are ``owner`` (None for a server, which does not
        state it), ``root`` (the folder, or None if it is not known), ``notebooks``, ``holds`` and ``kernels`` (None for
        a ledger, which has no list of kernels). For a server, there is also ``ceilings_differ``, as in ``GET config``.
        """
        ...

    def audit(self, filters: Mapping[str, str], last: int) -> list[dict[str, Any]]:
        """Return audit records that match the filters of ``GET audit``: at most the newest ``last``, newest last."""
        ...

    def verify(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Verify audit records, and return the result as ``GET audit/verify`` does.

        ``parameters`` may have ``path`` or ``session_id``, to verify only one session, and ``known_head``, the hash of
        a record that must exist.
        """
        ...

    def export(self, filters: Mapping[str, str], file_format: str) -> Iterator[bytes]:
        """Yield the parts of a file with all audit records that match the filters of ``GET audit``, oldest first.

        ``file_format`` is ``jsonl`` or ``csv``.
        """
        ...

    def close(self) -> None: ...
