"""Events that only this server emits, and the one of them that has every change of a notebook's state."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jupyter_events import EventLogger
from jupyter_events.schema import EventSchema

from ...errors import NotAllowedError
from ...ledger.contract.base import Ledger, NotebookKey, ReadState, SessionState
from ...wire.bodies import state_body
from ...wire.protocol import EVENT_SCHEMA_ID
from ..identity.rooms import Rooms

__all__ = ["OURS", "OwnEvents", "StateEvents"]

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
    """Emits events of the schemas in `server/events/`, to all pages, and lets nobody else emit them.

    The server lets every authenticated client post events of any registered kind; ours pass only with a nonce
    that is made for one event and taken out of it before anyone sees it.
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
        except Exception:  # noqa: BLE001 - whoever changed the state must not fail for it
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

    def __init__(
        self,
        events: OwnEvents,
        rooms: Rooms,
        loop: asyncio.AbstractEventLoop,
        log: logging.Logger,
    ) -> None:
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
                # The loop is closed: there are no pages to tell any more.
                self._arrived.clear()

    def reread(self, ledger: Ledger, paths: Iterable[str]) -> None:
        """Emit the states of paths that now show another session; blocks, and raises nothing."""
        try:
            notebooks = {self._rooms.place(path).notebook for path in paths}
            self.offer(tuple(ledger.read(ReadState(notebook=notebook)) for notebook in notebooks))
        except Exception as error:  # noqa: BLE001 - in a thread where nobody else would hear of it
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
                self._emit({**state_body(state), "path": name})
        for other in self._rooms.sharers(path):
            for name in self._rooms.names_of(self._rooms.key(other)):
                self._emit({**state_body(state, shared_with=path), "path": name})

    def _emit(self, body: dict[str, Any]) -> None:
        self._events.emit(EVENT_SCHEMA_ID, body)
