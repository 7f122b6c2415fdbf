"""The engine of a notebook on a governed server: actions that a user approves, agents, budgets and audit records."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.bridge.live_server import GOVERNANCE, LiveServer, until
from tests.kernel.governed_kernel import notebook, stopped
from tests.kernel.real_kernel import Kernel, Outcome, meanwhile

IMPORTS = """
import asyncio, json
from aumos_governance import GovernanceAction, GovernanceDeniedError, notebook_engine
engine = notebook_engine()
def act(code="deploy()", cost=0.5, **more):
    return GovernanceAction("", budget_amount=cost, tool="deploy", kind="act", shown={"code": code}, **more)
def result(value):
    print("<<" + json.dumps(value, default=str) + ">>")
"""

# A waiting request is renewed after half a second, so that a test needs no minutes.
HASTY = "from aumos_governance.kernel.requests import in_flight\nin_flight._RENEWED_EVERY = 0.5"


@contextmanager
def at(server: LiveServer, level: int, path: str) -> Iterator[tuple[Kernel, str]]:
    """Open a notebook with a session at this trust level, and with an engine; the value is its kernel and kernel id."""
    with notebook(server, path) as (kernel, kernel_id):
        assert kernel.run(f"%governance --trust-level {level} --budget 5 --agent bot\n{IMPORTS}").status == "ok"
        yield kernel, kernel_id


def reported(outcome: Outcome) -> Any:
    """Return the value that a cell passed to ``result(...)``."""
    assert outcome.status == "ok", outcome
    return json.loads(outcome.text.split("<<", 1)[1].split(">>", 1)[0])


def pending(server: LiveServer, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.json("GET", GOVERNANCE + "approvals", params={"path": path})["approvals"]
    return found


def requested(server: LiveServer, path: str, count: int = 1) -> list[dict[str, Any]]:
    return until(lambda: len(found := pending(server, path)) == count and found, "a person is asked")


def decide(server: LiveServer, approval: dict[str, Any], decision: str = "approve") -> None:
    body = {"decision": decision, "digest": approval["digest"]}
    server.json("POST", f"{GOVERNANCE}approvals/{approval['id']}", json=body)


def test_a_cell_waits_for_a_yes(server: LiveServer) -> None:
    def approve() -> None:
        (approval,) = requested(server, "yes.ipynb")
        assert approval["shown"] == {"tool": "deploy", "cost": "0.5", "code": "deploy()"}
        assert (approval["tool"], approval["amount"], approval["agent_id"]) == ("deploy", "0.5", "bot")
        assert approval["cell"]["count"] > 0
        assert server.state("yes.ipynb")["held"] == "0"
        decide(server, approval)

    with at(server, 3, "yes.ipynb") as (kernel, _):
        code = """
waited = []
grant = engine.begin(act(), on_waiting=waited.append)
result([grant.hold_id, len(waited), grant.settle(0.25).spent])
"""
        with meanwhile(approve):
            hold_id, waited, spent = reported(kernel.run(code))
        # On a busy machine the decision may arrive before the waiting thread has read the message that it waits.
        assert (bool(hold_id), waited in (0, 1), spent) == (True, True, "0.25")
        state = server.state("yes.ipynb")
        assert (state["spent"], state["held"]) == ("0.25", "0")


def test_a_cell_waits_for_a_no(server: LiveServer) -> None:
    with (
        at(server, 3, "no.ipynb") as (kernel, _),
        meanwhile(lambda: decide(server, requested(server, "no.ipynb")[0], "deny")),
    ):
        outcome = kernel.run("engine.begin(act())")
    assert (outcome.status, outcome.ename) == ("error", "GovernanceDeniedError")
    assert " denied it" in outcome.evalue
    assert "\n" not in outcome.evalue


def test_an_interrupt_takes_the_question_back(server: LiveServer) -> None:
    with at(server, 3, "interrupt.ipynb") as (kernel, kernel_id):

        def interrupt() -> None:
            requested(server, "interrupt.ipynb")
            server.json("POST", f"api/kernels/{kernel_id}/interrupt")

        with meanwhile(interrupt):
            assert kernel.run("engine.begin(act())").ename == "KeyboardInterrupt"
        until(lambda: not pending(server, "interrupt.ipynb"), "nobody is asked any more")
        assert server.state("interrupt.ipynb")["held"] == "0"


def test_no_decision(server: LiveServer) -> None:
    with at(server, 3, "late.ipynb") as (kernel, _):
        outcome = kernel.run("engine.begin(act(), timeout=0.5)")
        assert outcome.evalue.startswith("DENIED: No decision in time")
        assert not pending(server, "late.ipynb")


def test_tasks_wait_side_by_side(server: LiveServer) -> None:
    def response() -> None:
        for approval in requested(server, "tasks.ipynb", 2):
            decide(server, approval, "approve" if approval["shown"]["code"] == "second()" else "deny")

    with at(server, 3, "tasks.ipynb") as (kernel, _):
        code = """
async def one(code):
    try:
        async with engine.authorize(act(code)) as grant:
            return code
    except GovernanceDeniedError as error:
        return error.denial_code
result(await asyncio.gather(one("first()"), one("second()")))
"""
        with meanwhile(response):
            assert reported(kernel.run(code)) == ["APPROVAL_DENIED", "second()"]
        assert server.state("tasks.ipynb")["spent"] == "0.5"


def test_a_server_that_stands_still_for_a_while(server: LiveServer) -> None:
    def stop_and_approve() -> None:
        (approval,) = requested(server, "still.ipynb")
        with stopped(server):
            # In this time the kernel resends the request more than once, without a response.
            time.sleep(2)
        decide(server, approval)

    with at(server, 3, "still.ipynb") as (kernel, _):
        with meanwhile(stop_and_approve):
            assert reported(kernel.run(f"{HASTY}\nresult(engine.begin(act()).settle(0.5).spent)")) == "0.5"
        assert server.state("still.ipynb")["spent"] == "0.5"


def test_a_kernel_that_is_restarted_requests_no_approval_any_more(server: LiveServer) -> None:
    with at(server, 3, "gone.ipynb") as (kernel, kernel_id):
        kernel.client.execute("engine.begin(act())")
        requested(server, "gone.ipynb")
        server.json("POST", f"api/kernels/{kernel_id}/restart")
        until(lambda: not pending(server, "gone.ipynb"), "the question is withdrawn")
        assert server.state("gone.ipynb")["held"] == "0"


def test_at_l4_a_user_is_notified_before_and_after(server: LiveServer) -> None:
    with at(server, 4, "report.ipynb") as (kernel, _):
        kernel.run("grant = engine.begin(act())")

        def report() -> dict[str, Any]:
            (found,) = server.json("GET", GOVERNANCE + "reports", params={"path": "report.ipynb"})["reports"]
            return found

        assert report()["shown"]["result"] is None
        kernel.run("grant.result = 'failed: KeyError'\ngrant.settle(0.1)")
        assert (report()["shown"]["result"], report()["shown"]["spent"]) == ("failed: KeyError", "0.1")


MANAGERS = """
from aumos_governance.engine import default_engine
engine.trust.set_level("writer", 1)
engine.budget.create_budget("mail", "0.5", "lifetime")
refused = {}
def refuse(name, do):
    try:
        do()
    except Exception as error:
        refused[name] = [type(error).__name__, getattr(error, "denial_code", None)]
refuse("above", lambda: engine.trust.set_level("writer", 5))
refuse("level", lambda: engine.begin(GovernanceAction("writer", required_trust_level=2, budget_amount=0.1)))
refuse("category", lambda: engine.begin(GovernanceAction("", budget_amount=0.6, budget_category="mail")))
refuse("missing", lambda: engine.begin(GovernanceAction("", budget_amount=0.1, budget_category="none")))
refuse("consent", lambda: engine.begin(GovernanceAction("", data_type="health")))
refuse("revoke", lambda: engine.consent.revoke_consent("bot", "health"))
refuse("record", lambda: engine.audit.log("allow", "elsewhere"))
refuse("again", lambda: engine.budget.create_budget("mail", 1))
engine.consent.record_consent("bot", "health", "care", "ann")
cared = GovernanceAction(
    "", budget_amount=0.2, budget_category="mail", data_type="health", purpose="care", extra={"run": 1}
)
with engine.authorize(cared) as grant:
    pass
consents = [len(engine.consent.list_consents("bot")), engine.consent.check_consent("bot", "health", "care").granted]
consents.append(engine.consent.revoke_all_for_agent("bot"))
checked = await engine.evaluate(GovernanceAction("writer", required_trust_level=1))
result([
    default_engine() is engine,
    [int(engine.trust.get_level("writer")), int(engine.trust.get_level("anyone"))],
    str(engine.budget.balance("mail").remaining),
    refused,
    checked.allowed,
    consents,
    [engine.audit.latest(2)[0].context.extra, engine.audit.count(), engine.audit.query().total_matched],
])
"""


def check_managers(kernel: Kernel) -> None:
    default, levels, remaining, refused, checked, consents, record = reported(kernel.run(MANAGERS))
    assert (default, levels, remaining, checked) == (True, [1, 4], "0.3", True)
    assert refused == {
        "above": ["NotAllowedError", None],
        "level": ["GovernanceDeniedError", "TRUST_LEVEL_INSUFFICIENT"],
        "category": ["GovernanceDeniedError", "BUDGET_EXCEEDED"],
        "missing": ["GovernanceDeniedError", "BUDGET_NOT_FOUND"],
        "consent": ["GovernanceDeniedError", "CONSENT_DENIED"],
        "revoke": ["ConsentNotFoundError", None],
        "record": ["NotAllowedError", None],
        "again": ["InvalidRequestError", None],
    }
    assert consents == [1, True, 1]
    assert record == [{"run": 1}, 6, 6]


def test_the_default_engine_and_its_managers(server: LiveServer) -> None:
    with at(server, 4, "managers.ipynb") as (kernel, _):
        check_managers(kernel)
        assert server.state("managers.ipynb")["spent"] == "0.2"


def test_a_kernel_without_a_server_has_the_same_engine(kernel: Kernel) -> None:
    assert kernel.run(f"%governance --trust-level 4 --budget 5 --agent bot\n{IMPORTS}").status == "ok"
    check_managers(kernel)


def test_the_death_of_a_server_leaves_nothing_requested_and_nothing_held(server: LiveServer) -> None:
    """This test is the last one, since it replaces the server that the module's tests share."""
    opened = server.open_notebook("orphan.ipynb")
    opened.run("%load_ext aumos_governance.jupyter_extension\n%governance --trust-level 3" + IMPORTS)
    opened.submit("engine.begin(act())")
    (approval,) = requested(server, "orphan.ipynb")
    server.kill()
    opened.close()
    server.start()
    assert not pending(server, "orphan.ipynb")
    newest = server.json("GET", GOVERNANCE + "audit", params={"path": "orphan.ipynb"})["records"][0]
    assert (newest["event"], newest["detail"]["approval"]) == ("withdraw", approval["id"])
    assert server.state("orphan.ipynb")["held"] == "0"
