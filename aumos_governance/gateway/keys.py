"""Issues, finds, binds and revokes gateway keys: the keys that kernels, terminals and programs use for the gateway.

To *bind* a terminal's key is to set the notebook that its calls are charged to. The ledger and this process keep only
digests of the keys; a key itself exists here only while it is issued.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterable, MutableMapping
from concurrent.futures import Future
from functools import partial
from hashlib import sha256
from typing import Any, Final

from ..errors import AumOSGovernanceError
from ..ledger.contract.facts import NotebookKey, Origin, SessionState
from ..ledger.contract.keys import KERNEL, KEY_PATH, TERMINAL, USER, BindKey, GatewayKey, IssueKey, ListKeys, RevokeKeys
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.requests import new_key
from ..service.callers import Caller
from ..wire.protocol import Cell
from ..wire.provider_keys import KEY_PREFIX
from .active_notebooks import ActiveNotebooks
from .contract import Holder, KeyKind
from .valid_keys import ValidKeys

PREFIX: Final = KEY_PREFIX
"""The beginning of each gateway key, by which users and secret scanners recognise it."""
_SECRET_BYTES: Final = 32
_REFRESH_SECONDS: Final = 0.4
"""The time, in seconds, between two reads of the keys from the ledger. It is short, so that a key that another process
revoked is refused within a second."""
_SERVER: Final = Origin("server")
_NO_NOTEBOOK: Final = (
    "This terminal has no notebook whose budget its calls count against, so nothing was sent: choose one for the"
    " terminal in the governance panel, or start governance in a notebook."
)
_NOT_RECORDED: Final = (
    "The ledger could not record that the key of a kernel or terminal is revoked; this server refuses the key already:"
    " %s"
)
_DELETED: Final = "The notebook of this key was deleted, so nothing was sent; use the key of another notebook."


class GatewayKeys:
    """The valid gateway keys of one user's notebooks in one server's root folder; each server process has one instance.

    With a gateway key, a client calls providers through the gateway. Implements `contract.Keys`. Each method may be
    called from any thread. `issue`, `bind`, `revoke` and `stop_notebook` wait for the ledger and raise its errors.

    Args:
        notebook_of: Returns the notebook that the kernel with this id serves now.
        cells: The cell that each kernel runs now, by the namespace of the kernel's idempotency keys (``kernel:<id>``);
            the calls through the gateway are recorded with it.
        server: The name under which this server is registered as running in the ledger.

    """

    def __init__(
        self,
        ledger: Ledger,
        owner: str,
        root: str,
        *,
        notebook_of: Callable[[str], NotebookKey],
        cells: MutableMapping[str, Cell] | None = None,
        server: str = "",
        log: logging.Logger | None = None,
    ) -> None:
        self._ledger = ledger
        self._owner = owner
        self._root = root
        self._server = server
        self._notebook_of = notebook_of
        self._cells = {} if cells is None else cells
        self._log = log if log is not None else logging.getLogger(__name__)
        self._valid = ValidKeys(self._log)
        self._active = ActiveNotebooks(owner, root)
        self._refresh_now = threading.Event()
        self._ending = False
        self._thread: threading.Thread | None = None
        self._unsubscribe: Callable[[], None] | None = None

    # ---- life

    def start(self) -> None:
        """Load the valid keys from the ledger, and follow the ledger's changes in a thread until `stop`.

        The keys of kernels and terminals whose server has ended are revoked.
        """
        self._active.load(self._ledger)
        self._unsubscribe = self._ledger.subscribe(self._update_active)
        keys = self._ledger.read(ListKeys(owner=self._owner, root=self._root))
        present = self._ledger.attending() | {self._server}
        left = [key.key_id for key in keys if key.server and key.server not in present]
        if left:
            self._ledger.execute(RevokeKeys(key="", origin=_SERVER, key_ids=tuple(left), why="its server ended"))
        self.refresh()
        self._thread = threading.Thread(target=self._refresh_regularly, name="aumos-governance-keys", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop following the ledger's changes. The keys stay valid."""
        self._ending = True
        self._refresh_now.set()
        if self._unsubscribe is not None:
            self._unsubscribe()
        if self._thread is not None:
            self._thread.join()

    # ---- read by the gateway

    def find(self, secret: str) -> Holder | None:
        key = self._valid.by_digest(_digest(secret))
        return None if key is None else self._holder(key)

    def on_revoked(self, call: Callable[[str], None]) -> Callable[[], None]:
        return self._valid.on_dropped(call)

    # ---- read by users' requests

    def valid(self) -> list[GatewayKey]:
        """Return the records of all valid keys, oldest first."""
        return self._valid.all()

    def document(self, key: GatewayKey) -> NotebookKey | None:
        """Return the notebook, or the document of a user's own key, that the calls with ``key`` are charged to now.

        Returns None if there is none, for example for a terminal that has no notebook yet.
        """
        return self._notebook_of(key.subject) if key.kind == KERNEL else key.notebook

    def default_notebook(self) -> NotebookKey | None:
        """Return the notebook to charge a new terminal's calls to; None if no notebook has an open governance session.

        It is the most recently active one; see `ActiveNotebooks`.
        """
        return self._active.last()

    # ---- issue, bind and revoke

    def issue(
        self,
        kind: KeyKind,
        name: str,
        *,
        notebook: NotebookKey | None = None,
        subject: str = "",
        origin: Origin = _SERVER,
        key: str | None = None,
    ) -> tuple[Holder, str]:
        """Issue a new key, store its digest in the ledger, and return its holder and the key itself.

        The key itself cannot be read again.

        Args:
            kind: The kind of client that gets the key.
            name: The client's name as users see it.
            notebook: The notebook to charge the calls to; None for a kernel, and for a terminal without a notebook.
            subject: The kernel's id or the terminal's name; empty for other clients.
            origin: The user or server that requests the key, for the audit record.
            key: The idempotency key of the request.

        """
        secret, request = self._request(kind, name, notebook, subject, origin, key or new_key())
        issued = self._ledger.execute(request)
        self._valid.take(issued)
        return self._holder(issued), secret

    def issue_ahead(
        self, kind: KeyKind, name: str, *, notebook: NotebookKey | None = None, subject: str = ""
    ) -> tuple[Holder, str]:
        """Issue a key like `issue`, for a kernel or terminal that this server starts, but do not wait for the ledger.

        The new key is valid at once, and an earlier key of the same ``kind`` and ``subject`` becomes invalid at once.
        If the ledger cannot store the new key, the key becomes invalid and the error is logged.
        """
        secret, request = self._request(kind, name, notebook, subject, _SERVER, "")
        key = _pending(request)
        before = self._of_process(kind, subject)
        self._cells.pop(_scope(kind, subject), None)
        self._valid.expect(key)
        self._valid.drop(before)
        try:
            self._ledger.submit(request).add_done_callback(partial(self._issued, key.key_id))
        except AumOSGovernanceError as error:
            self._not_issued(key.key_id, error)
        return self._holder(key), secret

    def bind(
        self, key_id: str, notebook: NotebookKey, origin: Origin = _SERVER, *, key: str | None = None
    ) -> GatewayKey:
        """Charge the calls with a terminal's key to ``notebook`` from now on, and return the key's changed record."""
        request = BindKey(key=key or new_key(), origin=origin, key_id=key_id, notebook=notebook)
        bound = self._ledger.execute(request)
        self._valid.take(bound)
        return bound

    def revoke(
        self,
        key_ids: Iterable[str],
        why: str,
        origin: Origin = _SERVER,
        *,
        notebook: NotebookKey | None = None,
        key: str | None = None,
    ) -> None:
        """Revoke the keys with these ids in one transaction. When this method returns, the gateway refuses them.

        ``why`` is the reason, which the audit trail of ``notebook`` records.
        """
        request = RevokeKeys(key=key or new_key(), origin=origin, key_ids=tuple(key_ids), why=why, notebook=notebook)
        self._ledger.execute(request)
        self._valid.drop(request.key_ids)

    def revoke_process(self, kind: KeyKind, subject: str, why: str) -> None:
        """Revoke the key of a kernel or terminal of this server that has ended, without waiting for the ledger.

        ``subject`` is the kernel's id or the terminal's name, and ``why`` the reason for the audit trail. The ledger's
        errors are logged and not raised.
        """
        gone = self._of_process(kind, subject)
        self._cells.pop(_scope(kind, subject), None)
        if not gone:
            return
        self._valid.drop(gone)
        notebook = self._notebook_of(subject) if kind == KERNEL else None
        request = RevokeKeys(key="", origin=_SERVER, key_ids=tuple(gone), why=why, notebook=notebook)
        try:
            self._ledger.submit(request).add_done_callback(self._revoked_late)
        except AumOSGovernanceError as error:
            self._log.warning(_NOT_RECORDED, error)

    def revoke_server(self) -> None:
        """Revoke the keys of all kernels and terminals of this server, because the server ends; wait for the ledger."""
        left = [key.key_id for key in self._valid.all() if key.server and key.server == self._server]
        if left:
            self.revoke(left, "its server ended")

    def stop_notebook(self, notebook: NotebookKey, origin: Origin, *, key: str | None = None) -> list[GatewayKey]:
        """Revoke, in one transaction, all keys whose calls are charged to ``notebook``; return their records."""
        found = [known for known in self.valid() if self.document(known) == notebook]
        if found:
            ids = [known.key_id for known in found]
            self.revoke(ids, "a user stopped the notebook", origin, notebook=notebook, key=key)
        return found

    # ---- following the ledger

    def refresh(self) -> None:
        """Read the valid keys from the ledger, to apply what other processes have issued, bound or revoked."""
        begun = self._valid.begin()
        keys = self._ledger.read(ListKeys(owner=self._owner, root=self._root))
        self._valid.adopt({key.key_id: key for key in keys}, begun)
        self._bind_terminals()

    def _refresh_regularly(self) -> None:
        while True:
            self._refresh_now.wait(_REFRESH_SECONDS)
            self._refresh_now.clear()
            if self._ending:
                return
            try:
                self.refresh()
            except Exception as error:  # noqa: BLE001 - the next read may succeed, and the ledger decides each call
                self._log.warning(
                    "The gateway's keys could not be read from the ledger, so revocations by other servers are not"
                    " applied yet; the read is repeated: %s",
                    error,
                )

    def _update_active(self, states: tuple[SessionState, ...]) -> None:
        if self._active.update(states):
            # A session that was opened, closed or renamed may change the notebooks of keys.
            self._refresh_now.set()

    def _bind_terminals(self) -> None:
        """Bind each terminal's key that has no notebook yet to the most recently active notebook, if there is one."""
        notebook = self._active.last()
        if notebook is None:
            return
        for key in self._valid.durable():
            if key.kind == TERMINAL and key.notebook is None:
                self.bind(key.key_id, notebook)

    # ---- helpers

    def _request(
        self, kind: str, name: str, notebook: NotebookKey | None, subject: str, origin: Origin, key: str
    ) -> tuple[str, IssueKey]:
        secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        request = IssueKey(
            key=key,
            origin=origin,
            key_id=secrets.token_hex(16),
            digest=_digest(secret),
            owner=self._owner,
            root=self._root,
            kind=kind,
            name=name,
            notebook=notebook,
            subject=subject,
            server=self._server if subject else "",
            replaces=bool(subject),
        )
        return secret, request

    def _issued(self, key_id: str, future: Future[GatewayKey]) -> None:
        error = future.exception()
        if error is not None:
            self._not_issued(key_id, error)
            return
        # A key that is not valid any more belonged to a process that has ended, and is being revoked.
        if self._valid.by_id(key_id) is not None:
            self._valid.take(future.result())

    def _not_issued(self, key_id: str, error: BaseException) -> None:
        self._log.error(
            "The key %s could not be issued, so the calls of its process are refused; restart that kernel or terminal:"
            " %s",
            key_id,
            error,
        )
        self._valid.drop([key_id])

    def _revoked_late(self, future: Future[Any]) -> None:
        error = future.exception()
        if error is not None:
            self._log.warning(_NOT_RECORDED, error)

    def _of_process(self, kind: str, subject: str) -> list[str]:
        """Return the ids of the valid keys that this server issued to one kernel or terminal."""
        this = (kind, subject, self._server)
        return [key.key_id for key in self._valid.all() if (key.kind, key.subject, key.server) == this]

    def _holder(self, key: GatewayKey) -> Holder:
        notebook, name, refusal = self.document(key), key.name, None
        if key.kind == KERNEL and notebook is not None and not notebook.path.startswith("kernel:"):
            name = f"kernel of {notebook.path}"
        if notebook is None:
            refusal = _NO_NOTEBOOK if key.kind == TERMINAL else _DELETED
            notebook = NotebookKey(self._owner, self._root, f"{key.kind}:{key.key_id}")
        caller = Caller(
            notebook=notebook,
            scope=f"key:{key.key_id}",
            # The gateway owns the hold of a call, since the call ends with this server and not with the kernel.
            incarnation=f"{self._server}/gateway",
            actor=_actor(key),
            cell=self._cells.get(_scope(key.kind, key.subject)),
        )
        return Holder(key.key_id, name, key.kind, caller, refusal)  # type: ignore[arg-type] # one of KINDS


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _scope(kind: str, subject: str) -> str:
    """Return the namespace of a kernel's or terminal's own idempotency keys, such as ``kernel:<id>``.

    It is different from the namespace of the gateway's requests for that client.
    """
    return f"{kind}:{subject}"


def _actor(key: GatewayKey) -> str:
    """Return the actor to record for calls with this key: ``kernel``, or a kind and name such as ``terminal:1``.

    It always contains a colon or is ``kernel``, so that it cannot be mistaken for a user's name.
    """
    if key.kind == KERNEL:
        return KERNEL
    return f"{KEY_PATH if key.kind == USER else f'{key.kind}:'}{key.subject or key.name}"


def _pending(request: IssueKey) -> GatewayKey:
    """Return the record that the ledger will store for ``request``, before it is stored; its time of issue is 0."""
    return GatewayKey(
        request.key_id,
        request.digest,
        request.owner,
        request.root,
        request.kind,
        request.name,
        request.notebook,
        request.subject,
        request.server,
        0,
        request.origin.actor,
    )
