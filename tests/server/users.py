"""Users that a server identifies by their tokens, and an authorizer that limits them."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth import IdentityProvider, User
from jupyter_server.auth.authorizer import Authorizer

__all__ = ["ADA", "BOB", "EVE", "Named", "ReadOnly"]

ADA, BOB, EVE = ({"Authorization": f"token {name}"} for name in ("ada", "bob", "eve"))


class Named(IdentityProvider):
    """An identity provider for which each user's token is the user's name."""

    def get_user_token(self, handler: Any) -> User | None:
        token = self.get_token(handler)
        return User(token) if token in ("ada", "bob", "eve") else None

    def get_user_cookie(self, handler: Any) -> User | None:
        return None


class ReadOnly(Authorizer):
    """An authorizer that lets all users read governance and none change it; it stores what it was called with."""

    requested: list[tuple[str, str]] = []  # noqa: RUF012 - traits take no annotation of their own

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        self.requested.append((action, resource))
        return action == "read"
