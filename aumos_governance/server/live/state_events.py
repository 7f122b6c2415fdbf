"""The events with which pages learn of changes of a notebook's state. Only users who may read governance get them.

jupyter_server sends all events to every user who may ``execute`` the resource ``events``, whatever their content. So
the extension serves the event stream's URL itself: tornado tries an extension's routes before the server's own.

The module also counts the open holds for the metrics, after changes and at most once a second.
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
from ..identity.notebook_map import NotebookMap
from .metrics import HOLD_STATES, HoldCounts

AUTH_RESOURCE: Final = "aumos-governance"
"""The name of governance for the server's authorizer, which allows a user to ``read`` or ``write`` this resource."""

OURS: Final = EVENT_SCHEMA_ID.removesuffix("state/v1")
"""The prefix of the ids of governance's event schemas. Only users who may read governance get events with such ids."""
_SCHEMAS: Final = Path(__file__).parent.parent / "events"
_SPACING: Final = 0.05
"""The least seconds between two events about the same notebook, i.e. at most 20 events a second."""


@dataclass(slots=True)
class _Throttled:
    """The entry of a notebook whose latest event is younger than `_SPACING`, with the state to emit next, if any."""

    next: SessionState | None = None


class OwnEvents:
    """Emits governance events, and makes the server refuse such events from clients.

    jupyter_server lets every authenticated client post events of any registered schema, so a client could forge them.
    An event of the schemas in the folder ``schemas`` is accepted only with a nonce, random text that is made for one
    event and removed before listeners get the event.
    """

    def __init__(self, event_logger: EventLogger, log: logging.Logger, schemas: Path = _SCHEMAS) -> None:
        self._events = event_logger
        self._log = log
        self._nonces: set[str] = set()
        for schema in sorted(schemas.glob("*.yaml")):
            event_logger.register_event_schema(schema)
            event_logger.add_modifier(schema_id=EventSchema(schema).id, modifier=self._only_ours)

    def emit(self, schema_id: str, body: Mapping[str, Any]) -> None:
        """Send an event with this body to all pages whose users may read governance. Raises nothing.

        Must be called on the server's loop.
        """
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
            raise NotAllowedError("Only the server itself can emit governance events, so this event was refused.")
        self._nonces.discard(nonce)
        return data


class StateEvents:
    """Emits the latest state of each notebook that has changed, at most 20 times a second for each notebook.

    Some states in between may be left out, but the last one is always emitted.
    """

    def __init__(
        self, events: OwnEvents, notebooks: NotebookMap, loop: asyncio.AbstractEventLoop, log: logging.Logger
    ) -> None:
        self._events = events
        self._notebooks = notebooks
        self._loop = loop
        self._log = log
        self._lock = threading.Lock()
        self._arrived: dict[NotebookKey, SessionState] = {}
        self._throttled: dict[NotebookKey, _Throttled] = {}

    def offer(self, states: tuple[SessionState, ...]) -> None:
        """Queue new states of notebooks to be emitted. Any thread may call this; the ledger does after each commit.

        A state is ignored if a newer one of the same notebook is queued.
        """
        with self._lock:
            first = not self._arrived
            for state in states:
                # A state of a throttled notebook is emitted later, without waking the loop now.
                if not self._put_off(state):
                    known = self._arrived.get(state.notebook)
                    if known is None or known.seq <= state.seq:
                        self._arrived[state.notebook] = state
            scheduled = bool(self._arrived) and first
        if scheduled:
            try:
                self._loop.call_soon_threadsafe(self._emit_arrived)
            except RuntimeError:
                # The loop is closed, so no page is connected any more.
                self._arrived.clear()

    def reread(self, ledger: Ledger, paths: Iterable[str]) -> None:
        """Read the states of the notebooks at ``paths`` from the ledger, and queue them to be emitted.

        Needed after a notebook began or ceased to share another one's session, which no commit reports. Blocks, and
        raises nothing.
        """
        try:
            changed = {self._notebooks.place(path).notebook for path in paths}
            self.offer(tuple(ledger.read(ReadState(notebook=notebook)) for notebook in changed))
        except Exception as error:  # noqa: BLE001 - this thread has no other handler
            self._log.warning(
                "Pages could not be sent the new states of notebooks, and show the old ones until the next change: %s",
                error,
            )

    def _emit_arrived(self) -> None:
        with self._lock:
            arrived, self._arrived = self._arrived, {}
            due = [state for state in arrived.values() if not self._put_off(state)]
            self._throttled.update((state.notebook, _Throttled()) for state in due)
        for state in due:
            self._emit_and_throttle(state)

    def _put_off(self, state: SessionState) -> bool:
        """Keep a state for later if the latest event about its notebook is too young; return whether it is."""
        throttled = self._throttled.get(state.notebook)
        if throttled is not None and (throttled.next is None or throttled.next.seq <= state.seq):
            throttled.next = state
        return throttled is not None

    def _emit_and_throttle(self, state: SessionState) -> None:
        self._loop.call_later(_SPACING, self._emit_next, state.notebook)
        self._emit_state(state)

    def _emit_next(self, notebook: NotebookKey) -> None:
        with self._lock:
            state = self._throttled[notebook].next
            if state is None:
                del self._throttled[notebook]
            else:
                self._throttled[notebook] = _Throttled()
        if state is not None:
            self._emit_and_throttle(state)

    def _emit_state(self, state: SessionState) -> None:
        names = self._notebooks.names_of(state.notebook)
        path = names[0]
        if self._notebooks.shared_with(path) is None:
            for name in names:
                self._emit({**STATE.write(state), "path": name})
        for other in self._notebooks.sharers(path):
            for name in self._notebooks.names_of(self._notebooks.key(other)):
                self._emit({**STATE.write(state, path), "path": name})

    def _emit(self, body: dict[str, Any]) -> None:
        self._events.emit(EVENT_SCHEMA_ID, body)


# ---- to the pages

STREAM: Final = "api/events/subscribe"
"""The path of the event stream, below the server's base URL."""
_VALID_SECONDS: Final = 2.0
"""The seconds for which the authorizer's decision on a user is reused.

Events come up to 20 times a second, and the authorizer may have to send a request to a hub for each decision.
"""


class EventStream(SubscribeWebsocket):
    """The WebSocket of the server's event stream, one for each open page.

    In contrast to jupyter_server's own, it sends governance events only to users whom the authorizer lets read
    governance.
    """

    _may_read = False
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
            if self._may_read:
                await super().event_listener(logger, schema_id, data)
            return
        # One after the other, so that no state overtakes an older one that waits for the authorizer.
        self._waiting += 1
        try:
            async with self._turn:
                if await self._is_reader():
                    await super().event_listener(logger, schema_id, data)
        finally:
            self._waiting -= 1

    async def _is_reader(self) -> bool:
        if time.monotonic() >= self._valid_until:
            self._may_read = False
            try:
                response = self.authorizer.is_authorized(self, self.current_user, "read", AUTH_RESOURCE)
                self._may_read = bool(await ensure_async(response))
            except Exception:
                self.log.exception("The authorizer failed, so governance events are not sent to this user.")
            self._valid_until = time.monotonic() + _VALID_SECONDS
        return self._may_read


# ---- the count of open holds

_COUNT_SPACING: Final = 1.0
"""The seconds from a change to the next count of open holds, so that many changes at once need one count."""


class OpenHolds:
    """Counts the open holds of a server's notebooks for the metrics: at the start, and after changes.

    ``owner`` and ``root`` are the server's user and root folder. The holds are read in a thread of ``workers``.
    """

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
        """Schedule a count, since notebooks' states have changed. Any thread may call this; the ledger does."""
        if self._awaited:
            return
        self._awaited = True
        try:
            self._loop.call_soon_threadsafe(self._loop.call_later, _COUNT_SPACING, self._begin)
        except RuntimeError:
            # The loop is closed, so no client can read the metrics any more.
            return

    def _begin(self) -> None:
        try:
            self._workers.submit(self._count)
        except RuntimeError:
            # The server is stopping.
            return

    def _count(self) -> None:
        # A change from here on schedules another count.
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
            self._log.warning(
                "The open holds could not be counted, so the metrics show the previous numbers: %s", error
            )
            return
        self.counts.by_state = found
