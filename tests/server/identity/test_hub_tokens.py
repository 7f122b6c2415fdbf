"""On a JupyterHub, a program's token may read, but a user's decisions need a login with a browser."""

from __future__ import annotations

from typing import Any

import pytest
from jupyter_server.auth import IdentityProvider, User
from traitlets.config import Config

from aumos_governance.server.rest.table import ROUTES


class OfAHub(IdentityProvider):
    """An identity provider that returns users with the hub's user model, as JupyterHub 6.1.1 does."""

    async def get_user(self, handler: Any) -> User | None:
        token = self.get_token(handler) or ""
        user = User("ada")
        user.hub_user = {"name": "ada", "session_id": {"of-a-login": "5f3a"}.get(token)}  # type: ignore[attr-defined]
        handler._token_authenticated = True
        return user


DECISIONS = [
    ("PATCH", "state", {"budget": "5"}, {"path": "a.ipynb"}),
    ("POST", "close", {}, {"path": "a.ipynb"}),
    ("POST", "corrections", {"charge_id": "c", "amount": "1", "reason": "r"}, {}),
    ("POST", "holds/h/settle", {"cost": "1"}, {}),
    ("POST", "holds/h/release", {}, {}),
    ("POST", "approvals/a", {"decision": "approve", "digest": "d"}, {}),
    ("POST", "reports/r/acknowledge", {}, {}),
    ("POST", "limit-requests/s/deny", {}, {}),
    ("POST", "examples/governed-calls", {}, {}),
    ("POST", "keys", {"name": "script"}, {}),
    ("PATCH", "keys/k", {"path": "a.ipynb"}, {}),
    ("DELETE", "keys/k", {}, {}),
    ("POST", "stop", {}, {"path": "a.ipynb"}),
]


class TestOnAHub:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: Config) -> Config:
        config = Config(jp_server_config)
        config.ServerApp.update({"identity_provider_class": OfAHub})
        return config

    @pytest.mark.parametrize(("method", "name", "body", "parameters"), DECISIONS)
    async def test_a_program_decides_nothing(
        self, rest: Any, method: str, name: str, body: dict[str, str], parameters: dict[str, str]
    ) -> None:
        response = await rest(method, name, body, headers={"Authorization": "token of-the-server"}, **parameters)
        assert (response.status, response.body["code"]) == (403, "BROWSER_LOGIN_REQUIRED")

    async def test_a_program_reads(self, rest: Any) -> None:
        response = await rest("GET", "state", headers={"Authorization": "token of-the-server"}, path="a.ipynb")
        assert response.status == 200

    async def test_a_user_who_logged_in_with_a_browser_decides(self, rest: Any) -> None:
        headers = {"Authorization": "token of-a-login"}
        response = await rest("PATCH", "state", {"budget": "5"}, headers=headers, path="a.ipynb")
        assert (response.status, response.body["budget"], response.body["set_by"]) == (200, "5", "ada")

    def test_these_are_all_decisions(self) -> None:
        """The cases above include every route that changes something."""
        assert len([route for route in ROUTES if route.method != "GET"]) == len(DECISIONS)
