"""Where the facts come from: a governed server, or a ledger that is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

__all__ = ["Source"]


class Source(Protocol):
    """Facts with the bodies of the REST interface; raises AumOSGovernanceError."""

    name: str
    """As a sentence names it."""

    def places(self) -> list[dict[str, Any]]:
        """For each owner and root: ``owner``, ``root``, ``notebooks``, ``holds`` and ``kernels``.

        The owner is None where it is not known, and so are the kernels where no server lists them. A server
        also says ``ceilings_differ``, as in ``GET config``.
        """
        ...

    def audit(self, filters: Mapping[str, str], last: int) -> list[dict[str, Any]]:
        """The newest records that match, newest last; the filters are those of ``GET audit``."""
        ...

    def verify(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """The response of ``GET audit/verify``: of ``path``, ``session_id`` and ``known_head`` what is given."""
        ...

    def export(self, filters: Mapping[str, str], form: str) -> Iterator[bytes]:
        """The parts of a file with all records that match, oldest first."""
        ...

    def close(self) -> None: ...
