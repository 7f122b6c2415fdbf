"""The registry of the notebook's engine, through which governed clients and functions find it in a kernel.

There is one engine at most, since one process is one kernel. Importing this module imports no engine.
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
"""Whether the start-up hook registered the engine only because `registered_engine` was called. That function then
returns the engine only once the notebook has a session, or after `default_engine` was called."""


def default_engine() -> Engine:
    """Return this notebook's engine, for a caller that needs one. Raises ConfigurationError if there is none."""
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
    """Return this notebook's engine or None, for a caller that also works without an engine.

    If the user has not loaded the magics, and the kernel's start-up hook provides the engine, the engine is returned
    only once the notebook has a governance session.
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
    """Register the notebook's engine: ``provider`` returns it, and is called each time that it is needed.

    ``has_session`` returns whether the notebook has a governance session. ``provider=None`` unregisters the engine.
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
