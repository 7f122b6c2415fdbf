"""A kernel's requests about agents, categories and audit records of its notebook's session."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.service.service import NotebookService
from aumos_governance.wire.protocol import Cell, WireRequest
from tests.service.client import ServiceClient


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = open_ledger("memory://")
    yield ledger
    ledger.close()


@pytest.fixture
def send(ledger: Ledger) -> ServiceClient:
    client = ServiceClient(NotebookService(ledger))
    client("open", trust_level=3, budget="5", agent_id="bot")
    return client


def test_agents_have_levels_up_to_the_sessions(send: ServiceClient) -> None:
    assert send("agents")["session_level"] == 3
    assert send("trust", agent_id="bot", level=1, scope="mail", assigned_by="ada")["level"] == 1
    assert send("trust", agent_id="bot", level="L2")["level"] == 2
    refused = send("trust", agent_id="bot", level=4)
    assert (refused["ok"], refused["code"]) == (False, "NOT_ALLOWED")
    notices = send("agents")["agents"]
    assert [(agent["scope"], agent["level"], agent["assigned_by"]) for agent in notices] == [
        (None, 2, None),
        ("mail", 1, "ada"),
    ]
    assert send("hold", amount="0.1", required_level=3)["decision"]["level"] == 2
    assert send("hold", amount="0.1", scope="mail")["decision"]["level"] == 1
    assert send("evaluate", required_level=3)["decision"]["code"] == "TRUST_LEVEL_INSUFFICIENT"
    assert send("trust", agent_id="bot", level=None, scope="mail")["removed"] is True
    assert send("hold", amount="0.1", scope="mail")["decision"]["level"] == 2


def test_categories_are_envelopes_inside_the_session(send: ServiceClient) -> None:
    made = send("budget", category="mail", limit="0.5", period="yearly")
    assert (made["created"], made["changed"]) == (True, False)
    assert made["budget"]["remaining"] == "0.5"
    assert send("budget", category="mail", limit="0.6", create=False)["changed"]
    held = send("hold", amount="0.4", category="mail", tool="gpt")
    assert held["state"]["held"] == "0.4"
    (state,) = send("budgets")["budgets"]
    assert (state["period"], state["limit"], state["held"], state["remaining"]) == ("yearly", "0.6", "0.4", "0.2")
    over = send("hold", amount="0.3", category="mail")["decision"]
    assert (over["code"], over["reasons"]) == ("BUDGET_EXCEEDED", ["Would exceed budget 'mail' ($0.70 > $0.60)"])
    assert send("spend", amount="0.2", category="mail", agent_id="other", note="why")["decision"]["allowed"]
    missing = send("hold", amount="0.1", category="none")["decision"]
    assert (missing["outcome"], missing["code"]) == ("deny", "BUDGET_NOT_FOUND")
    wide = send("budget", category="wide", limit="1000")
    assert wide["created"]
    assert send("hold", amount="6", category="wide")["decision"]["reasons"] == ["Would exceed budget ($6.60 > $5.00)"]
    assert send("budgets", category="none")["budgets"] == []


def test_consents_within_the_session(send: ServiceClient) -> None:
    about = {"data_type": "mail", "purpose": "support"}
    assert send("hold", amount="0.1", **about)["decision"]["code"] == "CONSENT_DENIED"
    assert send("evaluate", **about)["decision"]["code"] == "CONSENT_DENIED"
    given = send("consent", agent_id="bot", granted_by="ann", **about)["consent"]
    assert (given["granted_by"], given["expires_at"]) == ("ann", None)
    assert send("hold", amount="0.1", **about)["decision"]["allowed"]
    assert send("evaluate", **about)["decision"]["allowed"]
    assert send("consents", **about)["consents"] == send("consents", agent_id="bot")["consents"] == [given]
    assert send("consents", agent_id="other")["consents"] == []
    assert send("consent", agent_id="bot", **about)["revoked"] == 1
    assert send("consents", **about)["consents"] == []
    again = send("consent", agent_id="bot", **about)
    assert (again["ok"], again["code"]) == (False, "CONSENT_NOT_FOUND")
    assert send("consent", agent_id="bot", granted_by="ann", data_type="mail", until=1)["ok"]
    assert send("hold", amount="0.1", **about)["decision"]["code"] == "CONSENT_DENIED", "it has ended"


def test_a_strict_server_lets_a_kernel_only_tighten(ledger: Ledger) -> None:
    send = ServiceClient(NotebookService(ledger, SessionTerms(strict=True)))
    send("open")
    assert send("trust", agent_id="bot", level=1)["ok"]
    for loosened in (send("trust", agent_id="bot", level=2), send("trust", agent_id="bot", level=None)):
        assert (loosened["ok"], loosened["code"]) == (False, "NOT_ALLOWED")
    assert send("consent", agent_id="bot", data_type="mail", granted_by="ann")["code"] == "NOT_ALLOWED"
    assert send("budget", category="mail", limit="1")["ok"]
    assert send("budget", category="mail", limit="2", create=False)["code"] == "NOT_ALLOWED"
    assert send("budget", category="mail", limit="0.5", create=False)["changed"]


def test_the_record_is_filtered_counted_and_paged(send: ServiceClient) -> None:
    for number in range(3):
        send("hold", amount="0.1", agent_id=f"a{number}", action_type="sum", detail={"scope": "mail"})
    found = send("audit", limit=2, decisions=True, action_type="sum", oldest_first=True, count=True)
    assert ([record["agent_id"] for record in found["records"]], found["total"]) == (["a0", "a1"], 3)
    rest = send("audit", limit=2, decisions=True, action_type="sum", oldest_first=True, cursor=found["cursor"])
    assert ([record["agent_id"] for record in rest["records"]], rest["total"]) == (["a2"], None)
    assert rest["records"][0]["detail"]["scope"] == "mail"
    assert send("audit", agent_id="a1", outcome="allow")["records"][0]["agent_id"] == "a1"
    assert send("audit", since=0, until=1)["records"] == []


REFUSED = {"code": "PRICE_UNKNOWN", "reason": "The price of 'ours' is not known.", "tool": "ours"}


def test_what_the_kernel_refused_itself_is_on_record(send: ServiceClient, ledger: Ledger) -> None:
    send("budget", category="mail", limit="0.5")
    before = send("status")["state"]
    about = {"category": "mail", "action_type": "chat.completions", "detail": {"run": 7}}
    decision = send("evaluate", refused=REFUSED, required_level=1, **about)["decision"]
    assert (decision["outcome"], decision["allowed"], decision["code"]) == ("deny", False, "PRICE_UNKNOWN")
    assert (decision["reasons"], decision["tool"]) == ([REFUSED["reason"]], "ours")
    (record,) = send("audit", decisions=True)["records"]
    assert {name: record[name] for name in ("record_id", "event", "outcome", "code", "reasons")} == {
        "record_id": decision["record_id"],
        "event": "evaluate",
        "outcome": "deny",
        "code": "PRICE_UNKNOWN",
        "reasons": [REFUSED["reason"]],
    }
    assert (record["actor"], record["cell"]) == ("kernel", {"id": "c1", "count": 3})
    assert (record["agent_id"], record["tool"], record["action_type"]) == ("bot", "ours", "chat.completions")
    assert (record["amount"], record["detail"]) == ("0", {"run": 7, "category": "mail"})
    assert send("evaluate", refused=REFUSED, agent_id="other")["ok"]
    assert send("audit", agent_id="other")["records"][0]["code"] == "PRICE_UNKNOWN"
    after = send("status")["state"]
    assert {**after, "seq": 0} == {**before, "seq": 0}
    assert ledger.verify().ok


def test_a_refusal_that_comes_twice_is_one_record(send: ServiceClient) -> None:
    again = WireRequest("again", "evaluate", time.time() + 10, Cell("c1", 3), {"refused": REFUSED})
    assert send.send(again) == send.send(again)
    other = WireRequest(
        "again", "evaluate", time.time() + 10, Cell("c1", 3), {"refused": {**REFUSED, "tool": "theirs"}}
    )
    assert send.send(other)["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert send("audit", decisions=True, count=True)["total"] == 1


def test_a_refusal_without_a_session_is_in_the_ledger_s_chain(ledger: Ledger) -> None:
    send = ServiceClient(NotebookService(ledger))
    assert send("evaluate", refused=REFUSED)["decision"]["code"] == "PRICE_UNKNOWN"
    (record,) = send("audit")["records"]
    assert (record["chain"], record["code"], record["agent_id"]) == ("ledger", "PRICE_UNKNOWN", None)


def test_without_a_session_there_are_no_agents_and_no_budgets(ledger: Ledger) -> None:
    send = ServiceClient(NotebookService(ledger))
    notices = send("agents")
    assert (notices["session_level"], notices["agents"]) == (None, [])
    assert send("budgets")["budgets"] == []
    assert send("trust", agent_id="bot", level=1)["code"] == "NOT_FOUND"
    assert send("budget", category="mail", limit="1")["code"] == "NOT_FOUND"
    assert send("evaluate", agent_id="bot")["decision"]["code"] == "NO_SESSION"


@pytest.mark.parametrize(
    ("op", "body", "code", "why"),
    [
        ("trust", {"level": 1}, "INVALID_REQUEST", "The agent id must be text"),
        ("trust", {"agent_id": "a"}, "INVALID_REQUEST", "or null, which removes the agent's level"),
        ("trust", {"agent_id": "a", "level": 6}, "INVALID_REQUEST", "from 0 to 5"),
        ("trust", {"agent_id": "a", "level": 1, "realm": "x"}, "INVALID_REQUEST", "'realm' is not known here"),
        ("agents", {"agent_id": "a"}, "INVALID_REQUEST", "is not known here"),
        ("budget", {"category": "c"}, "INVALID_REQUEST", "needs a limit"),
        ("budget", {"category": "c", "limit": "x"}, "INVALID_AMOUNT", "The limit must be a number"),
        ("budget", {"limit": 1}, "INVALID_REQUEST", "The category must be text"),
        ("budget", {"category": "c", "limit": 1, "period": "hourly"}, "INVALID_PERIOD", "not 'hourly'"),
        ("budgets", {"category": 7}, "INVALID_REQUEST", "The category must be text"),
        ("consent", {"agent_id": "a", "granted_by": "b"}, "INVALID_REQUEST", "The data_type must be text"),
        ("consent", {"data_type": "a"}, "INVALID_REQUEST", "The agent id must be text"),
        ("consent", {"agent_id": "a", "data_type": "b", "granted_by": "c", "until": "x"}, "INVALID_REQUEST", "micros"),
        ("evaluate", {"amount": "nan"}, "INVALID_AMOUNT", "finite"),
        ("evaluate", {"detail": "x"}, "INVALID_REQUEST", "must be an object"),
        ("evaluate", {"refused": "no"}, "INVALID_REQUEST", "must be an object"),
        ("evaluate", {"refused": {"code": "NO"}}, "INVALID_REQUEST", "reason"),
        (
            "evaluate",
            {"refused": {"code": "no way", "reason": "r"}},
            "INVALID_REQUEST",
            "must be capital letters and underscores",
        ),
        ("evaluate", {"refused": REFUSED | {"outcome": "allow"}}, "INVALID_REQUEST", "'outcome' is not known"),
        ("evaluate", {"refused": REFUSED | {"reason": "r" * 1001}}, "INVALID_REQUEST", "at most 1000"),
        ("audit", {"outcome": "maybe"}, "INVALID_REQUEST", "one of allow, deny"),
        ("audit", {"since": 1.5}, "INVALID_REQUEST", "microseconds since the epoch"),
        ("audit", {"cursor": "x"}, "INVALID_REQUEST", "cursor"),
        ("hold", {"amount": 1, "agent_id": ""}, "INVALID_REQUEST", "The agent id must be text"),
        ("cancel", {"of": "a", "act": 1}, "INVALID_REQUEST", "must be true or false"),
        ("cancel", {"of": "a", "why": "x"}, "INVALID_REQUEST", "is not known here"),
        ("settle", {"hold_id": "a", "amount": 1, "result": "x"}, "INVALID_REQUEST", "The report's id must be text"),
    ],
)
def test_a_wrong_value_is_one_sentence(send: ServiceClient, op: str, body: dict[str, Any], code: str, why: str) -> None:
    response = send(op, **body)
    assert (response["ok"], response["code"]) == (False, code)
    assert why in response["message"]
