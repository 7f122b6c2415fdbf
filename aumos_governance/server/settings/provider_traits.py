"""The traits of the settings ``providers`` and ``gateway_port``.

The first only checks that its value is a dict; `gateway.configuration` validates each provider in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traitlets import TraitType

from ...gateway.configuration.providers import EXAMPLE
from .traits import literal, refuse


class Providers(TraitType[Any, Any]):
    """A dict of the gateway's providers, whose keys are the providers' names. It is stored unchanged."""

    info_text = f"a dict of providers, such as {EXAMPLE}"

    def validate(self, obj: Any, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            refuse(self, value, self.info_text)
        return dict(value)

    def from_string(self, s: str) -> Any:
        """Return the dict from the text of a command line.

        Text that is no Python literal is returned unchanged, so that `validate` refuses it with its message.
        """
        return literal(s)


class Port(TraitType[Any, Any]):
    """The number of a TCP port, or 0 for any free port."""

    info_text = "a port, a whole number from 1 to 65535, or 0 for any"

    def validate(self, obj: Any, value: Any) -> int:
        try:
            port = -1 if isinstance(value, (bool, float)) else int(value)
        except (TypeError, ValueError):
            port = -1
        if not 0 <= port <= 65535:
            refuse(self, value, self.info_text)
        return port
