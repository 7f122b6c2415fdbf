"""Classes and objects in a request are measured by the JSON that the library sends for them."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from collections.abc import Callable
from typing import Annotated, Any

import pydantic
import pytest
from langchain_openai import ChatOpenAI
from pydantic import v1 as pydantic_v1
from typing_extensions import TypedDict

from aumos_governance.integrations.langchain import GovernedCalls
from aumos_governance.integrations.pricing.schemas import UNKNOWN, plain
from aumos_governance.integrations.pricing.sizes import size_of
from tests.integrations.endpoint.replies import Reply, Tokens
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till, priced


class Answer(pydantic.BaseModel):
    a: int


class Model(pydantic.BaseModel):
    """A model with a long docstring, which is sent as well."""

    city: Annotated[str, pydantic.Field(description="the city that is asked about, by its English name")]


class OldModel(pydantic_v1.BaseModel):
    city: str


@dataclasses.dataclass
class Data:
    city: str


class Typed(TypedDict):
    city: str


class Colour(enum.Enum):
    RED = "red"


class Broken(pydantic.BaseModel):
    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        raise RuntimeError("no schema today")


def weather(city: str) -> str:
    """The weather in a city."""
    return city


@pytest.mark.parametrize(
    "given",
    [Model, OldModel, Data, Typed, pydantic.TypeAdapter(Data), list[Model], weather, Model(city="x")],
    ids=["model", "earlier model", "dataclass", "typed dict", "adapter", "list", "function", "instance"],
)
def test_it_is_measured_by_what_is_sent_for_it(given: object) -> None:
    assert "city" in str(plain(given))
    size = size_of({"response_format": given})
    assert not size.unseen
    assert size.tokens > 20


def test_a_class_is_no_smaller_than_its_schema() -> None:
    assert size_of(Model).tokens >= len(str(Model.model_json_schema()))


@pytest.mark.parametrize(
    "make",
    [lambda: iter([1]), lambda: (n for n in ()), object, lambda: Broken, lambda: type("Bare", (), {}), lambda: open],
    ids=["iterator", "generator", "object", "broken schema", "bare class", "builtin"],
)
def test_what_cannot_be_measured_is_held_at_the_model_s_context_window(make: Callable[[], object]) -> None:
    given = make()
    assert plain(given) is UNKNOWN
    assert size_of({"tools": [given]}).unseen


def test_an_iterator_is_not_used_up() -> None:
    given = iter(["x"])
    size_of({"tools": given})
    assert list(given) == ["x"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Colour.RED, "red"),
        (Data("x"), {"city": "x"}),
        (frozenset({"a"}), ["a"]),
        (datetime.date(2026, 1, 2), "2026-01-02"),
    ],
)
def test_objects_become_plain(given: object, expected: object) -> None:
    assert plain(given) == expected


def test_langchain_s_structured_output_is_governed(endpoint: Endpoint, till: Till) -> None:
    endpoint.default = Reply(text='{"a": 1}', usage=Tokens(input=10, output=20))
    model = ChatOpenAI(model="gpt-4o", base_url=endpoint.openai_url, api_key="key", max_retries=0)  # type: ignore[arg-type]
    calls = GovernedCalls(engine=till.engine, budget_category="llm")
    response = model.with_structured_output(Answer).invoke("x", config={"callbacks": [calls]})
    assert response == Answer(a=1)
    assert till.spent == priced("gpt-4o", {"input_tokens": 10, "output_tokens": 20})
    assert till.events() == ["hold", "settle"]
