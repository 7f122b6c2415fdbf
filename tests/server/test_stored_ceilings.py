"""A second server of a user, without envelopes: the ceilings that the first one configured stay in effect."""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.budgets import ConfigureEnvelopes, EnvelopeKind, EnvelopeSpec
from aumos_governance.ledger.contract.facts import Origin
from aumos_governance.owner import owner
from aumos_governance.types import BudgetPeriod

USD = 1_000_000_000


@pytest.fixture
def governance_config(tmp_path: Path) -> dict[str, Any]:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    spec = EnvelopeSpec("class-5", 3 * USD, EnvelopeKind.TEAM, BudgetPeriod.MONTHLY)
    with closing(open_ledger(url)) as ledger:
        ledger.execute(
            ConfigureEnvelopes(
                key="", origin=Origin("server"), owner=owner(), root=str(tmp_path / "first"), envelopes=(spec,)
            )
        )
    return {"database_url": url, "envelopes": []}


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the warnings that the extension logs while it starts; pytest's `caplog` does not get them."""
    sentences: list[str] = []

    def warn(self: Any, text: str, *values: str) -> None:
        sentences.append(text % values)

    monkeypatch.setattr(logging.Logger, "warning", warn)
    return sentences


async def test_it_is_within_the_stored_ceiling_and_says_so_once(warned: list[str], rest: Any, extension: Any) -> None:
    (sentence,) = (found for found in warned if "class-5" in found)
    assert sentence == (
        "AumOS Governance: The team ceiling 'class-5' is $3.00 monthly in the ledger, unlike in this server's"
        " configuration (no such envelope); only the command jupyter governance ceiling changes it."
    )
    assert (await rest("PATCH", "state", {"budget": "9"}, path="a.ipynb")).status == 200
    (ceiling,) = (await rest("GET", "envelopes", path="a.ipynb")).body["envelopes"]
    assert (ceiling["name"], ceiling["limit"], ceiling["period"]) == ("class-5", "3", "monthly")
    (differs,) = (await rest("GET", "config")).body["ceilings_differ"]
    assert (differs["configured"], differs["stands"]) == (None, [{"limit": "3", "period": "monthly"}])
    assert (await rest("GET", "audit/verify")).body["ok"]
