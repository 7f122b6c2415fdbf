"""The user of a request: the recorded name, and the scope of the idempotency keys."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from jupyter_server.auth import IdentityProvider, User
from traitlets.config import Config

from aumos_governance.ledger.contract.charges import Spend
from aumos_governance.ledger.contract.facts import Origin

XSRF = "0123456789abcdef" * 2


class Named(IdentityProvider):
    """An identity provider that identifies users by their tokens, as a hub's does."""

    async def get_user_token(self, handler: Any) -> User | None:
        name = {"for-ada": "ada", "for-bob": "bob"}.get(self.get_token(handler) or "")
        return None if name is None else User(name)

    def get_user_cookie(self, handler: Any) -> User | None:
        return None


@pytest.fixture
def spent(extension: Any, rest: Any, jp_root_dir: Any) -> Callable[[], Awaitable[str]]:
    """Return a function that makes a charge of $5 in the notebook ``a.ipynb`` and returns its id."""

    async def make() -> str:
        await rest("PATCH", "state", {"budget": "10"}, path="a.ipynb")
        notebook = extension._notebooks.key("a.ipynb")
        request = Spend(key="", origin=Origin("kernel"), notebook=notebook, amount=5 * 10**9, tool="gpt")
        charged = await asyncio.get_running_loop().run_in_executor(None, extension._ledger.execute, request)
        return str(charged.charge_id)

    return make


def corrected(charge_id: str, reason: str = "not used") -> dict[str, str]:
    return {"charge_id": charge_id, "amount": "1", "reason": reason}


def login_cookie(response: Any) -> str:
    cookies = response.response.headers.get_list("Set-Cookie")
    return next(cookie.split(";")[0] for cookie in cookies if cookie.startswith("username-"))


async def left(rest: Any, charge_id: str) -> tuple[str, list[str]]:
    """Return the amount of a charge that still counts, and the users who corrected it."""
    spent = (await rest("GET", "state", path="a.ipynb")).body["spent"]
    records = (await rest("GET", "audit", event="correct")).body["records"]
    return spent, [record["actor"] for record in records]


async def test_a_client_without_cookies_that_sends_a_correction_thrice_takes_it_back_once(
    rest: Any, spent: Any
) -> None:
    charge_id = await spent()
    key = {"Idempotency-Key": "k-1"}
    responses = [await rest("POST", "corrections", corrected(charge_id), key) for _ in range(3)]
    assert [response.status for response in responses] == [200] * 3
    assert responses[0].body == responses[1].body == responses[2].body
    assert await left(rest, charge_id) == ("4", ["token"])
    reused = await rest("POST", "corrections", corrected(charge_id, "another"), key)
    assert (reused.status, reused.body["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


async def test_nor_does_it_matter_whether_it_keeps_the_cookie_of_the_first_response(rest: Any, spent: Any) -> None:
    charge_id = await spent()
    key = {"Idempotency-Key": "k-1"}
    first = await rest("POST", "corrections", corrected(charge_id), key)
    again = await rest("POST", "corrections", corrected(charge_id), {**key, "Cookie": login_cookie(first)})
    assert again.body == first.body
    assert await left(rest, charge_id) == ("4", ["token"])


def browser(cookie: str, *, token: bool) -> dict[str, str]:
    """Return the headers that a JupyterLab page sends, on a server with a token or a password."""
    headers = {"Idempotency-Key": "k-1", "X-XSRFToken": XSRF, "Cookie": f"{cookie}; _xsrf={XSRF}"}
    return headers if token else {**headers, "Authorization": "none"}


@pytest.mark.parametrize("token", [True, False], ids=["token", "password"])
async def test_a_browser_is_the_servers_only_user(rest: Any, spent: Any, extension: Any, token: bool) -> None:
    charge_id = await spent()
    page = browser(login_cookie(await rest("GET", "config")), token=token)
    first = await rest("POST", "corrections", corrected(charge_id), dict(page))
    again = await rest("POST", "corrections", corrected(charge_id), dict(page))
    assert (first.status, again.body) == (200, first.body)
    owner = extension._notebooks.owner
    assert await left(rest, charge_id) == ("4", [owner])
    assert (await rest("GET", "config")).body["user"] == owner


async def test_two_sessions_of_browsers_do_not_mix_up_their_keys(rest: Any, spent: Any, extension: Any) -> None:
    charge_id = await spent()
    pages = [browser(login_cookie(await rest("GET", "config")), token=False) for _ in range(2)]
    reasons = ["one", "another"]
    for page, reason in zip(pages * 2, reasons * 2, strict=True):
        assert (await rest("POST", "corrections", corrected(charge_id, reason), dict(page))).status == 200
    assert await left(rest, charge_id) == ("3", [extension._notebooks.owner] * 2)


async def test_what_stands_for_the_token_does_not_give_it_away(
    rest: Any, spent: Any, extension: Any, jp_serverapp: Any
) -> None:
    scopes: list[str] = []
    execute = extension._ledger.execute
    extension._ledger.execute = lambda request: (scopes.append(request.origin.scope), execute(request))[1]
    await rest("POST", "close", path="a.ipynb")
    await rest("POST", "close", path="a.ipynb")
    assert len(scopes) == 2
    assert scopes[0] == scopes[1]
    token = jp_serverapp.identity_provider.token
    # A new secret must change the hash of the token, since only the secret keeps a short token from being guessed.
    jp_serverapp.web_app.settings["cookie_secret"] = b"another"
    await rest("POST", "close", path="a.ipynb")
    assert scopes[2] != scopes[0]
    assert all(token not in scope and scope.startswith("token:") for scope in scopes)


@pytest.fixture
def named() -> Config:
    return Config({"ServerApp": {"identity_provider_class": Named}})


class TestNamed:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: Config, named: Config) -> Config:
        return Config({**jp_server_config, "ServerApp": {**jp_server_config.ServerApp, **named.ServerApp}})

    @pytest.fixture
    def jp_auth_header(self) -> dict[str, str]:
        return {"Authorization": "token for-ada"}

    async def test_users_with_names_keep_them_and_their_keys(self, rest: Any, spent: Any) -> None:
        charge_id = await spent()
        key = {"Idempotency-Key": "k-1"}
        other = {**key, "Authorization": "token for-bob"}
        for headers in (key, key, other, other):
            assert (await rest("POST", "corrections", corrected(charge_id), dict(headers))).status == 200
        assert await left(rest, charge_id) == ("3", ["bob", "ada"])
        assert (await rest("GET", "config")).body["user"] is None
