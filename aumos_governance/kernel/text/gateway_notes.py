"""Makes the lines of ``%governance_status`` about the gateway, and about keys with which calls bypass governance."""

from __future__ import annotations

from collections.abc import Mapping

from ...printing import printable
from ...wire.provider_keys import GATEWAY_ENV, foreign_keys


def gateway_notes(environment: Mapping[str, str]) -> list[str]:
    """Return the lines about what these environment variables contain: the gateway's address, and providers' own keys.

    There is a line for each of the two that they contain. The line about keys names the variables and never shows the
    keys.
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
