"""No handler of the extension serves a request without a login and a permission, tested on the server's application."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.base.handlers import APIHandler
from tornado.httpclient import HTTPClientError
from tornado.routing import ReversibleRuleRouter, RuleRouter
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

import aumos_governance.server
from aumos_governance.server.rest.table import PREFIX

XSRF = {"Cookie": "_xsrf=a", "X-XSRFToken": "a"}
"""Passes the XSRF check, so that a refusal must have another reason."""
Served = tuple[str, type[RequestHandler]]


def handlers(router: RuleRouter) -> Iterator[Served]:
    """Yield the patterns and handlers of the application, at all levels."""
    for rule in router.rules:
        if isinstance(rule.target, RuleRouter):
            yield from handlers(rule.target)
        elif isinstance(rule.target, type):
            yield rule.matcher.regex.pattern, rule.target


@pytest.fixture
def ours(jp_serverapp: Any, extension: Any) -> list[Served]:
    """Return the handlers that the package defines, that the extension adds, or whose pattern contains ``aumos``."""
    app = jp_serverapp.web_app
    added = {(f"{jp_serverapp.base_url}{pattern}$", handler) for pattern, handler, *_ in extension.handlers}
    assert extension.static_paths == []
    routers: list[ReversibleRuleRouter] = [app.default_router, app.wildcard_router]
    return [
        (pattern, handler)
        for router in routers
        for pattern, handler in handlers(router)
        if handler.__module__.startswith("aumos_governance.") or "aumos" in pattern or (pattern, handler) in added
    ]


class Attempts:
    """Requests with every method to a handler."""

    def __init__(self, jp_fetch: Any, jp_ws_fetch: Any, base_url: str) -> None:
        self._fetch = jp_fetch
        self._connect = jp_ws_fetch
        self._base_url = base_url

    async def served(self, ours: list[Served], headers: dict[str, str]) -> list[tuple[str, str, int]]:
        """Return the methods and patterns of all requests that were not refused."""
        found = []
        for pattern, handler in ours:
            path = re.sub(r"\(.*?\)", "x", pattern).removesuffix("$").removeprefix(self._base_url)
            for method in handler.SUPPORTED_METHODS:
                status, body = await self._status(handler, method, path, headers)
                # A browser sends OPTIONS without a login to find out which methods and headers are allowed; it has no
                # body.
                requests_in_advance = method == "OPTIONS" and body == b""
                # A refusal by the XSRF check proves nothing, since it comes before the check of the login.
                refused = status == 405 or (status == 403 and b"xsrf" not in body.lower())
                if not (requests_in_advance or refused):
                    found.append((method, pattern, status))
        return found

    async def _status(
        self, handler: type[RequestHandler], method: str, path: str, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        if method == "GET" and issubclass(handler, WebSocketHandler):
            try:
                (await self._connect(path, headers=dict(headers))).close()
            except HTTPClientError as error:
                return error.code, b""
            return 101, b""
        options = {"body": "{}"} if method in ("POST", "PUT", "PATCH") else {}
        response = await self._fetch(
            path, method=method, headers=dict(headers), raise_error=False, follow_redirects=False, **options
        )
        return response.code, response.body


@pytest.fixture
def attempts(jp_fetch: Any, jp_ws_fetch: Any, jp_base_url: str) -> Attempts:
    return Attempts(jp_fetch, jp_ws_fetch, jp_base_url)


def test_every_handler_that_is_defined_is_tried_here(ours: list[Served]) -> None:
    package = aumos_governance.server
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    defined: set[type[RequestHandler]] = set()
    todo: list[type[RequestHandler]] = [RequestHandler]
    while todo:
        below = todo.pop().__subclasses__()
        todo += below
        defined |= {handler for handler in below if handler.__module__.startswith("aumos_governance.")}
    assert {handler for _, handler in ours} == defined
    assert any(PREFIX in pattern for pattern, _ in ours)
    assert any(issubclass(handler, WebSocketHandler) for handler in defined)


async def test_without_a_login_every_request_is_refused(ours: list[Served], attempts: Attempts) -> None:
    assert await attempts.served(ours, {"Authorization": "", **XSRF}) == []
    assert await attempts.served(ours, {"Authorization": "token wrong", **XSRF}) == []


class Open(APIHandler):
    """A handler whose author has forgotten the login."""

    def get(self) -> None:
        self.finish("{}")


async def test_a_handler_that_demands_no_login_would_be_found(
    jp_serverapp: Any, jp_base_url: str, attempts: Attempts
) -> None:
    pattern = f"{jp_base_url}{PREFIX}open"
    jp_serverapp.web_app.add_handlers(".*$", [(pattern, Open)])
    assert await attempts.served([(pattern, Open)], {"Authorization": "", **XSRF}) == [("GET", pattern, 200)]


class NoPermissions(Authorizer):
    requested: set[tuple[str, str]] = set()  # noqa: RUF012 - traits take no annotation of their own

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        self.requested.add((action, resource))
        return False


class TestWithoutPermissions:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
        jp_server_config.ServerApp.authorizer_class = NoPermissions
        monkeypatch.setattr(NoPermissions, "requested", set())
        return jp_server_config

    async def test_a_user_without_permissions_is_refused_every_request(
        self, ours: list[Served], attempts: Attempts
    ) -> None:
        assert await attempts.served(ours, {}) == []
        request_for = {("read", "aumos-governance"), ("write", "aumos-governance"), ("execute", "events")}
        assert request_for == NoPermissions.requested
