"""The traits for the gateway's providers and its port; `gateway.configuration` validates each provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traitlets import TraitType

from ...gateway.configuration.providers import EXAMPLE
from .traits import literal, refuse


class Providers(TraitType[Any, Any]):
    """A dict of providers by name, each a dict; stored unchanged."""

    info_text = f"a dict of providers, such as {EXAMPLE}"

    def validate(self, obj: Any, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            refuse(self, value, self.info_text)
        return dict(value)

    def from_string(self, s: str) -> Any:
        """Return the dict from a command line, or any other text unchanged, for `validate` to refuse."""
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
            refuse(self, value, self.info_text)
        return port
