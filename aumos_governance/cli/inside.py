"""Refuses what only a user may decide, in a cell and to an agent inside a strict server."""

from __future__ import annotations

import os

from ..errors import NotAllowedError
from ..wire.protocol import KERNEL_ENV, STRICT_ENV

__all__ = ["refuse_inside"]


def refuse_inside(what: str) -> None:
    """Raise NotAllowedError in a kernel and inside a strict server; ``what`` begins the sentence."""
    for name in (KERNEL_ENV, STRICT_ENV):
        if os.environ.get(name):
            raise NotAllowedError(
                f"{what} in a terminal of your own, not from a notebook or inside a strict server ({name} is set here)."
            )
