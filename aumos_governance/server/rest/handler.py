"""The tornado request handler of all REST routes: it authorizes a request, parses it and sends the response.

The function of the route, which runs in a thread, gets only valid requests.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from typing import Any, Final, TypeVar

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from ...errors import InvalidRequestError, NotAllowedError
from ...wire import fields
from ..identity.users import check_decides, is_made_up, user_of
from ..live.state_events import AUTH_RESOURCE
from . import http_errors
from .context import Context
from .route import Download, Request, Route

ResultT = TypeVar("ResultT")
_MAX_BODY: Final = 64 * 1024
_READING: Final = ("GET", "HEAD", "OPTIONS")
_EVERYWHERE: Final = frozenset({"_xsrf", "token", "no_track_activity"})
"""The query parameters that jupyter_server itself reads, which are valid on every route."""


class RestHandler(APIHandler):
    """The handler of all requests to one path. tornado makes one for each request.

    ``routes`` of `initialize` are the path's routes by their HTTP methods.
    """

    auth_resource = AUTH_RESOURCE

    def initialize(
        self, routes: Mapping[str, Route[Any]], context: Context, workers: Executor, long_reads: Executor
    ) -> None:
        self.routes = routes
        self.context = context
        self.workers = workers
        self.long_reads = long_reads
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def prepare(self, **options: Any) -> None:
        # Checked here for all routes, present and future, since every change is a user's decision.
        await super().prepare(**options)
        if self.request.method not in _READING and self.current_user is not None:
            check_decides(self)

    async def _serve(self, id: str = "") -> None:
        route = self.routes.get(self.request.method or "")
        if route is None:
            raise web.HTTPError(405)
        if route.needs is not None:
            await self._check_further(*route.needs)
        parameters = self._parameters(route.query.names)
        query = route.query.read(parameters, self.context.key)
        body, key = ({}, None) if route.method in _READING else (self._json_object(route.body), self._idempotency_key())
        request = Request(query, user_of(self, self.context.owner), is_made_up(self), id, body, key)
        long = route.long(parameters) if callable(route.long) else route.long
        # In a thread, since the ledger may wait for the disk, and the loop must serve all other requests.
        threads = self.long_reads if long else self.workers
        response = await _in_thread(threads, route.response, self.context, request)
        if isinstance(response, Download):
            await self._send(response, threads)
        else:
            self.finish(json.dumps(response))

    # Without an explicit action, ``authorized`` would apply the action of its first request to all later requests.
    get = web.authenticated(authorized("read")(_serve))
    post = put = patch = delete = web.authenticated(authorized("write")(_serve))

    async def _check_further(self, action: str, resource: str) -> None:
        if not await ensure_async(self.authorizer.is_authorized(self, self.current_user, action, resource)):
            raise NotAllowedError(
                f"You lack the permission to {action} {resource} on this server, so nothing was done; its administrator"
                " can grant it."
            )

    def _parameters(self, known: Iterable[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in self.request.query_arguments:
            values = self.get_query_arguments(name, strip=False)
            # JupyterLab adds the time in milliseconds as a parameter without a value, to avoid caches.
            if name not in _EVERYWHERE and not (name.isdigit() and values == [""]):
                if len(values) > 1:
                    raise InvalidRequestError(
                        f"The parameter {name[:40]!r} occurs {len(values)} times; send it only once."
                    )
                found[name] = values[0]
        fields.known_only(found, known)
        return found

    def _json_object(self, known: Iterable[str]) -> dict[str, Any]:
        raw = self.request.body
        if len(raw) > _MAX_BODY:
            raise InvalidRequestError(f"The request's body has {len(raw)} bytes, but must have at most {_MAX_BODY}.")
        try:
            body = json.loads(raw.decode("utf-8")) if raw.strip() else {}
        except (ValueError, RecursionError):
            raise InvalidRequestError("The request's body is not valid JSON.") from None
        if not isinstance(body, dict):
            raise InvalidRequestError("The request's body must be a JSON object.")
        fields.known_only(body, known)
        return body

    def _idempotency_key(self) -> str | None:
        return fields.optional_text(self.request.headers, "Idempotency-Key", "header Idempotency-Key")

    async def _send(self, download: Download, threads: Executor) -> None:
        # The first part is read before a status is sent, so that an invalid request still gets its error.
        part = await _in_thread(threads, next, download.parts, None)
        self.set_header("Content-Type", download.content_type)
        self.set_header("Content-Disposition", f'attachment; filename="{download.name}"')
        try:
            while part is not None and not self._gone.done():
                self.write(part)
                # ``flush`` is done when the client has received the part, so that parts do not pile up in memory; it is
                # never done if the client has disconnected.
                await asyncio.wait((self.flush(), self._gone), return_when=asyncio.FIRST_COMPLETED)
                part = await _in_thread(threads, next, download.parts, None)
            download.parts.close()
        except Exception:
            # The connection is closed, since after a regular end the client would take a part for the whole file.
            self.log.exception("A download of the audit record failed, and its connection was closed.")
            connection: Any = self.request.connection
            connection.stream.close()
        else:
            self.finish(set_content_type=download.content_type)

    def on_connection_close(self) -> None:
        if not self._gone.done():
            self._gone.set_result(None)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        # tornado would send status 500 for every error that is not its own.
        exc_info = kwargs.get("exc_info")
        if exc_info is not None:
            status_code, _ = http_errors.describe(exc_info[1], status_code)
        super().send_error(status_code, **kwargs)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        # A refused request is not logged, since it is no failure of the server.
        if http_errors.describe(value)[0] >= 500:
            super().log_exception(typ, value, tb)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        exc_info = kwargs.get("exc_info")
        _, body = http_errors.describe(None if exc_info is None else exc_info[1], status_code)
        self.finish(json.dumps(body))


async def _in_thread(threads: Executor, work: Callable[..., ResultT], *args: Any) -> ResultT:
    return await asyncio.get_running_loop().run_in_executor(threads, work, *args)
