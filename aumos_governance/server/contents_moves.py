"""Renames and deletions that the contents service reports, carried over to the ledger."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, Final

from jupyter_core.utils import ensure_async

from ..ledger.base import DeleteNotebook, Ledger, MoveNotebook, Origin, Request
from .rooms import Rooms

__all__ = ["CONTENTS_EVENTS", "ContentsMoves"]

CONTENTS_EVENTS: Final = "https://events.jupyter.org/jupyter_server/contents_service/v1"
_ORIGIN: Final = Origin(actor="server", scope="server")


class ContentsMoves:
    """Follows the contents service: a notebook keeps its governance under another name, a deleted one ends it.

    Any authenticated client can post such an event, so what it says is looked up before it is believed.
    """

    def __init__(
        self,
        contents_manager: Any,
        ledger: Ledger,
        rooms: Rooms,
        log: logging.Logger,
        announce: Callable[[set[str]], None],
    ) -> None:
        self._contents = contents_manager
        self._ledger = ledger
        self._rooms = rooms
        self._log = log
        self._announce = announce
        self._under_way: set[Future[int]] = set()

    async def on_event(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        """A listener for the contents service's events."""
        action = data.get("action")
        path, source = _path(data.get("path")), _path(data.get("source_path"))
        owner, root = self._rooms.owner, self._rooms.root
        if action == "rename" and source and path and await self._was_renamed(source, path):
            self._submit(MoveNotebook(key=_new_key(), origin=_ORIGIN, owner=owner, root=root, old=source, new=path))
            # At once and not when the move is durable: the ledger takes requests in their order, so an ask
            # under the new path comes after the move.
            self._announce(self._rooms.rename(source, path))
        elif action == "delete" and path and not await self._exists(path):
            self._submit(DeleteNotebook(key=_new_key(), origin=_ORIGIN, owner=owner, root=root, path=path))

    def settled(self) -> bool:
        """Whether there is nothing that `settle` would wait for."""
        return not self._under_way

    def settle(self, timeout: float = 5.0) -> None:
        """Wait, in a thread that may block, for what was submitted, so that a reading finds it done."""
        under_way = tuple(self._under_way)
        if under_way:
            wait(under_way, timeout)

    async def _was_renamed(self, source: str, path: str) -> bool:
        if source == path or not await self._exists(path):
            return False
        # Where case does not matter, a document renamed to other case is still found under its old name.
        return source.lower() == path.lower() or not await self._exists(source)

    async def _exists(self, path: str) -> bool:
        return bool(await ensure_async(self._contents.exists(path)))

    def _submit(self, request: Request[int]) -> None:
        future = self._ledger.submit(request)
        self._under_way.add(future)
        future.add_done_callback(self._done)

    def _done(self, future: Future[int]) -> None:
        self._under_way.discard(future)
        error = future.exception()
        if error is not None:
            self._log.error("A renamed or deleted notebook could not be followed in the ledger: %s", error)


def _new_key() -> str:
    return uuid.uuid4().hex


def _path(raw: object) -> str:
    return raw.strip("/") if isinstance(raw, str) else ""
