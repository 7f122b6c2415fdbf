"""The size of what the labextension adds to the start of every page."""

from __future__ import annotations

import gzip
from pathlib import Path

import aumos_governance

_STATIC = Path(aumos_governance.__file__).parent / "labextension" / "static"


def test_the_bundle_is_small() -> None:
    scripts = list(_STATIC.glob("*.js"))
    assert scripts, "Build the labextension first: npm run build in labextension/."
    # A development build is larger than the bundle that is released.
    assert sum(len(gzip.compress(script.read_bytes())) for script in scripts) < 150_000
