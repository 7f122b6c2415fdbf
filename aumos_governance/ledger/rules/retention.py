"""How long answers are kept under their idempotency keys."""

from __future__ import annotations

from typing import Final

from ...clock import MICROS

__all__ = ["HOUR", "KEEP_ASKS"]

HOUR: Final = 3600 * MICROS
"""Microseconds."""
KEEP_ASKS: Final = 48 * HOUR
"""Microseconds. Twice the promised day, so that a retry after a night and a day still finds its answer."""
