"""Requests about charges, short enough for a test to read well."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aumos_governance.ledger.contract.budgets import HeldCharge
from aumos_governance.ledger.contract.charges import Correct, Hold, KernelGone, Release, Settle
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListHolds
from tests.ledger.kit import (
    BY_USER,
    CENT,
    KERNEL,
    NOTEBOOK,
    SERVER,
    key,
    records,
)

OTHER_KERNEL = replace(KERNEL, scope="kernel-2", incarnation="two")


def hold(amount: int = 10 * CENT, **values: Any) -> Hold:
    return Hold(**{"key": key(), "origin": KERNEL, "notebook": NOTEBOOK, "amount": amount} | values)


def settle(hold_id: str | None, amount: int, **values: Any) -> Settle:
    return Settle(**{"key": key(), "origin": KERNEL, "hold_id": hold_id, "amount": amount} | values)


def release(hold_id: str | None, **values: Any) -> Release:
    return Release(**{"key": key(), "origin": KERNEL, "hold_id": hold_id} | values)


def gone(incarnation: str = "one") -> KernelGone:
    return KernelGone(key=key(), origin=SERVER, incarnation=incarnation)


def held(ledger: Ledger, **values: Any) -> tuple[HeldCharge, ...]:
    return ledger.read(ListHolds(owner="ann", root="/srv/ann", **values))


def correct(charge_id: str | None, amount: int, **values: Any) -> Correct:
    return Correct(
        **{"key": key(), "origin": BY_USER, "charge_id": charge_id, "amount": amount, "reason": "double"} | values
    )


def sums(ledger: Ledger, notebook: NotebookKey = NOTEBOOK) -> tuple[int, int]:
    found = records(ledger, notebook=notebook)
    return sum(record.spent_delta for record in found), sum(record.held_delta for record in found)
