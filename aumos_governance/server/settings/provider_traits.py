"""The setting for the gateway's providers; what is in it is read by `gateway.configuration`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traitlets import TraitError, TraitType

from ...gateway.configuration.providers import EXAMPLE
from .traits import full_name, literal, shown

__all__ = ["Port", "Providers"]


class Providers(TraitType[Any, Any]):
    """A dict of providers by their names, each a dict; held as it is given."""

    info_text = f"a dict of providers, such as {EXAMPLE}"

    def validate(self, obj: Any, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise TraitError(f"{full_name(self)} is {shown(value)}, but must be {self.info_text}.")
        return dict(value)

    def from_string(self, s: str) -> Any:
        """A dict on a command line; any other text is refused with the rest."""
        return literal(s)


class Port(TraitType[Any, Any]):
    """A TCP port, or 0."""

    info_text = "a port, a whole number from 1 to 65535, or 0 for any"

    def validate(self, obj: Any, value: Any) -> int:
        try:
            port = -1 if isinstance(value, (bool, float)) else int(value)
        except (TypeError, ValueError):
            port = -1
        if not 0 <= port <= 65535:
            raise TraitError(f"{full_name(self)} is {shown(value)}, but must be {self.info_text}.")
        return port
