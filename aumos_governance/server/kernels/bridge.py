"""Connects all kernels: finds them, follows their restarts and renames, and disconnects those that are gone."""

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
from ...ledger.contract.queries import ReadState
from ...ledger.contract.terms import SessionTerms
from ...service.service import Caller, NotebookService
from ..identity.rooms import Rooms, Row
from .comm_transport import CommTransport
from .conversation import AtOnce, Conversation, caller_of, check_document, never
from .kernel_keys import KernelKeys
from .kernel_sessions import close_kernel
from .local_socket import LocalSocket
from .presence import Admission, Departures, Presence, process_of
from .readers import Readers
from .socket_peer import check_peer

__all__ = ["KERNEL_EVENTS", "Bridge"]

KERNEL_EVENTS: Final = "https://events.jupyter.org/jupyter_server/kernel_actions/v1"
_LOOK_EVERY: Final = 1.5
"""Seconds between looks at the kernels: events are only hints, and a kernel that dies for good emits none."""
_PROCESSES_EVERY: Final = 0.5
"""Seconds between looks at the kernels' processes where they have keys: a key ends within a second with its process."""
_PORTS_WITHIN: Final = 10.0
"""Seconds within which a kernel that is being started here has its ports; a gateway's never has any."""


@dataclass(frozen=True, slots=True)
class _Link:
    """A kernel as it was when its transport was opened."""

    kernel_manager: Any
    ports: tuple[int, ...]
    transport: CommTransport


class Bridge:
    """Gives every kernel of a server a connection to the service; lives on the server's loop.

    ``settle`` waits, in one of the threads of ``readers``, for what a reading has to see; ``at_once`` says whether the
    loop may wait a moment for the ledger, and read a status itself. ``announce`` is called with
    the paths whose session is another one than before. ``server`` is the name by which it attends the ledger. Without
    a ``local_socket`` all requests stay on comm.
    """

    def __init__(
        self,
        kernel_manager: Any,
        session_manager: Any,
        service: NotebookService,
        rooms: Rooms,
        *,
        loop: asyncio.AbstractEventLoop,
        readers: Readers,
        settle: Callable[[], None],
        at_once: Callable[[], bool] = never,
        announce: Callable[[set[str]], None],
        autostart: bool,
        autostart_terms: SessionTerms | None = None,
        look: Callable[[Iterable[str]], Awaitable[None]] | None = None,
        log: logging.Logger,
        server: str = "",
        local_socket: LocalSocket | None = None,
        keys: KernelKeys | None = None,
    ) -> None:
        self._kernels = kernel_manager
        self._sessions = session_manager
        self._service = service
        self._rooms = rooms
        self._loop = loop
        self._readers = readers
        self._admission = Admission()
        self._settle = settle
        self._at_once = at_once
        self._announce = announce
        self._autostart = autostart
        self._autostart_terms = autostart_terms
        self._look_for_moved = look
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
        self._started: set[tuple[str, str]] = set()
        self._look = asyncio.Event()
        self._reading_rows = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None
        self._stopping = False

    def follow_sessions(self) -> None:
        """Be notified of every session row as it is written; it is written after its kernel's start is reported."""
        for name in ("save_session", "update_session"):
            setattr(self._sessions, name, self._followed(getattr(self._sessions, name)))

    def start(self) -> None:
        if self._local_socket is not None:
            try:
                self._local_socket.open(self._admit)
            except OSError as error:
                self._log.warning("Governance offers no local socket, so kernels use comm: %s", error)
        self._watch = asyncio.ensure_future(self._watch_kernels())

    async def stop(self) -> None:
        if self._watch is not None:
            # Not cancelled: before Python 3.12 asyncio.wait_for can swallow that when a kernel's end is reported.
            self._stopping = True
            self._look.set()
            await self._watch
        if self._local_socket is not None:
            self._local_socket.close()
        # Kernels that were shut down since the last look; those that live on are let go, and not gone.
        self._reconcile()
        for kernel_id in list(self._links):
            self._let_go(kernel_id)

    async def on_kernel_event(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        """A listener for kernel events. These are only hints: the kernels themselves are examined."""
        self._look.set()

    def note_foreign_keys(self, kernel_id: str, names: tuple[str, ...]) -> None:
        """The variables in the environment of a kernel that hold a provider's own key."""
        self._foreign_keys[kernel_id] = names

    # ---- kernels

    def kernels(self) -> list[dict[str, Any]]:
        """The kernels there are, each with its notebook and which transport it uses, by notebook. From any thread."""
        found = []
        for kernel_id in self._kernels.list_kernel_ids():
            presence = self._presences.get(kernel_id)
            body = {
                "id": kernel_id,
                "notebook": self._rooms.notebook_of(kernel_id).path,
                "reachable": kernel_id not in self._unreachable,
                "transport": None if presence is None else presence.transport,
                "foreign_keys": list(self._foreign_keys.get(kernel_id, ())),
            }
            found.append(body)
        return sorted(found, key=lambda body: (body["notebook"], body["id"]))

    async def _watch_kernels(self) -> None:
        while not self._stopping:
            self._look.clear()
            try:
                if self._reconcile():
                    await self._read_rows()
                elif self._look_for_moved is not None:
                    await self._look_for_moved(())
                await self._note_departures()
            except Exception:  # noqa: BLE001 - the watch over the kernels must go on
                self._log.exception("The list of kernels could not be checked.")
            await self._until_next_look()

    async def _until_next_look(self) -> None:
        every = _LOOK_EVERY if self._keys is None else _PROCESSES_EVERY
        for look in range(1, round(_LOOK_EVERY / every) + 1):
            try:
                await asyncio.wait_for(self._look.wait(), every)
            except asyncio.TimeoutError:
                if look * every < _LOOK_EVERY:
                    await self._look_at_processes()
            else:
                return

    async def _look_at_processes(self) -> None:
        try:
            await self._note_departures()
        except Exception:  # noqa: BLE001 - the watch over the kernels must go on
            self._log.exception("The kernels' processes could not be checked.")

    def _reconcile(self) -> bool:
        """Bring the links in line with the kernels there are; returns whether any came or went."""
        alive = {kernel_id: self._kernels.get_kernel(kernel_id) for kernel_id in self._kernels.list_kernel_ids()}
        if self._keys is not None:
            self._keys.look_through(alive.keys())
        gone = [kernel_id for kernel_id in self._links if kernel_id not in alive]
        for kernel_id in gone:
            self._let_go(kernel_id)
        for kernel_id in self._presences.keys() - alive.keys():
            self._presences.pop(kernel_id).leave()
            self._end(kernel_id)
        self._unreachable &= alive.keys()
        self._without_ports = {key: since for key, since in self._without_ports.items() if key in alive}
        self._started = {entry for entry in self._started if entry[0] in alive}
        came = False
        for kernel_id, kernel_manager in alive.items():
            ports = tuple(getattr(kernel_manager, "ports", ()))
            if not ports or not all(ports):
                self._note_without_ports(kernel_id)
                continue
            link = self._links.get(kernel_id)
            if link is not None and link.kernel_manager is kernel_manager and link.ports == ports:
                # A restart keeps the ports, and the sockets find the new process by themselves.
                continue
            self._let_go(kernel_id)
            if link is not None and link.kernel_manager is not kernel_manager:
                self._presences.pop(kernel_id).leave()
            came = self._reach(kernel_id, kernel_manager, ports) or came
        return came or bool(gone)

    def _end(self, kernel_id: str) -> None:
        """The kernel is gone, and with it the session of one that was no notebook's."""
        if not self._rooms.has_path(kernel_id):
            close_kernel(self._service.ledger, self._rooms.notebook_of(kernel_id))
        self._rooms.forget(kernel_id)
        self._foreign_keys.pop(kernel_id, None)

    async def _note_departures(self) -> None:
        """Find kernels whose process ended and maybe was replaced, be it by one that never makes a request."""
        for kernel_id, link in tuple(self._links.items()):
            alive = await ensure_async(link.kernel_manager.is_alive())
            if self._keys is not None:
                self._keys.look(kernel_id, process_of(link.kernel_manager), alive)
            presence = self._presences.get(kernel_id)
            if presence is None:
                continue
            if not alive:
                presence.leave()
            else:
                presence.leave_unless_in(process_of(link.kernel_manager))
        self._departures.report_again()

    def _reach(self, kernel_id: str, kernel_manager: Any, ports: tuple[int, ...]) -> bool:
        presence = self._presences.setdefault(
            kernel_id,
            Presence(f"{self._server}/{kernel_id}", self._departures, lambda: process_of(kernel_manager)),
        )
        conversation = self._conversation(kernel_id, presence)
        transport = CommTransport(kernel_manager, conversation, loop=self._loop, log=self._log)
        try:
            transport.open()
        except Exception as error:  # noqa: BLE001 - one kernel must not keep the others from being governed
            transport.close()
            self._note_unreachable(kernel_id, str(error))
            return False
        self._links[kernel_id] = _Link(kernel_manager, ports, transport)
        self._unreachable.discard(kernel_id)
        self._without_ports.pop(kernel_id, None)
        return True

    def _let_go(self, kernel_id: str) -> None:
        link = self._links.pop(kernel_id, None)
        if link is not None:
            link.transport.close()

    def _admit(self, kernel_id: str, nonce: str, connection: socket.socket) -> Conversation:
        """For the local socket, in a thread of that connection's own."""
        presence, link = self._presences.get(kernel_id), self._links.get(kernel_id)
        if presence is None or link is None:
            raise NotAllowedError("The kernel that this token stands for is gone.")
        presence.check(nonce)
        check_peer(connection, getattr(getattr(link.kernel_manager, "provisioner", None), "pid", None))
        return self._conversation(kernel_id, presence, nonce)

    def _conversation(self, kernel_id: str, presence: Presence, nonce: str | None = None) -> Conversation:
        """The messages over comm or, with the nonce that its token proves, over one local connection."""

        def offer(nonce: str) -> dict[str, Any] | None:
            return None if self._local_socket is None else self._local_socket.offer(kernel_id, nonce)

        return Conversation(
            self._service,
            partial(caller_of, self._rooms, kernel_id),
            presence,
            nonce=nonce,
            offer=offer,
            readers=self._readers.of(kernel_id) if nonce is None else AtOnce(),
            settle=self._settle,
            at_once=self._at_once if nonce is None else never,
            admit=partial(check_document, self._rooms, kernel_id, self._service.terms),
            admission=self._admission,
            log=self._log,
        )

    def _note_without_ports(self, kernel_id: str) -> None:
        since = self._without_ports.setdefault(kernel_id, time.monotonic())
        if isinstance(self._kernels, GatewayMappingKernelManager) or time.monotonic() - since > _PORTS_WITHIN:
            self._note_unreachable(kernel_id, "it has no ports on this machine, like a kernel behind a gateway")

    def _note_unreachable(self, kernel_id: str, why: str) -> None:
        if kernel_id not in self._unreachable:
            self._unreachable.add(kernel_id)
            self._log.warning(
                "Kernel %s cannot be governed (%s): its requests fail, and nothing is authorised.", kernel_id, why
            )

    # ---- session rows

    def _followed(self, original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            result = await original(*args, **kwargs)
            try:
                await self._read_rows()
            except Exception:  # noqa: BLE001 - the session itself was saved, and its request must succeed
                self._log.exception("The session rows could not be read for governance.")
            self._look.set()
            return result

        return call

    async def _read_rows(self) -> None:
        async with self._reading_rows:
            models = await self._sessions.list_sessions()
            rows = [
                Row(model["id"], model["path"] or "", model["type"] or "", model["kernel"]["id"]) for model in models
            ]
            changed = self._rooms.update(rows)
            if self._look_for_moved is not None:
                await self._look_for_moved(self._rooms.files())
        if changed:
            self._announce(changed)
        if self._autostart:
            for kernel_id in self._links:
                self._start_session(kernel_id)

    # ---- autostart

    def _start_session(self, kernel_id: str) -> None:
        notebook = self._rooms.notebook_of(kernel_id)
        if not self._rooms.has_path(kernel_id) or (kernel_id, notebook.path) in self._started:
            return
        self._started.add((kernel_id, notebook.path))
        caller = Caller(notebook=notebook, scope=f"kernel:{kernel_id}")
        self._readers.of(kernel_id).submit(self._open_first_session, caller)

    def _open_first_session(self, caller: Caller) -> None:
        try:
            self._settle()
            if self._service.ledger.read(ReadState(notebook=caller.notebook)).session_id is None:
                self._service.opened_by_server(caller, self._autostart_terms)
        except Exception as error:  # noqa: BLE001 - in a thread of ours, without another handler
            self._log.error("No governance session could be opened for %s: %s", caller.notebook.path, error)
