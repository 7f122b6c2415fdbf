"""The REST interface under ``aumos-governance/v1/``, as `openapi.yaml` describes it: thin, no rule lives here."""

from __future__ import annotations

import re
from concurrent.futures import Executor
from typing import Any, Final

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...wire import fields
from ..identity.users import is_made_up
from .audit_handlers import AuditHandler, ExportHandler, SumsHandler, VerifyHandler
from .examples import ExampleHandler
from .people import People
from .rest import RestHandler
from .waiting_handlers import (
    AcknowledgeHandler,
    ApprovalsHandler,
    CorrectionsHandler,
    DecisionHandler,
    HoldsHandler,
    ReleaseHandler,
    ReportsHandler,
    SettleHandler,
)

__all__ = ["HANDLERS", "PREFIX", "routes"]

PREFIX: Final = "aumos-governance/v1/"


class StateHandler(RestHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(self.people.state, self.path_parameter())

    @web.authenticated
    @authorized
    async def patch(self) -> None:
        path, body = self.path_parameter(), self.json_object()
        await self.answer(self.people.change, self.person(), path, body, self.idempotency_key())


class CloseHandler(RestHandler):
    @web.authenticated
    @authorized
    async def post(self) -> None:
        path = self.path_parameter()
        fields.known_only(self.json_object(), ())
        await self.answer(self.people.close, self.person(), path, self.idempotency_key())


class EnvelopesHandler(RestHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(self.people.envelopes, self.path_parameter())


class NotebooksHandler(RestHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        parameters = self.parameters(("after", "limit"))
        limit = self.limit_parameter(parameters)
        await self.answer(self.people.notebooks, parameters.get("after", ""), limit)


class KernelsHandler(RestHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        self.parameters(())
        await self.answer(self.people.kernels)


class ConfigHandler(RestHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        self.parameters(())
        await self.answer(self.people.config, is_made_up(self))


HANDLERS: Final[dict[str, type[RestHandler]]] = {
    "state": StateHandler,
    "close": CloseHandler,
    "envelopes": EnvelopesHandler,
    "notebooks": NotebooksHandler,
    "kernels": KernelsHandler,
    "config": ConfigHandler,
    "holds": HoldsHandler,
    "holds/{id}/settle": SettleHandler,
    "holds/{id}/release": ReleaseHandler,
    "approvals": ApprovalsHandler,
    "approvals/{id}": DecisionHandler,
    "reports": ReportsHandler,
    "reports/{id}/acknowledge": AcknowledgeHandler,
    "corrections": CorrectionsHandler,
    "audit": AuditHandler,
    "audit/sums": SumsHandler,
    "audit/verify": VerifyHandler,
    "audit/export": ExportHandler,
    "examples/{name}": ExampleHandler,
}
"""By path below the prefix."""


def routes(
    people: People, workers: Executor, long_reads: Executor
) -> list[tuple[str, type[RestHandler], dict[str, Any]]]:
    """What to add to the server's handlers."""
    parts = {"people": people, "workers": workers, "long_reads": long_reads}
    return [(PREFIX + re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path), handler, parts) for path, handler in HANDLERS.items()]
