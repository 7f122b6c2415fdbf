"""Random histories of requests on every backend, compared with a model that is independent of them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from aumos_governance.errors import ConflictError, NotAllowedError
from aumos_governance.ledger.contract.budgets import ConfigureEnvelopes, EnvelopeKind, EnvelopeSpec, SetBudget
from aumos_governance.ledger.contract.charges import (
    Adjust,
    Correct,
    ExpireHolds,
    Hold,
    KernelGone,
    Release,
    Settle,
    Spend,
    Void,
)
from aumos_governance.ledger.contract.facts import Origin
from aumos_governance.ledger.contract.queries import ListBudgets, ListEnvelopes
from aumos_governance.ledger.contract.requests import CloseSession, OpenSession, Request
from aumos_governance.types import BudgetPeriod, TrustLevel
from tests.ledger.conftest import EMPTY
from tests.ledger.kit import (
    BY_USER,
    CENT,
    KERNEL,
    SECOND,
    SERVER,
    TERMS,
    Backend,
    at,
    key,
    records,
    state,
)
from tests.ledger.model import Charge, Model

NOTEBOOKS = ("a.ipynb", "b.ipynb")
KERNELS = ("one", "two")
# Only a few different amounts, so that a sum often meets a ceiling exactly.
amounts = st.integers(min_value=0, max_value=3).map(lambda dimes: dimes * 10 * CENT)
paid = st.integers(min_value=1, max_value=3).map(lambda dimes: dimes * 10 * CENT)
ceilings = st.integers(min_value=0, max_value=8).map(lambda dimes: dimes * 10 * CENT)
notebooks = st.sampled_from(NOTEBOOKS)
kernels = st.sampled_from(KERNELS)
categories = st.sampled_from([None, "research"])


Made = tuple[str, str, str]
"""A charge as its client knows it: the request's key, the charge's id, and the caller."""


class Histories(RuleBasedStateMachine):
    """All requests that a ledger gets, and the rules that must hold after each of them."""

    make: Callable[[], Backend]
    charges: Bundle[Made] = Bundle("charges")
    holds: Bundle[Made] = Bundle("holds")

    @initialize()
    def start(self) -> None:
        self.backend = type(self).make()
        self.ledger = self.backend.open()
        self.model = Model()
        self.done: list[tuple[Request[Any], Any]] = []

    def teardown(self) -> None:
        if hasattr(self, "backend"):
            assert self.ledger.verify().ok
            self.backend.close()

    def do(self, request: Request[Any]) -> Any:
        response = self.ledger.execute(request)
        self.model.expire(self.backend.clock.now)
        self.done.append((request, response))
        return response

    def origin(self, kernel: str) -> Origin:
        return Origin("kernel", scope=f"kernel-{kernel}", incarnation=kernel)

    # ---- sessions and ceilings

    @rule(notebook=notebooks, budget=ceilings, level=st.sampled_from([0, 1, 2, 2, 5]))
    def open(self, notebook: str, budget: int, level: int) -> None:
        self.do(
            OpenSession(
                key=key(),
                origin=KERNEL,
                notebook=at(notebook),
                terms=TERMS,
                budget=budget,
                trust_level=TrustLevel(level),
                new=True,
            )
        )
        self.model.open(notebook, budget, level)

    @rule(notebook=notebooks)
    def close(self, notebook: str) -> None:
        self.do(CloseSession(key=key(), origin=KERNEL, notebook=at(notebook), terms=TERMS))
        self.model.close(notebook)

    @rule(notebook=notebooks, budget=ceilings)
    def change(self, notebook: str, budget: int) -> None:
        session = self.model.session(notebook)
        if session is None:
            return
        # The kernel sets the value, so that a later request of a kernel may raise it.
        self.do(OpenSession(key=key(), origin=KERNEL, notebook=at(notebook), terms=TERMS, budget=budget))
        self.model.ceilings[f"session {self.model.current[notebook]}"] = budget

    @rule(configured=st.dictionaries(st.sampled_from(["notebook", "server"]), ceilings))
    def configure(self, configured: dict[str, int]) -> None:
        specs = tuple(EnvelopeSpec(kind, ceiling, EnvelopeKind(kind)) for kind, ceiling in configured.items())
        self.do(ConfigureEnvelopes(key=key(), origin=SERVER, owner="ann", root="/srv/ann", envelopes=specs))
        self.model.configure(configured)

    @rule(notebook=notebooks, ceiling=ceilings)
    def budget(self, notebook: str, ceiling: int) -> None:
        session = self.model.session(notebook)
        if session is None:
            return
        create = "research" not in session.categories
        self.do(
            SetBudget(
                key=key(),
                origin=KERNEL,
                notebook=at(notebook),
                category="research",
                ceiling=ceiling,
                period=BudgetPeriod.LIFETIME,
                create=create,
            )
        )
        self.model.budget(notebook, "research", ceiling)

    # ---- charges

    def usable(self, notebook: str, category: str | None) -> str | None:
        session = self.model.session(notebook)
        return category if session is not None and category in session.categories else None

    @rule(target=charges, notebook=notebooks, kernel=kernels, amount=paid, category=categories, already=st.booleans())
    def spend(self, notebook: str, kernel: str, amount: int, category: str | None, already: bool) -> Made:
        category = self.usable(notebook, category)
        request = Spend(
            key=key(),
            origin=self.origin(kernel),
            notebook=at(notebook),
            amount=amount,
            category=category,
            already_paid=already,
        )
        verdict = self.model.verdict(notebook, category, amount)
        decision = self.do(request)
        assert decision.code == verdict
        charged = verdict is None or (already and verdict != "NO_SESSION")
        assert decision.allowed == charged
        assert (decision.charge_id is not None) == charged
        if charged:
            self.model.charge(request.key, notebook, category, Charge(0, (), spent=amount, kernel=kernel))
        return request.key, decision.charge_id or "", kernel

    @rule(
        target=holds,
        notebook=notebooks,
        kernel=kernels,
        amount=amounts,
        category=categories,
        lasts=st.sampled_from([None, None, 5, 50]),
    )
    def hold(self, notebook: str, kernel: str, amount: int, category: str | None, lasts: int | None) -> Made:
        category = self.usable(notebook, category)
        until = None if lasts is None else self.backend.clock.now + lasts * SECOND
        request = Hold(
            key=key(),
            origin=self.origin(kernel),
            notebook=at(notebook),
            amount=amount,
            category=category,
            until=until,
        )
        verdict = self.model.verdict(notebook, category, amount)
        decision = self.do(request)
        assert decision.code == verdict
        if decision.allowed:
            charge = Charge(0, (), held=amount, state="held", kernel=kernel, until=until)
            self.model.charge(request.key, notebook, category, charge)
        return request.key, decision.charge_id or "", kernel

    @rule(hold=holds, amount=amounts, user=st.booleans(), estimated=st.booleans())
    def settle(self, hold: Made, amount: int, user: bool, estimated: bool) -> None:
        self.resolve(hold, user, amount, estimated)

    @rule(hold=holds, amount=amounts)
    def adjust(self, hold: Made, amount: int) -> None:
        name, charge_id, _ = hold
        charge = self.model.charges.get(name)
        if charge is None:
            return
        request = Adjust(
            key=key(),
            origin=self.origin(charge.kernel),
            notebook=at(NOTEBOOKS[0]),
            charge_id=charge_id,
            amount=amount,
        )
        self.model.expire(self.backend.clock.now + 1)
        if not charge.estimated:
            with pytest.raises(ConflictError):
                self.do(request)
        else:
            assert self.do(request).estimate == charge.spent
            charge.spent, charge.estimated = amount, False

    @rule(hold=holds, user=st.booleans())
    def release(self, hold: Made, user: bool) -> None:
        self.resolve(hold, user, None)

    def resolve(self, hold: Made, user: bool, amount: int | None, estimated: bool = False) -> None:
        name, charge_id, _ = hold
        charge = self.model.charges.get(name)
        if charge is None:
            return
        origin = BY_USER if user else self.origin(charge.kernel)
        request: Request[Any]
        if amount is None:
            request = Release(key=key(), origin=origin, hold_id=charge_id)
        else:
            request = Settle(key=key(), origin=origin, hold_id=charge_id, amount=amount, estimated=estimated)
        open_states = ("held", "unresolved") if amount is None else ("held", "unresolved", "expired")
        self.model.expire(self.backend.clock.now + 1)
        if charge.state not in open_states:
            with pytest.raises(ConflictError):
                self.do(request)
        elif user and charge.state == "held":
            with pytest.raises(NotAllowedError):
                self.do(request)
        else:
            resolved = self.do(request)
            assert resolved.overrun == ((amount or 0) > charge.held)
            charge.state = "released" if amount is None else "settled"
            charge.held, charge.spent, charge.estimated = 0, amount or 0, estimated

    @rule(charge=st.one_of(charges, holds))
    def void(self, charge: Made) -> None:
        name, _, kernel = charge
        known = self.model.charges.get(name)
        request = Void(key=key(), origin=self.origin(kernel), notebook=at(NOTEBOOKS[0]), of=name)
        self.model.expire(self.backend.clock.now + 1)
        expected = known is not None and known.state in ("spent", "held")
        response = self.do(request)
        if known is None or known.state == "voided":
            return
        assert response.voided == expected
        if expected:
            known.state, known.spent, known.held = "voided", 0, 0

    @rule(charge=consumes(charges), part=st.integers(min_value=1, max_value=3))
    def correct(self, charge: Made, part: int) -> None:
        name, charge_id, _ = charge
        known = self.model.charges.get(name)
        if known is None or known.state != "spent":
            return
        amount = part * 10 * CENT
        request = Correct(key=key(), origin=BY_USER, charge_id=charge_id, amount=amount, reason="wrong")
        if amount > known.spent:
            with pytest.raises(ConflictError):
                self.do(request)
        else:
            self.do(request)
            known.spent -= amount
            known.state = "corrected"

    # ---- what happens to everyone

    @rule(kernel=kernels)
    def kernel_gone(self, kernel: str) -> None:
        self.do(KernelGone(key=key(), origin=SERVER, incarnation=kernel))
        for charge in self.model.charges.values():
            if charge.state == "held" and charge.kernel == kernel:
                charge.state = "unresolved"

    @rule(seconds=st.sampled_from([1, 10, 100]))
    def time_passes(self, seconds: int) -> None:
        self.backend.clock.advance(seconds * SECOND)
        self.do(ExpireHolds(key=key(), origin=SERVER))

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        request, response = data.draw(st.sampled_from(self.done))
        charge = self.model.charges.get(request.key)
        if charge is not None and charge.state == "voided":
            with pytest.raises(ConflictError):
                self.ledger.execute(request)
        else:
            assert self.ledger.execute(request) == response

    @precondition(lambda self: self.backend.durable)
    @rule()
    def start_again(self) -> None:
        self.ledger.close()
        self.ledger = self.backend.open()

    # ---- what must always hold

    @invariant()
    def figures_are_the_models(self) -> None:
        for notebook, number in self.model.current.items():
            found = state(self.ledger, at(notebook)).balance
            assert found is not None
            spent, held = self.model.figures(f"session {number}")
            assert (found.spent, found.held) == (spent, held)
            assert found.limit == self.model.ceilings[f"session {number}"]
            assert found.spent + found.held + found.remaining - found.over == found.limit
            names = {"session": f"session {number}", "notebook": f"notebook {notebook}", "server": "server"}
            for envelope in self.ledger.read(ListEnvelopes(notebook=at(notebook))):
                figures = (envelope.balance.spent, envelope.balance.held)
                assert figures == self.model.figures(names[envelope.kind])
            for budget in self.ledger.read(ListBudgets(notebook=at(notebook))):
                figures = (budget.balance.spent, budget.balance.held)
                assert figures == self.model.figures(self.model.category(notebook, budget.category))

    @invariant()
    def closed_sessions_add_up(self) -> None:
        for notebook in self.model.current:
            closed = [n for n, s in enumerate(self.model.sessions) if s.notebook == notebook and not s.open]
            previous = state(self.ledger, at(notebook)).previous
            figures = (0, 0) if previous is None else (previous.sessions, previous.spent)
            assert figures == (len(closed), sum(self.model.figures(f"session {number}")[0] for number in closed))

    @invariant()
    def records_add_up_to_the_balances(self) -> None:
        for notebook in self.model.current:
            found = state(self.ledger, at(notebook))
            chain = records(self.ledger, session_id=found.session_id)
            assert found.balance is not None
            assert sum(record.spent_delta for record in chain) == found.balance.spent
            assert sum(record.held_delta for record in chain) == found.balance.held
            assert [record.seq for record in chain] == list(range(1, len(chain) + 1))


class OnFile(Histories):
    """Histories in which the process may also end between two requests."""

    @rule()
    def crash(self) -> None:
        # A killed process leaves its files as they are, and does nothing of what `close` does.
        before = Path(self.backend.url.removeprefix("sqlite:///"))
        after = Path(tempfile.mkdtemp(dir=before.parent.parent)) / before.name
        for suffix in ("", "-wal"):
            if Path(f"{before}{suffix}").exists():
                shutil.copyfile(f"{before}{suffix}", f"{after}{suffix}")
        self.ledger.close()
        self.backend.url = f"sqlite:///{after}"
        self.ledger = self.backend.open()


def examples(count: int) -> settings:
    return settings(max_examples=count, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))


def check(machine: type[Histories], made: Callable[[], Backend], count: int) -> None:
    run(type(machine.__name__, (machine,), {"make": staticmethod(made)}), settings=examples(count))


def test_random_histories_in_memory() -> None:
    check(Histories, lambda: Backend("memory", "memory://", durable=False), 60)


def test_random_histories_on_sqlite(tmp_path: Path) -> None:
    check(OnFile, lambda: Backend("sqlite", f"sqlite:///{tempfile.mkdtemp(dir=tmp_path)}/ledger.db"), 10)


def test_random_histories_on_postgresql(postgresql: Backend) -> None:
    def emptied() -> Backend:
        assert postgresql.run_sql is not None
        postgresql.run_sql(EMPTY)
        return Backend("postgresql", postgresql.url)

    check(Histories, emptied, 10)
