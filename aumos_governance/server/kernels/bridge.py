"""The bridge: it connects the server to each of its kernels, and notices when a kernel or its process ends.

A connection lasts through restarts of the kernel and renames of its notebook, until the kernel ends.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from jupyter_core.utils import ensure_async
from jupyter_server.gateway.managers import GatewayMappingKernelManager

from ...errors import NotAllowedError
from ...service.service import NotebookService
from ..identity.notebook_map import NotebookMap, Row
from .autostart import FirstSessions
from .comm_transport import CommTransport
from .conversation import Conversation, InlineExecutor, caller_of, check_document, never
from .kernel_keys import KernelKeys
from .kernel_sessions import close_kernel
from .local_socket import LocalSocket
from .presence import Admission, Departures, Presence, process_of
from .readers import Readers
from .socket_peer import check_peer

KERNEL_EVENTS: Final = "https://events.jupyter.org/jupyter_server/kernel_actions/v1"
_CHECK_SECONDS: Final = 1.5
"""The seconds between two checks of which kernels run. Events are not enough, since a kernel that dies emits none."""
_PROCESS_CHECK_SECONDS: Final = 0.5
"""The seconds between two checks of whether the kernels' processes run, on a server with a gateway. So a kernel's key
is revoked within a second after its process ended."""
_PORTS_WITHIN: Final = 10.0
"""The seconds after which a kernel without ports is regarded as unreachable: a starting kernel has its ports by then,
and a kernel behind a Jupyter gateway never gets any."""


@dataclass(frozen=True, slots=True)
class _Link:
    """An open comm transport to a kernel, with the kernel's manager and ports for which it was opened.

    If the kernel has another manager or other ports later, the transport is replaced.
    """

    kernel_manager: Any
    ports: tuple[int, ...]
    transport: CommTransport


class Bridge:
    """The connections of all kernels of a server to the service. There is one bridge for each server.

    Methods are called on the server's loop, unless their description allows any thread.

    Args:
        kernel_manager: The server's manager of all kernels.
        session_manager: The server's manager of its session rows, i.e. of which document uses which kernel.
        service: Executes the kernels' requests.
        notebooks: The map from kernels to notebooks, which the bridge keeps up to date.
        loop: The server's loop.
        readers: The threads for kernels' requests that only read.
        settle: Waits until the ledger has executed all renames; called in a thread of ``readers``.
        may_stand_by: Returns whether the loop may wait for the ledger for a moment, and read a status itself.
        announce: Called with the paths of documents that belong to another governance session than before.
        autostart: Opens a governance session for each notebook that never had one, as soon as its kernel runs.
        find_moved: Called with the paths of open documents; finds documents that were moved on disk.
        server: The name under which the server is registered as running in the ledger.
        local_socket: The socket for kernels on this machine; without one, all requests use comm.
        keys: Issues the gateway's keys of kernels; None without a gateway.

    """

    def __init__(
        self,
        kernel_manager: Any,
        session_manager: Any,
        service: NotebookService,
        notebooks: NotebookMap,
        *,
        loop: asyncio.AbstractEventLoop,
        readers: Readers,
        settle: Callable[[], None],
        may_stand_by: Callable[[], bool] = never,
        announce: Callable[[set[str]], None],
        autostart: FirstSessions | None = None,
        find_moved: Callable[[Iterable[str]], Awaitable[None]] | None = None,
        log: logging.Logger,
        server: str = "",
        local_socket: LocalSocket | None = None,
        keys: KernelKeys | None = None,
    ) -> None:
        self._kernels = kernel_manager
        self._sessions = session_manager
        self._service = service
        self._notebooks = notebooks
        self._loop = loop
        self._readers = readers
        self._admission = Admission()
        self._settle = settle
        self._may_stand_by = may_stand_by
        self._announce = announce
        self._autostart = autostart
        self._find_moved = find_moved
        self._log = log
        self._server = server
        self._local_socket = local_socket
        self._keys = keys
        self._links: dict[str, _Link] = {}
        self._presences: dict[str, Presence] = {}
        self._departures = Departures(service.ledger, log)
        self._without_ports: dict[str, float] = {}
        self._unreachable: set[str] = set()
        self._foreign_keys: dict[str, tuple[str, ...]] = {}
        self._check_now = asyncio.Event()
        self._reading_rows = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None
        self._stopping = False

    def follow_sessions(self) -> None:
        """From now on, read the server's session rows again whenever one of them is saved or updated.

        The event of a kernel's start is not enough for this, since the kernel's row is saved only after it.
        """
        for name in ("save_session", "update_session"):
            setattr(self._sessions, name, self._followed(getattr(self._sessions, name)))

    def start(self) -> None:
        if self._local_socket is not None:
            try:
                self._local_socket.open(self._admit)
            except OSError as error:
                self._log.warning(
                    "Governance could not open its local socket (%s), so kernels send their requests over Jupyter's"
                    " channels, which is slower.",
                    error,
                )
        self._watch = asyncio.ensure_future(self._watch_kernels())

    async def stop(self) -> None:
        if self._watch is not None:
            # Not cancelled: before Python 3.12, asyncio.wait_for can swallow a cancellation when its event is set.
            self._stopping = True
            self._check_now.set()
            await self._watch
        if self._local_socket is not None:
            self._local_socket.close()
        # For the kernels that were shut down since the last check. The others are disconnected, and not reported as
        # gone, since they may go on running.
        self._reconcile()
        for kernel_id in list(self._links):
            self._disconnect(kernel_id)

    async def on_kernel_event(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        """Check the kernels at once. Called with each event about a kernel; its content does not matter."""
        self._check_now.set()

    def note_foreign_keys(self, kernel_id: str, names: tuple[str, ...]) -> None:
        """Note which variables of a kernel's environment hold a provider's own key, so that users can be warned.

        Programs that use such a key bypass the gateway, if there is one.
        """
        self._foreign_keys[kernel_id] = names

    # ---- kernels

    def kernels(self) -> list[dict[str, Any]]:
        """Return the entries of ``GET kernels``: each kernel with its notebook and transport, ordered by notebook.

        Any thread may call this.
        """
        found = []
        for kernel_id in self._kernels.list_kernel_ids():
            presence = self._presences.get(kernel_id)
            body = {
                "id": kernel_id,
                "notebook": self._notebooks.notebook_of(kernel_id).path,
                "reachable": kernel_id not in self._unreachable,
                "transport": None if presence is None else presence.transport,
                "foreign_keys": list(self._foreign_keys.get(kernel_id, ())),
            }
            found.append(body)
        return sorted(found, key=lambda body: (body["notebook"], body["id"]))

    async def _watch_kernels(self) -> None:
        while not self._stopping:
            self._check_now.clear()
            try:
                if self._reconcile():
                    await self._read_rows()
                elif self._find_moved is not None:
                    await self._find_moved(())
                await self._note_departures()
            except Exception:  # noqa: BLE001 - the watch over the kernels must go on
                self._log.exception("The list of kernels could not be checked; the next check follows in a moment.")
            await self._until_next_check()

    async def _until_next_check(self) -> None:
        every = _CHECK_SECONDS if self._keys is None else _PROCESS_CHECK_SECONDS
        for part in range(1, round(_CHECK_SECONDS / every) + 1):
            try:
                await asyncio.wait_for(self._check_now.wait(), every)
            except asyncio.TimeoutError:
                if part * every < _CHECK_SECONDS:
                    await self._check_processes()
            else:
                return

    async def _check_processes(self) -> None:
        try:
            await self._note_departures()
        except Exception:  # noqa: BLE001 - the watch over the kernels must go on
            self._log.exception(
                "The server could not check whether the kernels' processes still run, so the gateway keys of an ended"
                " kernel may stay valid; it checks again in a moment."
            )

    def _reconcile(self) -> bool:
        """Compare the connections with the kernels that exist: connect new kernels, and disconnect ended ones.

        Returns whether a kernel was connected or had ended.
        """
        alive = {kernel_id: self._kernels.get_kernel(kernel_id) for kernel_id in self._kernels.list_kernel_ids()}
        if self._keys is not None:
            self._keys.note_kernels(alive.keys())
        gone = [kernel_id for kernel_id in self._links if kernel_id not in alive]
        for kernel_id in gone:
            self._disconnect(kernel_id)
        for kernel_id in self._presences.keys() - alive.keys():
            self._presences.pop(kernel_id).leave()
            self._end(kernel_id)
        self._unreachable &= alive.keys()
        self._without_ports = {key: since for key, since in self._without_ports.items() if key in alive}
        came = False
        for kernel_id, kernel_manager in alive.items():
            ports = tuple(getattr(kernel_manager, "ports", ()))
            if not ports or not all(ports):
                self._note_without_ports(kernel_id)
                continue
            link = self._links.get(kernel_id)
            if link is not None and link.kernel_manager is kernel_manager and link.ports == ports:
                # A restart keeps the ports, and ZeroMQ's sockets reconnect to the new process by themselves.
                continue
            self._disconnect(kernel_id)
            if link is not None and link.kernel_manager is not kernel_manager:
                self._presences.pop(kernel_id).leave()
            came = self._connect(kernel_id, kernel_manager, ports) or came
        return came or bool(gone)

    def _end(self, kernel_id: str) -> None:
        """Forget a kernel that has ended, and close its governance session if it had no document.

        The session of a document stays open for the document's next kernel.
        """
        if not self._notebooks.has_path(kernel_id):
            close_kernel(self._service.ledger, self._notebooks.notebook_of(kernel_id))
        self._notebooks.forget(kernel_id)
        self._foreign_keys.pop(kernel_id, None)
        if self._autostart is not None:
            self._autostart.forget(kernel_id)

    async def _note_departures(self) -> None:
        """Report to the ledger which kernels' processes have ended.

        A process that was replaced at a restart is reported even if the new process has made no request yet.
        """
        for kernel_id, link in tuple(self._links.items()):
            alive = await ensure_async(link.kernel_manager.is_alive())
            if self._keys is not None:
                self._keys.note_process(kernel_id, process_of(link.kernel_manager), alive)
            presence = self._presences.get(kernel_id)
            if presence is None:
                continue
            if not alive:
                presence.leave()
            else:
                presence.leave_unless_in(process_of(link.kernel_manager))
        self._departures.report_again()

    def _connect(self, kernel_id: str, kernel_manager: Any, ports: tuple[int, ...]) -> bool:
        presence = self._presences.setdefault(
            kernel_id,
            Presence(f"{self._server}/{kernel_id}", self._departures, lambda: process_of(kernel_manager)),
        )
        conversation = self._conversation(kernel_id, presence)
        transport = CommTransport(kernel_manager, conversation, loop=self._loop, log=self._log)
        try:
            transport.open()
        except Exception as error:  # noqa: BLE001 - a failure with one kernel must not affect the others
            transport.close()
            self._note_unreachable(kernel_id, str(error))
            return False
        self._links[kernel_id] = _Link(kernel_manager, ports, transport)
        self._unreachable.discard(kernel_id)
        self._without_ports.pop(kernel_id, None)
        return True

    def _disconnect(self, kernel_id: str) -> None:
        link = self._links.pop(kernel_id, None)
        if link is not None:
            link.transport.close()

    def _admit(self, kernel_id: str, nonce: str, connection: socket.socket) -> Conversation:
        """Return the conversation for a new connection of the local socket; called in that connection's thread.

        ``nonce`` is the nonce of the kernel's process for which the connection's token was issued. Raises
        NotAllowedError or UnavailableError if the kernel or this process has ended, or if the connection is from a
        process that is not the kernel's.
        """
        presence, link = self._presences.get(kernel_id), self._links.get(kernel_id)
        if presence is None or link is None:
            raise NotAllowedError("The kernel that this token was issued for has ended; start it again.")
        presence.check(nonce)
        check_peer(connection, getattr(getattr(link.kernel_manager, "provisioner", None), "pid", None))
        return self._conversation(kernel_id, presence, nonce)

    def _conversation(self, kernel_id: str, presence: Presence, nonce: str | None = None) -> Conversation:
        """Return a new conversation with a kernel: over comm or, with a ``nonce``, over a local connection.

        ``nonce`` is the nonce of the kernel's process, which the connection's token proves.
        """

        def offer(nonce: str) -> dict[str, Any] | None:
            return None if self._local_socket is None else self._local_socket.offer(kernel_id, nonce)

        return Conversation(
            self._service,
            partial(caller_of, self._notebooks, kernel_id),
            presence,
            nonce=nonce,
            offer=offer,
            readers=self._readers.of(kernel_id) if nonce is None else InlineExecutor(),
            settle=self._settle,
            may_stand_by=self._may_stand_by if nonce is None else never,
            admit=partial(check_document, self._notebooks, kernel_id, self._service.terms),
            admission=self._admission,
            log=self._log,
        )

    def _note_without_ports(self, kernel_id: str) -> None:
        since = self._without_ports.setdefault(kernel_id, time.monotonic())
        if isinstance(self._kernels, GatewayMappingKernelManager) or time.monotonic() - since > _PORTS_WITHIN:
            self._note_unreachable(kernel_id, "it has no ports on this machine, like a kernel behind a Jupyter gateway")

    def _note_unreachable(self, kernel_id: str, why: str) -> None:
        if kernel_id not in self._unreachable:
            self._unreachable.add(kernel_id)
            self._log.warning(
                "Kernel %s cannot be governed (%s): all its governance requests fail, and no governed call is allowed.",
                kernel_id,
                why,
            )

    # ---- session rows

    def _followed(self, original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            result = await original(*args, **kwargs)
            try:
                await self._read_rows()
            except Exception:  # noqa: BLE001 - the session itself was saved, and its request must succeed
                self._log.exception(
                    "Jupyter's sessions could not be read, so the notebook of a new kernel may not be known yet."
                )
            self._check_now.set()
            return result

        return call

    async def _read_rows(self) -> None:
        async with self._reading_rows:
            models = await self._sessions.list_sessions()
            rows = [
                Row(model["id"], model["path"] or "", model["type"] or "", model["kernel"]["id"]) for model in models
            ]
            changed = self._notebooks.update(rows)
            if self._find_moved is not None:
                await self._find_moved(self._notebooks.files())
        if changed:
            self._announce(changed)
        if self._autostart is not None:
            for kernel_id in self._links:
                self._autostart.open_first_session(kernel_id)
