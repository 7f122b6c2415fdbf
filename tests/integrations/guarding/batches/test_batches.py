"""A batch is held at the batch price when it is submitted, and settled when its results are read."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aumos_governance import ConfigurationError, GovernanceDeniedError, GovernanceEngine
from aumos_governance.integrations.guarding.leftovers import leftovers
from tests.integrations.desk import Desk
from tests.integrations.guarding.batches.openai_batches import BATCH, HALF, batch, chat, chat_cost, chat_result, lines
from tests.integrations.till import Till, priced
from tests.integrations.wire import http


@pytest.fixture
def desk(till: Till) -> Desk:
    desk = Desk(till.engine)
    desk.responses = {
        "GET /files/file_in/content": lines(chat("a"), chat("b"), chat("c")),
        "POST /batches": batch("validating"),
        "GET /batches/batch_1": batch(),
        "GET /batches": {"object": "list", "data": [batch()], "has_more": False},
        "GET /files/file_out/content": lines(chat_result("a"), chat_result("b", 40), chat_result("c", 0, 400)),
    }
    return desk


def test_it_is_held_at_half_of_what_its_requests_may_cost(desk: Desk, till: Till) -> None:
    client = desk.openai()
    client.chat.completions.with_raw_response  # noqa: B018 - the same client may be used for other calls
    client.batches.create(**BATCH)
    held = till.held
    desk.responses["POST /chat/completions"] = chat_result("a")["response"]["body"]
    client.chat.completions.create(**chat("a")["body"])
    single = Decimal(till.records("hold")[-1].amount).scaleb(-9)
    assert held == 3 * single * HALF
    assert (till.held, till.spent) == (held, chat_cost())


@pytest.mark.parametrize("how", ["content", "streamed", "raw", "list"])
def test_it_is_settled_when_its_results_are_read(desk: Desk, till: Till, how: str) -> None:
    client = desk.openai()
    client.batches.create(**BATCH)
    held = till.held
    if how == "list":
        assert next(iter(client.batches.list())).id == "batch_1"
    else:
        assert client.batches.retrieve("batch_1").output_file_id == "file_out"
    assert (till.held, till.spent) == (held, 0)
    if how == "streamed":
        with client.files.with_streaming_response.content("file_out") as response:
            assert len(list(response.iter_lines())) == 3
    elif how == "raw":
        assert client.files.with_raw_response.content("file_out").content
    else:
        assert client.files.content("file_out").text.count("\n") == 3
    # A request that got an error costs nothing.
    assert (till.held, till.spent) == (0, (chat_cost() + chat_cost(40)) * HALF)
    assert till.events() == ["hold", "settle"]
    client.files.content("file_out")
    assert till.events() == ["hold", "settle"]


def test_results_that_are_read_in_part_settle_nothing(desk: Desk, till: Till) -> None:
    client = desk.openai()
    client.batches.create(**BATCH)
    client.batches.retrieve("batch_1")
    with client.files.with_streaming_response.content("file_out") as response:
        next(response.iter_bytes())
    gc.collect()
    assert till.events() == ["hold"]


def test_the_batch_s_own_usage_settles_it(desk: Desk, till: Till) -> None:
    usage = {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 60,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 80,
    }
    client = desk.openai()
    client.batches.create(**BATCH)
    desk.responses["GET /batches/batch_1"] = batch("in_progress", usage={**usage, "total_tokens": 0})
    client.batches.retrieve("batch_1")
    assert till.events() == ["hold"]
    desk.responses["GET /batches/batch_1"] = batch(usage=usage)
    client.batches.retrieve("batch_1")
    assert (till.held, till.spent) == (0, priced("gpt-4o", {"input_tokens": 20, "output_tokens": 60}) * HALF)
    client.files.content("file_out")
    assert till.events() == ["hold", "settle"]


def test_an_empty_line_among_the_requests_is_none(desk: Desk, till: Till) -> None:
    client = desk.openai()
    client.batches.create(**BATCH)
    held = till.held
    desk.responses["GET /files/file_in/content"] = b"\n" + lines(chat("a"), chat("b"), chat("c")) + b"\n \n"
    desk.responses["POST /batches"] = batch("validating", id="batch_2")
    client.batches.create(**BATCH)
    assert till.held == 2 * held


@pytest.mark.parametrize("usage", [{"input_tokens": -1}, {"input_tokens": 20, "output_tokens": 60, "total_tokens": 99}])
def test_a_doubtful_usage_of_a_batch_leaves_it_to_its_results(desk: Desk, till: Till, usage: dict[str, Any]) -> None:
    client = desk.openai()
    client.batches.create(**BATCH)
    desk.responses["GET /batches/batch_1"] = batch(usage=usage)
    client.batches.retrieve("batch_1")
    assert till.events() == ["hold"]
    client.files.content("file_out")
    assert (till.held, till.spent) == (0, (chat_cost() + chat_cost(40)) * HALF)


def test_a_batch_that_was_submitted_elsewhere_changes_nothing(desk: Desk, till: Till) -> None:
    client = desk.openai()
    client.batches.retrieve("batch_1")
    client.files.content("file_out")
    assert (till.events(), till.spent) == ([], 0)


@pytest.mark.parametrize(
    "ended",
    [
        batch("failed"),
        batch("cancelled", request_counts={"completed": 0, "failed": 0, "total": 3}),
        batch("expired", request_counts={"completed": 0, "failed": 3, "total": 3}, error_file_id="file_err"),
    ],
    ids=lambda ended: ended["status"],
)
def test_one_that_ends_without_a_result_costs_nothing(desk: Desk, till: Till, ended: dict[str, Any]) -> None:
    client = desk.openai()
    client.batches.create(**BATCH)
    desk.responses["POST /batches/batch_1/cancel"] = batch("cancelling")
    client.batches.cancel("batch_1")
    assert till.held > 0
    desk.responses["GET /batches/batch_1"] = ended
    client.batches.retrieve("batch_1")
    assert (till.held, till.spent, till.events()) == (0, 0, ["hold", "release"])


def test_a_result_without_usage_is_counted_at_its_worst(desk: Desk, till: Till) -> None:
    client = desk.openai()
    client.batches.create(**BATCH)
    held = till.held
    client.batches.retrieve("batch_1")
    desk.responses["GET /files/file_out/content"] = lines(chat_result("a"), chat_result("b", usage=None))
    client.files.content("file_out")
    assert till.spent == chat_cost() * HALF + held / 3
    assert till.events() == ["hold", "estimated"]


def test_more_than_was_held_is_charged_in_full(desk: Desk, till: Till) -> None:
    client = desk.openai()
    client.batches.create(**BATCH)
    client.batches.retrieve("batch_1")
    desk.responses["GET /files/file_out/content"] = lines(chat_result("a", 90_000))
    client.files.content("file_out")
    assert till.spent == chat_cost(90_000) * HALF
    assert till.records("settle")[0].detail["overrun"] is True


def test_a_stated_cost_counts_for_each_request(desk: Desk, till: Till) -> None:
    client = desk.openai(cost="0.01")
    client.batches.create(**BATCH)
    assert till.held == Decimal("0.03")
    client.batches.retrieve("batch_1")
    client.files.content("file_out")
    assert till.spent == Decimal("0.02")


def test_awaited(desk: Desk, till: Till) -> None:
    async def batched() -> None:
        client = desk.async_openai()
        await client.batches.create(**BATCH)
        assert till.held > 0
        await client.batches.retrieve("batch_1")
        await client.files.content("file_out")

    asyncio.run(batched())
    assert (till.held, till.spent) == (0, (chat_cost() + chat_cost(40)) * HALF)


def test_one_that_does_not_fit_is_not_sent(desk: Desk) -> None:
    with GovernanceEngine() as engine:
        till = Till(engine, limit=0.001)
        desk._engine = engine
        with pytest.raises(GovernanceDeniedError):
            desk.openai().batches.create(**BATCH)
        assert ("POST /batches" in desk.requested, till.held) == (False, 0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (http.Response(404, json={}), "its input file cannot be read"),
        (lines(chat("a"), {"custom_id": "b"}), "line 2 of its input file must have"),
        (b"no JSON\n", "line 1 of its input file must have"),
        (lines(chat("a", "my-model")), "The price of 'my-model' is not known"),
        (lines({**chat("a"), "url": "/v1/something/new"}), "POST /something/new was not sent"),
    ],
)
def test_one_that_cannot_be_measured_is_refused(desk: Desk, till: Till, content: Any, words: str) -> None:
    desk.responses["GET /files/file_in/content"] = content
    with pytest.raises(ConfigurationError, match=words):
        desk.openai().batches.create(**BATCH)
    assert ("POST /batches" in desk.requested, till.held, till.events()) == (False, 0, [])

    async def batched() -> None:
        with pytest.raises(ConfigurationError, match=words):
            await desk.async_openai().batches.create(**BATCH)

    asyncio.run(batched())


def test_a_submission_that_is_refused_by_the_provider_costs_nothing(desk: Desk, till: Till) -> None:
    desk.responses["POST /batches"] = http.Response(400, json={"error": {"message": "No."}})
    with pytest.raises(Exception, match="No"):
        desk.openai().batches.create(**BATCH)
    assert (till.held, till.events()) == (0, ["hold", "release"])


def test_what_is_never_read_stays_held_and_shown(desk: Desk, till: Till) -> None:
    desk.openai().batches.create(**BATCH)
    held = till.held
    gc.collect()
    # As at the interpreter's end.
    leftovers.finish()
    assert (till.held, till.spent, till.events()) == (held, 0, ["hold"])
    (hold,) = till.engine.budget.holds()
    assert (hold.tool, Decimal(hold.amount).scaleb(-9)) == ("gpt-4o", held)
    till.engine.budget.settle_hold(hold.charge_id, "0.001")
    assert till.held == 0


PROGRAM = """
import sys, tests.integrations.guarding.batches.openai_batches as batches
from aumos_governance import GovernanceEngine
from tests.integrations.desk import Desk
from tests.integrations.till import Till

till = Till(GovernanceEngine(ledger=sys.argv[1]))
desk = Desk(till.engine)
desk.responses = {
    "GET /files/file_in/content": batches.lines(batches.chat("a")), "POST /batches": batches.batch("validating")
}
desk.openai().batches.create(**batches.BATCH)
"""


def test_the_hold_outlives_its_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    subprocess.run([sys.executable, "-c", PROGRAM, url], check=True, timeout=60)
    with GovernanceEngine(ledger=url) as engine:
        assert engine.budget.balance("llm").held > 0
        assert [entry.event for entry in engine.audit.entries()][-1] == "hold"
