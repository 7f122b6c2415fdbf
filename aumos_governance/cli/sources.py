"""The interface through which commands read a governed server or a ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol


class Source(Protocol):
    """A governed server or a ledger, read as bodies of the REST interface. Methods raise AumOSGovernanceError."""

    name: str
    """The source's name in messages, such as "server http://localhost:8888/"."""

    def places(self) -> list[dict[str, Any]]:
        """Return, for each owner and root, the items ``owner``, ``root``, ``notebooks``, ``holds`` and ``kernels``.

        ``owner`` is None if the source does not state it, and ``kernels`` is None for a ledger, which has no list of
        kernels. For a server, there is also ``ceilings_differ``, as in ``GET config``.
        """
        ...

    def audit(self, filters: Mapping[str, str], last: int) -> list[dict[str, Any]]:
        """Return the newest ``last`` records that match the filters of ``GET audit``, newest last."""
        ...

    def verify(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Return the response of ``GET audit/verify``; it has the optional parameters ``path``, ``session_id`` and
        ``known_head``.
        """
        ...

    def export(self, filters: Mapping[str, str], file_format: str) -> Iterator[bytes]:
        """Return the parts of a file with all records that match, oldest first; the format is ``jsonl`` or ``csv``."""
        ...

    def close(self) -> None: ...
