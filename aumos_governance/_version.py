"""The version of the package, the only place where it is set; the build reads it from this file."""

from __future__ import annotations

__version__ = "1.0.0a2"
