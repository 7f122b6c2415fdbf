"""A governed Jupyter server in the test's own process, with its ledger in memory."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

# Imported for this folder alone, since as a plugin its way to run coroutines would apply to every test.
from pytest_jupyter.jupyter_server import *  # noqa: F403
from tornado.httpclient import HTTPClientError, HTTPResponse
from traitlets.config import Config

GOVERNANCE = "aumos-governance/v1"


@pytest.fixture
def governance_config() -> dict[str, Any]:
    """The extension's settings; a module of tests or a parameter may override them."""
    return {}


@pytest.fixture
def jp_server_config(governance_config: dict[str, Any]) -> Config:
    return Config(
        {
            "ServerApp": {"jpserver_extensions": {"aumos_governance": True}},
            "GovernanceExtension": {"database_url": "memory://", **governance_config},
        }
    )


@dataclass(frozen=True)
class Response:
    status: int
    body: Any
    response: HTTPResponse


Rest = Callable[..., Awaitable[Response]]


@pytest.fixture
def rest(jp_fetch: Callable[..., Any]) -> Rest:
    """Send a REST request: ``await rest("GET", "state", path="a.ipynb")``; an error is returned as a response too."""

    async def send(method: str, name: str, body: Any = None, headers: Any = None, **parameters: str) -> Response:
        raw = body if isinstance(body, (str, bytes)) or body is None else json.dumps(body)
        options = {"body": raw, "allow_nonstandard_methods": True} if method != "GET" else {}
        try:
            response = await jp_fetch(
                GOVERNANCE, name, method=method, params=parameters, headers=dict(headers or {}), **options
            )
        except HTTPClientError as error:
            response = error.response
        return Response(response.code, json.loads(response.body), response)

    return send


@pytest.fixture
def extension(jp_serverapp: Any) -> Any:
    """Return the extension that runs in the server."""
    return jp_serverapp.extension_manager.extension_points["aumos_governance"].app
