"""Behaviour never depends on the text of a message: with all messages of the ledger replaced, it is the same."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

import aumos_governance
from aumos_governance import (
    GovernanceAction,
    GovernanceDecision,
    GovernanceDeniedError,
    GovernanceEngine,
    TrustLevel,
    governed,
)
from aumos_governance.kernel.engine.action_bodies import require_allowed
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.facts import Limit, NotebookKey
from aumos_governance.ledger.rules import verdicts
from aumos_governance.service.service import Caller, NotebookService
from aumos_governance.wire.denials import Denial
from aumos_governance.wire.protocol import parse_request

PACKAGE = Path(aumos_governance.__file__).parent
SENTENCES = {"reason", "reasons", "message", "sentence", "denial_reason", "caveat", "note", "notes"}
"""The fields that have messages of this package."""


@pytest.fixture(params=[False, True], ids=["english", "translated"])
def translated(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param:
        own = verdicts.Refusal

        def translate(code: str, reason: str, limit: Limit | None = None) -> verdicts.Refusal:
            return own(code, "\u00dcbersetzt.", limit)

        monkeypatch.setattr(verdicts, "Refusal", translate)
    return bool(request.param)


Send = Callable[..., dict[str, Any]]


@pytest.fixture
def send() -> Iterator[Send]:
    """Send requests for a kernel at L2 with a budget of $1, and one of $0.5 for the category ``llm``."""
    ledger = open_ledger("memory://")
    service, caller = NotebookService(ledger), Caller(NotebookKey("ann", "/root", "a.ipynb"), "kernel:k", "one")
    count = iter(range(1_000))

    def sending(op: str, **body: Any) -> dict[str, Any]:
        responded: Future[dict[str, Any]] = Future()
        service.submit(
            caller,
            parse_request({"id": f"k-{next(count)}", "op": op, "exp": time.time() + 60, **body}),
            responded.set_result,
        )
        return responded.result(20)

    sending("open", budget="1")
    sending("budget", category="llm", limit="0.5", create=True)
    yield sending
    ledger.close()


def denial(send: Send, action: GovernanceAction, **body: Any) -> str:
    with pytest.raises(GovernanceDeniedError) as denied:
        require_allowed(action, send("hold", tool="m", **body))
    return denied.value.message


@pytest.mark.usefixtures("translated")
def test_the_advice_is_that_of_the_limit_which_binds(send: Send) -> None:
    own = denial(send, GovernanceAction(""), amount="2")
    assert own.endswith("$1.00 is left; raise the budget with %governance --budget, or lower the request.")
    category = denial(send, GovernanceAction("", budget_category="llm"), amount="0.7", category="llm")
    assert "budget.set_limit('llm', limit)" in category
    missing = denial(send, GovernanceAction("", budget_category="none"), amount="0.1", category="none")
    assert "budget.create_budget('none', limit)" in missing
    send("trust", agent_id="a", level=0)
    assert "trust.set_level(agent_id, level)" in denial(send, GovernanceAction("a"), amount="0.1", agent_id="a")


@pytest.mark.usefixtures("translated")
def test_the_wire_names_the_limit_with_its_numbers(send: Send) -> None:
    assert send("spend", amount="2")["decision"]["limit"] == {
        "kind": "session",
        "name": "",
        "asked": "2",
        "allowed": "1",
    }
    assert send("hold", amount="0.7", category="llm")["decision"]["limit"]["name"] == "llm"
    assert send("hold", amount="0.1", required_level=4)["decision"]["limit"] == {
        "kind": "level",
        "name": "",
        "asked": 4,
        "allowed": 2,
    }
    assert send("spend", amount="0.1")["decision"]["limit"] is None


@pytest.mark.usefixtures("translated")
def test_a_governed_function_knows_its_own_ceiling() -> None:
    @governed(trust_level=1, budget=1)
    def call() -> int:
        return 1

    assert call() == 1
    call.record_spend(1)
    with pytest.raises(GovernanceDeniedError, match="Nothing is left for"):
        call()


@pytest.mark.usefixtures("translated")
def test_an_engines_decision_carries_the_limit() -> None:
    with GovernanceEngine() as engine:
        engine.budget.create_budget("llm", 1)
        engine.trust.set_level("a", TrustLevel.L1_MONITOR)
        over = engine.evaluate_sync(GovernanceAction("a", budget_category="llm", budget_amount=2.0))
        below = engine.evaluate_sync(GovernanceAction("a", required_trust_level=3))
    assert (over.code, over.limit) == ("BUDGET_EXCEEDED", Limit("category", "llm", 2 * 10**9, 10**9))
    assert (below.code, below.limit) == ("TRUST_LEVEL_INSUFFICIENT", Limit("agent", "a", 3, 1))
    assert isinstance(over, GovernanceDecision)


def test_whose_limit_it_is_decides_the_advice_and_not_how_the_reason_begins() -> None:
    assert (
        "raise the budget" not in Denial("BUDGET_EXCEEDED", ("Would exceed budget (x)",), "m", 1, 1, "team").sentence()
    )
    assert "raise the budget" in Denial("BUDGET_EXCEEDED", ("Anders",), "m", 1, 1, "session").sentence()


def test_nothing_looks_into_a_sentence() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if "labextension" not in path.parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if _looks_in(node)
    ]
    assert found == []


def _looks_in(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        looks = node.func.attr in ("startswith", "endswith", "find", "index", "count", "removeprefix", "partition")
        return looks and _is_sentence(node.func.value)
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
        text = isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)
        return text and _is_sentence(node.comparators[0])
    return False


def _is_sentence(node: ast.AST) -> bool:
    if isinstance(node, ast.Subscript):
        return _is_sentence(node.value)
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in SENTENCES
