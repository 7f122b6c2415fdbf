"""The version of the distribution; the build and the package both read it here."""

from __future__ import annotations

__version__ = "1.0.0a2"
