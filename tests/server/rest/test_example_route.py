"""A route that is one function and one row of the table is authenticated and validated like all others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aumos_governance.ledger.contract.charges import Spend
from aumos_governance.ledger.contract.facts import Origin
from aumos_governance.server.rest import table
from tests.server.rest.example_route import EXAMPLE


@pytest.fixture
def jp_server_config(jp_server_config: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(table, "ROUTES", (*table.ROUTES, EXAMPLE))
    return jp_server_config


async def test_it_responds(rest: Any, extension: Any) -> None:
    for path, dollars in (("a.ipynb", 1), ("b.ipynb", 3)):
        await rest("PATCH", "state", {"budget": "5"}, path=path)
        spend = Spend(key="", origin=Origin("kernel"), notebook=extension._notebooks.key(path), amount=dollars * 10**9)
        await asyncio.get_running_loop().run_in_executor(None, extension._ledger.execute, spend)
    assert (await rest("GET", "spenders", least="2.5")).body == {"paths": ["b.ipynb"]}
    assert (await rest("GET", "spenders")).body == {"paths": ["a.ipynb", "b.ipynb"]}


@pytest.mark.parametrize(("parameters", "word"), [({"least": "lots"}, "lots"), ({"laest": "1"}, "'laest'")])
async def test_it_refuses_parameters_that_are_wrong_or_unknown(rest: Any, parameters: Any, word: str) -> None:
    response = await rest("GET", "spenders", **parameters)
    assert (response.status, word in response.body["message"]) == (400, True)


async def test_it_needs_a_login_and_knows_its_method_only(rest: Any) -> None:
    assert (await rest("GET", "spenders", None, {"Authorization": ""})).status == 403
    assert (await rest("POST", "spenders", {})).body["code"] == "METHOD_NOT_ALLOWED"
