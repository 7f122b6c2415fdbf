"""An authorizer with which users may read the governance state but change nothing."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.authorizer import Authorizer


class ReadOnly(Authorizer):
    """Denies every user the permission to write to this extension, and permits everything else."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return (action, resource) != ("write", "aumos-governance")
