"""The terms on which sessions are opened and changed: pure rules, no storage.

A backend reads what stands inside its transaction, calls `plan_open` or `plan_change` to find out what a request leads
to, and writes the plan. So a rule and the state it was applied to can never come apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ... import money
from ...errors import NotAllowedError
from ...types import TrustLevel

__all__ = ["Plan", "SessionTerms", "Standing", "Value", "check_close", "plan_change", "plan_open"]


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """The server's policy, from its configuration; budgets in nano-USD."""

    default_trust_level: TrustLevel = TrustLevel.L2_SUGGEST
    default_budget: int = 10 * money.NANO_PER_USD
    max_trust_level: TrustLevel = TrustLevel.L5_AUTONOMOUS
    max_budget: int | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """A trust level, or a budget in nano-USD, and who set it."""

    value: int
    set_by: str
    by_person: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What a notebook's newest session, open or closed, holds."""

    active: bool
    trust: Value
    budget: Value
    agent_id: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write: a new session with these values, a change of the open one, or nothing."""

    close_first: bool
    open_new: bool
    trust: Value
    budget: Value
    agent_id: str | None
    changed: bool
    notes: tuple[str, ...]


def plan_open(
    terms: SessionTerms,
    standing: Standing | None,
    *,
    actor: str,
    trust_level: TrustLevel | None,
    budget: int | None,
    agent_id: str | None,
    new: bool,
) -> Plan:
    """Plan the session that a kernel, or the server itself, requests.

    A value that a user set is only ever tightened here, in the open session and in those that follow it. A looser
    value is no error: the plan's notes state the value in force and who set it. In strict mode the defaults bind
    a first session, and an open one can only be tightened.

    Raises NotAllowedError above the maxima, and in strict mode for a fresh session or a looser value.
    """
    _check_maxima(terms, trust_level, budget)
    active = standing is not None and standing.active
    fresh = new or not active
    if terms.strict and standing is not None and fresh:
        raise NotAllowedError(
            "This server is strict: a notebook's next session is opened by a user in the governance panel,"
            " so nothing was changed."
        )
    if fresh:
        wanted_trust = Value(int(_first(trust_level, terms.default_trust_level)), actor, False)
        wanted_budget = Value(_first(budget, terms.default_budget), actor, False)
        ceiling_trust = standing.trust if standing is not None else None
        ceiling_budget = standing.budget if standing is not None else None
        if terms.strict:
            _check_strict(wanted_trust.value, wanted_budget.value, int(terms.default_trust_level), terms.default_budget)
    else:
        assert standing is not None
        ceiling_trust, ceiling_budget = standing.trust, standing.budget
        wanted_trust = standing.trust if trust_level is None else Value(int(trust_level), actor, False)
        wanted_budget = standing.budget if budget is None else Value(budget, actor, False)
        if terms.strict:
            _check_strict(wanted_trust.value, wanted_budget.value, ceiling_trust.value, ceiling_budget.value)
    trust, trust_note = _tighten(wanted_trust, ceiling_trust, "trust level", _level_text)
    ceiling, budget_note = _tighten(wanted_budget, ceiling_budget, "budget", money.display)
    kept_agent = standing.agent_id if standing is not None and active else None
    agent = agent_id if agent_id is not None else kept_agent
    changed = not fresh and (
        standing is None
        or trust.value != standing.trust.value
        or ceiling.value != standing.budget.value
        or agent != standing.agent_id
    )
    # A value left out was not requested, so that it stands needs no saying in an open session.
    notes = [
        note
        for note, requested in (
            (trust_note, fresh or trust_level is not None),
            (budget_note, fresh or budget is not None),
        )
        if note and requested
    ]
    return Plan(
        close_first=fresh and active,
        open_new=fresh,
        trust=trust,
        budget=ceiling,
        agent_id=agent,
        changed=changed,
        notes=tuple(notes),
    )


def plan_change(
    terms: SessionTerms,
    standing: Standing | None,
    *,
    actor: str,
    trust_level: TrustLevel | None,
    budget: int | None,
    agent_id: str | None,
) -> Plan:
    """Plan a user's change: it is taken as it is, within the maxima.

    With no open session one is opened; values left out are then the defaults. Raises NotAllowedError above
    the maxima.
    """
    _check_maxima(terms, trust_level, budget)
    active = standing is not None and standing.active
    if active:
        assert standing is not None
        base_trust, base_budget, base_agent = standing.trust, standing.budget, standing.agent_id
    else:
        base_trust = Value(int(terms.default_trust_level), actor, True)
        base_budget = Value(terms.default_budget, actor, True)
        base_agent = None
    trust = base_trust if trust_level is None else Value(int(trust_level), actor, True)
    ceiling = base_budget if budget is None else Value(budget, actor, True)
    agent = base_agent if agent_id is None else agent_id
    return Plan(
        close_first=False,
        open_new=not active,
        trust=trust,
        budget=ceiling,
        agent_id=agent,
        # A user who confirms a kernel's value becomes its setter, which is a change to record.
        changed=active and (trust != base_trust or ceiling != base_budget or agent != base_agent),
        notes=(),
    )


def check_close(terms: SessionTerms, *, by_person: bool) -> None:
    """Raises NotAllowedError when a kernel may not close its session."""
    if terms.strict and not by_person:
        raise NotAllowedError(
            "This server is strict: a governance session is closed by a user in the governance panel,"
            " so this one stays open."
        )


def _check_maxima(terms: SessionTerms, trust_level: TrustLevel | None, budget: int | None) -> None:
    if trust_level is not None and trust_level > terms.max_trust_level:
        raise NotAllowedError(
            f"Trust level {trust_level.short()} is above {terms.max_trust_level.short()}, the highest this server"
            " allows (max_trust_level)."
        )
    if budget is not None and terms.max_budget is not None and budget > terms.max_budget:
        raise NotAllowedError(
            f"A budget of {money.display(budget)} is above {money.display(terms.max_budget)}, the highest this"
            " server allows (max_budget)."
        )


def _check_strict(trust: int, budget: int, trust_ceiling: int, budget_ceiling: int) -> None:
    if trust > trust_ceiling:
        raise NotAllowedError(
            f"This server is strict: from the notebook the trust level can be at most L{trust_ceiling};"
            " a user can raise it in the governance panel."
        )
    if budget > budget_ceiling:
        raise NotAllowedError(
            f"This server is strict: from the notebook the budget can be at most {money.display(budget_ceiling)};"
            " a user can raise it in the governance panel."
        )


def _tighten(wanted: Value, ceiling: Value | None, what: str, text: Callable[[int], str]) -> tuple[Value, str | None]:
    if ceiling is None or not ceiling.by_person:
        return wanted, None
    if wanted.value < ceiling.value:
        # The user's ceiling was kept, not lifted: what a kernel tightened may later be loosened again
        # only by a user, or the next cell could undo the limit in two steps.
        return Value(wanted.value, ceiling.set_by, True), None
    if wanted.value == ceiling.value:
        return ceiling, None
    return ceiling, (
        f"The {what} stays at {text(ceiling.value)}, set by {ceiling.set_by}; from the notebook it can only be"
        " tightened."
    )


def _first(value: int | None, default: int) -> int:
    return default if value is None else value


def _level_text(level: int) -> str:
    return TrustLevel(level).short()
