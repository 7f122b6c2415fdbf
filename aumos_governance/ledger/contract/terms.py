"""The rules that decide whether a session may be opened, changed or closed, and with which trust level and budget.

The functions compute a `Plan` and store nothing. An operation of the ledger reads the last session within its
transaction, calls `plan_open` or `plan_change`, and writes the plan in the same transaction, so that the rules are
always applied to the current state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ... import money
from ...errors import NotAllowedError
from ...types import TrustLevel


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """A server's policy for sessions, from its configuration: default values, and the highest that may be set.

    Budgets are in nano-USD; with None as ``max_budget`` there is no highest budget. On a ``strict`` server, code in a
    notebook can only lower values, and only a user can close a session or open the next one.
    """

    default_trust_level: TrustLevel = TrustLevel.L2_SUGGEST
    default_budget: int = 10 * money.NANO_PER_USD
    max_trust_level: TrustLevel = TrustLevel.L5_AUTONOMOUS
    max_budget: int | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """A session's trust level, or its budget in nano-USD, and who set it.

    ``set_by`` is the name of the actor, and ``by_person`` is True if the actor is a user, not code. Code in the
    notebook cannot raise a value that a user set.
    """

    value: int
    set_by: str
    by_person: bool


@dataclass(frozen=True, slots=True)
class LastSession:
    """The values of a notebook's newest session, which a `Plan` starts from.

    ``active`` is True if this session is open, and False if it is closed.
    """

    active: bool
    trust: Value
    budget: Value
    agent_id: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes that an operation must write to open, resume or change a session, as the rules decided them.

    With ``close_first`` the open session is closed, and with ``open_new`` a new session is opened. ``trust``,
    ``budget`` and ``agent_id`` are the session's values from now on; ``changed`` is True if an open session gets other
    values. ``notes`` are sentences for the user, for example that a budget stays below the requested one.
    """

    close_first: bool
    open_new: bool
    trust: Value
    budget: Value
    agent_id: str | None
    changed: bool
    notes: tuple[str, ...]


def plan_open(
    terms: SessionTerms,
    last: LastSession | None,
    *,
    actor: str,
    trust_level: TrustLevel | None,
    budget: int | None,
    agent_id: str | None,
    new: bool,
) -> Plan:
    """Return the plan for a request of a kernel or the server to open, resume or change a session.

    ``last`` is the notebook's newest session, None if it never had one, and ``actor`` is the caller's name. For a new
    session, None as ``trust_level`` or ``budget`` (nano-USD) means the policy's default; for an open session, None
    keeps the value. With ``new`` an open session is closed, and a new session is opened.

    A trust level or budget that a user set can only be lowered, in the open session and in later ones. A request for a
    higher value is not an error: the plan keeps the user's value, and its notes state the value and who set it. On a
    strict server a notebook's first session has at most the default values, and an open session's values can only be
    lowered.

    Raises NotAllowedError for a value above the policy's maximum. On a strict server it is also raised for a higher
    value, and for a new session after the notebook's first.
    """
    _check_maxima(terms, trust_level, budget)
    active = last is not None and last.active
    fresh = new or not active
    if terms.strict and last is not None and fresh:
        raise NotAllowedError(
            "This server is strict: only a user can open a notebook's next session, in the governance panel; nothing"
            " was changed."
        )
    if fresh:
        requested_trust = Value(int(_or_default(trust_level, terms.default_trust_level)), actor, False)
        requested_budget = Value(_or_default(budget, terms.default_budget), actor, False)
        ceiling_trust = last.trust if last is not None else None
        ceiling_budget = last.budget if last is not None else None
        if terms.strict:
            _check_strict(
                requested_trust.value, requested_budget.value, int(terms.default_trust_level), terms.default_budget
            )
    else:
        assert last is not None
        ceiling_trust, ceiling_budget = last.trust, last.budget
        requested_trust = last.trust if trust_level is None else Value(int(trust_level), actor, False)
        requested_budget = last.budget if budget is None else Value(budget, actor, False)
        if terms.strict:
            _check_strict(requested_trust.value, requested_budget.value, ceiling_trust.value, ceiling_budget.value)
    trust, trust_note = _tighten(requested_trust, ceiling_trust, "trust level", _level_text)
    ceiling, budget_note = _tighten(requested_budget, ceiling_budget, "budget", money.display)
    kept_agent = last.agent_id if last is not None and active else None
    agent = agent_id if agent_id is not None else kept_agent
    changed = not fresh and (
        last is None or trust.value != last.trust.value or ceiling.value != last.budget.value or agent != last.agent_id
    )
    # A note about a value that the request does not set is only of use for a new session.
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
    last: LastSession | None,
    *,
    actor: str,
    trust_level: TrustLevel | None,
    budget: int | None,
    agent_id: str | None,
) -> Plan:
    """Return the plan for a user's change of a session. A user may set any values up to the policy's maxima.

    ``last`` is the notebook's newest session, None if it never had one, and ``actor`` is the user's name. A value that
    is None (``budget`` is in nano-USD) stays as it is. If no session is open, the plan opens one, with the policy's
    defaults for the values that are None. Raises NotAllowedError for a value above the policy's maximum.
    """
    _check_maxima(terms, trust_level, budget)
    active = last is not None and last.active
    if active:
        assert last is not None
        base_trust, base_budget, base_agent = last.trust, last.budget, last.agent_id
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
        # A user who sets a kernel's value again becomes the user who set it; this change must be recorded.
        changed=active and (trust != base_trust or ceiling != base_budget or agent != base_agent),
        notes=(),
    )


def check_close(terms: SessionTerms, *, by_person: bool) -> None:
    """Raise NotAllowedError if this caller may not close a session: on a strict server, only a user may.

    ``by_person`` is True if the caller is a user.
    """
    if terms.strict and not by_person:
        raise NotAllowedError(
            "This server is strict: only a user can close a governance session, in the governance panel, so this one"
            " stays open."
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


def _tighten(
    requested: Value, ceiling: Value | None, name: str, text: Callable[[int], str]
) -> tuple[Value, str | None]:
    """Return the value that the session gets, and a sentence for the user if it is lower than the requested value.

    ``ceiling`` is the value of the notebook's last session, None if it never had one. If a user set it, the session
    gets at most this value. The sentence calls the value ``name`` and formats it with ``text``.
    """
    if ceiling is None or not ceiling.by_person:
        return requested, None
    if requested.value < ceiling.value:
        # The tightened value is still recorded as the user's. Otherwise the notebook could loosen it again, and so undo
        # the user's limit in two steps.
        return Value(requested.value, ceiling.set_by, True), None
    if requested.value == ceiling.value:
        return ceiling, None
    return ceiling, (
        f"The {name} stays at {text(ceiling.value)}, set by {ceiling.set_by}; from the notebook it can only be"
        " tightened."
    )


def _or_default(value: int | None, default: int) -> int:
    return default if value is None else value


def _level_text(level: int) -> str:
    return TrustLevel(level).short()
