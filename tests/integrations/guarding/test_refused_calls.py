"""Calls of unknown cost are not sent, and each refusal is recorded as a denial."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from anthropic import Anthropic, AsyncAnthropic
from openai import AsyncOpenAI, OpenAI

from aumos_governance import ConfigurationError, GovernanceEngine, LedgerError, govern
from aumos_governance.ledger.contract.audit_facts import AuditEntry
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till

PROMPT: Any = [{"role": "user", "content": "A secret prompt"}]
REQUEST: Any = {"model": "ours", "messages": PROMPT, "max_tokens": 50}
UNPRICED = "The price of 'ours' is not known, so nothing was sent: state it with govern(client, price=...)"
Refused = Callable[[Endpoint, GovernanceEngine], None]


def governed(client: Any, engine: GovernanceEngine) -> Any:
    return govern(client, engine=engine, budget_category="llm", agent_id="planner")


def by(kind: Any, call: Callable[[Any], Any]) -> Refused:
    """Make a call with a governed client of this class, synchronous or not."""

    def made(endpoint: Endpoint) -> Any:
        url = endpoint.openai_url if kind in (OpenAI, AsyncOpenAI) else endpoint.anthropic_url
        return kind(base_url=url, api_key="sk-key")

    def refused(endpoint: Endpoint, engine: GovernanceEngine) -> None:
        with made(endpoint) as client:
            call(governed(client, engine))

    async def refused_async(endpoint: Endpoint, engine: GovernanceEngine) -> None:
        async with made(endpoint) as client:
            await call(governed(client, engine))

    if kind in (OpenAI, Anthropic):
        return refused
    return lambda endpoint, engine: asyncio.run(refused_async(endpoint, engine))


WITHOUT_A_PRICE = {
    "openai": (by(OpenAI, lambda client: client.chat.completions.create(**REQUEST)), "chat.completions"),
    "openai-stream": (
        by(OpenAI, lambda client: client.chat.completions.create(**REQUEST, stream=True)),
        "chat.completions",
    ),
    "openai-async": (by(AsyncOpenAI, lambda client: client.chat.completions.create(**REQUEST)), "chat.completions"),
    "anthropic": (by(Anthropic, lambda client: client.messages.create(**REQUEST)), "messages"),
    "anthropic-async": (by(AsyncAnthropic, lambda client: client.messages.create(**REQUEST)), "messages"),
}
JOB: Any = {"model": "gpt-4o", "training_file": "file"}
OF_UNKNOWN_METHODS = {
    "openai": (by(OpenAI, lambda client: client.fine_tuning.jobs.create(**JOB)), "gpt-4o", "POST /fine_tuning/jobs"),
    "openai-async": (
        by(AsyncOpenAI, lambda client: client.fine_tuning.jobs.create(**JOB)),
        "gpt-4o",
        "POST /fine_tuning/jobs",
    ),
    "anthropic": (
        by(Anthropic, lambda client: client.post("/v1/dreams", cast_to=object, body={})),
        None,
        "POST /v1/dreams",
    ),
    "anthropic-async": (
        by(AsyncAnthropic, lambda client: client.post("/v1/dreams", cast_to=object, body={})),
        None,
        "POST /v1/dreams",
    ),
    "secret-address": (
        by(OpenAI, lambda client: client.post("https://ann:sk-pass@host/v2/new?key=sk-key", cast_to=object)),
        None,
        "POST /v2/new",
    ),
}


def refusal(endpoint: Endpoint, till: Till, call: Refused) -> tuple[str, AuditEntry]:
    """The error that the caller got, and its record in the audit trail."""
    before = till.engine.realm.ledger.verify().checked
    with pytest.raises(ConfigurationError) as refused:
        call(endpoint, till.engine)
    assert endpoint.count == 0
    verified = till.engine.realm.ledger.verify()
    assert (verified.ok, verified.checked) == (True, before + 1)
    entry = list(till.engine.audit.entries())[-1]
    assert (entry.event, entry.outcome, entry.reasons) == ("evaluate", "deny", (refused.value.message,))
    assert (entry.agent_id, entry.detail) == ("planner", {"budget_category": "llm"})
    assert (entry.amount, entry.spent_delta, entry.held_delta, till.spent, till.held) == (0, 0, 0, 0, 0)
    assert "secret" not in str(entry)
    assert "sk-" not in str(entry)
    return refused.value.message, entry


@pytest.mark.parametrize(("call", "name"), WITHOUT_A_PRICE.values(), ids=WITHOUT_A_PRICE)
def test_a_model_without_a_price(endpoint: Endpoint, till: Till, call: Refused, name: str) -> None:
    message, entry = refusal(endpoint, till, call)
    assert message.startswith(UNPRICED)
    assert (entry.code, entry.tool, entry.action_type) == ("PRICE_UNKNOWN", "ours", name)


@pytest.mark.parametrize(("call", "model", "name"), OF_UNKNOWN_METHODS.values(), ids=OF_UNKNOWN_METHODS)
def test_a_method_that_is_not_known(
    endpoint: Endpoint, till: Till, call: Refused, model: str | None, name: str
) -> None:
    message, entry = refusal(endpoint, till, call)
    assert message.startswith(f"{name} was not sent")
    assert (entry.code, entry.tool, entry.action_type) == ("METHOD_UNKNOWN", model, name)


class _Unwritable(GovernanceEngine):
    def record_refusal(self, *arguments: Any) -> Any:
        raise LedgerError("The disk is full.")


@pytest.mark.parametrize("call", [WITHOUT_A_PRICE[name][0] for name in WITHOUT_A_PRICE], ids=WITHOUT_A_PRICE)
def test_what_cannot_be_recorded_is_refused_all_the_same(endpoint: Endpoint, call: Refused) -> None:
    with _Unwritable() as engine, pytest.raises(ConfigurationError) as refused:
        call(endpoint, engine)
    assert refused.value.message.startswith(UNPRICED)
    assert refused.value.message.endswith(" This refusal could not be recorded in the audit trail: The disk is full.")
    assert (refused.value.code, endpoint.count) == ("CONFIGURATION_ERROR", 0)


def test_a_loop_goes_on_while_a_refusal_is_recorded(endpoint: Endpoint, till: Till) -> None:
    """It is held up here until the loop has done something else."""
    alive = asyncio.Event()

    class Slow(GovernanceEngine):
        def record_refusal(self, *arguments: Any) -> Any:
            asyncio.run_coroutine_threadsafe(alive.wait(), loop).result(5)
            return super().record_refusal(*arguments)

    async def main() -> None:
        nonlocal loop
        loop = asyncio.get_running_loop()
        async with AsyncOpenAI(base_url=endpoint.openai_url, api_key="key") as client:
            calling = asyncio.ensure_future(govern(client, engine=engine).chat.completions.create(**REQUEST))
            await asyncio.sleep(0)
            alive.set()
            with pytest.raises(ConfigurationError, match="not known"):
                await calling

    loop: Any = None
    with Slow(ledger=till.engine.realm.ledger) as engine:
        asyncio.run(main())
    assert [entry.code for entry in till.engine.audit.entries() if entry.outcome == "deny"] == ["PRICE_UNKNOWN"]
