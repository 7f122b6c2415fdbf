"""What people and their tools read and change; every method may block, and runs outside of the server's loop."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from ...errors import InvalidRequestError
from ...integrations.pricing import price_data
from ...ledger.contract.facts import NotebookKey
from ...ledger.contract.queries import AuditFilters, AuditQuery, AuditSums, ListCeilings
from ...service.records import Records
from ...service.service import NotebookService
from ...service.users import User
from ...service.waiting import Waiting
from ...wire import fields
from ..identity.rooms import Place, Rooms, clean_path
from ..settings.settings import Settings
from .ceilings import differences

__all__ = ["People"]

AuditFiltersT = TypeVar("AuditFiltersT", bound=AuditFilters)


class People:
    """The bodies of the REST interface; raises what the ledger raises."""

    def __init__(
        self,
        service: NotebookService,
        rooms: Rooms,
        settings: Settings,
        settle: Callable[[], None],
        kernels: Callable[[], list[dict[str, Any]]] = list,
    ) -> None:
        self._service = service
        self._rooms = rooms
        self._settings = settings
        self._settle = settle
        self._kernels = kernels
        self.waiting = Waiting(service.ledger, rooms.owner, rooms.root)
        """What a person says to what waits, which is named by its id."""
        self._records = Records(service.ledger)

    @property
    def owner(self) -> str:
        """The user whose notebooks the server serves."""
        return self._rooms.owner

    def config(self, one_user: bool) -> dict[str, Any]:
        """``one_user``: whether the server knows no names of users, so that all who log in are its owner."""
        prices = price_data.describe()
        ceilings = self._service.ledger.read(ListCeilings(owner=self._rooms.owner))
        return {
            **self._settings.body(),
            "user": self.owner if one_user else None,
            "price_data": None if prices is None else prices.body(),
            "ceilings_differ": differences(self._settings.envelopes, ceilings),
        }

    def key(self, path: str) -> NotebookKey:
        """The notebook whose records those of ``path`` are."""
        return self._rooms.place(path).notebook

    def state(self, path: str) -> dict[str, Any]:
        place = self._place(path)
        return _as_seen(path, place, self._service.state(place.notebook, shared_with=place.shared_with))

    def change(self, person: User, path: str, wishes: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        place = self._place(path)
        return _as_seen(path, place, self._service.change(person, place.notebook, wishes, key=key))

    def close(self, person: User, path: str, key: str | None) -> dict[str, Any]:
        place = self._place(path)
        return _as_seen(path, place, self._service.close(person, place.notebook, key=key))

    def notebooks(self, after: str, limit: int) -> dict[str, Any]:
        """One page of all notebooks that were ever governed, by path; ``after`` asks for the next, null ends."""
        self._settle()
        page = self._states(after, limit)
        last = page[-1]["path"] if page else ""
        more = len(page) == limit and self._states(last, 1)
        return {"notebooks": page, "after": last if more else None}

    def kernels(self) -> dict[str, Any]:
        return {"kernels": self._kernels()}

    def envelopes(self, path: str) -> dict[str, Any]:
        return self.waiting.envelopes(self._place(path).notebook)

    def holds(self, path: str | None, after: str, limit: int) -> dict[str, Any]:
        return self.waiting.holds(self._notebook(path), after, limit)

    def approvals(self, path: str | None, after: str, limit: int) -> dict[str, Any]:
        return self.waiting.approvals(self._notebook(path), after, limit)

    def reports(self, path: str | None, after: str, limit: int) -> dict[str, Any]:
        return self.waiting.reports(self._notebook(path), after, limit)

    def audit(self, query: AuditQuery) -> dict[str, Any]:
        self._settle()
        return self._service.audit(self._ours(query))

    def sums(self, query: AuditSums) -> dict[str, Any]:
        self._settle()
        return self._records.sums(self._ours(query))

    def verify(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Every chain, or that of one session, or that of a notebook's session."""
        path = parameters.get("path")
        session_id = fields.optional_text(parameters, "session_id", "session_id")
        known_head = fields.optional_text(parameters, "known_head", "known_head")
        if path is not None and session_id is not None:
            raise InvalidRequestError("Give either path or session_id, not both.")
        if path is not None:
            session_id = self._records.session_of(self._place(clean_path(path)).notebook)
        return self._records.verify(session_id, known_head, self._under())

    def export(self, query: AuditQuery, form: str) -> Generator[bytes, None, None]:
        """The parts of a file; taking the next one may block too."""
        self._settle()
        return self._records.export(self._ours(query), form)

    def _ours(self, query: AuditFiltersT) -> AuditFiltersT:
        under = self._under()
        return query if under is None else replace(query, under=under)

    def _under(self) -> tuple[str, str] | None:
        """Whose records alone are shown here, where the ledger may hold those of others; None: all of them."""
        return (self._rooms.owner, self._rooms.root) if self._settings.shared else None

    def _states(self, after: str, limit: int) -> list[dict[str, Any]]:
        return self._service.states(self._rooms.owner, self._rooms.root, after=after, limit=limit)

    def _notebook(self, path: str | None) -> NotebookKey | None:
        self._settle()
        return None if path is None else self._rooms.place(path).notebook

    def _place(self, path: str) -> Place:
        self._settle()
        return self._rooms.place(path)


def _as_seen(path: str, place: Place, body: dict[str, Any]) -> dict[str, Any]:
    """The state under the path that was asked for, which may be another notebook's."""
    return {**body, "path": path, "shared_with": place.shared_with}
