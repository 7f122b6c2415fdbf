"""The two ways of a kernel's requests, and the setting of the server that chooses."""

from __future__ import annotations

WAYS = ["socket", "comm"]


def arguments(way: str) -> str:
    return f"--GovernanceExtension.local_socket={way == 'socket'}"
