"""What people read of a ledger that others use as well."""

from __future__ import annotations

import time

import pytest

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.ledger.contract.queries import AuditQuery, AuditSums
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.server.identity.rooms import Rooms
from aumos_governance.server.rest.people import People
from aumos_governance.server.settings.settings import Settings
from aumos_governance.service.service import Caller, NotebookService
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
