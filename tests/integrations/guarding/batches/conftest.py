"""The engine of the tests of batches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integrations.till import Till


@pytest.fixture
def till() -> Iterator[Till]:
    """An engine with a budget, in which a batch may stay held after the test."""
    till = Till()
    with till.engine:
        yield till
