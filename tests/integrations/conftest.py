from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integrations.endpoint.server import Endpoint


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A provider on the loopback interface."""
    with Endpoint() as endpoint:
        yield endpoint
