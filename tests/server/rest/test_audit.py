"""The audit record over REST: sums, verification, and exported files."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError, HTTPResponse

from aumos_governance.errors import LedgerError
from aumos_governance.ledger.contract.charges import Spend
from aumos_governance.ledger.contract.facts import Origin
from aumos_governance.ledger.contract.requests import OpenSession, Request
from aumos_governance.ledger.contract.terms import SessionTerms
from tests.server.conftest import GOVERNANCE
from tests.server.described import check

CENT = 10_000_000
PART = b"x" * 65_536
_keys = (f"audit-key-{number}" for number in itertools.count(1))

Spends = Callable[..., None]
Download = Callable[..., Any]


@pytest.fixture
def spends(extension: Any) -> Spends:
    """Return a function that opens a notebook's session and charges a cent to each tool."""

    def charge(*tools: str, path: str = "a.ipynb", agent_id: str | None = None) -> None:
        origin, key = Origin("kernel", scope="kernel-1"), extension._notebooks.key(path)
        request: Request[Any] = OpenSession(
            key=next(_keys), origin=origin, notebook=key, terms=SessionTerms(default_budget=1000 * CENT)
        )
        extension._ledger.execute(request)
        for tool in tools:
            request = Spend(key=next(_keys), origin=origin, notebook=key, amount=CENT, tool=tool, agent_id=agent_id)
            extension._ledger.execute(request)

    return charge


@pytest.fixture
def download(jp_fetch: Any) -> Download:
    async def fetch(**parameters: str) -> HTTPResponse:
        return await jp_fetch(GOVERNANCE, "audit/export", params=parameters)

    return fetch


@pytest.fixture
def address(jp_serverapp: Any) -> str:
    """Return the export's path, with the token in it."""
    return f"{jp_serverapp.base_url}{GOVERNANCE}/audit/export?token={jp_serverapp.identity_provider.token}"


# ---- sums


async def test_sums_by_tool_agent_and_day(rest: Any, spends: Spends) -> None:
    days = {datetime.now(timezone.utc).date().isoformat()}
    spends("gpt-4o", "gpt-4o", "shell", agent_id="agent-7")
    spends("shell", path="b.ipynb")
    by_tool = (await rest("GET", "audit/sums")).body
    check("AuditSums", by_tool)
    assert by_tool == {
        "by": "tool",
        "sums": [
            {"name": "gpt-4o", "records": 2, "denied": 0, "spent": "0.02"},
            {"name": "shell", "records": 2, "denied": 0, "spent": "0.02"},
        ],
    }
    of_b = (await rest("GET", "audit/sums", by="tool", path="b.ipynb")).body["sums"]
    assert of_b == [{"name": "shell", "records": 1, "denied": 0, "spent": "0.01"}]
    by_agent = (await rest("GET", "audit/sums", by="agent")).body["sums"]
    assert [(found["name"], found["spent"]) for found in by_agent] == [("agent-7", "0.03")]
    by_day = (await rest("GET", "audit/sums", by="day")).body["sums"]
    days.add(datetime.now(timezone.utc).date().isoformat())
    # Two days, if the test runs at midnight.
    assert {day["name"] for day in by_day} <= days
    assert sum(Decimal(day["spent"]) for day in by_day) == Decimal("0.04")
    assert (await rest("GET", "audit/sums", by="day", tool="none")).body["sums"] == []


# ---- verification


async def test_a_chain_is_verified_by_path_and_session(rest: Any, spends: Spends) -> None:
    spends("gpt-4o")
    spends(path="b.ipynb")
    session = (await rest("GET", "state", path="a.ipynb")).body["session_id"]
    found = (await rest("GET", "audit/verify", path="/a.ipynb")).body
    check("Verification", found)
    assert (found["ok"], found["checked"], list(found["heads"])) == (True, 2, [session])
    head = found["heads"][session]
    records = (await rest("GET", "audit", session_id=session)).body["records"]
    assert records[0]["hash"] == head
    assert (await rest("GET", "audit/verify", session_id=session, known_head=head)).body == found
    everything = (await rest("GET", "audit/verify")).body
    check("Verification", everything)
    assert (everything["ok"], len(everything["heads"])) == (True, 3)
    unknown = (await rest("GET", "audit/verify", session_id=session, known_head="0" * 64)).body
    check("Verification", unknown)
    assert not unknown["ok"]
    assert "known head" in unknown["problem"]


async def test_what_was_changed_is_named(rest: Any, spends: Spends, extension: Any) -> None:
    spends("gpt-4o", "gpt-4o")
    session = (await rest("GET", "state", path="a.ipynb")).body["session_id"]
    chain = extension._ledger._store.chains[session]
    chain[1] = tuple("shell" if value == "gpt-4o" else value for value in chain[1])
    found = (await rest("GET", "audit/verify", path="a.ipynb")).body
    check("Verification", found)
    assert (found["ok"], found["chain"], found["seq"]) == (False, session, 2)
    assert "was changed" in found["problem"]


# ---- files


async def test_a_file_of_json_lines_holds_every_record(rest: Any, download: Any, spends: Spends) -> None:
    spends("gpt-4o", "shell")
    response = await download(path="a.ipynb")
    assert response.headers["Content-Type"] == "application/jsonl; charset=utf-8"
    disposition = r'attachment; filename="governance-audit-\d{4}-\d\d-\d\d\.jsonl"'
    assert re.fullmatch(disposition, response.headers["Content-Disposition"])
    lines = [json.loads(line) for line in response.body.decode().splitlines()]
    assert [(line["event"], line["tool"], line["amount"]) for line in lines] == [
        ("open", None, 0),
        ("spend", "gpt-4o", CENT),
        ("spend", "shell", CENT),
    ]
    listed = (await rest("GET", "audit", path="a.ipynb")).body["records"]
    assert [line["hash"] for line in lines] == [record["hash"] for record in reversed(listed)]
    only = (await download(path="a.ipynb", tool="shell", format="jsonl")).body
    assert only.decode().splitlines() == response.body.decode().splitlines()[2:]
    assert (await download(tool="none")).body == b""


async def test_a_csv_file_holds_no_formula(rest: Any, download: Any, spends: Spends) -> None:
    odd = ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", 'a,b\n"c"', "üö"]
    spends(*odd)
    response = await download(format="csv")
    assert response.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    assert response.headers["Content-Disposition"].endswith('.csv"')
    titles, *rows = list(csv.reader(io.StringIO(response.body.decode(), newline="")))
    tools = [row[titles.index("tool")] for row in rows][1:]
    assert tools == ["'=HYPERLINK(1)", "'+1", "'-1", "'@SUM(1)", "\\t=1", 'a,b\\n"c"', "üö"]
    assert [row[titles.index("spent_delta")] for row in rows][1:] == ["0.01"] * len(odd)
    listed = (await rest("GET", "audit", path="a.ipynb")).body["records"]
    assert [row[titles.index("at")] for row in rows] == [record["at"] for record in reversed(listed)]


async def test_more_records_than_one_page_are_all_there(download: Any, spends: Spends) -> None:
    spends(*[f"tool-{number}" for number in range(2_100)])
    lines = (await download(path="a.ipynb")).body.decode().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, 2_102))


@pytest.mark.parametrize(
    ("name", "parameters", "word"),
    [
        ("audit/export", {"format": "xlsx"}, "jsonl, csv"),
        ("audit/export", {"limit": "5"}, "'limit'"),
        ("audit/export", {"outcome": "maybe"}, "outcome"),
        ("audit/sums", {"by": "moon"}, "tool, agent, day, hour, minute"),
        ("audit/sums", {"cursor": "x"}, "'cursor'"),
        ("audit/verify", {"path": "a.ipynb", "session_id": "s"}, "not both"),
        ("audit/verify", {"known_head": "abc"}, "64 hexadecimal"),
        ("audit/verify", {"path": "../a.ipynb"}, "path"),
    ],
)
async def test_a_wrong_value_is_named(rest: Any, name: str, parameters: Any, word: str) -> None:
    response = await rest("GET", name, **parameters)
    assert (response.status, response.body["code"]) == (400, "INVALID_REQUEST")
    assert word in response.body["message"]
    assert response.response.headers["Content-Type"] == "application/json"


async def test_what_is_not_there_cannot_be_verified(rest: Any) -> None:
    for parameters in ({"path": "a.ipynb"}, {"session_id": "s"}):
        response = await rest("GET", "audit/verify", **parameters)
        assert (response.status, response.body["code"]) == (404, "NOT_FOUND")


async def test_a_ledger_that_cannot_be_read_is_reported_before_a_file_begins(
    rest: Any, extension: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(query: Any) -> Any:
        raise LedgerError("The disk is gone.")

    monkeypatch.setattr(extension._ledger, "read", read)
    response = await rest("GET", "audit/export")
    assert (response.status, response.body) == (503, {"code": "LEDGER_UNAVAILABLE", "message": "The disk is gone."})
    assert "Content-Disposition" not in response.response.headers


async def test_a_file_that_fails_in_the_middle_is_never_taken_for_a_whole_one(
    download: Any, extension: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parts(query: Any, form: str) -> Iterator[bytes]:
        yield PART
        raise LedgerError("The disk is gone.")

    monkeypatch.setattr(extension._context.records, "export", parts)
    with pytest.raises(HTTPClientError) as broken:
        await download()
    assert broken.value.code == 599


async def test_who_reads_slowly_makes_nothing_pile_up(
    extension: Any, http_server_client: Any, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = 0
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def parts(query: Any, form: str) -> Iterator[bytes]:
        nonlocal taken
        try:
            while True:
                taken += 1
                yield PART
        finally:
            loop.call_soon_threadsafe(ended.set)

    async def settled() -> int:
        """Return the number of parts that were taken once it no longer grows."""
        seen = -1
        while seen != taken:
            seen = taken
            await asyncio.sleep(0.2)
        return seen

    monkeypatch.setattr(extension._context.records, "export", parts)
    port = http_server_client.get_http_port()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4_096)
    writer.write(f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 200")
    first = await settled()
    assert first * len(PART) < 32 * 1024 * 1024
    for _ in range(4 * first):
        await asyncio.wait_for(reader.read(len(PART)), 10)
        if taken > first:
            break
    assert taken > first
    writer.close()
    await asyncio.wait_for(ended.wait(), 10)


async def test_a_file_is_sent_while_it_is_read(
    extension: Any, http_server_client: Any, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client receives the file's beginning before its end was read."""
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def parts(query: Any, form: str) -> Iterator[bytes]:
        yield b"first\n"
        # Waits until the client has received the first part, and fails if it does not.
        asyncio.run_coroutine_threadsafe(asyncio.wait_for(begun.wait(), 10), loop).result()
        yield b"last\n"

    monkeypatch.setattr(extension._context.records, "export", parts)
    received: list[bytes] = []

    def receive(chunk: bytes) -> None:
        received.append(chunk)
        begun.set()

    await http_server_client.fetch(address, streaming_callback=receive)
    assert received == [b"first\n", b"last\n"]
