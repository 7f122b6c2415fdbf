"""Classes decorated with `quick` behave like those that `dataclass` alone makes."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any, Generic, TypeVar

import pytest

from aumos_governance.frozen import quick
from aumos_governance.ledger.contract.charges import Spend
from aumos_governance.ledger.contract.facts import Decision, Origin

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Base(Generic[T]):
    key: str
    origin: str = "here"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Made(Base[int]):
    amount: int
    tags: list[str] = field(default_factory=list)


@quick
@dataclass(frozen=True, slots=True)
class Point:
    """Two numbers."""

    x: int
    y: int = 2


def test_sets_defaults_and_inherited_fields() -> None:
    made = Made(key="a", amount=3)
    assert (made.key, made.origin, made.amount, made.tags) == ("a", "here", 3, [])
    assert made.tags is not Made(key="a", amount=3).tags
    assert Point(1) == Point(1, 2) == Point(y=2, x=1)


def test_is_of_its_own_class_and_frozen() -> None:
    made = Made(key="a", amount=3)
    assert type(made) is Made
    assert isinstance(made, Base)
    with pytest.raises(FrozenInstanceError):
        made.amount = 4  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del Point(1).x  # type: ignore[misc]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Made(key="a"),  # type: ignore[call-arg]
        lambda: Made("a", amount=1),  # type: ignore[misc]
        lambda: Point(1, 2, 3),  # type: ignore[call-arg]
        lambda: Point(1, z=3),  # type: ignore[call-arg]
    ],
)
def test_refuses_what_the_signature_does_not_take(wrong: Any) -> None:
    with pytest.raises(TypeError, match="__init__"):
        wrong()


def test_can_be_compared_hashed_replaced_copied_and_pickled() -> None:
    point = Point(1, 5)
    assert hash(point) == hash(Point(1, 5))
    assert repr(point) == "Point(x=1, y=5)"
    assert replace(point, x=7) == Point(7, 5)
    assert copy.deepcopy(point) == pickle.loads(pickle.dumps(point)) == point


@pytest.mark.parametrize("kind", [Decision, Origin, Spend])
def test_keeps_the_signature(kind: type[Any]) -> None:
    parameters = inspect.signature(kind).parameters
    assert list(parameters) == sorted([each.name for each in fields(kind)], key=list(parameters).index)
    for each in fields(kind):
        assert (parameters[each.name].kind is inspect.Parameter.KEYWORD_ONLY) == each.kw_only


def test_refuses_a_class_that_looks_at_itself_when_made() -> None:
    @dataclass(frozen=True, slots=True)
    class Careful:
        x: int

        def __post_init__(self) -> None:
            raise AssertionError

    with pytest.raises(TypeError, match="__post_init__"):
        quick(Careful)
