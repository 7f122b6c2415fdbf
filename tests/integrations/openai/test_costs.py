"""Calls of the real library are charged exactly as genai-prices computes, to the nano-dollar."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from aumos_governance import ConfigurationError, GovernanceDeniedError, govern
from aumos_governance.integrations.guarding.calls import ApiRequest
from aumos_governance.integrations.openai.calls import PROVIDER
from aumos_governance.integrations.pricing.prices import Prices
from tests.integrations.endpoint.replies import Reply, Tokens
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till, needs_prices_of_0_2, priced

MESSAGES: Any = [{"role": "user", "content": "What is six times seven?"}]
USED = Tokens(input=1_234, output=567, cached=200, reasoning=100)
UNITS = {"input_tokens": 1_234, "cache_read_tokens": 200, "output_tokens": 567, "output_reasoning_tokens": 100}


@pytest.fixture
def client(endpoint: Endpoint, till: Till) -> Iterator[OpenAI]:
    endpoint.default = Reply(usage=USED)
    with OpenAI(base_url=endpoint.openai_url, api_key="key", max_retries=0) as plain:
        yield govern(plain, engine=till.engine, budget_category="llm")


def chat(client: OpenAI, **options: Any) -> Any:
    return client.chat.completions.create(**{"model": "gpt-4o", "messages": MESSAGES} | options)


CALLS: dict[str, Callable[[OpenAI], Any]] = {
    "create": chat,
    "streamed": lambda client: list(chat(client, stream=True)),
    "streamed_with_usage": lambda client: list(chat(client, stream=True, stream_options={"include_usage": True})),
    "parse": lambda client: client.chat.completions.parse(model="gpt-4o", messages=MESSAGES),
    "raw": lambda client: client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES).parse(),
    "raw_streamed": lambda client: list(
        client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES, stream=True).parse()
    ),
    "responses": lambda client: client.responses.create(model="gpt-4o", input="6 x 7?"),
    "responses_streamed": lambda client: list(client.responses.create(model="gpt-4o", input="6 x 7?", stream=True)),
    "with_options": lambda client: chat(client.with_options(timeout=5)),
    "extra_body": lambda client: chat(client, model="unknown", extra_body={"model": "gpt-4o"}),
}


@pytest.mark.parametrize("call", CALLS)
def test_text_costs_what_its_usage_says(client: OpenAI, till: Till, call: str) -> None:
    CALLS[call](client)
    assert till.spent == priced("gpt-4o", UNITS)
    assert till.events() == ["hold", "settle"]
    held, settled = till.records()
    assert (held.tool, settled.tool) == ("gpt-4o", "gpt-4o")
    assert held.amount >= settled.amount


def test_the_helpers_that_stream_give_their_own_events(client: OpenAI, till: Till) -> None:
    with client.chat.completions.stream(model="gpt-4o", messages=MESSAGES) as stream:
        kinds = {event.type for event in stream}
        assert stream.get_final_completion().choices[0].message.content == "The answer is forty-two."
    assert {"chunk", "content.delta", "content.done"} <= kinds
    with client.responses.stream(model="gpt-4o", input="6 x 7?") as response:
        response.until_done()
        assert response.get_final_response().output_text == "The answer is forty-two."
    assert till.spent == 2 * priced("gpt-4o", UNITS)


def test_a_response_that_is_streamed_as_it_came(client: OpenAI, till: Till) -> None:
    create = client.chat.completions.with_streaming_response.create
    with create(model="gpt-4o", messages=MESSAGES, stream=True) as response:
        lines = [line for line in response.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"
    assert not any('"prompt_tokens"' in line for line in lines)
    with create(model="gpt-4o", messages=MESSAGES) as response:
        assert response.parse().usage.prompt_tokens == 1_234
    with create(model="gpt-4o", messages=MESSAGES) as response:
        assert b"forty-two" in b"".join(response.iter_bytes(7))
    assert till.spent == 3 * priced("gpt-4o", UNITS)


def test_the_chunk_that_states_the_usage_is_only_for_a_client_that_requested_it(client: OpenAI) -> None:
    assert [chunk.usage for chunk in chat(client, stream=True)] == [None] * 6
    reported = [chunk.usage for chunk in chat(client, stream=True, stream_options={"include_usage": True})]
    assert [usage.prompt_tokens for usage in reported if usage is not None] == [1_234]


def test_the_caller_s_own_options_reach_the_provider(client: OpenAI, endpoint: Endpoint) -> None:
    options = {"include_obfuscation": False}
    list(chat(client, stream=True, stream_options=options, temperature=0.5))
    requested = endpoint.exchange(0).received.json
    assert requested["stream_options"] == {"include_obfuscation": False, "include_usage": True}
    assert requested["temperature"] == 0.5
    assert options == {"include_obfuscation": False}


def test_embeddings(client: OpenAI, till: Till) -> None:
    client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
    client.embeddings.create(model="text-embedding-3-small", input=[[1, 2, 3]])
    assert till.spent == 2 * priced("text-embedding-3-small", {"input_tokens": 1_234})


def test_completions_of_the_earlier_api(client: OpenAI, till: Till) -> None:
    client.completions.create(model="gpt-3.5-turbo-instruct", prompt="6 x 7?", max_tokens=2_000)
    assert till.spent == priced("gpt-3.5-turbo-instruct", {"input_tokens": 1_234, "output_tokens": 567})


def test_sound_in_a_chat(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.script(Reply(usage=Tokens(input=300, output=200, audio_input=250, audio_output=150)))
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA" * 4_000, "format": "mp3"}}
    requested: Any = [{"role": "user", "content": [sound]}]
    chat(client, model="gpt-audio", messages=requested, modalities=["text", "audio"], max_tokens=300)
    units = {"input_tokens": 300, "input_audio_tokens": 250, "output_tokens": 200, "output_audio_tokens": 150}
    assert till.spent == priced("gpt-audio", units)
    held, settled = till.records()
    assert held.amount >= settled.amount


def test_images(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.default = Reply(usage=Tokens(input=60, output=1_000, image_input=40))
    client.images.generate(model="gpt-image-1", prompt="A lighthouse", n=1)
    list(client.images.generate(model="gpt-image-1", prompt="A lighthouse", stream=True))
    client.images.edit(model="gpt-image-1", prompt="At night", image=b"\x89PNG")
    units = {"input_tokens": 60, "input_text_tokens": 20, "input_image_tokens": 40, "output_tokens": 1_000}
    assert till.spent == 3 * priced("gpt-image-1", units)


def test_all_of_an_image_s_output_is_image_where_the_usage_does_not_state_it(
    client: OpenAI, till: Till, endpoint: Endpoint
) -> None:
    endpoint.default = Reply(usage=Tokens(input=60, output=1_000))
    client.images.generate(model="gpt-image-1.5", prompt="A lighthouse")
    units = {"input_tokens": 60, "output_tokens": 1_000, "output_image_tokens": 1_000}
    assert till.spent == priced("gpt-image-1.5", units)


@needs_prices_of_0_2
def test_speech_is_charged_by_the_character(client: OpenAI, till: Till) -> None:
    client.audio.speech.create(model="tts-1", voice="alloy", input="Grüße aus Köln")
    with client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input="Hi") as response:
        assert response.read().startswith(b"ID3")
    assert till.spent == priced("tts-1", {"input_characters": 14}) + priced("tts-1", {"input_characters": 2})


def test_speech_that_states_no_usage_is_an_estimate(client: OpenAI, till: Till) -> None:
    client.audio.speech.create(model="gpt-4o-mini-tts", voice="alloy", input="Hello")
    assert till.events() == ["hold", "estimated"]


def test_transcription_by_the_second_and_by_tokens(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(struct.pack("<h", 0) * 32_000)
    endpoint.script(Reply(usage=Tokens(seconds=2.0)))
    client.audio.transcriptions.create(model="whisper-1", file=("a.wav", sound.getvalue()))
    by_time = priced("whisper-1", {"audio_seconds": 2.0, "input_audio_seconds": 2.0})
    assert till.spent == by_time
    endpoint.script(Reply(usage=Tokens(input=30, output=10, audio_input=20)))
    client.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.wav", sound.getvalue()))
    units = {"input_tokens": 30, "input_audio_tokens": 20, "output_tokens": 10}
    assert till.spent == by_time + priced("gpt-4o-transcribe", units)


@pytest.mark.parametrize("form", ["bytes", "open file", "path", "unknown"])
def test_a_recording_is_held_by_its_size_however_it_is_given(
    client: OpenAI, till: Till, endpoint: Endpoint, tmp_path: Path, form: str
) -> None:
    endpoint.default = Reply(usage=Tokens(seconds=2.0))
    path = tmp_path / "a.wav"
    path.write_bytes(b"head" + bytes(75_000))

    class Live(io.RawIOBase):
        """A recording without a size, which can be read and not sought in."""

        def readable(self) -> bool:
            return True

        def readinto(self, _: Any) -> int:
            return 0

    with path.open("rb") as file:
        file.seek(4)
        forms: dict[str, Any] = {"bytes": bytes(75_000), "open file": file, "path": path, "unknown": Live()}
        given: Any = path if form == "path" else ("a.wav", forms[form])
        client.audio.transcriptions.create(model="whisper-1", file=given)
    (held,) = till.records("hold")
    # By the second: 750 bytes are one at least, and the largest file that is accepted has 25 MiB.
    seconds = 34_953 if form == "unknown" else 101
    assert held.amount / Decimal(10**9) == priced(
        "whisper-1", {"audio_seconds": seconds, "input_audio_seconds": seconds}
    )


def test_searches_are_counted(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    items = [{"type": "web_search_call", "action": {"type": kind}} for kind in ("search", "open_page", "search")]
    usage = {"input_tokens": 10, "output_tokens": 5}
    body = {"id": "r", "object": "response", "model": "gpt-4o", "output": items, "usage": usage}
    endpoint.script(Reply(body=str(body).replace("'", '"').encode()))
    client.responses.create(model="gpt-4o", input="News?", tools=[{"type": "web_search"}], max_output_tokens=100)
    assert till.spent == priced("gpt-4o", {"input_tokens": 10, "output_tokens": 5, "web_searches": 2})


@pytest.mark.parametrize("tier", ["priority", "default", "unheard-of"])
def test_the_tier_that_served_it_sets_the_price(client: OpenAI, till: Till, endpoint: Endpoint, tier: str) -> None:
    body = {"id": "c", "model": "gpt-4o", "service_tier": tier, "choices": []}
    body["usage"] = {"prompt_tokens": 1_000, "completion_tokens": 100}
    endpoint.script(Reply(body=str(body).replace("'", '"').encode()))
    chat(client, service_tier="auto")
    assert till.spent == priced("gpt-4o", {"input_tokens": 1_000, "output_tokens": 100}, tier=tier)


def test_the_model_that_responded_sets_the_price(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    units = {"input_tokens": 11, "output_tokens": 7}
    endpoint.script(Reply(model="gpt-4o-2024-05-13"), Reply(model="a-name-of-its-own"))
    chat(client)
    assert till.spent == priced("gpt-4o-2024-05-13", units) != priced("gpt-4o", units)
    chat(client)
    assert till.spent == priced("gpt-4o-2024-05-13", units) + priced("gpt-4o", units)


def test_more_than_was_held_is_charged_in_full(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.script(Reply(usage=Tokens(input=5, output=50_000)))
    chat(client)
    assert till.spent == priced("gpt-4o", {"input_tokens": 5, "output_tokens": 50_000})
    assert till.records("settle")[0].detail == {"overrun": True}


def test_what_is_free_passes_without_a_hold(client: OpenAI, till: Till) -> None:
    assert client.models.list().data
    assert client.models.retrieve("gpt-4o").id == "gpt-4o"
    client.moderations.create(input="Hello")
    client.responses.input_tokens.count(model="gpt-4o", input="Hello")
    assert till.records() == []


REFUSED: dict[str, tuple[Callable[[OpenAI], Any], str]] = {
    "fine-tuning": (
        lambda client: client.fine_tuning.jobs.create(model="gpt-4o", training_file="f"),
        "POST /fine_tuning/jobs was not sent",
    ),
    "post": (lambda client: client.post("/something/new", cast_to=object), "POST /something/new was not sent"),
    "socket": (lambda client: client.realtime.connect(model="gpt-realtime").enter(), "WebSocket"),
    "hosted tool": (
        lambda client: client.responses.create(
            model="gpt-4o", input="x", tools=[{"type": "code_interpreter", "container": {"type": "auto"}}]
        ),
        "'code_interpreter'",
    ),
    "search": (
        lambda client: chat(client, model="gpt-4o-search-preview", web_search_options={}),
        "web_searches_kcount",
    ),
    "model": (lambda client: chat(client, model="my-model"), r"price=.*default_cost=.*cost=0"),
    "image model": (lambda client: client.images.generate(model="dall-e-3", prompt="x"), "dall-e-3"),
}


@pytest.mark.parametrize("call", REFUSED)
def test_what_has_no_known_cost_is_refused(client: OpenAI, till: Till, endpoint: Endpoint, call: str) -> None:
    make, words = REFUSED[call]
    with pytest.raises(ConfigurationError, match=words):
        make(client)
    assert (endpoint.count, till.records()) == (0, [])


def test_what_is_denied_is_not_sent(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    till.engine.budget.set_limit("llm", 0.001)
    with pytest.raises(GovernanceDeniedError, match="Would exceed budget 'llm'"):
        chat(client)
    chat(client, max_tokens=50, service_tier="default")
    with pytest.raises(GovernanceDeniedError, match="needs"):
        chat(govern(client, engine=till.engine, budget_category="llm", required_trust_level=3))
    assert endpoint.count == 1


@pytest.mark.parametrize("tier", [None, "auto"])
def test_the_tier_that_a_project_may_set_is_in_the_hold(tier: str | None) -> None:
    terms = {} if tier is None else {"service_tier": tier}
    requested = {"messages": [], "max_tokens": 1000}

    def worst(**more: Any) -> Decimal:
        paid = PROVIDER.paid(ApiRequest("post", "/chat/completions", {"model": "gpt-5.4", **requested, **more}))
        assert paid is not None
        return paid.worst(Prices().rates("gpt-5.4", provider="openai"))

    assert worst(**terms) > Decimal("1.9") * worst(service_tier="default")


def test_prices_that_are_stated(client: OpenAI, endpoint: Endpoint, till: Till) -> None:
    endpoint.default = Reply()

    def costs(model: str, **stated: Any) -> Decimal:
        before = till.spent
        chat(govern(client, engine=till.engine, budget_category="llm", **stated), model=model)
        return till.spent - before

    assert costs("mine", cost=0) == 0
    free = govern(client, engine=till.engine, budget_category="llm", cost=0)
    list(chat(free, model="mine", stream=True))
    free.responses.create(model="mine", input="x", tools=[{"type": "code_interpreter", "container": "c"}])
    assert costs("gpt-4o", cost="0.25") == Decimal("0.25")
    assert costs("mine", default_cost=0.03) == Decimal("0.03")
    assert costs("gpt-4o", default_cost=0.03) == priced("gpt-4o", {"input_tokens": 11, "output_tokens": 7})
    # What a call costs is known here, whatever its response says.
    endpoint.script(Reply(usage=None))
    assert costs("mine", cost="0.25") == Decimal("0.25")
    assert "estimated" not in till.events()
    per_million = {"input_mtok": 1, "output_mtok": "2.5"}
    assert costs("mine", price=per_million) == Decimal("0.0000285")
    assert costs("mine", price={"mine": per_million}) == Decimal("0.0000285")
    for wrong in ({"input": 1}, {"input_mtok": -1}, {"input_mtok": "much"}, {}, {"mine": {}}, 3):
        with pytest.raises(ValueError, match="price"):
            govern(client, engine=till.engine, price=wrong)  # type: ignore[arg-type]
