"""Makes the lines of ``%governance_status`` about the gateway, and about providers' keys that let calls bypass it."""

from __future__ import annotations

from collections.abc import Mapping

from ...printing import printable
from ...wire.provider_keys import GATEWAY_ENV, foreign_keys


def gateway_notes(environment: Mapping[str, str]) -> list[str]:
    """Return a line with the gateway's address and a line about providers' own keys, each if the environment has it.

    The second line names only the variables with the keys, and never shows the keys.
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
