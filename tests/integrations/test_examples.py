"""The calls in the libraries' READMEs and helper documents have the same results with a governed and a plain client.

`SECTIONS` lists the headings in the README of OpenAI's library. The test fails for a heading that a new version adds,
until its example is added to `examples`, or the heading is listed as one without a call. Anthropic's README shows one
call; its other examples are on its site.
"""

from __future__ import annotations

import asyncio
import re
from importlib.metadata import metadata, version

import anthropic
import openai
import pytest

from aumos_governance import ConfigurationError, govern
from tests.integrations.endpoint.replies import Reply, ToolCall
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.examples import ANTHROPIC, AWAITED, OPENAI, REFUSED, Example, outcome, tool_runner
from tests.integrations.till import Till, needs_prices_of_0_2

_NO_CALL = "no call, or only how a client is made"
SECTIONS: dict[str, str | tuple[str, ...]] = {
    "Usage": ("responses", "chat"),
    "Vision": ("vision by address", "vision by content"),
    "Async usage": tuple(AWAITED),
    "Streaming responses": ("stream of a response", "stream of a chat"),
    "Realtime API": ("realtime",),
    "Pagination": ("pages", "pages_awaited"),
    "Nested params": ("nested",),
    "Handling errors": "tests/integrations/guarding/test_failed_calls.py",
    "File uploads": "tests/integrations/openai/test_methods.py",
    "Request IDs": ("request id",),
    "Retries": ("retries",),
    "Timeouts": ("timeouts", "a timeout of one call"),
    "Accessing raw response data (e.g. headers)": ("raw response",),
    ".with_streaming_response": ("streaming response",),
    "Undocumented endpoints": ("undocumented endpoint",),
    "Undocumented request params": ("parameters",),
    "Undocumented response properties": ("parameters",),
    "Making custom/undocumented requests": ("undocumented endpoint",),
    "Configuring the HTTP client": ("another http client",),
    "Managing HTTP resources": "tests/integrations/drop_in/test_clients.py",
    "Microsoft Azure OpenAI": "tests/integrations/drop_in/test_govern.py",
    **dict.fromkeys(
        (
            *("OpenAI Python API library", "Documentation", "Installation", "Workload Identity Authentication"),
            *("Kubernetes (service account tokens)", "Azure (managed identity)", "Custom subject token provider"),
            *("Google Cloud Platform (compute engine metadata)", "X.509 workload identity (mutual TLS)", "Mutual TLS"),
            *("With aiohttp", "HTTPX2 migration", "Realtime error handling", "Using types", "Webhook Verification"),
            *("Parsing webhook payloads", "Verifying webhook payloads directly", "Advanced", "Logging"),
            *("How to tell whether `None` means `null` or missing", "Amazon Bedrock", "Legacy `BedrockOpenAI` client"),
            *("Versioning", "Determining the installed version", "Requirements", "Contributing"),
        ),
        _NO_CALL,
    ),
}


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(example, id=name, marks=needs_prices_of_0_2 if name == "speech" else ())
        for name, example in OPENAI.items()
    ],
)
def test_it_runs_the_same(endpoint: Endpoint, till: Till, example: Example) -> None:
    with openai.OpenAI(base_url=endpoint.openai_url, api_key="key", max_retries=0) as plain:
        expected = outcome(example, plain)
        assert "Error" not in expected
        assert outcome(example, govern(plain, engine=till.engine, budget_category="llm")) == expected


@pytest.mark.parametrize("example", AWAITED.values(), ids=AWAITED)
def test_it_runs_the_same_awaited(endpoint: Endpoint, till: Till, example: Example) -> None:
    async def main() -> tuple[str, str]:
        async with openai.AsyncOpenAI(base_url=endpoint.openai_url, api_key="key", max_retries=0) as plain:
            governed = govern(plain, engine=till.engine, budget_category="llm")
            return repr(await example(plain)), repr(await example(governed))

    expected, came_to = (re.sub(r"(chatcmpl-|resp_|msg_)\w+", r"\1", each) for each in asyncio.run(main()))
    assert came_to == expected


@pytest.mark.parametrize(("example", "sentence"), REFUSED.values(), ids=REFUSED)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_it_is_refused_with_a_sentence(endpoint: Endpoint, till: Till, example: Example, sentence: str) -> None:
    with openai.OpenAI(base_url=endpoint.openai_url, api_key="key") as plain:
        governed = govern(plain, engine=till.engine)
        with pytest.raises(ConfigurationError, match=sentence):
            example(governed)
    assert endpoint.count == 0


@pytest.mark.skipif(int(version("openai").partition(".")[0]) < 3, reason="the README of today's version")
def test_each_heading_of_the_readme_is_known() -> None:
    description = str(metadata("openai").get_payload() or metadata("openai")["Description"])  # type: ignore[attr-defined]
    without_code = re.sub(r"^```.*?^```", "", description, flags=re.DOTALL | re.MULTILINE)
    headings = {found.strip("`") for found in re.findall(r"^#+ (.+)$", without_code, flags=re.MULTILINE)}
    assert headings <= {heading.strip("`") for heading in SECTIONS}, "write the examples of the new headings"
    for examples in SECTIONS.values():
        if isinstance(examples, tuple):
            assert set(examples) <= OPENAI.keys() | AWAITED.keys() | REFUSED.keys()


@pytest.mark.parametrize("example", ANTHROPIC.values(), ids=ANTHROPIC)
def test_anthropic_s_runs_the_same(endpoint: Endpoint, till: Till, example: Example) -> None:
    called = Reply(tool_calls=(ToolCall("add", {"left": 1, "right": 2}),))
    with anthropic.Anthropic(base_url=endpoint.anthropic_url, api_key="key", max_retries=0) as plain:
        came_to = []
        for client in (plain, govern(plain, engine=till.engine, budget_category="llm")):
            if example is tool_runner:
                endpoint.script(called)
            came_to.append(re.sub(r"(msg_|toolu_)\w+", r"\1", outcome(example, client)))
        assert came_to[0] == came_to[1]
        assert "Error" not in came_to[0]
