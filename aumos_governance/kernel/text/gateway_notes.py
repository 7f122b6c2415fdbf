"""Makes the lines of ``%governance_status`` about the gateway, and about keys with which calls bypass governance."""

from __future__ import annotations

from collections.abc import Mapping

from ...printing import printable
from ...wire.provider_keys import GATEWAY_ENV, foreign_keys


def gateway_notes(environment: Mapping[str, str]) -> list[str]:
    """Return a line with the gateway's address, and a line with the variables that contain providers' own keys.

    Each line is left out if ``environment`` has nothing for it. The keys themselves are never shown.
    """
    notes = []
    if address := environment.get(GATEWAY_ENV):
        notes.append(f"Gateway: {printable(address)} charges what libraries call through it")
    if names := foreign_keys(environment):
        subject = "is a provider's own key" if len(names) == 1 else "are providers' own keys"
        notes.append(
            f"Not governed: {', '.join(names)} {subject}; calls with {'it' if len(names) == 1 else 'them'} that do not"
            " use govern() are neither limited nor recorded"
        )
    return notes
