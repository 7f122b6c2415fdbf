"""The two transports of a kernel's requests, each with the server's setting that chooses it."""

from __future__ import annotations

WAYS = ["socket", "comm"]


def arguments(way: str) -> str:
    return f"--GovernanceExtension.local_socket={way == 'socket'}"
