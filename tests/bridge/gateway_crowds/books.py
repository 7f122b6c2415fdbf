"""A notebook's audit records, read as they are written, and the state of its calls that they prove."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.bridge.gateway_crowds.client import MODEL, Call
from tests.bridge.gateway_crowds.upstream import INPUT
from tests.bridge.live_server import GOVERNANCE, LiveServer

PRICES = {MODEL: {"input_mtok": "0.05", "output_mtok": 40}}
"""Prices in USD for a million tokens: a limit of 75,000 output tokens costs at most $3, and 150 tokens cost $0.006."""
_INPUT, _OUTPUT = Decimal("0.05") / 10**6, Decimal(40) / 10**6
_ENDS = ("settle", "release", "void")


def cost(used: int) -> Decimal:
    """Return the cost in USD of this number of output tokens."""
    return INPUT * _INPUT + used * _OUTPUT


@dataclass
class Charge:
    """One hold, and how it ended."""

    id: str
    held: Decimal
    end: str | None = None
    spent: Decimal = Decimal(0)
    estimated: bool = False
    unknown: bool = False
    """Whether the hold's outcome is unknown."""


@dataclass
class Books:
    """The records of the notebook at ``path``. Each record is read once, and checked when it is read."""

    server: LiveServer
    path: str
    charges: dict[int, Charge] = field(default_factory=dict)
    """The charges, by the output limit of the call, which is different for each call."""
    denied: set[int] = field(default_factory=set)
    """The output limits of the calls that were denied."""
    budget: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    held: Decimal = Decimal(0)
    most: Decimal = Decimal(0)
    """The highest part of the budget that was spent and held at once."""
    _seen: set[str] = field(default_factory=set)
    _by_id: dict[str, Charge] = field(default_factory=dict)

    def read(self) -> None:
        for record in self._new():
            if record["chain"] == "ledger":
                continue
            if "budget" in record["detail"]:
                budget = record["detail"]["budget"]
                self.budget = Decimal(budget["to"] if isinstance(budget, dict) else budget)
            self._take(record)
            self.spent += Decimal(record["spent_delta"])
            self.held += Decimal(record["held_delta"])
            assert self.spent + self.held <= self.budget, record
            assert min(self.spent, self.held) >= 0, record
            if self.budget:
                self.most = max(self.most, (self.spent + self.held) / self.budget)

    def open(self) -> list[Charge]:
        """Return the holds that have not ended."""
        return [charge for charge in self.charges.values() if charge.end is None]

    def _take(self, record: dict[str, Any]) -> None:
        event, detail = record["event"], record["detail"]
        if event == "hold":
            limit = int(Decimal(detail.get("worst_case", record["amount"])) / _OUTPUT)
            if record["outcome"] == "deny":
                unknown = sum(charge.held for charge in self.open() if charge.unknown)
                least = Decimal(detail.get("least", record["amount"]))
                assert self.spent + unknown + least > self.budget, "it was denied, and would have fitted"
                self.denied.add(limit)
                return
            assert limit not in self.charges, "each call is held once"
            charge = Charge(record["charge_id"], Decimal(record["amount"]))
            self.charges[limit] = self._by_id[charge.id] = charge
        elif event == "unresolved":
            self._by_id[record["charge_id"]].unknown = True
        elif event in _ENDS:
            charge = self._by_id[record["charge_id"]]
            assert charge.end is None, "each call is ended once"
            charge.end, charge.spent = event, Decimal(record["spent_delta"])
            charge.estimated = bool(detail.get("estimated"))
            assert charge.spent <= charge.held
            assert Decimal(record["held_delta"]) == -charge.held

    def _new(self) -> list[dict[str, Any]]:
        """Return the new records, oldest first."""
        found: list[dict[str, Any]] = []
        parameters: dict[str, Any] = {"path": self.path, "limit": 500}
        while True:
            page = self.server.json("GET", GOVERNANCE + "audit", params=parameters)
            new = [record for record in page["records"] if record["record_id"] not in self._seen]
            found += new
            if len(new) < len(page["records"]) or not page["cursor"]:
                break
            parameters["cursor"] = page["cursor"]
        self._seen |= {record["record_id"] for record in found}
        return found[::-1]


def check(books: Books, calls: list[Call], *, server_died: float | None = None, client_died: bool = False) -> int:
    """Compare the clients' calls with the records; return the number of complete calls whose outcome is unknown.

    Only a server that was killed, at the time ``server_died``, may leave such calls: the last complete call of each
    worker before that time, whose charge was not yet on disk.
    """
    before = [call for call in calls if server_died is not None and call.began < server_died]
    last = {call.worker: call.limit for call in before if call.came == "whole"}
    may_be_unknown = {call.limit for call in before}
    unknown = 0
    for call in calls:
        charge = books.charges.get(call.limit)
        if call.came == "whole":
            assert charge is not None, f"it is lost: {call}"
            assert call.used is not None
            if charge.end is None:
                assert charge.unknown, call
                assert charge.held >= cost(call.used)
                assert last.get(call.worker) == call.limit, f"its worker made another call after it: {call}"
                unknown += 1
            else:
                found = charge.end, charge.estimated, charge.spent
                assert found == ("settle", False, cost(call.used)), (call, charge)
        elif call.came == "refused":
            _check_refused(books, call, charge)
        else:
            assert call.came != "part", f"a part was taken for the whole: {call}"
            assert charge is None or charge.end is not None or (call.limit in may_be_unknown and charge.unknown), (
                call,
                charge,
            )
    known = {call.limit for call in calls}
    assert client_died or not {limit for limit in books.charges if limit >= min(known)} - known
    return unknown


def _check_refused(books: Books, call: Call, charge: Charge | None) -> None:
    if call.status == 402:
        assert charge is None
        assert call.limit in books.denied, call
    elif call.status == 401:
        assert charge is None
    elif call.code == "UPSTREAM_UNREACHABLE":
        assert charge is not None
        assert (charge.end, charge.spent) == ("release", 0), (call, charge)
    else:
        assert call.code == "UPSTREAM_BROKEN", call
        assert charge is not None
        # The client received nothing of the response, so the held amount was charged.
        assert (charge.end, charge.estimated, charge.spent) == ("settle", True, charge.held), (call, charge)
