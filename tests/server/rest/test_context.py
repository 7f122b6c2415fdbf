"""What users read of a ledger that others use as well."""

from __future__ import annotations

import time
from typing import Any

import pytest

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.ledger.contract.queries import AuditQuery, AuditSums
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.server.identity.rooms import Rooms
from aumos_governance.server.rest import audit
from aumos_governance.server.rest.context import Context
from aumos_governance.server.rest.route import Request
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
    context = Context(service, Rooms("ann", "/srv/ann"), settings, lambda: None)

    def request(query: Any) -> Request[Any]:
        return Request(query, User("ann"), one_user=True, id="", body={}, key=None)

    seen = {record["tool"] for record in audit.records(context, request(AuditQuery()))["records"]} - {None}
    assert sorted(seen) == tools
    assert [total["name"] for total in audit.sums(context, request(AuditSums()))["sums"]] == tools
    exported = audit.export(context, request(audit.Export(AuditQuery(oldest_first=True), "jsonl")))
    assert (b"theirs" in b"".join(exported.parts)) == ("theirs" in tools)
    heads = audit.verify(context, request(audit.Chain(None, None, None)))["heads"]
    own = {record["chain"] for record in audit.records(context, request(AuditQuery(event="open")))["records"]}
    assert set(heads) == {"ledger", *own}
    assert len(own) == len(tools)
