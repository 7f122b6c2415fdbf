"""The registry through which callers without an engine of their own find the notebook's engine.

Importing this module imports no engine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from .engine_protocol import Engine

LOADER: Final = "_aumos_governance_loader"
"""The name of the module that a kernel's start-up hook adds to ``sys.modules``. Its ``load()`` registers the engine,
and its ``forget()`` removes the hook."""
_provider: Callable[[], Engine] | None = None
_has_session: Callable[[], bool] | None = None
_optional = False
"""Whether the start-up hook registered the engine, and so far only for callers that can do without one."""


def default_engine() -> Engine:
    """Return this notebook's engine, for calls without an engine. Raises ConfigurationError if there is none."""
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
    """Return this notebook's engine, or None if none is registered, for a caller that can do without one.

    An engine that only the start-up hook registered is returned only once the notebook has a session.
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
    """Set the functions that return the notebook's engine, and whether the notebook has a session.

    ``provider=None`` unregisters the engine.
    """
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
