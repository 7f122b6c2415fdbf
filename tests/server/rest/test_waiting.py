"""Holds, approvals, reports and corrections, as a user lists them and decides on them."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from aumos_governance.ledger.contract.agreements import AskApproval, FileReport
from aumos_governance.ledger.contract.charges import Hold, KernelGone, Spend
from aumos_governance.ledger.contract.facts import NotebookKey, Origin
from aumos_governance.ledger.contract.requests import OpenSession
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.types import TrustLevel
from tests.server.described import check
from tests.server.users import ReadOnly

CENT = 10_000_000
KERNEL = Origin("kernel", scope="kernel-1", incarnation="one", cell_id="c-3", execution_count=4)
_keys = (f"kernel-key-{number}" for number in itertools.count(1))


@dataclass
class Agent:
    """A kernel whose requests go directly to the server's ledger."""

    ledger: Any
    notebooks: Any
    paths: set[str] = field(default_factory=set)

    def do(self, kind: Any, path: str, **values: Any) -> Any:
        key: NotebookKey = self.notebooks.key(path)
        if path not in self.paths:
            self.paths.add(path)
            level = TrustLevel.L4_ACT_REPORT
            self.ledger.execute(
                OpenSession(key=next(_keys), origin=KERNEL, notebook=key, terms=SessionTerms(), trust_level=level)
            )
        return self.ledger.execute(kind(key=next(_keys), origin=KERNEL, notebook=key, **values))

    def hold(self, path: str = "a.ipynb", amount: int = 10 * CENT, **values: Any) -> str:
        return str(self.do(Hold, path, amount=amount, tool="gpt-4o", **values).charge_id)

    def request(self, path: str = "a.ipynb", shown: str = '{"code": "rm"}', **values: Any) -> str:
        return str(self.do(AskApproval, path, digest="d1", shown=shown, tool="shell", **values).approval_id)

    def report(self, path: str = "a.ipynb", **values: Any) -> str:
        return str(self.do(FileReport, path, shown='{"did": "rm"}', tool="shell", **values).report_id)

    def leave(self) -> None:
        """Let the kernel's process end."""
        self.ledger.execute(KernelGone(key=next(_keys), origin=Origin("server"), incarnation="one"))


@pytest.fixture
def agent(extension: Any) -> Agent:
    return Agent(extension._ledger, extension._notebooks)


# ---- holds


async def test_holds_are_listed_with_what_they_are(rest: Any, agent: Agent) -> None:
    first = agent.hold(agent_id="agent-7")
    agent.leave()
    second = agent.hold("b.ipynb", 0)
    body = (await rest("GET", "holds")).body
    check("HoldPage", body)
    assert [(hold["id"], hold["notebook"], hold["state"]) for hold in body["holds"]] == [
        (first, "a.ipynb", "unresolved"),
        (second, "b.ipynb", "held"),
    ]
    shown = body["holds"][0]
    assert (shown["amount"], shown["tool"], shown["agent_id"], shown["until"]) == ("0.1", "gpt-4o", "agent-7", None)
    assert shown["cell"] == {"id": "c-3", "count": 4}
    assert "incarnation" not in json.dumps(body)
    assert [hold["id"] for hold in (await rest("GET", "holds", path="/b.ipynb")).body["holds"]] == [second]
    assert (await rest("GET", "holds", path="c.ipynb")).body == {"holds": [], "after": None}


@pytest.mark.parametrize("name", ["holds", "approvals", "reports"])
async def test_lists_come_in_pages(rest: Any, agent: Agent, name: str) -> None:
    make = {"holds": agent.hold, "approvals": agent.request, "reports": agent.report}[name]
    made = [make(path) for path in ("a.ipynb", "b.ipynb", "a.ipynb")]
    first = (await rest("GET", name, limit="2")).body
    assert [found["id"] for found in first[name]] == made[:2]
    last = (await rest("GET", name, limit="2", after=first["after"])).body
    assert ([found["id"] for found in last[name]], last["after"]) == (made[2:], None)
    assert (await rest("GET", name, limit="3")).body["after"] is None
    assert (await rest("GET", name, limit="1000")).body["after"] is None


async def test_a_user_settles_what_a_kernel_left(rest: Any, agent: Agent) -> None:
    hold = agent.hold()
    alive = await rest("POST", f"holds/{hold}/settle", {"amount": "0.02"})
    assert (alive.status, alive.body["code"]) == (403, "NOT_ALLOWED")
    assert "still runs" in alive.body["message"]
    assert (await rest("POST", f"holds/{hold}/release")).status == 403
    agent.leave()
    settled = await rest("POST", f"holds/{hold}/settle", {"amount": "0.02"})
    check("ResolutionResponse", settled.body)
    assert settled.status == 200
    assert settled.body["resolution"] == {
        "hold_id": hold,
        "outcome": "settled",
        "held": "0.1",
        "spent": "0.02",
        "overrun": False,
        "estimated": False,
        "record_id": settled.body["resolution"]["record_id"],
    }
    assert (settled.body["state"]["spent"], settled.body["state"]["held"]) == ("0.02", "0")
    (record,) = (await rest("GET", "audit", event="settle")).body["records"]
    assert record["record_id"] == settled.body["resolution"]["record_id"]
    assert record["actor"] not in ("kernel", "server", "")
    again = await rest("POST", f"holds/{hold}/settle", {"amount": "0.02"})
    assert (again.status, again.body["code"]) == (409, "CONFLICT")
    assert "settled already" in again.body["message"]


async def test_a_settlement_above_the_hold_is_recorded_in_full(rest: Any, agent: Agent) -> None:
    hold = agent.hold()
    agent.leave()
    body = (await rest("POST", f"holds/{hold}/settle", {"amount": 0.5})).body
    assert (body["resolution"]["spent"], body["resolution"]["overrun"]) == ("0.5", True)


async def test_a_user_releases_what_cost_nothing(rest: Any, agent: Agent) -> None:
    hold = agent.hold()
    agent.leave()
    released = (await rest("POST", f"holds/{hold}/release")).body
    check("ResolutionResponse", released)
    assert (released["resolution"]["outcome"], released["resolution"]["spent"]) == ("released", "0")
    assert (await rest("GET", "holds")).body["holds"] == []


# ---- approvals


async def test_an_approval_shows_what_is_requested_and_takes_one_decision(rest: Any, agent: Agent) -> None:
    requested = agent.request(amount=CENT, agent_id="agent-7", until=4_000_000_000_000_000)
    page = (await rest("GET", "approvals")).body
    check("ApprovalPage", page)
    (shown,) = page["approvals"]
    assert (shown["id"], shown["shown"], shown["digest"], shown["amount"]) == (requested, {"code": "rm"}, "d1", "0.01")
    assert (shown["status"], shown["cell"], shown["agent_id"]) == ("pending", {"id": "c-3", "count": 4}, "agent-7")
    assert shown["until"] == "2096-10-02T07:06:40.000000Z"
    other = await rest("POST", f"approvals/{requested}", {"decision": "approve", "digest": "d2"})
    assert (other.status, other.body["code"]) == (409, "CONFLICT")
    assert "for another action" in other.body["message"]
    assert (await rest("GET", "approvals")).body == page
    decided = await rest("POST", f"approvals/{requested}", {"decision": "approve", "digest": "d1"})
    check("Approval", decided.body)
    assert (decided.status, decided.body["status"], decided.body["shown"]) == (200, "approved", None)
    who = decided.body["decided_by"]
    assert who
    late = await rest("POST", f"approvals/{requested}", {"decision": "deny", "digest": "d1"})
    assert (late.status, late.body["code"]) == (409, "CONFLICT")
    assert late.body["message"] == f"This was approved already, by {who}, so nothing was changed."
    assert (await rest("GET", "approvals")).body == {"approvals": [], "after": None}
    (record,) = (await rest("GET", "audit", event="approve")).body["records"]
    assert record["actor"] == who


async def test_a_denial_is_a_decision(rest: Any, agent: Agent) -> None:
    requested = agent.request(shown="not JSON <b>")
    assert (await rest("GET", "approvals")).body["approvals"][0]["shown"] == "not JSON <b>"
    body = (await rest("POST", f"approvals/{requested}", {"decision": "deny", "digest": "d1"})).body
    assert body["status"] == "denied"
    (record,) = (await rest("GET", "audit", event="refuse")).body["records"]
    assert record["outcome"] == "deny"


# ---- reports


async def test_a_report_stays_until_it_is_acknowledged(rest: Any, agent: Agent) -> None:
    charge = agent.hold()
    filed = agent.report(charge_id=charge)
    page = (await rest("GET", "reports")).body
    check("ReportPage", page)
    (shown,) = page["reports"]
    assert (shown["id"], shown["shown"], shown["charge_id"]) == (filed, {"did": "rm"}, charge)
    assert shown["cell"] == {"id": "c-3", "count": 4}
    seen = await rest("POST", f"reports/{filed}/acknowledge")
    check("Report", seen.body)
    assert (seen.status, seen.body["shown"]) == (200, None)
    assert seen.body["acknowledged_by"]
    assert (await rest("POST", f"reports/{filed}/acknowledge")).body == seen.body
    assert (await rest("GET", "reports")).body == {"reports": [], "after": None}


# ---- corrections


async def test_a_charge_is_taken_back_with_a_reason(rest: Any, agent: Agent) -> None:
    charge = agent.do(Spend, "a.ipynb", amount=5 * CENT, tool="gpt-4o").charge_id
    wish = {"charge_id": charge, "amount": "0.02", "reason": "entered twice"}
    corrected = await rest("POST", "corrections", wish)
    check("Correction", wish)
    check("CorrectionResponse", corrected.body)
    assert corrected.status == 200
    assert (corrected.body["correction"]["left"], corrected.body["state"]["spent"]) == ("0.03", "0.03")
    (record,) = (await rest("GET", "audit", event="correct")).body["records"]
    assert (record["spent_delta"], record["reasons"], record["charge_id"]) == ("-0.02", ["entered twice"], charge)
    more = await rest("POST", "corrections", {**wish, "amount": "0.04"})
    assert (more.status, more.body["code"]) == (409, "CONFLICT")
    assert "only $0.03 of it is charged now" in more.body["message"]


async def test_a_key_makes_a_decision_safe_to_repeat(rest: Any, agent: Agent) -> None:
    charge = agent.do(Spend, "a.ipynb", amount=5 * CENT).charge_id
    login = await rest("GET", "config")
    cookie = login.response.headers["Set-Cookie"].split(";")[0]
    headers = {"Idempotency-Key": "k-1", "Cookie": cookie}
    wish = {"charge_id": charge, "amount": "0.02", "reason": "entered twice"}
    once = await rest("POST", "corrections", wish, headers)
    assert (await rest("POST", "corrections", wish, headers)).body == once.body
    assert (await rest("GET", "state", path="a.ipynb")).body["spent"] == "0.03"


# ---- refusals


@pytest.mark.parametrize(
    ("method", "name", "body", "status", "word"),
    [
        ("GET", "holds?x=1", None, 400, "'x'"),
        ("GET", "approvals?limit=0", None, 400, "limit"),
        ("GET", "reports?path=..", None, 400, "path"),
        ("GET", "holds?after=", None, 400, "after"),
        ("POST", "holds/h/settle", {}, 400, "amount"),
        ("POST", "holds/h/settle", {"amount": -1}, 400, "amount"),
        ("POST", "holds/h/settle", {"amount": "0.02", "tool": "x"}, 400, "'tool'"),
        ("POST", "holds/h/settle?x=1", {"amount": "0.02"}, 400, "'x'"),
        ("POST", "holds/h/settle", {"amount": "0.02"}, 404, "'h'"),
        ("POST", "holds/h/release", {"amount": "0"}, 400, "'amount'"),
        ("POST", "holds/h/release", {}, 404, "'h'"),
        ("POST", "holds/\0/release", {}, 400, "hold's id"),
        ("POST", "approvals/a", {"decision": "approve"}, 400, "digest"),
        ("POST", "approvals/a", {"decision": "maybe", "digest": "d"}, 400, "approve or deny"),
        ("POST", "approvals/a", {"decision": ["approve"], "digest": "d"}, 400, "approve or deny"),
        ("POST", "approvals/a", {"decision": "approve", "digest": "d"}, 404, "'a'"),
        ("POST", "reports/r/acknowledge", {"x": 1}, 400, "'x'"),
        ("POST", "reports/r/acknowledge", {}, 404, "'r'"),
        ("POST", "corrections", {"charge_id": "c", "amount": "0.02"}, 400, "reason"),
        ("POST", "corrections", {"charge_id": "c", "reason": "twice"}, 400, "amount"),
        ("POST", "corrections", {"charge_id": "c", "amount": "0", "reason": "twice"}, 400, "amount"),
        ("POST", "corrections", {"charge_id": "c", "amount": "0.02", "reason": "twice"}, 404, "'c'"),
        ("GET", "envelopes", None, 400, "path"),
    ],
)
async def test_a_wrong_request_is_refused(rest: Any, method: str, name: str, body: Any, status: int, word: str) -> None:
    path, _, query = name.partition("?")
    parameters = dict(part.split("=", 1) for part in query.split("&")) if query else {}
    response = await rest(method, path, body, **parameters)
    assert (response.status, set(response.body)) == (status, {"code", "message"})
    assert word in response.body["message"]
    check("Error", response.body)


CHANGES = [
    ("POST", "holds/h/settle"),
    ("POST", "holds/h/release"),
    ("POST", "approvals/a"),
    ("POST", "reports/r/acknowledge"),
    ("POST", "corrections"),
]
LISTS = [("GET", name) for name in ("holds", "approvals", "reports", "envelopes", "audit/sums", "audit/verify")]


@pytest.mark.parametrize(("method", "name"), [*CHANGES, *LISTS, ("GET", "audit/export")])
async def test_without_a_token_nothing_is_announced(rest: Any, method: str, name: str) -> None:
    response = await rest(method, name, {} if method == "POST" else None, {"Authorization": ""})
    assert (response.status, response.body["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize(("method", "name"), CHANGES)
async def test_a_cookie_alone_needs_the_xsrf_token(rest: Any, method: str, name: str) -> None:
    cookie = (await rest("GET", "config")).response.headers["Set-Cookie"].split(";")[0]
    response = await rest(method, name, {}, {"Authorization": "", "Cookie": cookie})
    assert (response.status, response.body["code"]) == (403, "FORBIDDEN")
    assert "_xsrf" in response.body["message"]


class TestReadOnly:
    @pytest.fixture(autouse=True)
    def read_only(self, jp_server_config: Any) -> None:
        jp_server_config.ServerApp.authorizer_class = ReadOnly

    @pytest.mark.parametrize(("method", "name"), CHANGES)
    async def test_who_may_only_read_decides_nothing(self, rest: Any, method: str, name: str) -> None:
        response = await rest(method, name, {})
        assert (response.status, response.body["code"]) == (403, "FORBIDDEN")
        assert "not authorized to write" in response.body["message"]

    async def test_who_may_read_reads(self, rest: Any) -> None:
        for _, name in LISTS:
            parameters = {"path": "a.ipynb"} if name == "envelopes" else {}
            assert (await rest("GET", name, **parameters)).status == 200


# ---- live


async def test_every_change_of_what_waits_is_sent(rest: Any, agent: Agent, extension: Any) -> None:
    reported: list[int] = []
    extension._ledger.subscribe(lambda states: reported.extend(state.seq for state in states))

    async def news() -> bool:
        seq = (await rest("GET", "state", path="a.ipynb")).body["seq"]
        heard = bool(reported) and reported[-1] == seq
        reported.clear()
        return heard

    requested, held, filed = agent.request(), agent.hold(), agent.report()
    assert await news()
    await rest("POST", f"approvals/{requested}", {"decision": "deny", "digest": "d1"})
    assert await news()
    await rest("POST", f"reports/{filed}/acknowledge")
    assert await news()
    withdrawn = agent.request()
    assert await news()
    agent.leave()
    assert await news()
    assert withdrawn not in str((await rest("GET", "approvals")).body)
    await rest("POST", f"holds/{held}/release")
    assert await news()
    agent.report()
    assert await news()
    await rest("GET", "holds")
    assert not await news()


async def test_what_belongs_to_others_is_not_there(rest: Any, agent: Agent) -> None:
    other = NotebookKey("bob", "/srv/bob", "a.ipynb")
    opening = OpenSession(key=next(_keys), origin=KERNEL, notebook=other, terms=SessionTerms())
    agent.ledger.execute(opening)
    request = AskApproval(key=next(_keys), origin=KERNEL, notebook=other, digest="d1", shown="{}")
    requested = agent.ledger.execute(request).approval_id
    assert (await rest("GET", "approvals")).body["approvals"] == []
    response = await rest("POST", f"approvals/{requested}", {"decision": "approve", "digest": "d1"})
    assert (response.status, response.body["code"]) == (404, "NOT_FOUND")
