"""What people and their tools read and change; every method may block, and runs outside of the server's loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..ledger.base import AuditQuery, NotebookKey
from ..notebooks.service import NotebookService
from .rooms import Place, Rooms
from .settings import Settings

__all__ = ["People"]


class People:
    """The bodies of the REST interface; raises what the ledger raises."""

    def __init__(self, service: NotebookService, rooms: Rooms, settings: Settings, settle: Callable[[], None]) -> None:
        self._service = service
        self._rooms = rooms
        self._settings = settings
        self._settle = settle

    def config(self) -> dict[str, Any]:
        return self._settings.body()

    def key(self, path: str) -> NotebookKey:
        """The notebook whose records those of ``path`` are."""
        return self._rooms.place(path).notebook

    def state(self, path: str) -> dict[str, Any]:
        place = self._place(path)
        return _as_seen(path, place, self._service.state(place.notebook, shared_with=place.shared_with))

    def change(self, person: str, path: str, wishes: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        place = self._place(path)
        return _as_seen(path, place, self._service.change(person, place.notebook, wishes, key=key))

    def close(self, person: str, path: str, key: str | None) -> dict[str, Any]:
        place = self._place(path)
        return _as_seen(path, place, self._service.close(person, place.notebook, key=key))

    def notebooks(self, after: str, limit: int) -> dict[str, Any]:
        """One page of all notebooks that were ever governed, by path; ``after`` asks for the next, null ends."""
        self._settle()
        # One more than asked for tells whether there is a next page.
        states = self._service.states(self._rooms.owner, self._rooms.root, after=after, limit=limit + 1)
        page = states[:limit]
        return {"notebooks": page, "after": page[-1]["path"] if len(states) > limit else None}

    def audit(self, query: AuditQuery) -> dict[str, Any]:
        self._settle()
        return self._service.audit(query)

    def _place(self, path: str) -> Place:
        self._settle()
        return self._rooms.place(path)


def _as_seen(path: str, place: Place, body: dict[str, Any]) -> dict[str, Any]:
    """The state under the path that was asked for, which may be another notebook's."""
    return {**body, "path": path, "shared_with": place.shared_with}
