from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_server.auth.authorizer import Authorizer
from traitlets.config import Config

from tests.server.event_bus import Stream
from tests.server.users import ADA, Named


@pytest.fixture
def authorizer() -> type[Authorizer] | None:
    """Return the authorizer of a module's tests; with one, users have names, and ada makes requests without a user."""
    return None


@pytest.fixture
def jp_server_config(
    jp_server_config: Config,
    authorizer: type[Authorizer] | None,
    governance_config: dict[str, Any],  # named here as well: pytest 8.2 does not see what only an overridden one needs
) -> Config:
    config = Config(jp_server_config)
    if authorizer is not None:
        config.ServerApp.update({"identity_provider_class": Named, "authorizer_class": authorizer})
    return config


@pytest.fixture
def jp_auth_header(jp_auth_header: dict[str, str], authorizer: type[Authorizer] | None) -> dict[str, str]:
    return jp_auth_header if authorizer is None else dict(ADA)


@pytest.fixture
def stream(jp_ws_fetch: Any, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Stream]:
    """Return a function that subscribes to the server's events, with the given headers."""
    streams: list[Any] = []

    async def subscribe(headers: dict[str, str]) -> Any:
        streams.append(await jp_ws_fetch("api", "events", "subscribe", headers=dict(headers)))
        return streams[-1]

    async def leave() -> None:
        for opened in streams:
            opened.close()

    yield subscribe
    jp_asyncio_loop.run_until_complete(leave())
