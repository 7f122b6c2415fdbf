"""The records that users may read of a ledger that other users share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aumos_governance.errors import InvalidRequestError
from aumos_governance.integrations.pricing import price_data
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.ledger.contract.queries import AuditQuery, AuditSums
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.server.identity.notebook_map import NotebookMap
from aumos_governance.server.rest import audit, configuration, sessions, waiting
from aumos_governance.server.rest.context import Context
from aumos_governance.server.rest.parameters import Page
from aumos_governance.server.rest.route import Request
from aumos_governance.server.settings.settings import Settings
from aumos_governance.service.service import Caller, NotebookService
from aumos_governance.service.users import User
from aumos_governance.wire.protocol import Cell, WireRequest


def request(query: Any = None, *, one_user: bool = True, **body: Any) -> Request[Any]:
    return Request(query, User("ann"), one_user=one_user, id="", body=body, key=None)


@pytest.mark.parametrize(
    ("database_url", "tools"),
    [("postgresql://host/ledger", ["ours"]), ("sqlite:///ledger.sqlite", ["ours", "theirs"])],
    # It needs no database, so its name is not one by which tests that do are chosen.
    ids=["server", "file"],
)
def test_a_database_server_shows_each_their_own_records(database_url: str, tools: list[str]) -> None:
    service = NotebookService(open_ledger("memory://"))
    for owner, tool in (("ann", "ours"), ("bob", "theirs")):
        caller = Caller(NotebookKey(owner, f"/srv/{owner}", "a.ipynb"), f"kernel:{owner}")
        for number, (op, body) in enumerate([("open", {}), ("spend", {"amount": "0.01", "tool": tool})]):
            service.submit(caller, WireRequest(f"{owner}{number}", op, time.time() + 60, Cell(), body), lambda _: None)
    settings = Settings(SessionTerms(), ("0.5",), autostart=False, database_url=database_url)
    context = Context(service, NotebookMap("ann", "/srv/ann"), settings, lambda: None)

    seen = {record["tool"] for record in audit.records(context, request(AuditQuery()))["records"]} - {None}
    assert sorted(seen) == tools
    assert [total["name"] for total in audit.sums(context, request(AuditSums()))["sums"]] == tools
    exported = audit.export(context, request(audit.Export(AuditQuery(oldest_first=True), "jsonl")))
    assert (b"theirs" in b"".join(exported.parts)) == ("theirs" in tools)
    heads = audit.verify(context, request(audit.Chain(None, None, None)))["heads"]
    own = {record["chain"] for record in audit.records(context, request(AuditQuery(event="open")))["records"]}
    assert set(heads) == {"ledger", *own}
    assert len(own) == len(tools)


class Counted:
    """A server with two notebooks, which counts how often `settle` was called before a reading."""

    def __init__(self) -> None:
        self.settled = 0
        self.service = NotebookService(open_ledger("memory://"))
        for number, path in enumerate(("a.ipynb", "b.ipynb")):
            caller = Caller(NotebookKey("ann", "/srv", path), f"kernel:{path}")
            for op, body in (("open", {"budget": "5"}), ("spend", {"amount": "0.01", "tool": path})):
                request = WireRequest(f"{op}{number}", op, time.time() + 60, Cell(), dict(body))
                self.service.submit(caller, request, lambda _: None)
        settings = Settings(SessionTerms(), ("0.5",), autostart=False, database_url="sqlite:///ledger.sqlite")
        self.context = Context(self.service, NotebookMap("ann", "/srv"), settings, self._settle)

    def _settle(self) -> None:
        self.settled += 1


@pytest.fixture
def counted() -> Iterator[Counted]:
    counted = Counted()
    yield counted
    counted.service.ledger.close()


@pytest.fixture
def context(counted: Counted) -> Context:
    return counted.context


def page(after: str = "", limit: int = 10, path: str | None = None) -> Page:
    return Page(path=path, after=after, limit=limit)


@pytest.mark.parametrize(
    ("read", "query"),
    [
        (sessions.state, "a.ipynb"),
        (sessions.close, "a.ipynb"),
        (sessions.notebooks, page()),
        (sessions.envelopes, "a.ipynb"),
        (waiting.holds, page()),
        (waiting.holds, page(path="a.ipynb")),
        (waiting.approvals, page(path="a.ipynb")),
        (waiting.reports, page(path="a.ipynb")),
        (audit.records, AuditQuery()),
        (audit.sums, AuditSums()),
        (audit.verify, audit.Chain("a.ipynb", None, None)),
        (audit.export, audit.Export(AuditQuery(), "csv")),
    ],
)
def test_what_waits_in_the_server_is_settled_before_anything_is_read(
    counted: Counted, read: Callable[[Context, Request[Any]], Any], query: Any
) -> None:
    assert read(counted.context, request(query))
    assert counted.settled == 1


def test_what_waits_in_the_server_is_settled_before_anything_is_changed(counted: Counted) -> None:
    assert sessions.change(counted.context, request("a.ipynb", budget="6"))["budget"] == "6"
    assert counted.settled == 1


def test_what_is_read_of_a_path_is_of_that_notebook(context: Context) -> None:
    assert context.key("a.ipynb") == NotebookKey("ann", "/srv", "a.ipynb")
    state = sessions.state(context, request("a.ipynb"))
    assert (state["path"], state["shared_with"], state["spent"]) == ("a.ipynb", None, "0.01")
    sessions.change(context, request("a.ipynb", budget="6"))
    assert sessions.state(context, request("b.ipynb"))["budget"] == "5"
    closed = sessions.close(context, request("a.ipynb"))
    assert (closed["active"], sessions.state(context, request("b.ipynb"))["active"]) == (False, True)


def test_a_notebook_or_a_session_or_all_is_verified(context: Context) -> None:
    def heads(path: str | None, session_id: str | None) -> set[str]:
        return set(audit.verify(context, request(audit.Chain(path, session_id, None)))["heads"])

    (session_id,) = heads("b.ipynb", None)
    assert heads(None, session_id) == {session_id}
    assert len(heads(None, None)) == 3


@pytest.mark.parametrize(
    ("parameters", "chain"),
    [
        ({}, audit.Chain(None, None, None)),
        ({"path": "a.ipynb"}, audit.Chain("a.ipynb", None, None)),
        ({"session_id": "s", "known_head": "h"}, audit.Chain(None, "s", "h")),
        ({"path": "a.ipynb", "session_id": "s"}, None),
    ],
)
def test_a_notebook_or_a_session_is_named_and_not_both(parameters: dict[str, str], chain: audit.Chain | None) -> None:
    if chain is None:
        with pytest.raises(InvalidRequestError, match="not both"):
            audit.CHAIN.read(parameters, None)  # type: ignore[arg-type]
    else:
        assert audit.CHAIN.read(parameters, None) == chain  # type: ignore[arg-type]


def test_notebooks_come_by_path_until_there_are_no_more(context: Context) -> None:
    def found(after: str, limit: int) -> tuple[list[str], str | None]:
        body = sessions.notebooks(context, request(page(after, limit)))
        return [each["path"] for each in body["notebooks"]], body["after"]

    assert found("", 3) == (["a.ipynb", "b.ipynb"], None)
    assert found("", 2) == (["a.ipynb", "b.ipynb"], None)
    assert found("", 1) == (["a.ipynb"], "a.ipynb")
    assert found("a.ipynb", 1) == (["b.ipynb"], None)
    assert found("b.ipynb", 1) == ([], None)


def test_a_server_that_knows_no_names_has_one_user(context: Context) -> None:
    assert sessions.kernels(context, request()) == {"kernels": []}
    assert configuration.config(context, request())["user"] == "ann"
    assert configuration.config(context, request(one_user=False))["user"] is None
    assert configuration.config(context, request())["ceilings_differ"] == []


def test_where_there_are_no_prices_none_are_named(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_data, "describe", lambda: None)
    assert configuration.config(context, request())["price_data"] is None
