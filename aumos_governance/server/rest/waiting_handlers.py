"""Holds, approvals, reports and corrections over REST."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from .rest import RestHandler

__all__ = [
    "AcknowledgeHandler",
    "ApprovalsHandler",
    "CorrectionsHandler",
    "DecisionHandler",
    "HoldsHandler",
    "ReleaseHandler",
    "ReportsHandler",
    "SettleHandler",
]

_PAGE = ("path", "after", "limit")


class HoldsHandler(RestHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(self.people.holds, *self.page_of(self.parameters(_PAGE)))


class SettleHandler(RestHandler):
    @web.authenticated
    @authorized
    async def post(self, id: str) -> None:
        self.parameters(())
        await self.answer(self.people.waiting.settle, self.person(), id, self.json_object(), self.idempotency_key())


class ReleaseHandler(RestHandler):
    @web.authenticated
    @authorized
    async def post(self, id: str) -> None:
        self.parameters(())
        await self.answer(self.people.waiting.release, self.person(), id, self.json_object(), self.idempotency_key())


class ApprovalsHandler(RestHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(self.people.approvals, *self.page_of(self.parameters(_PAGE)))


class DecisionHandler(RestHandler):
    @web.authenticated
    @authorized
    async def post(self, id: str) -> None:
        self.parameters(())
        await self.answer(self.people.waiting.decide, self.person(), id, self.json_object(), self.idempotency_key())


class ReportsHandler(RestHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(self.people.reports, *self.page_of(self.parameters(_PAGE)))


class AcknowledgeHandler(RestHandler):
    @web.authenticated
    @authorized
    async def post(self, id: str) -> None:
        self.parameters(())
        await self.answer(
            self.people.waiting.acknowledge, self.person(), id, self.json_object(), self.idempotency_key()
        )


class CorrectionsHandler(RestHandler):
    @web.authenticated
    @authorized
    async def post(self) -> None:
        self.parameters(())
        await self.answer(self.people.waiting.correct, self.person(), self.json_object(), self.idempotency_key())
