"""Events as a page receives them over its websocket, and forged events, which no page receives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from aumos_governance.ledger.contract.facts import Balance, NotebookKey, SessionState
from aumos_governance.server.identity.notebook_map import Row
from aumos_governance.wire.protocol import EVENT_SCHEMA_ID


class Page:
    """The governance events that one page received."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.seen: list[dict[str, Any]] = []

    async def receive_until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            event = json.loads(await asyncio.wait_for(self.stream.read_message(), 10))
            if event["schema_id"] == EVENT_SCHEMA_ID:
                self.seen.append(event)
                if condition(event):
                    return event


@pytest.fixture
def watch(
    jp_ws_fetch: Callable[..., Any], jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[Callable[[], Awaitable[Page]]]:
    """Return a function that opens a page's event stream."""
    streams: list[Any] = []

    async def subscribe() -> Page:
        streams.append(await jp_ws_fetch("api", "events", "subscribe"))
        return Page(streams[-1])

    async def leave() -> None:
        for stream in streams:
            stream.close()

    yield subscribe
    # Outside of the loop, closing a socket needs a current loop, which an earlier test's ``asyncio.run`` has removed.
    jp_asyncio_loop.run_until_complete(leave())


def state(extension: Any, seq: int, path: str = "a.ipynb", spent: int = 0) -> SessionState:
    return SessionState(
        NotebookKey("ada", extension._notebooks.root, path),
        seq,
        active=True,
        session_id="s",
        balance=Balance(10**10, spent, 0),
    )


async def test_a_change_is_sent_with_the_whole_state(rest: Any, watch: Any) -> None:
    page = await watch()
    changed = (await rest("PATCH", "state", {"budget": "5"}, path="a.ipynb")).body
    event = await page.receive_until(lambda event: event["path"] == "a.ipynb")
    assert {name: event[name] for name in changed} == changed
    assert "nonce" not in event


async def test_bursts_are_thinned_and_the_last_state_always_comes(extension: Any, watch: Any) -> None:
    page = await watch()
    loop = asyncio.get_running_loop()
    began = loop.time()

    def burst() -> None:
        for seq in range(1, 1_001):
            extension._events.offer((state(extension, seq, spent=seq), state(extension, seq, "b.ipynb")))

    # In another thread, as the ledger calls it.
    await loop.run_in_executor(None, burst)
    last: dict[str, dict[str, Any]] = {}
    while [event["seq"] for event in last.values()] != [1_000, 1_000]:
        event = await page.receive_until(lambda event: True)
        last[event["path"]] = event
    took = loop.time() - began
    for path in ("a.ipynb", "b.ipynb"):
        seqs = [event["seq"] for event in page.seen if event["path"] == path]
        assert seqs == sorted(seqs)
        assert len(seqs) <= 2 + 20 * took
    assert last["a.ipynb"]["spent"] == "0.000001"


async def test_an_older_state_never_follows_a_newer_one(extension: Any, watch: Any) -> None:
    page = await watch()
    extension._events.offer((state(extension, 1),))
    await page.receive_until(lambda event: event["seq"] == 1)
    extension._events.offer((state(extension, 3),))
    extension._events.offer((state(extension, 2),))
    await page.receive_until(lambda event: event["seq"] == 3)
    extension._events.offer((state(extension, 4),))
    await page.receive_until(lambda event: event["seq"] == 4)
    assert [event["seq"] for event in page.seen] == [1, 3, 4]


async def test_who_shares_a_kernel_hears_of_it_under_its_own_path(extension: Any, watch: Any) -> None:
    page = await watch()
    extension._notebooks.update([Row("1", "a.ipynb", "notebook", "k"), Row("2", "b.ipynb", "notebook", "k")])
    extension._events.offer((state(extension, 1),))
    event = await page.receive_until(lambda event: event["path"] == "b.ipynb")
    assert (event["shared_with"], event["budget"], event["seq"]) == ("a.ipynb", "10", 1)
    assert [(event["path"], event["shared_with"]) for event in page.seen] == [("a.ipynb", None), ("b.ipynb", "a.ipynb")]


@pytest.mark.parametrize("nonce", [{}, {"nonce": "0" * 32}, {"nonce": None}, {"nonce": ["x"]}])
async def test_a_forged_event_is_refused(jp_fetch: Any, rest: Any, watch: Any, nonce: dict[str, Any]) -> None:
    page = await watch()
    forged = {"path": "a.ipynb", "active": True, "remaining": "1000000", "seq": 99, **nonce}
    body = json.dumps({"schema_id": EVENT_SCHEMA_ID, "version": "1", "data": forged})
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch("api", "events", method="POST", body=body)
    assert refused.value.code == 400
    assert b"Only the server itself can emit governance events" in refused.value.response.body
    await rest("PATCH", "state", {"budget": "5"}, path="a.ipynb")
    await page.receive_until(lambda event: event["path"] == "a.ipynb")
    assert [event["budget"] for event in page.seen] == ["5"]


async def test_a_page_that_reads_a_notebook_by_a_link_hears_of_it_by_that_name(
    extension: Any, watch: Any, rest: Any, jp_root_dir: Path
) -> None:
    (jp_root_dir / "a.ipynb").touch()
    (jp_root_dir / "link.ipynb").symlink_to("a.ipynb")
    page = await watch()
    assert (await rest("GET", "state", path="link.ipynb")).body["seq"] == 0
    changed = (await rest("PATCH", "state", {"budget": "5"}, path="a.ipynb")).body
    event = await page.receive_until(lambda event: event["path"] == "link.ipynb")
    assert (event["seq"], event["budget"], event["shared_with"]) == (changed["seq"], "5", None)
    assert (await rest("GET", "state", path="link.ipynb")).body == {**changed, "path": "link.ipynb"}
