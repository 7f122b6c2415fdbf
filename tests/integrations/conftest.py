from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integrations.clerk import Clerk
from tests.integrations.endpoint.server import Endpoint


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A provider on the loopback interface."""
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def clerk() -> Iterator[Clerk]:
    """An agent with a governed tool that sends mail."""
    with Clerk() as clerk:
        yield clerk
