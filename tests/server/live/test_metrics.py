"""The governance metrics of the server's Prometheus endpoint, and which users may read them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.charges import Hold, KernelGone
from aumos_governance.ledger.contract.facts import NotebookKey, Origin
from aumos_governance.ledger.contract.requests import OpenSession
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.server.kernels.conversation import metered
from aumos_governance.server.live import metrics, state_events
from aumos_governance.server.live.state_events import OpenHolds
from aumos_governance.wire.protocol import OPS
from tests.bridge.live_server import LiveServer, until

NAMES = {
    "aumos_governance_ask_duration_seconds",
    "aumos_governance_decisions",
    "aumos_governance_commit_batch_size",
    "aumos_governance_open_holds",
}
LOG = logging.getLogger("metrics")
KERNEL = Origin("kernel", scope="kernel:1", incarnation="1:one")


def read(text: str) -> dict[str, float]:
    """Return the samples of governance, by name and labels, without the histograms' buckets."""
    return {
        " ".join([sample.name, *(value for _, value in sorted(sample.labels.items()))]): sample.value
        for family in text_string_to_metric_families(text)
        if family.name.startswith("aumos_governance_")
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_created"))
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("server"))
    try:
        yield live.start()
    finally:
        live.close()


def test_what_a_kernel_does_is_counted(server: LiveServer) -> None:
    def figures() -> dict[str, float]:
        return read(server.request("GET", "metrics").text)

    before = figures()
    assert before["aumos_governance_open_holds held"] == 0
    with server.notebook("secret-name.ipynb") as kernel:
        kernel.do("open", budget="1", agent_id="agent-7")
        for amount in ("0.25", "0.25", "9"):
            kernel.do("spend", amount=amount)
        kernel.do("hold", amount="0.1")
        until(lambda: figures()["aumos_governance_open_holds held"] == 1, "the hold is counted")
        after = figures()
        text = server.request("GET", "metrics").text

    def more(name: str) -> float:
        return after[f"aumos_governance_{name}"] - before.get(f"aumos_governance_{name}", 0)

    assert (more("decisions_total allow"), more("decisions_total deny")) == (3, 1)
    assert more("ask_duration_seconds_count spend comm") == 3
    assert more("ask_duration_seconds_count hello comm") >= 1
    assert 0 < more("ask_duration_seconds_sum spend comm") < 30
    assert more("commit_batch_size_count") >= 5
    assert more("commit_batch_size_sum") >= 5
    until(lambda: figures()["aumos_governance_open_holds unresolved"] == 1, "its kernel is gone")
    assert figures()["aumos_governance_open_holds held"] == 0
    # No paths and no agents: users who may read metrics need not know them, and the labels' values must stay few.
    for secret in ("secret-name", "agent-7", kernel.kernel_id):
        assert secret not in text


def test_the_endpoint_checks_the_user_as_ever(server: LiveServer) -> None:
    # A new client, since the other one has a login cookie.
    assert httpx.get(server.url + "metrics", trust_env=False).status_code == 403
    assert "aumos_governance_open_holds" in server.request("GET", "metrics").text


async def test_labels_are_the_words_of_the_protocol_from_the_start(jp_fetch: Callable[..., Any]) -> None:
    text = (await jp_fetch("metrics")).body.decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {
        name for name in families if name.startswith("aumos_governance_") and not name.endswith("_created")
    } == NAMES
    counted = [s.labels for s in families["aumos_governance_ask_duration_seconds"].samples if s.name.endswith("_count")]
    assert {(labels["op"], labels["transport"]) for labels in counted} == {
        (op, transport) for op in OPS for transport in ("socket", "comm")
    }
    outcomes = {
        s.labels["outcome"] for s in families["aumos_governance_decisions"].samples if s.name.endswith("_total")
    }
    assert outcomes == {"allow", "deny", "allow_with_caveat"}


def test_waiting_for_a_user_is_no_response() -> None:
    def counted() -> float:
        (family,) = metrics._REQUESTS.labels("authorize", "socket").collect()
        return next(sample.value for sample in family.samples if sample.name.endswith("_count"))

    stated: list[dict[str, Any]] = []
    before = counted()
    reply = metered("authorize", "socket", stated.append)
    reply({"id": "a", "ok": True, "waiting": {}})
    assert counted() == before
    reply({"id": "a", "ok": True, "decision": {"outcome": "allow"}})
    assert counted() == before + 1
    assert len(stated) == 2


async def test_two_servers_in_one_process_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_events, "_COUNT_SPACING", 0.01)
    loop = asyncio.get_running_loop()

    def total() -> float:
        (family,) = metrics._HOLDS.collect()
        return sum(sample.value for sample in family.samples)

    before = total()
    with ThreadPoolExecutor(1) as workers, closing(open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite")) as ledger:
        servers = []
        for root in ("/a", "/b"):
            notebook = NotebookKey("ann", root, "x.ipynb")
            ledger.execute(OpenSession(key="", origin=KERNEL, notebook=notebook, terms=SessionTerms()))
            ledger.execute(Hold(key="", origin=KERNEL, notebook=notebook, amount=1))
            made = OpenHolds(ledger, "ann", root, loop=loop, workers=workers, log=LOG)
            ledger.subscribe(made.offer)
            servers.append(made)
        assert total() == before + 2
        ledger.execute(KernelGone(key="", origin=Origin("server"), incarnation="1:one"))
        deadline = loop.time() + 10
        while any(made.counts.by_state != {"held": 0, "unresolved": 1} for made in servers):
            assert loop.time() < deadline
            await asyncio.sleep(0.01)
        for made in servers:
            made.counts.close()
        assert total() == before


async def test_a_burst_is_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_events, "_COUNT_SPACING", 0.05)
    with ThreadPoolExecutor(1) as workers, closing(open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite")) as ledger:
        made = OpenHolds(ledger, "ann", "/a", loop=asyncio.get_running_loop(), workers=workers, log=LOG)
        counted: list[None] = []
        begun = asyncio.Event()
        monkeypatch.setattr(made, "_begin", lambda: (counted.append(None), begun.set()))
        for _ in range(100):
            made.offer(())
        await asyncio.wait_for(begun.wait(), 20)
        # A second count would have been made by now.
        await asyncio.sleep(0.2)
        assert counted == [None]
        made.counts.close()


def test_a_ledger_that_cannot_be_read_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    ledger = open_ledger("memory://")
    with ThreadPoolExecutor(1) as workers, closing(asyncio.new_event_loop()) as loop:
        made = OpenHolds(ledger, "ann", "/a", loop=loop, workers=workers, log=LOG)
        ledger.close()
        made._count()
        assert "could not be counted" in caplog.text
        workers.shutdown()
        made._begin()
        loop.close()
        made.offer(())
        made.counts.close()
