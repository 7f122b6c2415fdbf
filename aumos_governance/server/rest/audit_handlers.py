"""The audit record over REST: pages, sums, verification, and files that are streamed."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from datetime import datetime, timezone
from typing import Any, Final

from jupyter_server.auth.decorator import authorized
from tornado import web

from . import audit_filter
from .people import People
from .rest import RestHandler

__all__ = ["AuditHandler", "ExportHandler", "SumsHandler", "VerifyHandler"]

_TYPES: Final = {"jsonl": "application/jsonl; charset=utf-8", "csv": "text/csv; charset=utf-8; header=present"}


class AuditHandler(RestHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        parameters = self.parameters(audit_filter.PARAMETERS)
        query = audit_filter.audit_query(parameters, self.people.key)
        await self.answer(self.people.audit, query, long=audit_filter.is_search(parameters))


class SumsHandler(RestHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        parameters = self.parameters(audit_filter.SUMS_PARAMETERS)
        await self.answer(self.people.sums, audit_filter.sums_query(parameters, self.people.key), long=True)


class VerifyHandler(RestHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(self.people.verify, self.parameters(("path", "session_id", "known_head")), long=True)


class ExportHandler(RestHandler):
    def initialize(self, people: People, workers: Executor, long_reads: Executor) -> None:
        super().initialize(people, workers, long_reads)
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_connection_close(self) -> None:
        if not self._gone.done():
            self._gone.set_result(None)

    @web.authenticated
    @authorized
    async def get(self) -> None:
        parameters = self.parameters(audit_filter.EXPORT_PARAMETERS)
        form = audit_filter.export_form(parameters)
        query = audit_filter.export_query(parameters, self.people.key)
        parts = await self.in_thread(self.people.export, query, form, long=True)
        # What can be refused is refused before a status is sent.
        part = await self.in_thread(next, parts, None, long=True)
        self.set_header("Content-Type", _TYPES[form])
        today = datetime.now(timezone.utc).date().isoformat()
        self.set_header("Content-Disposition", f'attachment; filename="governance-audit-{today}.{form}"')
        try:
            while part is not None and not self._gone.done():
                self.write(part)
                # Done when the other side has taken it in, so that nothing piles up here; and never, when that is gone.
                await asyncio.wait((self.flush(), self._gone), return_when=asyncio.FIRST_COMPLETED)
                part = await self.in_thread(next, parts, None, long=True)
            parts.close()
        except Exception:
            # Ended in good order, a file that lacks its second half would pass for a whole one.
            self.log.exception("A download of the audit record failed in the middle, and was broken off.")
            connection: Any = self.request.connection
            connection.stream.close()
        else:
            self.finish(set_content_type=_TYPES[form])
