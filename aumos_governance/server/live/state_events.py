"""Events for changes of a notebook's state, passed on to the users who may read governance.

jupyter_server passes all events to every user who may ``execute`` the resource ``events``, whatever their content. So
the extension serves the stream's address itself: tornado tries an extension's routes before the server's own.

After changes the open holds are counted too, without reading the ledger more than once a second.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jupyter_core.utils import ensure_async
from jupyter_events import EventLogger
from jupyter_events.schema import EventSchema
from jupyter_server.services.events.handlers import SubscribeWebsocket

from ...errors import AumOSGovernanceError, NotAllowedError
from ...ledger.contract.facts import NotebookKey, SessionState
from ...ledger.contract.ledger import Ledger
from ...ledger.contract.queries import ListHolds, ReadState
from ...ledger.rules.cursors import MAX_PAGE
from ...wire.bodies import STATE
from ...wire.protocol import EVENT_SCHEMA_ID
from ..identity.rooms import Rooms
from .metrics import HOLD_STATES, HoldCounts

__all__ = ["AUTH_RESOURCE", "OURS", "STREAM", "EventStream", "OpenHolds", "OwnEvents", "StateEvents"]

AUTH_RESOURCE: Final = "aumos-governance"
"""What the server's authorizer decides about: reading and changing governance."""

OURS: Final = EVENT_SCHEMA_ID.removesuffix("state/v1")
"""How the ids of all our schemas begin: only who may read governance gets events of these."""
_SCHEMAS: Final = Path(__file__).parent.parent / "events"
_SPACING: Final = 0.05
"""Seconds between two events of one notebook: at most 20 a second."""


@dataclass(slots=True)
class _Line:
    """One notebook whose last event is younger than the spacing."""

    next: SessionState | None = None


class OwnEvents:
    """Emits events of the schemas in `server/events/`, to all pages, and blocks those of all other emitters.

    The server lets every authenticated client post events of any registered kind; ours pass only with a nonce
    that is made for one event and removed before a listener sees it.
    """

    def __init__(self, event_logger: EventLogger, log: logging.Logger, schemas: Path = _SCHEMAS) -> None:
        self._events = event_logger
        self._log = log
        self._nonces: set[str] = set()
        for schema in sorted(schemas.glob("*.yaml")):
            event_logger.register_event_schema(schema)
            event_logger.add_modifier(schema_id=EventSchema(schema).id, modifier=self._only_ours)

    def emit(self, schema_id: str, body: Mapping[str, Any]) -> None:
        """Send an event with this body to every page, on the server's loop; raises nothing."""
        nonce = secrets.token_hex(16)
        self._nonces.add(nonce)
        try:
            self._events.emit(schema_id=schema_id, data={**body, "nonce": nonce})
        except Exception:  # noqa: BLE001 - the request that changed the state must not fail for it
            self._log.exception("A governance event could not be emitted.")
        finally:
            self._nonces.discard(nonce)

    def _only_ours(self, schema_id: str, data: dict[str, Any]) -> dict[str, Any]:
        nonce = data.pop("nonce", None)
        if not isinstance(nonce, str) or nonce not in self._nonces:
            raise NotAllowedError("Events of governance come from the server itself, so this one was refused.")
        self._nonces.discard(nonce)
        return data


class StateEvents:
    """Emits each notebook's latest state, in bursts at most 20 times a second, and always the last one."""

    def __init__(self, events: OwnEvents, rooms: Rooms, loop: asyncio.AbstractEventLoop, log: logging.Logger) -> None:
        self._events = events
        self._rooms = rooms
        self._loop = loop
        self._log = log
        self._lock = threading.Lock()
        self._arrived: dict[NotebookKey, SessionState] = {}
        self._lines: dict[NotebookKey, _Line] = {}

    def offer(self, states: tuple[SessionState, ...]) -> None:
        """Take states in from any thread, without waiting; a state older than one taken in before is dropped."""
        with self._lock:
            first = not self._arrived
            for state in states:
                # One whose last event is young waits for its turn without waking the loop.
                if not self._put_off(state):
                    known = self._arrived.get(state.notebook)
                    if known is None or known.seq <= state.seq:
                        self._arrived[state.notebook] = state
            scheduled = bool(self._arrived) and first
        if scheduled:
            try:
                self._loop.call_soon_threadsafe(self._take_in)
            except RuntimeError:
                # The loop is closed: there are no pages any more.
                self._arrived.clear()

    def reread(self, ledger: Ledger, paths: Iterable[str]) -> None:
        """Emit the states of paths that now show another session; blocks, and raises nothing."""
        try:
            notebooks = {self._rooms.place(path).notebook for path in paths}
            self.offer(tuple(ledger.read(ReadState(notebook=notebook)) for notebook in notebooks))
        except Exception as error:  # noqa: BLE001 - in a thread without another handler
            self._log.warning("The states of notebooks could not be announced: %s", error)

    def _take_in(self) -> None:
        with self._lock:
            arrived, self._arrived = self._arrived, {}
            begun = [state for state in arrived.values() if not self._put_off(state)]
            self._lines.update((state.notebook, _Line()) for state in begun)
        for state in begun:
            self._begin(state)

    def _put_off(self, state: SessionState) -> bool:
        line = self._lines.get(state.notebook)
        if line is not None and (line.next is None or line.next.seq <= state.seq):
            line.next = state
        return line is not None

    def _begin(self, state: SessionState) -> None:
        self._loop.call_later(_SPACING, self._go_on, state.notebook)
        self._emit_state(state)

    def _go_on(self, notebook: NotebookKey) -> None:
        with self._lock:
            state = self._lines[notebook].next
            if state is None:
                del self._lines[notebook]
            else:
                self._lines[notebook] = _Line()
        if state is not None:
            self._begin(state)

    def _emit_state(self, state: SessionState) -> None:
        names = self._rooms.names_of(state.notebook)
        path = names[0]
        if self._rooms.shared_with(path) is None:
            for name in names:
                self._emit({**STATE.write(state), "path": name})
        for other in self._rooms.sharers(path):
            for name in self._rooms.names_of(self._rooms.key(other)):
                self._emit({**STATE.write(state, path), "path": name})

    def _emit(self, body: dict[str, Any]) -> None:
        self._events.emit(EVENT_SCHEMA_ID, body)


# ---- to the pages

STREAM: Final = "api/events/subscribe"
"""Below the server's base URL."""
_VALID_SECONDS: Final = 2.0
"""How long a verdict of the authorizer is used: events come 20 times a second, and it may need a request to a hub."""


class EventStream(SubscribeWebsocket):
    """Passes a governance event on where the authorizer lets the user read governance, and all others as before."""

    _verdict = False
    _valid_until = float("-inf")
    _waiting = 0

    def open(self) -> None:
        self._turn = asyncio.Lock()
        super().open()

    async def event_listener(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        if not schema_id.startswith(OURS):
            await super().event_listener(logger, schema_id, data)
            return
        if not self._waiting and time.monotonic() < self._valid_until:
            if self._verdict:
                await super().event_listener(logger, schema_id, data)
            return
        # In turn, so that no state overtakes an older one that waits for the verdict.
        self._waiting += 1
        try:
            async with self._turn:
                if await self._is_reader():
                    await super().event_listener(logger, schema_id, data)
        finally:
            self._waiting -= 1

    async def _is_reader(self) -> bool:
        if time.monotonic() >= self._valid_until:
            self._verdict = False
            try:
                response = self.authorizer.is_authorized(self, self.current_user, "read", AUTH_RESOURCE)
                self._verdict = bool(await ensure_async(response))
            except Exception:
                self.log.exception("The authorizer failed, so a governance event is not passed on.")
            self._valid_until = time.monotonic() + _VALID_SECONDS
        return self._verdict


# ---- the count of open holds

_COUNT_SPACING: Final = 1.0
"""Seconds from a change to the count that has it, so that a burst of changes is counted once."""


class OpenHolds:
    """Counts when it is made and after what changes; while nothing changes it does nothing."""

    def __init__(
        self,
        ledger: Ledger,
        owner: str,
        root: str,
        *,
        loop: asyncio.AbstractEventLoop,
        workers: Executor,
        log: logging.Logger,
    ) -> None:
        self._ledger = ledger
        self._owner = owner
        self._root = root
        self._loop = loop
        self._workers = workers
        self._log = log
        self._awaited = False
        self.counts = HoldCounts()
        self._count()

    def offer(self, states: tuple[SessionState, ...]) -> None:
        """Something changed; from any thread, without waiting."""
        if self._awaited:
            return
        self._awaited = True
        try:
            self._loop.call_soon_threadsafe(self._loop.call_later, _COUNT_SPACING, self._begin)
        except RuntimeError:
            # The loop is closed: no client reads the metrics any more.
            return

    def _begin(self) -> None:
        try:
            self._workers.submit(self._count)
        except RuntimeError:
            # The server is stopping.
            return

    def _count(self) -> None:
        # What changes from here on is counted again.
        self._awaited = False
        found = dict.fromkeys(HOLD_STATES, 0)
        after = ""
        try:
            while True:
                page = self._ledger.read(ListHolds(owner=self._owner, root=self._root, after=after, limit=MAX_PAGE))
                for hold in page:
                    found[hold.state.value] += 1
                if len(page) < MAX_PAGE:
                    break
                after = page[-1].charge_id
        except AumOSGovernanceError as error:
            self._log.warning("The open holds could not be counted: %s", error)
            return
        self.counts.by_state = found
