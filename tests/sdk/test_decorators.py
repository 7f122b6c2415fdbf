"""Governed functions of every kind: each call is decided, and a denied call does not run."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aumos_governance.decorators import governed
from aumos_governance.engine import GovernanceEngine, register_default_engine
from aumos_governance.errors import ConfigurationError, GovernanceDeniedError
from aumos_governance.ledger.contract.queries import ListReports
from aumos_governance.types import TrustLevel


@pytest.fixture
def session() -> Iterator[GovernanceEngine]:
    """The registered engine, as in a notebook; its agent is at L3, and its user approves."""
    engine = GovernanceEngine(approver=lambda shown: bool(shown["tool"]))
    engine.trust.set_level(engine.agent_id, 3)
    register_default_engine(lambda: engine)
    yield engine
    register_default_engine(None)


def called(function: Any, *args: Any) -> Any:
    """Call a function of any kind to its end."""
    made = function(*args)
    if inspect.isgenerator(made):
        return list(made)
    if inspect.isasyncgen(made):

        async def take() -> list[Any]:
            return [value async for value in made]

        return asyncio.run(take())
    return asyncio.run(made) if inspect.iscoroutine(made) else made


def plain(ran: list[Any], value: Any = 1) -> Any:
    ran.append(value)
    return value


async def coroutine(ran: list[Any], value: Any = 1) -> Any:
    ran.append(value)
    return value


def generator(ran: list[Any], value: Any = 1) -> Iterator[Any]:
    ran.append(value)
    yield value


async def async_generator(ran: list[Any], value: Any = 1) -> AsyncIterator[Any]:
    ran.append(value)
    yield value


KINDS = pytest.mark.parametrize("function", [plain, coroutine, generator, async_generator])


@KINDS
def test_a_call_runs_as_it_did_and_is_counted(function: Callable[..., Any]) -> None:
    ran: list[int] = []
    wrapped = governed(trust_level=2)(function)
    assert wrapped.__name__ == function.__name__
    assert inspect.iscoroutinefunction(wrapped) == inspect.iscoroutinefunction(function)
    assert called(wrapped, ran, 7) in (7, [7])
    called(wrapped, ran)
    assert ran == [7, 1]
    assert wrapped.governance_state.call_count == 2
    assert wrapped.governance_state.trust_level == 2


@KINDS
@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"trust_level": 0}, "has trust level L0"),
        ({"trust_level": 2, "act": True}, "Not run: at L2"),
        ({"trust_level": 3, "act": True}, "cannot reach a user"),
        ({"require_consent": True}, "No consent"),
        ({"budget": 0.1, "trust_level": 0}, "L0"),
    ],
)
def test_what_is_denied_does_not_run(function: Callable[..., Any], terms: dict[str, Any], sentence: str) -> None:
    ran: list[int] = []
    wrapped = governed(**terms)(function)
    with pytest.raises(GovernanceDeniedError, match=sentence) as denied:
        called(wrapped, ran)
    assert ran == []
    assert wrapped.governance_state.call_count == 0
    assert denied.value.audit_record_id == wrapped.governance_state.engine.audit.latest(1)[0].record_id


@KINDS
@pytest.mark.parametrize("level", [4, 5])
def test_an_act_runs_where_its_level_acts_and_is_reported_at_l4(function: Callable[..., Any], level: int) -> None:
    ran: list[int] = []
    wrapped = governed(trust_level=level, act=True)(function)
    called(wrapped, ran, 3)
    assert ran == [3]
    engine: Any = wrapped.governance_state.engine
    key = engine.realm.notebook
    reports = engine.realm.read(ListReports(owner=key.owner, root=key.root))
    assert len(reports) == (1 if level == 4 else 0)
    for report in reports:
        assert f'"code":"{function.__name__}([], 3)"' in report.shown
        assert '"result":"done"' in report.shown


def test_an_act_that_fails_is_reported_as_failed() -> None:
    @governed(trust_level=4, act=True)
    def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    engine: Any = fails.governance_state.engine
    key = engine.realm.notebook
    (report,) = engine.realm.read(ListReports(owner=key.owner, root=key.root))
    assert '"result":"failed, and cost nothing"' in report.shown


@KINDS
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_call_that_fails_in_any_kind_of_function_says_so(
    function: Callable[..., Any], error: type[BaseException]
) -> None:
    class Failing(list[Any]):
        def append(self, _: Any) -> None:
            raise error

        def __repr__(self) -> str:
            raise ValueError("no text")

    wrapped = governed(trust_level=4, act=True)(function)
    with pytest.raises(error):
        called(wrapped, Failing())
    engine: Any = wrapped.governance_state.engine
    key = engine.realm.notebook
    (report,) = engine.realm.read(ListReports(owner=key.owner, root=key.root))
    assert '"result":"failed, and cost nothing"' in report.shown or error is KeyboardInterrupt
    assert "<Failing whose repr fails: ValueError>" in report.shown


def test_the_level_of_the_notebook_is_enforced(session: GovernanceEngine) -> None:
    ran: list[int] = []
    above = governed(trust_level=4)(plain)
    with pytest.raises(GovernanceDeniedError, match="this needs L4"):
        above(ran)
    governed(trust_level=3)(plain)(ran)
    session.trust.set_level(session.agent_id, 4)
    above(ran)
    session.trust.set_level(session.agent_id, 0)
    with pytest.raises(GovernanceDeniedError):
        governed(trust_level=0)(plain)(ran)
    assert ran == [1, 1]


def test_in_a_notebook_an_act_requests_approval(session: GovernanceEngine) -> None:
    seen: list[Mapping[str, Any]] = []
    session._holder._approvals._approver = lambda shown: bool(seen.append(shown)) or len(seen) == 1

    @governed(act=True)
    def deploy(where: str, *, force: bool = False) -> str:
        return where

    assert deploy("production", force=True) == "production"
    with pytest.raises(GovernanceDeniedError, match="denied it"):
        deploy("x" * 5_000)
    assert seen[0]["code"].endswith("deploy('production', force=True)")
    assert seen[0]["tool"].endswith("deploy")
    assert seen[1]["code"].endswith("... (5002 characters))")


def test_the_engine_may_come_after_the_function() -> None:
    wrapped = governed(trust_level=2)(plain)
    wrapped([])
    engine = GovernanceEngine()
    register_default_engine(lambda: engine)
    try:
        with pytest.raises(GovernanceDeniedError):
            wrapped([])
        assert wrapped.governance_state.engine is engine
    finally:
        register_default_engine(None)
    wrapped([])


def test_a_budget_is_a_ceiling_for_what_is_recorded_and_then_for_calls() -> None:
    wrapped = governed(budget=0.3)(plain)
    ran: list[int] = []
    for _ in range(3):
        wrapped(ran)
        wrapped.record_spend(0.1)
    with pytest.raises(GovernanceDeniedError, match=r"\$0.40 > \$0.30"):
        wrapped.record_spend(0.1)
    with pytest.raises(GovernanceDeniedError, match=r"Nothing is left for .*plain, whose budget is \$0.30"):
        wrapped(ran)
    assert len(ran) == 3
    state = wrapped.governance_state
    assert (state.budget_limit, state.spent, state.call_count) == (0.3, 0.3, 3)
    assert repr(state) == "GovernanceState(trust_level=2, budget_limit=0.3, spent=0.3, call_count=3)"
    state.engine.budget.set_limit(f"{__name__}.plain", 1)
    wrapped(ran)


@KINDS
def test_a_call_may_record_all_that_is_left(function: Callable[..., Any]) -> None:
    wrapped = governed(budget="0.10")(function)

    class Recording(list[Any]):
        def append(self, value: Any) -> None:
            wrapped.record_spend("0.10")
            super().append(value)

    ran = Recording()
    called(wrapped, ran)
    assert ran == [1]
    with pytest.raises(GovernanceDeniedError, match="Nothing is left"):
        called(wrapped, ran)
    assert ran == [1]


def test_a_free_function_may_have_a_budget_of_nothing() -> None:
    wrapped = governed(budget=0)(plain)
    wrapped([])
    with pytest.raises(GovernanceDeniedError):
        wrapped.record_spend("0.01")


def test_in_a_notebook_the_session_counts_what_functions_spend(session: GovernanceEngine) -> None:
    first, second = governed(budget=1)(plain), governed()(coroutine)
    first.record_spend("0.25")
    second.record_spend("0.5")
    assert (first.governance_state.spent, second.governance_state.spent) == (0.25, 0.5)
    with pytest.raises(GovernanceDeniedError, match=r"\$1.25 > \$1.00"):
        first.record_spend(1)
    # The cell that defines the function ran again: its spent amount stays.
    assert governed(budget=1)(plain).governance_state.spent == 0.25


def test_defined_anew_a_function_lowers_its_ceiling_and_only_a_user_raises_it(session: GovernanceEngine) -> None:
    governed(budget=1)(plain).record_spend("0.25")
    lower = governed(budget="0.5")(plain)
    lower([])
    assert session.budget.balance(f"{__name__}.plain").limit == Decimal("0.5")
    higher = governed(budget=2)(plain)
    with pytest.raises(
        ConfigurationError, match=r"has a budget of \$0.50 already, which stays; to raise it to \$2.00, call plain\."
    ):
        higher([])
    higher.governance_state.engine.budget.set_limit(f"{__name__}.plain", 2)
    assert higher([]) == 1
    assert (higher.governance_state.spent, higher.governance_state.budget_limit) == (0.25, 2.0)


def test_with_a_consent_on_record_it_runs() -> None:
    wrapped = governed(require_consent=True)(plain)
    engine = wrapped.governance_state.engine
    engine.consent.record_consent(f"{__name__}.plain", "governed_call", None, granted_by="ann")
    assert wrapped([]) == 1


def test_parallel_calls_never_spend_more_than_there_is() -> None:
    wrapped = governed(budget=1)(plain)
    allowed = threading.Semaphore(0)

    def spend(_: int) -> None:
        with contextlib.suppress(GovernanceDeniedError):
            wrapped([])
            wrapped.record_spend("0.01")
            allowed.release()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(spend, range(150)))
    assert wrapped.governance_state.spent == 1
    assert allowed._value == 100


def test_a_method_is_bound_and_a_generator_takes_what_is_sent() -> None:
    class Agent:
        @governed(trust_level=1)
        def echo(self, word: str) -> str:
            return f"{word} from {type(self).__name__}"

    assert Agent().echo("hello") == "hello from Agent"

    @governed()
    def talk() -> Iterator[Any]:
        yield (yield 1)

    talking: Any = talk()
    assert next(talking) == 1
    assert talking.send(5) == 5
    talking.close()


def test_an_interrupted_act_says_so() -> None:
    @governed(trust_level=4, act=True)
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    engine: Any = interrupted.governance_state.engine
    key = engine.realm.notebook
    (report,) = engine.realm.read(ListReports(owner=key.owner, root=key.root))
    assert '"result":"interrupted"' in report.shown


@pytest.mark.parametrize("wrong", [{"trust_level": 6}, {"trust_level": "2"}, {"budget": -1}, {"budget": float("nan")}])
def test_terms_that_are_none_are_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"trust_level|budget"):
        governed(**wrong)


def test_the_parentheses_are_required() -> None:
    with pytest.raises(ValueError, match="parentheses"):
        governed(plain)  # type: ignore[arg-type]


def test_nothing_goes_unrecorded() -> None:
    with pytest.warns(DeprecationWarning, match="every decision is recorded"):
        wrapped = governed(log_decisions=False)(plain)
    wrapped([])
    assert wrapped.governance_state.engine.audit.count() == 1


def test_types_are_kept(tmp_path: Path) -> None:
    api = pytest.importorskip("mypy.api")
    program = tmp_path / "typed.py"
    program.write_text(
        "from aumos_governance.decorators import governed\n"
        "@governed(trust_level=2, budget=5.0)\n"
        "def add(a: int, b: str = '') -> float:\n"
        "    return a\n"
        "@governed()\n"
        "async def wait(a: int) -> str:\n"
        "    return ''\n"
        "reveal_type(add(1))\n"
        "add('one')\n"
        "async def go() -> None:\n"
        "    reveal_type(await wait(1))\n"
        "add.record_spend(0.5)\n"
        "reveal_type(add.governance_state.spent)\n"
    )
    out, _, _ = api.run(
        [
            "--no-incremental",
            "--follow-imports=silent",
            "--config-file=",
            "--cache-dir",
            str(tmp_path / "cache"),
            str(program),
        ]
    )
    assert 'Revealed type is "builtins.float"' in out or 'Revealed type is "float"' in out
    assert 'Revealed type is "builtins.str"' in out or 'Revealed type is "str"' in out
    assert 'Argument 1 to "__call__" of "GovernedFunction" has incompatible type "str"' in out
    assert out.count("error:") == 1, out


def test_the_levels_are_the_types_own() -> None:
    assert governed(trust_level=TrustLevel.L3_ACT_APPROVE)(plain).governance_state.trust_level is TrustLevel(3)
