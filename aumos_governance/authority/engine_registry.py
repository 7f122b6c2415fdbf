"""Finds the notebook's engine for callers that name none. Importing this module is cheap."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from .engine_protocol import Engine

__all__ = ["LOADER", "default_engine", "register_default_engine", "registered_engine"]

LOADER: Final = "_aumos_governance_loader"
"""The module that a kernel's start-up hook puts into ``sys.modules``; its ``load()`` registers the engine, and its
``forget()`` ends the hook."""
_provider: Callable[[], Engine] | None = None
_has_session: Callable[[], bool] | None = None
_optional = False
"""Whether the start-up hook registered the engine for a caller that can do without it."""


def default_engine() -> Engine:
    """The engine of this notebook, for calls that name none. Raises ConfigurationError where there is none."""
    global _optional  # noqa: PLW0603 - one process is one kernel
    _load(optional=False)
    if _provider is None:
        raise ConfigurationError(
            "There is no governance engine here: load the magics with %load_ext aumos_governance.jupyter_extension,"
            " or pass engine=GovernanceEngine()."
        )
    _optional = False
    return _provider()


def registered_engine() -> Engine | None:
    """Like `default_engine`, for a caller that can do without: None where none is registered.

    One that only the start-up hook registers counts as soon as the notebook has a session.
    """
    global _optional  # noqa: PLW0603
    _load(optional=True)
    if _provider is None or (_optional and _has_session is not None and not _has_session()):
        return None
    _optional = False
    return _provider()


def register_default_engine(
    provider: Callable[[], Engine] | None, has_session: Callable[[], bool] | None = None
) -> None:
    """Say where `default_engine` finds the engine, and whether its notebook has a session; None: nowhere."""
    global _provider, _has_session, _optional
    _provider, _has_session, _optional = provider, has_session, False
    loader = sys.modules.get(LOADER)
    if loader is not None:
        loader.forget()


def _load(*, optional: bool) -> None:
    global _optional  # noqa: PLW0603
    loader = sys.modules.get(LOADER) if _provider is None else None
    if loader is not None:
        loader.load()
        _optional = optional
