"""Whose agents and consents are whose, where several share a ledger."""

from __future__ import annotations

__all__ = ["session_realm"]


def session_realm(session_id: str) -> str:
    """The realm of the agents of one governance session; it is of no more use when the session is closed."""
    return f"session/{session_id}"
