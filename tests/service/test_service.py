"""The service makes decisions and bodies of requests, the same for every transport."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aumos_governance import money
from aumos_governance.errors import InvalidAmountError, InvalidRequestError, NotAllowedError
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditQuery
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.service.service import NotebookService
from aumos_governance.service.users import User
from aumos_governance.types import TrustLevel
from aumos_governance.wire.protocol import Cell, WireRequest, parse_request
from tests.service.client import NOTEBOOK, ServiceClient

SAMPLES = json.loads((Path(__file__).parents[1] / "protocol" / "wire.json").read_text())


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = open_ledger("memory://")
    yield ledger
    ledger.close()


@pytest.fixture
def service(ledger: Ledger) -> NotebookService:
    return NotebookService(ledger)


@pytest.fixture
def send(service: NotebookService) -> ServiceClient:
    return ServiceClient(service)


def test_every_op_responds_with_the_fields_of_the_protocol(service: NotebookService) -> None:
    client = ServiceClient(service)
    holds: dict[str, str] = {}
    for raw in SAMPLES["requests"]:
        # A sample names another sample's hold by that sample's id.
        named = {"hold_id": holds[raw["hold_id"][4:-1]]} if "hold_id" in raw else {}
        response = client.send(parse_request({**raw, **named, "exp": time.time() + 10}))
        if raw["op"] == "hold":
            holds[raw["id"]] = response["hold_id"]
        assert response["ok"], response
        assert list(response) == ["id", *[name for name in SAMPLES["responses"][raw["op"]] if name != "id"]]


def test_a_day_in_the_life_of_a_notebook(send: ServiceClient) -> None:
    opened = send("open", trust_level="2", budget="10.0")
    assert (opened["opened"], opened["resumed"], opened["previous"], opened["notes"]) == (True, False, None, [])
    for amount, tool in (("0.05", "gpt-4o"), ("0.03", "text-embedding-3-small"), ("0.12", "claude-opus-4-6")):
        assert send("spend", amount=amount, tool=tool)["decision"]["allowed"]
    state = send("status")["state"]
    assert {name: state[name] for name in ("active", "trust_label", "budget", "spent", "remaining", "over")} == {
        "active": True,
        "trust_label": "Suggest",
        "budget": "10",
        "spent": "0.2",
        "remaining": "9.8",
        "over": "0",
    }
    assert send("open", trust_level="2", budget="10.0")["resumed"]
    denied = send("spend", amount="10", tool="gpt-4o")
    assert denied["ok"]
    assert denied["decision"]["outcome"] == "deny"
    assert denied["decision"]["reasons"] == ["Would exceed budget ($10.20 > $10.00)"]
    closed = send("close")["state"]
    assert (closed["active"], closed["spent"], closed["budget"]) == (False, "0.2", "10")
    again = send("open")
    assert again["opened"]
    assert {name: again["previous"][name] for name in ("sessions", "spent", "budget")} == {
        "sessions": 1,
        "spent": "0.2",
        "budget": "10",
    }
    assert again["state"]["spent"] == "0"
    events = [record["event"] for record in send("audit", limit=100)["records"]]
    assert [event for event in events if event != "open"][:4] == ["spend"] * 4


def test_without_a_session_a_spend_is_denied_and_on_record(send: ServiceClient) -> None:
    decision = send("spend", amount="0.01")["decision"]
    assert (decision["outcome"], decision["code"], decision["tool"]) == ("deny", "NO_SESSION", "unknown")
    (record,) = send("audit")["records"]
    assert (record["record_id"], record["cell"]) == (decision["record_id"], {"id": "c1", "count": 3})


@pytest.mark.parametrize(
    ("op", "body", "code", "why"),
    [
        ("open", {"trust_level": "9"}, "INVALID_REQUEST", "The trust level must be a whole number from 0 to 5"),
        ("open", {"trust_level": "two"}, "INVALID_REQUEST", "from 0 to 5, not 'two'"),
        ("open", {"trust_level": True}, "INVALID_REQUEST", "from 0 to 5"),
        ("open", {"trust_level": 2.0}, "INVALID_REQUEST", "from 0 to 5"),
        ("open", {"budget": "nan"}, "INVALID_AMOUNT", "The budget must be a finite number"),
        ("open", {"budget": "-1"}, "INVALID_AMOUNT", "The budget must not be negative"),
        ("open", {"budegt": "1"}, "INVALID_REQUEST", "The field 'budegt' is not known here"),
        ("open", {"agent_id": "  "}, "INVALID_REQUEST", "The agent id must be text that is not empty"),
        ("open", {"agent_id": "a\0b"}, "INVALID_REQUEST", "a character that is not valid text"),
        ("open", {"new": "yes"}, "INVALID_REQUEST", "The field new must be true or false"),
        ("spend", {}, "INVALID_REQUEST", "A spend needs an amount"),
        ("spend", {"amount": "abc"}, "INVALID_AMOUNT", "must be a number of US dollars, not 'abc'"),
        ("spend", {"amount": "0"}, "INVALID_AMOUNT", "more than 0"),
        ("spend", {"amount": "1", "tool": "x" * 1001}, "INVALID_REQUEST", "at most 1000 characters, but has 1001"),
        ("audit", {"limit": 0}, "INVALID_REQUEST", "The limit must be a whole number from 1 to 1000"),
        ("cancel", {}, "INVALID_REQUEST", "The id of the request to cancel must be text"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_changes_nothing(
    send: ServiceClient, op: str, body: dict[str, Any], code: str, why: str
) -> None:
    send("open", trust_level=2, budget="10")
    before = send("status")
    response = send(op, **body)
    assert (response["ok"], response["code"]) == (False, code)
    assert why in response["message"]
    after = send("status")
    assert {**after, "id": None} == {**before, "id": None}


@pytest.mark.parametrize("level", [2, "2", "L2", " l2 "])
def test_a_level_is_given_as_users_write_it(send: ServiceClient, level: object) -> None:
    assert send("open", trust_level=level)["state"]["trust_level"] == 2


def test_the_same_request_twice_is_charged_once(send: ServiceClient) -> None:
    send("open", budget="1")
    spend = WireRequest("same", "spend", time.time() + 10, Cell(), {"amount": "0.4"})
    first, second = send.send(spend), send.send(spend)
    assert first == second
    assert send("status")["state"]["spent"] == "0.4"
    other = send.send(WireRequest("same", "spend", time.time() + 10, Cell(), {"amount": "0.5"}))
    assert (other["ok"], other["code"]) == (False, "IDEMPOTENCY_KEY_REUSED")


def test_a_request_past_its_expiry_is_not_acted_on(send: ServiceClient) -> None:
    send("open", budget="1")
    late = send.send(WireRequest("late", "spend", time.time() - 1, Cell(), {"amount": "0.4"}))
    assert (late["ok"], late["code"]) == (False, "EXPIRED")
    assert send("status")["state"]["spent"] == "0"


def test_a_cancelled_spend_is_given_back(send: ServiceClient) -> None:
    send("open", budget="1")
    send.send(WireRequest("s1", "spend", time.time() + 10, Cell(), {"amount": "0.4"}))
    assert send("cancel", of="s1")["voided"]
    assert send("status")["state"]["spent"] == "0"
    assert send("cancel", of="never-came")["voided"]
    refused = send.send(WireRequest("never-came", "spend", time.time() + 10, Cell(), {"amount": "0.4"}))
    assert (refused["ok"], refused["code"]) == (False, "CONFLICT")


def test_what_a_user_sets_the_kernel_only_tightens(service: NotebookService, send: ServiceClient) -> None:
    send("open", trust_level=2, budget="10")
    service.change(User("teacher"), NOTEBOOK, {"budget": "5"})
    opened = send("open", trust_level=2, budget="10")
    assert opened["state"]["budget"] == "5"
    assert opened["state"]["set_by"] == "teacher"
    assert opened["notes"] == ["The budget stays at $5.00, set by teacher; from the notebook it can only be tightened."]
    assert send("open", budget="4")["state"]["budget"] == "4"
    assert send("open", budget="5")["state"]["budget"] == "4"
    assert send("open", new=True, budget="10")["state"]["budget"] == "4"


def test_a_user_opens_changes_and_closes(service: NotebookService) -> None:
    assert service.state(NOTEBOOK)["trust_level"] is None
    opened = service.change(User("ada"), NOTEBOOK, {"trust_level": 3})
    assert (opened["active"], opened["trust_level"], opened["budget"], opened["set_by"]) == (True, 3, "10", "ada")
    assert [state["path"] for state in service.states("ada", "/srv")] == [NOTEBOOK.path]
    closed = service.close(User("ada"), NOTEBOOK)
    assert not closed["active"]
    assert service.close(User("ada"), NOTEBOOK) == closed
    with pytest.raises(InvalidRequestError, match="'spent' is not known here; the fields are agent_id, budget"):
        service.change(User("ada"), NOTEBOOK, {"spent": "0"})
    with pytest.raises(InvalidAmountError):
        service.change(User("ada"), NOTEBOOK, {"budget": "lots"})
    page = service.audit(AuditQuery(notebook=NOTEBOOK, limit=1, oldest_first=True))
    assert len(page["records"]) == 1
    assert page["cursor"]


def test_the_terms_bind_kernel_and_user(ledger: Ledger) -> None:
    terms = SessionTerms(
        default_trust_level=TrustLevel.L1_MONITOR,
        default_budget=5 * money.NANO_PER_USD,
        max_trust_level=TrustLevel.L3_ACT_APPROVE,
        max_budget=20 * money.NANO_PER_USD,
    )
    service = NotebookService(ledger, terms)
    send = ServiceClient(service)
    assert send("hello")["default_budget"] == "5"
    assert "highest this server allows (max_budget)" in send("open", budget="20.01")["message"]
    assert send("open", trust_level=4)["code"] == "NOT_ALLOWED"
    with pytest.raises(NotAllowedError, match="max_trust_level"):
        service.change(User("ada"), NOTEBOOK, {"trust_level": 5})
    state = send("open")["state"]
    assert (state["trust_level"], state["budget"]) == (1, "5")


def test_a_strict_server_leaves_loosening_to_users(ledger: Ledger) -> None:
    service = NotebookService(ledger, SessionTerms(strict=True))
    send = ServiceClient(service)
    assert send("open", budget="11")["code"] == "NOT_ALLOWED"
    assert send("open", budget="5", trust_level=1)["ok"]
    assert send("open", budget="6")["code"] == "NOT_ALLOWED"
    assert send("open", budget="4")["state"]["budget"] == "4"
    assert send("open", new=True)["code"] == "NOT_ALLOWED"
    assert send("close")["code"] == "NOT_ALLOWED"
    assert service.change(User("teacher"), NOTEBOOK, {"budget": "8"})["budget"] == "8"
    service.close(User("teacher"), NOTEBOOK)
    assert send("open", budget="1")["code"] == "NOT_ALLOWED"


def test_a_failure_inside_is_a_response_too(service: NotebookService, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(service.ledger, "submit", broken)
    response = ServiceClient(service)("open")
    assert (response["ok"], response["code"]) == (False, "INTERNAL")
    assert "there is no decision" in response["message"]


def test_a_hold_is_settled_below_or_above_and_released(send: ServiceClient) -> None:
    send("open", budget="1")
    held = send("hold", amount="0.6", tool="gpt-4o")
    assert held["decision"]["allowed"]
    assert (held["state"]["held"], held["state"]["remaining"]) == ("0.6", "0.4")
    assert send("hold", amount="0.5")["hold_id"] is None
    settled = send("settle", hold_id=held["hold_id"], amount="0.25")
    assert settled["resolution"] == {
        "hold_id": held["hold_id"],
        "outcome": "settled",
        "held": "0.6",
        "spent": "0.25",
        "overrun": False,
        "estimated": False,
        "record_id": settled["resolution"]["record_id"],
    }
    assert (settled["state"]["held"], settled["state"]["spent"]) == ("0", "0.25")
    again = send("settle", hold_id=held["hold_id"], amount="0.25")
    assert (again["ok"], again["code"]) == (False, "CONFLICT")
    guess = send("settle", hold_id=send("hold", amount="0.1")["hold_id"], amount="0.1", estimated=True)
    assert guess["resolution"]["estimated"] is True
    free = send("hold", amount="0")
    assert send("settle", hold_id=free["hold_id"], amount="2")["resolution"]["overrun"] is True
    send("open", budget="5")
    left = send("hold", amount="1")
    assert send("release", hold_id=left["hold_id"])["resolution"]["outcome"] == "released"
    assert send("status")["state"]["held"] == "0"


def test_a_hold_ends_by_itself_only_at_its_stated_time(send: ServiceClient) -> None:
    send("open", budget="1")
    send("hold", amount="0.25")
    send("hold", amount="0.5", until=time.time() - 1)
    assert send("spend", amount="0.25")["state"]["held"] == "0.25"


@pytest.mark.parametrize(
    ("op", "body", "word"),
    [
        ("hold", {}, "amount"),
        ("hold", {"amount": "-1"}, "negative"),
        ("hold", {"amount": "1", "kind": "deed"}, "call or act"),
        ("hold", {"amount": "1", "required_level": 9}, "trust level"),
        ("hold", {"amount": "1", "until": "soon"}, "seconds"),
        ("hold", {"amount": "1", "until": True}, "seconds"),
        ("hold", {"amount": "1", "untill": 5}, "untill"),
        ("settle", {"amount": "1"}, "hold's id"),
        ("settle", {"hold_id": "x"}, "amount"),
        ("settle", {"hold_id": "x", "amount": "1"}, "no hold"),
        ("release", {}, "hold's id"),
        ("release", {"hold_id": "x", "amount": "0"}, "amount"),
    ],
)
def test_a_hold_that_cannot_be_is_refused_in_one_sentence(
    send: ServiceClient, op: str, body: dict[str, Any], word: str
) -> None:
    send("open", budget="1")
    refused = send(op, **body)
    assert refused["ok"] is False
    assert word in refused["message"]
    assert send("status")["state"]["held"] == "0"
