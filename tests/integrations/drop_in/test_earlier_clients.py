"""The earlier SDK's governed clients have the same names and meanings, and charge their calls."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest
from anthropic import Anthropic, AsyncAnthropic
from openai import AsyncOpenAI, OpenAI

from aumos_governance import (
    AnthropicAuditRecord,
    ConfigurationError,
    GovernanceDecision,
    GovernanceDeniedError,
    GovernanceEngine,
    GovernanceOutcome,
    GovernedAnthropicClient,
    GovernedOpenAIClient,
    OpenAIAuditRecord,
    TrustLevel,
)
from aumos_governance.integrations.guarding.leftovers import leftovers
from tests.integrations.endpoint.replies import Reply, Tokens
from tests.integrations.endpoint.server import Endpoint

MESSAGES = [{"role": "user", "content": "What is the answer?"}]
GPT, CLAUDE = "gpt-4o", "claude-sonnet-5-5"


@pytest.fixture
def engine() -> Iterator[GovernanceEngine]:
    with GovernanceEngine() as engine:
        engine.budget.create_budget("llm", 0.05)
        engine.trust.set_level("agent-1", TrustLevel.L2_SUGGEST)
        yield engine


def balance(engine: GovernanceEngine) -> tuple[Decimal, Decimal]:
    assert leftovers.wait()
    balance = engine.budget.balance("llm")
    return balance.spent, balance.held


class FakeOpenAI:
    """A test double as code for the earlier SDK used it: an object with a client's methods, and no reported usage."""

    def __init__(self, response: Any = "an answer") -> None:
        self.calls: list[dict[str, Any]] = []
        self.response = response
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self._create))
        self.embeddings = SimpleNamespace(create=self._create)

    def _create(self, **arguments: Any) -> Any:
        self.calls.append(arguments)
        if isinstance(self.response, Exception):
            raise self.response
        return self.response


class FakeAnthropic(FakeOpenAI):
    def __init__(self, response: Any = "an answer") -> None:
        super().__init__(response)
        self.messages = self.completions = SimpleNamespace(create=self._create)


def openai_of(client: Any, engine: GovernanceEngine, **options: Any) -> GovernedOpenAIClient:
    return GovernedOpenAIClient(client, engine, "agent-1", **{"budget_category": "llm", **options})


def anthropic_of(client: Any, engine: GovernanceEngine, **options: Any) -> GovernedAnthropicClient:
    return GovernedAnthropicClient(client, engine, "agent-1", **{"budget_category": "llm", **options})


class TestWhatWasBroken:
    def test_five_calls_at_a_cent_fit_into_five_cents_and_no_more(self, engine: GovernanceEngine) -> None:
        # The earlier SDK checked the budget and never charged it, so that all thousand went through.
        fake = FakeOpenAI()
        client = openai_of(fake, engine)
        allowed = 0
        for _ in range(1000):
            try:
                client.governed_chat_completion(GPT, MESSAGES)
            except GovernanceDeniedError:
                break
            allowed += 1
        assert allowed == len(fake.calls) == 5
        assert balance(engine) == (Decimal("0.05"), 0)

    def test_the_same_with_anthropic(self, engine: GovernanceEngine) -> None:
        fake = FakeAnthropic()
        client = anthropic_of(fake, engine)
        for _ in range(5):
            client.governed_message(CLAUDE, 100, MESSAGES)
        with pytest.raises(GovernanceDeniedError):
            client.governed_message(CLAUDE, 100, MESSAGES)
        assert (len(fake.calls), balance(engine)) == (5, (Decimal("0.05"), 0))

    @pytest.mark.parametrize("make", [openai_of, anthropic_of])
    def test_a_level_that_is_too_low_stops_the_call(self, engine: GovernanceEngine, make: Any) -> None:
        fake = FakeAnthropic()
        client = make(fake, engine, required_trust_level=TrustLevel.L3_ACT_APPROVE)
        call = getattr(client, "governed_embedding", None) or client.governed_message
        with pytest.raises(GovernanceDeniedError, match="L3") as denied:
            call(
                **({"input": "x"} if "embedding" in call.__name__ else {"max_tokens": 1, "messages": MESSAGES}),
                model=GPT,
            )
        assert (fake.calls, balance(engine)) == ([], (0, 0))
        assert denied.value.agent_id == "agent-1"
        assert denied.value.audit_record_id == client.audit_log[0].record_id


class TestWithAnObjectThatIsUsedLikeAClient:
    def test_the_call_is_passed_on_as_it_is(self, engine: GovernanceEngine) -> None:
        fake = FakeOpenAI()
        client = openai_of(fake, engine)
        assert client.governed_chat_completion(GPT, MESSAGES, temperature=0.5) == "an answer"
        assert client.governed_embedding("text-embedding-3-small", "some text") == "an answer"
        assert fake.calls == [
            {"model": GPT, "messages": MESSAGES, "temperature": 0.5},
            {"model": "text-embedding-3-small", "input": "some text"},
        ]

    def test_anthropic_as_well(self, engine: GovernanceEngine) -> None:
        fake = FakeAnthropic()
        client = anthropic_of(fake, engine)
        client.governed_message(CLAUDE, 100, MESSAGES, system="Be brief.")
        client.governed_completion("claude-2", "Hello", 50, stop_sequences=["."])
        assert fake.calls == [
            {"model": CLAUDE, "max_tokens": 100, "messages": MESSAGES, "system": "Be brief."},
            {"model": "claude-2", "prompt": "Hello", "max_tokens_to_sample": 50, "stop_sequences": ["."]},
        ]

    @pytest.mark.parametrize(
        "usage",
        [
            {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
            SimpleNamespace(prompt_tokens=1000, completion_tokens=100, total_tokens=1100, prompt_tokens_details=None),
        ],
    )
    def test_usage_that_a_response_states_is_what_it_costs(self, engine: GovernanceEngine, usage: Any) -> None:
        response: Any = SimpleNamespace(model=GPT, usage=usage)
        openai_of(FakeOpenAI(response), engine).governed_chat_completion(GPT, MESSAGES)
        assert balance(engine) == ((1000 * Decimal("2.5") + 100 * 10) / 1_000_000, 0)

    def test_a_mock_reports_no_usage(self, engine: GovernanceEngine) -> None:
        response = openai_of(MagicMock(), engine).governed_chat_completion(GPT, MESSAGES)
        assert isinstance(response, MagicMock)
        assert balance(engine) == (Decimal("0.01"), 0)

    def test_an_error_is_raised_as_it_is(self, engine: GovernanceEngine) -> None:
        refused = RuntimeError("refused")
        refused.status_code = 400  # type: ignore[attr-defined]
        with pytest.raises(RuntimeError, match="refused"):
            openai_of(FakeOpenAI(refused), engine).governed_chat_completion(GPT, MESSAGES)
        assert balance(engine) == (0, 0)

    def test_one_that_must_be_awaited_is_refused(self, engine: GovernanceEngine) -> None:
        with pytest.raises(ConfigurationError, match="methods are asynchronous"):
            openai_of(SimpleNamespace(embeddings=AsyncMock()), engine).governed_embedding(GPT, "x")
        for client, make in ((AsyncOpenAI(api_key="key"), openai_of), (AsyncAnthropic(api_key="key"), anthropic_of)):
            with pytest.raises(ConfigurationError, match="synchronous"):
                make(client, engine)
        assert balance(engine) == (0, 0)


class TestWithTheLibrariesClients:
    def test_openai(self, endpoint: Endpoint, engine: GovernanceEngine) -> None:
        endpoint.default = Reply(usage=Tokens(input=1000, output=100, cached=400))
        with OpenAI(base_url=endpoint.openai_url, api_key="key") as plain:
            client = openai_of(plain, engine)
            response = client.governed_chat_completion(GPT, MESSAGES, max_tokens=200)
            assert response.choices[0].message.content == Reply().text
            cost = (600 * Decimal("2.5") + 400 * Decimal("1.25") + 100 * 10) / 1_000_000
            assert balance(engine) == (cost, 0)
            assert len(client.governed_embedding("text-embedding-3-small", "some text").data) == 1
            assert balance(engine) == (cost + 1000 * Decimal("0.02") / 1_000_000, 0)

    def test_streams(self, endpoint: Endpoint, engine: GovernanceEngine) -> None:
        endpoint.default = Reply(usage=Tokens(input=1000, output=100))
        with OpenAI(base_url=endpoint.openai_url, api_key="key") as plain:
            chunks = list(openai_of(plain, engine).governed_chat_completion(GPT, MESSAGES, stream=True))
        assert all(chunk.choices for chunk in chunks)
        assert balance(engine) == ((1000 * Decimal("2.5") + 100 * 10) / 1_000_000, 0)

    def test_anthropic(self, endpoint: Endpoint, engine: GovernanceEngine) -> None:
        endpoint.default = Reply(usage=Tokens(input=1000, output=100))
        with Anthropic(base_url=endpoint.anthropic_url, api_key="key") as plain:
            client = anthropic_of(plain, engine)
            assert client.governed_message(CLAUDE, 200, MESSAGES).content[0].text == Reply().text
            assert balance(engine) == ((1000 * Decimal(2) + 100 * 10) / 1_000_000, 0)
            if not hasattr(plain, "completions"):
                with pytest.raises(ConfigurationError, match="governed_message"):
                    client.governed_completion("claude-2", "Hello", 50)

    def test_a_denied_call_is_not_sent(self, endpoint: Endpoint, engine: GovernanceEngine) -> None:
        with OpenAI(base_url=endpoint.openai_url, api_key="key") as plain:
            client = openai_of(plain, engine)
            with pytest.raises(GovernanceDeniedError, match="llm"):
                client.governed_chat_completion(GPT, MESSAGES, estimated_cost=0.06)
        assert (endpoint.count, balance(engine)) == (0, (0, 0))
        assert [record.allowed for record in client.audit_log] == [False]

    def test_an_unknown_model_costs_what_was_stated(self, endpoint: Endpoint, engine: GovernanceEngine) -> None:
        with OpenAI(base_url=endpoint.openai_url, api_key="key") as plain:
            client = openai_of(plain, engine, default_cost=0.02)
            client.governed_chat_completion("our-model", MESSAGES)
            client.governed_chat_completion("our-model", MESSAGES, estimated_cost=0.001)
        assert balance(engine) == (Decimal("0.04"), 0)


class TestTheAuditLog:
    def test_states_what_was_decided(self, engine: GovernanceEngine) -> None:
        client = openai_of(FakeOpenAI(), engine)
        client.governed_chat_completion(GPT, MESSAGES, estimated_cost=0.03)
        client.governed_embedding("text-embedding-3-small", "x")
        with pytest.raises(GovernanceDeniedError):
            client.governed_chat_completion(GPT, MESSAGES, estimated_cost="0.04")
        first, second, third = client.audit_log
        assert isinstance(first, OpenAIAuditRecord)
        assert (first.call_type, first.model, first.allowed, first.denial_reason) == (
            "chat_completion",
            GPT,
            True,
            None,
        )
        assert (first.estimated_cost, first.agent_id) == (0.03, "agent-1")
        assert isinstance(first.governance_decision, GovernanceDecision)
        assert first.governance_decision.outcome is GovernanceOutcome.ALLOW
        assert (second.call_type, second.estimated_cost) == ("embedding", 0.01)
        assert (third.allowed, third.governance_decision.allowed) == (False, False)
        assert third.denial_reason
        assert third.denial_reason in third.governance_decision.reasons
        recorded = {record.record_id for record in engine.audit.query().records}
        assert {record.record_id for record in (first, second, third)} <= recorded

    def test_of_anthropic(self, engine: GovernanceEngine) -> None:
        client = anthropic_of(FakeAnthropic(), engine)
        client.governed_message(CLAUDE, 100, MESSAGES)
        client.governed_completion("claude-2", "Hello", 50)
        assert [record.call_type for record in client.audit_log] == ["message", "completion"]
        assert all(isinstance(record, AnthropicAuditRecord) for record in client.audit_log)

    def test_is_a_copy(self, engine: GovernanceEngine) -> None:
        client = openai_of(FakeOpenAI(), engine)
        client.audit_log.append(None)  # type: ignore[arg-type]
        assert client.audit_log == []


def test_the_defaults_are_those_of_the_earlier_sdk(engine: GovernanceEngine) -> None:
    for kind in (GovernedOpenAIClient, GovernedAnthropicClient):
        client: Any = kind(FakeAnthropic(), engine, "agent-1")
        assert (client.agent_id, client.default_cost, client.audit_log) == ("agent-1", 0.01, [])
        assert isinstance(client.default_cost, float)
        with pytest.raises(ValueError, match="agent_id"):
            kind(FakeAnthropic(), engine, "")
        for cost in (-1, float("nan"), "free"):
            with pytest.raises(ValueError, match="default_cost"):
                kind(FakeAnthropic(), engine, "agent-1", default_cost=cost)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="estimated_cost"):
        openai_of(FakeOpenAI(), engine).governed_chat_completion(GPT, MESSAGES, estimated_cost=float("nan"))
