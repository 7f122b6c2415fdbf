"""The unchanged library google-genai, with a relay that holds and settles each of its requests."""

from __future__ import annotations

import pytest
from google.genai import errors

from tests.integrations.endpoint.replies import Reply, Tokens
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.google.charges import price_of
from tests.integrations.google.library import MODEL, PROGRAMS, QUESTION, client
from tests.integrations.google.relay import relay
from tests.integrations.till import Till, needs_prices_of_0_2, priced

# google-genai makes a class of aiohttp's session, which aiohttp warns of.
pytestmark = [needs_prices_of_0_2, pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")]


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_of_its_requests_costs_what_it_used(name: str, endpoint: Endpoint, till: Till) -> None:
    program = PROGRAMS[name]
    endpoint.script(*program.replies)
    with relay(endpoint.google_url, till) as address:
        assert program.run(client(address)) == program.got
    assert till.spent == price_of(program)
    assert till.events() == (["hold", "settle"] * len(program.replies) if program.model else [])
    assert till.held == 0
    assert all(each.received.headers.get("x-goog-api-key") == "theirs" for each in endpoint.exchanges)


def test_a_denial_is_an_error_of_the_librarys_own_that_says_why(endpoint: Endpoint) -> None:
    till = Till(limit=0.0001)
    with till.engine, relay(endpoint.google_url, till) as address:
        library = client(address)
        with pytest.raises(errors.ClientError) as denied:
            library.models.generate_content(model=MODEL, contents=QUESTION)
    assert denied.value.code == 402
    assert "budget" in str(denied.value)
    assert endpoint.count == 0


def test_a_stream_that_breaks_off_is_charged_as_far_as_it_came(endpoint: Endpoint, till: Till) -> None:
    endpoint.script(Reply(usage=Tokens(input=11, output=7, reasoning=5), error_after=3))
    with relay(endpoint.google_url, till) as address:
        library = client(address)
        with pytest.raises(errors.APIError):
            list(library.models.generate_content_stream(model=MODEL, contents=QUESTION))
    assert till.events() == ["hold", "estimated"]
    assert till.spent == priced(MODEL, {"input_tokens": 11, "output_tokens": 3 + 5}, provider="google")
