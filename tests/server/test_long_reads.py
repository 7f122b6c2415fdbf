"""Requests that may read the whole audit record have a thread of their own, so that they delay no others."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from aumos_governance.server.rest import audit_filter


async def test_what_reads_the_whole_record_keeps_nothing_else_waiting(
    rest: Any, extension: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, verify = threading.Event(), threading.Event(), extension._ledger.verify

    def waiting(*arguments: Any, **options: Any) -> Any:
        begun.set()
        assert go_on.wait(60)
        return verify(*arguments, **options)

    monkeypatch.setattr(extension._ledger, "verify", waiting)
    long = [asyncio.create_task(rest("GET", "audit/verify")) for _ in range(5)]
    long += [asyncio.create_task(rest("GET", "audit", text="x")), asyncio.create_task(rest("GET", "audit/sums"))]
    try:
        assert await asyncio.to_thread(begun.wait, 20)
        for name, parameters in (("state", {"path": "a.ipynb"}), ("holds", {}), ("audit", {"agent_id": "a"})):
            response = await asyncio.wait_for(rest("GET", name, **parameters), 20)
            assert response.status == 200
        assert not any(task.done() for task in long)
    finally:
        go_on.set()
    assert [response.status for response in await asyncio.gather(*long)] == [200] * len(long)


def test_what_an_index_leads_to_is_no_search() -> None:
    assert not audit_filter.is_search({"path": "a.ipynb", "agent_id": "a", "outcome": "deny", "tool": "t", "since": ""})
    assert all(audit_filter.is_search({name: "x"}) for name in ("text", "resource", "action_type", "event"))
