"""Which headers are forwarded between client and provider; neither side gets the other one's key."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from aumos_governance.gateway.headers import Mask, from_client, from_provider, secrets_of, without_secret

SECRET = "sk-aumos-1"


def headers(**given: str) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict({name.replace("_", "-"): value for name, value in given.items()}))


@pytest.mark.parametrize(
    ("given", "query", "found"),
    [
        ({}, "", []),
        ({"authorization": "Bearer  abc "}, "", ["abc"]),
        ({"authorization": "BEARER abc"}, "", ["abc"]),
        ({"authorization": "abc "}, "", ["abc"]),
        ({"authorization": ""}, "", []),
        ({"x-api-key": "abc", "authorization": "Basic x"}, "", ["Basic x", "abc"]),
        ({"x-goog-api-key": " abc"}, "key=d&other=e&key=f", ["abc", "d", "f"]),
        ({"cookie": "abc"}, "keys=d", []),
    ],
)
def test_a_key_is_looked_for_where_apis_have_it(given: dict[str, str], query: str, found: list[str]) -> None:
    assert list(secrets_of(given, query)) == found


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("", ""),
        ("a=1&b=", "a=1&b="),
        # A query without a key is not encoded again.
        ("a=%7E&b=x%20y", "a=%7E&b=x%20y"),
        ("key=abc", ""),
        ("a=1&key=abc&b=", "a=1&b="),
        (f"a=1&token=x{SECRET}y&b=2", "a=1&b=2"),
        (f"key={SECRET}&a=x%20y", "a=x+y"),
    ],
)
def test_a_query_goes_on_without_the_clients_key(query: str, left: str) -> None:
    assert without_secret(query, SECRET) == left


def test_a_clients_headers_go_on_without_its_key_and_what_is_of_the_connection() -> None:
    given = headers(
        authorization="Basic x",
        x_api_key="other",
        connection="close, X-Hop",
        x_hop="1",
        cookie="session=1",
        host="here",
        via="proxy",
        x_forwarded_for="10.0.0.1",
        x_echo=f"my key is {SECRET}",
        x_http_method_override="DELETE",
        openai_organization="org-1",
        user_agent="agent/1",
        content_type="application/json",
    )
    kept = from_client(given, SECRET, ["openai-organization"])
    assert dict(kept) == {"user-agent": "agent/1", "content-type": "application/json"}


def test_a_header_that_comes_several_times_goes_on_as_often() -> None:
    given = CIMultiDictProxy(CIMultiDict([("x-tag", "a"), ("x-tag", "b")]))
    assert from_client(given, SECRET, ()).getall("x-tag") == ["a", "b"]
    assert from_provider(given, None).getall("x-tag") == ["a", "b"]


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("12345678", False),
        ("of 12345678", False),
        # A key of 7 characters is a placeholder, which may be part of other text by chance.
        ("1234567", True),
        ("other-key", True),
        (None, True),
        ("", True),
    ],
)
def test_a_providers_headers_go_back_without_its_key_and_cookies(key: str | None, shown: bool) -> None:
    given = headers(
        x_request_id="r1",
        x_key="of 12345678",
        set_cookie="a=b",
        content_length="5",
        content_encoding="gzip",
        connection="x-hop",
        x_hop="1",
        alt_svc="h3",
    )
    kept = dict(from_provider(given, key))
    assert kept.pop("x-key", None) == ("of 12345678" if shown else None)
    assert kept == {"x-request-id": "r1"}


# ---- a provider's key in a body

LONG = b"sk-provider-key"


@pytest.mark.parametrize("size", [1, 3, 7, 15, 1_000])
def test_a_key_is_masked_wherever_the_body_is_cut(size: int) -> None:
    body = b"a" + LONG + b"b sk-prov c" + LONG + LONG + b" sk-provider-ke"
    mask = Mask(LONG.decode())
    pieces = [mask.feed(body[at : at + size]) for at in range(0, len(body), size)]
    assert b"".join(pieces) + mask.rest() == b"a***b sk-prov c****** sk-provider-ke" == mask.whole(body)
    assert mask.rest() == b""


def test_the_first_letter_of_a_key_may_precede_it() -> None:
    mask = Mask("aab-provider")
    assert [mask.feed(chunk) for chunk in (b"xaaa", b"b-provider", b" ")] == [b"xa", b"***", b" "]


def test_what_may_begin_the_key_waits_and_what_ends_an_event_does_not() -> None:
    mask = Mask(LONG.decode())
    assert [mask.feed(chunk) for chunk in (b"ab", b"c sk-", b"px", b"d sk-p", b"\n")] == [
        b"ab",
        b"c ",
        b"sk-px",
        b"d ",
        b"sk-p\n",
    ]
    assert mask.rest() == b""


@pytest.mark.parametrize("key", [None, "", "1234567"])
def test_without_a_key_that_is_one_nothing_is_masked(key: str | None) -> None:
    mask = Mask(key)
    assert mask.whole(b"of 1234567") == mask.feed(b"of 1234567") == b"of 1234567"
    assert mask.rest() == b""
    assert Mask("12345678").whole(b"of 12345678") == b"of ***"
