"""How every request of the REST interface is read and answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from typing import Any, Final, TypeVar

from jupyter_server.base.handlers import APIHandler

from ...errors import InvalidRequestError
from ...service.users import User
from ...wire import fields
from ..identity.rooms import clean_path
from ..identity.users import check_decides, user_of
from . import http_errors
from .people import People

__all__ = ["AUTH_RESOURCE", "RestHandler"]

AnswerT = TypeVar("AnswerT")
AUTH_RESOURCE: Final = "aumos-governance"
_MAX_BODY: Final = 64 * 1024
_READING: Final = ("GET", "HEAD", "OPTIONS")
_EVERYWHERE: Final = frozenset({"_xsrf", "token", "no_track_activity"})
"""Parameters that the server itself reads."""


class RestHandler(APIHandler):
    """What all handlers share: who asks, what is asked, and answers that are JSON."""

    auth_resource = AUTH_RESOURCE

    def initialize(self, people: People, workers: Executor, long_reads: Executor) -> None:
        self.people = people
        self.workers = workers
        self.long_reads = long_reads

    async def prepare(self, **options: Any) -> None:
        # For every route that there is and will be: what changes something is a user's decision.
        await super().prepare(**options)
        if self.request.method not in _READING and self.current_user is not None:
            check_decides(self)

    async def answer(self, work: Callable[..., dict[str, Any]], *args: Any, long: bool = False) -> None:
        """Do blocking work in a thread, and finish with its body; ``long`` as for `in_thread`."""
        self.finish(json.dumps(await self.in_thread(work, *args, long=long)))

    async def in_thread(self, work: Callable[..., AnswerT], *args: Any, long: bool = False) -> AnswerT:
        """Do blocking work: the ledger waits for the disk, and the loop serves everyone.

        What may read the whole record is ``long``, and has threads of its own, so that all else does not wait for it.
        """
        threads = self.long_reads if long else self.workers
        return await asyncio.get_running_loop().run_in_executor(threads, work, *args)

    def parameters(self, known: Iterable[str]) -> dict[str, str]:
        """The query's parameters; one that nobody reads is refused, since it may be a misspelt filter."""
        found: dict[str, str] = {}
        for name in self.request.query_arguments:
            values = self.get_query_arguments(name, strip=False)
            # JupyterLab adds the time in milliseconds, as a bare name, against caches.
            if name not in _EVERYWHERE and not (name.isdigit() and values == [""]):
                if len(values) > 1:
                    raise InvalidRequestError(f"The parameter {name[:40]!r} must be given once.")
                found[name] = values[0]
        fields.known_only(found, known)
        return found

    def page_of(self, parameters: Mapping[str, str]) -> tuple[str | None, str, int]:
        """The notebook's path (None: all of them), where the page starts, and how long it may be."""
        path = parameters.get("path")
        after = fields.optional_text(parameters, "after", "after")
        return None if path is None else clean_path(path), after or "", self.limit_parameter(parameters)

    def limit_parameter(self, parameters: Mapping[str, str]) -> int:
        return fields.whole(parameters, "limit", default=100, least=1, most=1_000)

    def path_parameter(self) -> str:
        return clean_path(self.parameters(("path",)).get("path", ""))

    def json_object(self) -> dict[str, Any]:
        """The request's body, ``{}`` where there is none."""
        raw = self.request.body
        if len(raw) > _MAX_BODY:
            raise InvalidRequestError(f"The request's body must have at most {_MAX_BODY} bytes.")
        try:
            body = json.loads(raw.decode("utf-8")) if raw.strip() else {}
        except (ValueError, RecursionError):
            raise InvalidRequestError("The request's body is not valid JSON.") from None
        if not isinstance(body, dict):
            raise InvalidRequestError("The request's body must be a JSON object.")
        return body

    def idempotency_key(self) -> str | None:
        return fields.optional_text(self.request.headers, "Idempotency-Key", "header Idempotency-Key")

    def person(self) -> User:
        return user_of(self, self.people.owner)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        # tornado takes every error that is not its own for a failure inside.
        exc_info = kwargs.get("exc_info")
        if exc_info is not None:
            status_code, _ = http_errors.describe(exc_info[1], status_code)
        super().send_error(status_code, **kwargs)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        # A refused request is no failure of the server.
        if http_errors.describe(value)[0] >= 500:
            super().log_exception(typ, value, tb)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        exc_info = kwargs.get("exc_info")
        _, body = http_errors.describe(None if exc_info is None else exc_info[1], status_code)
        self.finish(json.dumps(body))
