"""The number of files through which a spend passes; `python -m benchmarks.hops` prints them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.hops import python

MOST = 30
"""The most distinct files of the package from the magic to the record and its event."""
MOST_ABOVE_THE_LEDGER = 19


@pytest.mark.parametrize("way", ["comm", "socket"])
def test_a_spend_passes_few_files(way: str, tmp_path: Path) -> None:
    hops = python(way, tmp_path)
    above = {file for file in hops.files if not file.startswith("ledger/")}
    # Both ends are among the counted files.
    assert "kernel/magics/magics.py" in hops.kernel
    assert "server/live/state_events.py" in hops.server
    assert any(file.startswith("ledger/operations/") for file in hops.server)
    assert len(above) <= MOST_ABOVE_THE_LEDGER, sorted(above)
    assert len(hops.files) <= MOST, sorted(hops.files)
