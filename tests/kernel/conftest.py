from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.real_kernel import Kernel, environment, started


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel with no server and state of its own, the magics loaded."""
    with started(environment(tmp_path), tmp_path) as running:
        yield running
