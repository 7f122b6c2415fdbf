"""Governance without a governed server: the notebook service in the kernel's process, with its ledger in a file."""

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ConfigurationError, LedgerError, UnavailableError
from ...owner import owner
from ...wire.protocol import WireRequest
from .transport import ReceivingTransport

if TYPE_CHECKING:
    from ...service.callers import Caller
    from ...service.service import NotebookService


class EmbeddedTransport(ReceivingTransport):
    """Passes requests to a notebook service in this process.

    It opens the ledger when it is made, and closes it when Python exits.
    """

    lossy = False

    def __init__(self, name: str, scope: str) -> None:
        """Open the ledger, for the notebook at the path ``name``.

        ``scope`` is the namespace of this process's idempotency keys. Raises ConfigurationError if the libraries that
        the ledger needs are not installed, and LedgerError if its file cannot be used.
        """
        try:
            from ...ledger import open_ledger
            from ...ledger.contract.facts import NotebookKey
            from ...service.callers import Caller
            from ...service.service import NotebookService
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] == __name__.partition(".")[0]:
                raise
            raise ConfigurationError(
                f"Governance without a governed Jupyter server needs the Python package {error.name!r} in this"
                " kernel's environment; install it with: pip install aumos-governance"
            ) from error
        self.path = database_path()
        _make_folder(self.path)
        self._pid = os.getpid()
        ledger = open_ledger(f"sqlite:///{self.path}")
        atexit.register(ledger.close)
        self._service: NotebookService = NotebookService(ledger)
        self._caller: Caller = Caller(
            notebook=NotebookKey(owner=owner(), root="embedded", path=name), scope=scope, incarnation=scope
        )

    def send(self, request: WireRequest, *, urgent: bool = False) -> None:
        if os.getpid() != self._pid:
            raise UnavailableError(
                "A forked process cannot use the ledger of its parent, so nothing is authorised here; do this work in"
                " the notebook's own process."
            )
        assert self._receiver is not None
        self._service.submit(self._caller, request, self._receiver)

    def decide(self, approval_id: str, digest: str, approve: bool) -> None:
        """Record that the user at this kernel approves or denies an action.

        ``digest`` identifies the action as the user saw it. Raises ConflictError if the approval request is decided
        already or has expired.
        """
        from ...ledger.contract.agreements import DecideApproval
        from ...ledger.contract.facts import Origin

        user = owner()
        self._service.ledger.execute(
            DecideApproval(
                key="",
                origin=Origin(user, person=True, scope=f"user:{user}"),
                approval_id=approval_id,
                digest=digest,
                approve=approve,
            )
        )

    def silence(self, seconds: float) -> UnavailableError:
        return UnavailableError(
            f"The governance ledger {self.path} did not decide within {seconds:.0f} seconds, so nothing is"
            " authorised; another program may be using it, so run the cell again later."
        )


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(
            f"The governance ledger {path} cannot be made, since its folder cannot be made ({error.strerror}); set the"
            " environment variable JUPYTER_DATA_DIR to a folder that can be written to, and restart the kernel."
        ) from error


def database_path() -> Path:
    """Return the path of the file with the embedded engine's ledger.

    A server uses another file, since two programs that write to the same SQLite file wait long for each other.
    """
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir()) / "aumos_governance" / "embedded.sqlite"


def notebook_name(variables: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    """Return the path of the notebook that runs in this kernel; None if it is not known.

    VS Code and papermill set it in the notebook's ``variables``, Jupyter in the environment variables ``environ``.
    """
    for name in ("__vsc_ipynb_file__", "PAPERMILL_INPUT_PATH"):
        path = variables.get(name)
        if isinstance(path, str) and path:
            return str(Path(path).absolute())
    return environ.get("JPY_SESSION_NAME") or None
