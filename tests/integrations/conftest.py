from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integrations.clerk import Clerk
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till


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


@pytest.fixture
def till() -> Iterator[Till]:
    """An engine with a budget; nothing may be left held in it when the test is over."""
    till = Till()
    with till.engine:
        yield till
        assert till.held == 0
