"""Where the engine of a notebook is found by whoever names none. Importing this costs next to nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .errors import ConfigurationError

if TYPE_CHECKING:
    from .engine_protocol import Engine

__all__ = ["default_engine", "register_default_engine", "registered_engine"]

_provider: Callable[[], Engine] | None = None


def default_engine() -> Engine:
    """The engine of this notebook, for calls that name none. Raises ConfigurationError where there is none."""
    if _provider is None:
        raise ConfigurationError(
            "There is no governance engine here: load the magics with %load_ext aumos_governance.jupyter_extension,"
            " or pass engine=GovernanceEngine()."
        )
    return _provider()


def registered_engine() -> Engine | None:
    """Like `default_engine`, for whoever can do without: None where none is registered."""
    return None if _provider is None else _provider()


def register_default_engine(provider: Callable[[], Engine] | None) -> None:
    """Say where `default_engine` finds the engine; None: nowhere."""
    global _provider  # noqa: PLW0603 - one process is one kernel
    _provider = provider
