"""What people read of a ledger that others use as well."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aumos_governance.errors import InvalidRequestError
from aumos_governance.integrations.pricing import price_data
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.base import AuditQuery, AuditSums, NotebookKey
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.server.identity.rooms import Rooms
from aumos_governance.server.rest.people import People
from aumos_governance.server.settings.settings import Settings
from aumos_governance.service.service import Caller, NotebookService
from aumos_governance.service.users import User
from aumos_governance.wire.protocol import Ask, Cell


@pytest.mark.parametrize(
    ("database_url", "tools"), [("postgresql://host/ledger", ["ours"]), ("sqlite:///ledger.sqlite", ["ours", "theirs"])]
)
def test_a_database_server_shows_each_their_own_records(database_url: str, tools: list[str]) -> None:
    service = NotebookService(open_ledger("memory://"))
    for owner, tool in (("ann", "ours"), ("bob", "theirs")):
        caller = Caller(NotebookKey(owner, f"/srv/{owner}", "a.ipynb"), f"kernel:{owner}")
        for number, (op, body) in enumerate([("open", {}), ("spend", {"amount": "0.01", "tool": tool})]):
            service.submit(caller, Ask(f"{owner}{number}", op, time.time() + 60, Cell(), body), lambda _: None)
    settings = Settings(SessionTerms(), ("0.5",), autostart=False, database_url=database_url)
    people = People(service, Rooms("ann", "/srv/ann"), settings, lambda: None)

    seen = {record["tool"] for record in people.audit(AuditQuery())["records"]} - {None}
    assert sorted(seen) == tools
    assert [total["name"] for total in people.sums(AuditSums())["sums"]] == tools
    exported = b"".join(people.export(AuditQuery(oldest_first=True), "jsonl"))
    assert (b"theirs" in exported) == ("theirs" in tools)
    heads = people.verify({})["heads"]
    own = {record["chain"] for record in people.audit(AuditQuery(event="open"))["records"]}
    assert set(heads) == {"ledger", *own}
    assert len(own) == len(tools)


class Counted:
    """People of one notebook in a ledger of their own, and how often what waits in the server was settled first."""

    def __init__(self) -> None:
        self.settled = 0
        self.service = NotebookService(open_ledger("memory://"))
        for number, path in enumerate(("a.ipynb", "b.ipynb")):
            caller = Caller(NotebookKey("ann", "/srv", path), f"kernel:{path}")
            for op, body in (("open", {"budget": "5"}), ("spend", {"amount": "0.01", "tool": path})):
                ask = Ask(f"{op}{number}", op, time.time() + 60, Cell(), dict(body))
                self.service.submit(caller, ask, lambda _: None)
        settings = Settings(SessionTerms(), ("0.5",), autostart=False, database_url="sqlite:///ledger.sqlite")
        self.people = People(self.service, Rooms("ann", "/srv"), settings, self._settle)

    def _settle(self) -> None:
        self.settled += 1


@pytest.fixture
def counted() -> Iterator[Counted]:
    counted = Counted()
    yield counted
    counted.service.ledger.close()


@pytest.mark.parametrize(
    "read",
    [
        lambda people: people.state("a.ipynb"),
        lambda people: people.change(User("ann"), "a.ipynb", {"budget": "6"}, None),
        lambda people: people.close(User("ann"), "a.ipynb", None),
        lambda people: people.notebooks("", 10),
        lambda people: people.envelopes("a.ipynb"),
        lambda people: people.holds("a.ipynb", "", 10),
        lambda people: people.holds(None, "", 10),
        lambda people: people.approvals("a.ipynb", "", 10),
        lambda people: people.reports("a.ipynb", "", 10),
        lambda people: people.audit(AuditQuery()),
        lambda people: people.sums(AuditSums()),
        lambda people: people.verify({"path": "a.ipynb"}),
        lambda people: list(people.export(AuditQuery(), "csv")),
    ],
)
def test_what_waits_in_the_server_is_settled_before_anything_is_read(
    counted: Counted, read: Callable[[People], Any]
) -> None:
    assert read(counted.people)
    assert counted.settled == 1


def test_what_is_read_of_a_path_is_of_that_notebook(counted: Counted) -> None:
    people = counted.people
    assert people.key("a.ipynb") == NotebookKey("ann", "/srv", "a.ipynb")
    assert (people.state("a.ipynb")["path"], people.state("a.ipynb")["shared_with"]) == ("a.ipynb", None)
    assert people.change(User("ann"), "a.ipynb", {"budget": "6"}, None)["budget"] == "6"
    assert people.state("b.ipynb")["budget"] == "5"
    closed = people.close(User("ann"), "a.ipynb", None)
    assert (closed["active"], people.state("b.ipynb")["active"]) == (False, True)
    assert len(people.verify({"path": "b.ipynb"})["heads"]) == 1
    assert len(people.verify({})["heads"]) == 3


def test_a_notebook_or_a_session_is_verified_and_not_both(counted: Counted) -> None:
    (session_id,) = counted.people.verify({"path": "b.ipynb"})["heads"]
    assert set(counted.people.verify({"session_id": session_id})["heads"]) == {session_id}
    with pytest.raises(InvalidRequestError, match="not both"):
        counted.people.verify({"path": "b.ipynb", "session_id": session_id})


def test_notebooks_come_by_path_until_there_are_no_more(counted: Counted) -> None:
    def page(after: str, limit: int) -> tuple[list[str], str | None]:
        found = counted.people.notebooks(after, limit)
        return [each["path"] for each in found["notebooks"]], found["after"]

    assert page("", 3) == (["a.ipynb", "b.ipynb"], None)
    assert page("", 2) == (["a.ipynb", "b.ipynb"], None)
    assert page("", 1) == (["a.ipynb"], "a.ipynb")
    assert page("a.ipynb", 1) == (["b.ipynb"], None)
    assert page("b.ipynb", 1) == ([], None)


def test_a_server_that_knows_no_names_has_one_user(counted: Counted) -> None:
    people = counted.people
    assert (people.owner, people.kernels()) == ("ann", {"kernels": []})
    assert people.config(one_user=True)["user"] == "ann"
    assert people.config(one_user=False)["user"] is None
    assert people.config(one_user=True)["ceilings_differ"] == []


def test_where_there_are_no_prices_none_are_named(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_data, "describe", lambda: None)
    assert counted.people.config(one_user=True)["price_data"] is None
