"""A configuration in which users may read governance and change nothing."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.authorizer import Authorizer


class ReadOnly(Authorizer):
    """Denies every user to write to governance, and nothing else."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return (action, resource) != ("write", "aumos-governance")
