"""Users' requests about the gateway's keys, and the state after a request that failed halfway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from aumos_governance.errors import ConflictError, InvalidRequestError, NotFoundError
from aumos_governance.gateway.key_requests import KeyRequests
from aumos_governance.gateway.keys import GatewayKeys
from aumos_governance.gateway.process_environment import ProcessEnvironment
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.service.service import NotebookService
from aumos_governance.service.users import User
from aumos_governance.types import TrustLevel
from tests.ledger.kit import OTHER, at, delete, opening, records, state

ANN = User("ann")
NOTEBOOK_OF = {"k": OTHER}


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with closing(open_ledger("memory://")) as made:
        yield made


@pytest.fixture
def service(ledger: Ledger) -> Iterator[NotebookService]:
    service = NotebookService(ledger)
    yield service
    service.stop_waiting()


@pytest.fixture
def keys(ledger: Ledger) -> GatewayKeys:
    def serves(kernel: str) -> NotebookKey:
        return NOTEBOOK_OF.get(kernel, at(f"kernel:{kernel}"))

    return GatewayKeys(ledger, "ann", "/srv/ann", notebook_of=serves, server="here")


@pytest.fixture
def requests(keys: GatewayKeys, service: NotebookService) -> KeyRequests:
    environment = ProcessEnvironment(lambda secret: {"OPENAI_API_KEY": secret}, frozenset({"SCHOOL_KEY", "A_KEY"}))
    return KeyRequests(keys, service, environment, owner="ann", root="/srv/ann", place=at)


def create(requests: KeyRequests, key: str | None = None, **body: Any) -> dict[str, Any]:
    return requests.create(ANN, {"name": "script", **body}, key)


def test_a_key_of_a_users_own_has_a_session_of_its_own_at_the_first_level(
    requests: KeyRequests, keys: GatewayKeys, ledger: Ledger
) -> None:
    created = create(requests)
    assert created["environment"] == {"OPENAI_API_KEY": created["secret"]}
    assert created["withheld"] == ["A_KEY", "SCHOOL_KEY"]
    holder = keys.find(created["secret"])
    assert holder is not None
    assert created["key"]["id"] == holder.key_id
    found = state(ledger, at("key:script"))
    assert (found.active, found.trust_level) == (True, 1)
    assert [record.actor for record in records(ledger, event="key_issued")] == ["ann"]


def test_a_level_and_a_budget_may_be_given_and_nothing_is_as_good_as_leaving_them_out(
    requests: KeyRequests, ledger: Ledger
) -> None:
    create(requests, trust_level=3, budget="0.5", kind="user")
    found = state(ledger, at("key:script"))
    assert found.balance is not None
    assert (found.trust_level, found.balance.limit) == (3, 5 * 10**8)
    create(requests, name="other", trust_level=None, budget=None, kind=None)
    assert state(ledger, at("key:other")).trust_level == 1


@pytest.mark.parametrize(
    "body",
    [
        {"path": "a.ipynb"},
        {"kind": "kernel"},
        {"kind": "terminal"},
        {"kind": "kernel", "path": OTHER.path},
        {"kind": "terminal", "path": OTHER.path},
        {"kind": "run"},
        {"name": ""},
        {"name": "a/b"},
        {"name": " a"},
        {"name": "a" * 65},
        {"name": "a.ipynb"},
        {"name": "../a"},
        {"kind": "run", "path": OTHER.path, "budget": "1"},
        {"kind": "run", "path": OTHER.path, "trust_level": 1},
    ],
)
def test_what_is_no_key_is_refused_and_leaves_nothing(
    requests: KeyRequests, ledger: Ledger, body: dict[str, Any]
) -> None:
    ledger.execute(opening(OTHER))
    with pytest.raises(InvalidRequestError):
        create(requests, **body)
    assert requests.list(None) == {"enabled": True, "keys": []}
    assert records(ledger, event="key_issued") == []


@pytest.mark.parametrize("name", ["a", "A b.c_d-9", "a" * 64])
def test_these_are_names(requests: KeyRequests, name: str) -> None:
    assert create(requests, name=name)["key"]["path"] == f"key:{name}"


def test_a_key_whose_session_cannot_be_opened_is_revoked(
    requests: KeyRequests, keys: GatewayKeys, ledger: Ledger
) -> None:
    with pytest.raises(ValueError, match="budget"):
        create(requests, budget="-1")
    assert keys.valid() == []
    (found,) = records(ledger, event="key_revoked")
    assert (found.actor, found.detail["why"]) == ("ann", "its session could not be opened")
    # The name of the revoked key can be used again.
    create(requests)


def test_what_a_killed_server_left_open_under_the_name_does_not_count(requests: KeyRequests, ledger: Ledger) -> None:
    ledger.execute(opening(at("key:script"), budget=10**9, trust_level=TrustLevel.L5_AUTONOMOUS))
    create(requests, budget="0.5")
    found = state(ledger, at("key:script"))
    assert found.balance is not None
    assert (found.trust_level, found.balance.limit, found.balance.spent) == (1, 5 * 10**8, 0)
    assert len(records(ledger, event="close")) == 1


def test_a_command_has_the_document_of_its_notebook(requests: KeyRequests, ledger: Ledger) -> None:
    with pytest.raises(NotFoundError):
        create(requests, kind="run", path=OTHER.path)
    ledger.execute(opening(OTHER))
    created = create(requests, kind="run", path=OTHER.path, key="once")
    assert (created["key"]["kind"], created["key"]["path"]) == ("run", OTHER.path)
    with pytest.raises(ConflictError):
        create(requests, kind="run", path=OTHER.path, key="once")


def test_keys_are_listed_with_what_they_belong_to(requests: KeyRequests, keys: GatewayKeys, ledger: Ledger) -> None:
    keys.issue("kernel", "kernel", subject="k")
    keys.issue("terminal", "terminal 1", subject="1")
    ledger.execute(opening(OTHER))
    create(requests, kind="run", path=OTHER.path, name="train.py")
    listed = {body["kind"]: body for body in requests.list(None)["keys"]}
    shown = {kind: (body["path"], body["kernel_id"], body["terminal"]) for kind, body in listed.items()}
    assert shown == {
        "kernel": (OTHER.path, "k", None),
        "terminal": (None, None, "1"),
        "run": (OTHER.path, None, None),
    }
    assert all(body["issued_at"] for body in listed.values())
    assert listed["run"]["issued_by"] == "ann"
    assert {body["kind"] for body in requests.list(OTHER.path)["keys"]} == {"kernel", "run"}
    assert requests.list("a.ipynb")["keys"] == []


def test_a_key_that_the_ledger_does_not_have_yet_is_listed_without_a_time(
    requests: KeyRequests, keys: GatewayKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys._valid, "take", lambda _: None)
    keys.issue_ahead("kernel", "kernel", subject="k")
    assert [body["issued_at"] for body in requests.list(None)["keys"]] == [None]


def test_a_terminal_is_bound_by_a_user(requests: KeyRequests, keys: GatewayKeys, ledger: Ledger) -> None:
    holder, _ = keys.issue("terminal", "terminal 1", subject="1")
    with pytest.raises(NotFoundError):
        requests.bind(ANN, holder.key_id, {"path": OTHER.path}, None)
    ledger.execute(opening(OTHER))
    bound = requests.bind(ANN, holder.key_id, {"path": OTHER.path}, None)
    assert (bound["id"], bound["path"], bound["terminal"]) == (holder.key_id, OTHER.path, "1")
    assert [record.actor for record in records(ledger, event="key_bound")] == ["ann"]


def test_a_revoked_key_closes_a_session_that_is_its_alone(
    requests: KeyRequests, keys: GatewayKeys, ledger: Ledger
) -> None:
    ledger.execute(opening(OTHER))
    own, run = create(requests)["key"]["id"], create(requests, kind="run", path=OTHER.path, name="r")["key"]["id"]
    kernel, _ = keys.issue("kernel", "kernel", subject="k")
    for key_id in (own, run, kernel.key_id):
        assert requests.revoke(ANN, key_id, None) == {"id": key_id, "revoked": True}
    assert keys.valid() == []
    assert not state(ledger, at("key:script")).active
    assert state(ledger, OTHER).active
    found = [(record.actor, record.notebook) for record in records(ledger, event="key_revoked")]
    assert found == [("ann", "key:script"), ("ann", OTHER.path), ("ann", OTHER.path)]
    with pytest.raises(NotFoundError):
        requests.revoke(ANN, "unknown", None)
    # Revoking a key that is revoked already succeeds.
    assert requests.revoke(ANN, own, None)["revoked"]


def test_a_key_whose_document_is_deleted_is_revoked_without_a_session(
    requests: KeyRequests, keys: GatewayKeys, ledger: Ledger
) -> None:
    created = create(requests)
    ledger.execute(delete("key:script"))
    keys.refresh()
    assert requests.revoke(ANN, created["key"]["id"], None)["revoked"]
    assert keys.find(created["secret"]) is None


def test_a_notebooks_keys_stop_at_once(requests: KeyRequests, keys: GatewayKeys, ledger: Ledger) -> None:
    ledger.execute(opening(OTHER))
    run = create(requests, kind="run", path=OTHER.path, name="r")
    own = create(requests)
    stopped = requests.stop(ANN, OTHER.path, None)["revoked"]
    assert [body["id"] for body in stopped] == [run["key"]["id"]]
    assert keys.find(run["secret"]) is None
    assert keys.find(own["secret"]) is not None
