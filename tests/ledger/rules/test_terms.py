from __future__ import annotations

from typing import Any

import pytest

from aumos_governance.errors import NotAllowedError
from aumos_governance.ledger.contract.terms import (
    LastSession,
    Plan,
    SessionTerms,
    Value,
    check_close,
    plan_change,
    plan_open,
)
from aumos_governance.types import TrustLevel

USD = 10**9
L1, L2, L3, L5 = TrustLevel.L1_MONITOR, TrustLevel.L2_SUGGEST, TrustLevel.L3_ACT_APPROVE, TrustLevel.L5_AUTONOMOUS
TERMS = SessionTerms()
STRICT = SessionTerms(strict=True)


def standing(
    trust: int = 2, budget: int = 10 * USD, *, by: str = "kernel", active: bool = True, agent: str | None = None
) -> LastSession:
    user = by not in ("kernel", "server")
    return LastSession(active, Value(trust, by, user), Value(budget, by, user), agent)


def wish(terms: SessionTerms, stands: LastSession | None, **values: Any) -> Plan:
    wanted: dict[str, Any] = {"actor": "kernel", "trust_level": None, "budget": None, "agent_id": None, "new": False}
    return plan_open(terms, stands, **(wanted | values))


def decree(terms: SessionTerms, stands: LastSession | None, **values: Any) -> Plan:
    wanted: dict[str, Any] = {"actor": "ann", "trust_level": None, "budget": None, "agent_id": None}
    return plan_change(terms, stands, **(wanted | values))


def test_a_first_session_takes_what_is_requested_or_the_defaults() -> None:
    plan = wish(TERMS, None)
    assert plan == Plan(False, True, Value(2, "kernel", False), Value(10 * USD, "kernel", False), None, False, ())
    plan = wish(TERMS, None, trust_level=L5, budget=99 * USD, agent_id="a")
    assert (plan.trust.value, plan.budget.value, plan.agent_id) == (5, 99 * USD, "a")


def test_values_left_out_of_an_open_session_stay() -> None:
    plan = wish(TERMS, standing(3, 4 * USD, agent="a"))
    assert (plan.open_new, plan.close_first, plan.changed) == (False, False, False)
    assert (plan.trust.value, plan.budget.value, plan.agent_id) == (3, 4 * USD, "a")


def test_the_same_values_change_nothing() -> None:
    assert not wish(TERMS, standing(agent="a"), trust_level=L2, budget=10 * USD, agent_id="a").changed


@pytest.mark.parametrize("values", [{"trust_level": L3}, {"trust_level": L1}, {"budget": 11 * USD}, {"agent_id": "b"}])
def test_each_other_value_is_a_change(values: dict[str, Any]) -> None:
    plan = wish(TERMS, standing(), **values)
    assert plan.changed
    assert not plan.open_new


def test_new_closes_what_is_open_and_starts_at_the_defaults_with_the_same_agent() -> None:
    plan = wish(TERMS, standing(5, 50 * USD, agent="a"), new=True)
    assert (plan.close_first, plan.open_new, plan.changed) == (True, True, False)
    assert (plan.trust.value, plan.budget.value, plan.agent_id) == (2, 10 * USD, "a")
    assert not wish(TERMS, standing(active=False), new=True).close_first


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("new", [True, False])
def test_a_users_values_bind_all_that_a_kernel_requests(active: bool, new: bool) -> None:
    plan = wish(TERMS, standing(1, 5 * USD, by="ann", active=active), trust_level=L3, budget=10 * USD, new=new)
    assert plan.trust == Value(1, "ann", True)
    assert plan.budget == Value(5 * USD, "ann", True)
    assert plan.notes == (
        "The trust level stays at L1, set by ann; from the notebook it can only be tightened.",
        "The budget stays at $5.00, set by ann; from the notebook it can only be tightened.",
    )
    assert not plan.changed


def test_a_tightened_value_of_a_user_stays_the_users() -> None:
    plan = wish(TERMS, standing(3, 5 * USD, by="ann"), trust_level=L2, budget=2 * USD)
    assert plan.changed
    assert plan.trust == Value(2, "ann", True)
    assert plan.budget == Value(2 * USD, "ann", True)
    assert plan.notes == ()


def test_nothing_is_shown_about_values_that_were_not_requested() -> None:
    assert wish(TERMS, standing(1, 5 * USD, by="ann")).notes == ()
    assert len(wish(TERMS, standing(1, 5 * USD, by="ann", active=False)).notes) == 2


def test_nothing_is_shown_about_values_that_are_taken() -> None:
    plan = wish(TERMS, standing(1, 5 * USD, by="ann"), trust_level=L1, budget=5 * USD)
    assert (plan.notes, plan.changed) == ((), False)
    assert (plan.trust, plan.budget) == (Value(1, "ann", True), Value(5 * USD, "ann", True))


def test_maxima_are_errors_for_everyone() -> None:
    terms = SessionTerms(max_trust_level=L3, max_budget=20 * USD)
    for plan in (wish, decree):
        with pytest.raises(NotAllowedError, match=r"Trust level L5 is above L3.*\(max_trust_level\)\.$"):
            plan(terms, None, trust_level=L5)
        with pytest.raises(NotAllowedError, match=r"A budget of \$20.01 is above \$20.00.*\(max_budget\)\.$"):
            plan(terms, standing(), budget=20 * USD + USD // 100)
        assert plan(terms, None, trust_level=L3, budget=20 * USD).open_new


def test_a_user_changes_as_they_like_within_the_maxima() -> None:
    plan = decree(STRICT, standing(1, USD, by="bob"), trust_level=L5, budget=50 * USD, agent_id="b")
    assert plan.changed
    assert (plan.trust, plan.budget) == (Value(5, "ann", True), Value(50 * USD, "ann", True))
    assert plan.agent_id == "b"


def test_a_user_who_confirms_a_kernels_value_changes_who_stands_behind_it() -> None:
    assert decree(TERMS, standing(), budget=10 * USD).changed
    assert not decree(TERMS, standing(by="ann"), budget=10 * USD, trust_level=L2).changed
    assert not decree(TERMS, standing()).changed


def test_a_session_that_is_closed_leaves_its_agent_behind() -> None:
    assert wish(TERMS, standing(active=False, agent="a")).agent_id is None
    assert wish(TERMS, standing(active=False, agent="a"), agent_id="b").agent_id == "b"


@pytest.mark.parametrize("values", [{"trust_level": L3}, {"budget": USD}, {"agent_id": "b"}])
def test_each_value_that_a_user_changes_is_a_change(values: dict[str, Any]) -> None:
    plan = decree(TERMS, standing(by="ann", agent="a"), **values)
    assert (plan.changed, plan.open_new) == (True, False)
    assert plan.agent_id == values.get("agent_id", "a")


def test_a_user_who_opens_at_the_defaults_set_them() -> None:
    plan = decree(TERMS, None)
    assert (plan.trust, plan.budget) == (Value(2, "ann", True), Value(10 * USD, "ann", True))
    assert not plan.changed


def test_a_user_opens_at_the_defaults_where_none_is_open() -> None:
    plan = decree(STRICT, standing(5, 99 * USD, active=False, agent="a"), budget=3 * USD)
    assert (plan.open_new, plan.close_first, plan.changed) == (True, False, False)
    assert (plan.trust, plan.budget, plan.agent_id) == (Value(2, "ann", True), Value(3 * USD, "ann", True), None)


def test_strict_binds_a_first_session_to_the_defaults() -> None:
    assert wish(STRICT, None).open_new
    assert wish(STRICT, None, trust_level=L1, budget=USD).open_new
    with pytest.raises(NotAllowedError, match="at most L2; a user can raise it"):
        wish(STRICT, None, trust_level=L3)
    with pytest.raises(NotAllowedError, match=r"at most \$10.00; a user can raise it"):
        wish(STRICT, None, budget=11 * USD)


def test_strict_lets_an_open_session_only_be_tightened() -> None:
    assert wish(STRICT, standing(), trust_level=L1, budget=USD).changed
    assert not wish(STRICT, standing()).changed
    with pytest.raises(NotAllowedError, match="at most L1"):
        wish(STRICT, standing(1), trust_level=L2)
    with pytest.raises(NotAllowedError, match=r"at most \$1.00"):
        wish(STRICT, standing(budget=USD), budget=2 * USD)


@pytest.mark.parametrize(("active", "new"), [(False, False), (False, True), (True, True)])
def test_strict_leaves_fresh_sessions_to_users(active: bool, new: bool) -> None:
    with pytest.raises(NotAllowedError, match="only a user can open a notebook's next session"):
        wish(STRICT, standing(active=active), new=new)


def test_strict_leaves_closing_to_users() -> None:
    with pytest.raises(NotAllowedError, match="only a user can close a governance session"):
        check_close(STRICT, by_person=False)
    check_close(STRICT, by_person=True)
    check_close(TERMS, by_person=False)
