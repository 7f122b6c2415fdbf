"""A new operation needs one file, like `example_operation`, and its module in `dispatch.MODULES`."""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path

import pytest

from aumos_governance import ledger as package
from aumos_governance.errors import IdempotencyError, NotFoundError
from aumos_governance.ledger.commit import dispatch
from aumos_governance.ledger.contract.charges import Hold
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.requests import Request
from aumos_governance.ledger.operations import registry
from aumos_governance.ledger.rules import content
from tests.ledger.kit import CENT, KERNEL, NOTEBOOK, OTHER, Backend, key, opening, records, spend
from tests.ledger.operations.example_operation import CountHolds, Noted, NoteHolds

OPERATIONS = Path(package.__file__).parent / "operations"


def note(**values: object) -> NoteHolds:
    given = {"key": key(), "origin": KERNEL, "notebook": NOTEBOOK, "tool": "gpt-4o", "note": "slow"} | values
    return NoteHolds(**given)  # type: ignore[arg-type]


def hold(tool: str) -> Hold:
    return Hold(key=key(), origin=KERNEL, notebook=NOTEBOOK, amount=CENT, tool=tool)


def test_an_operation_in_a_file_of_its_own_works_on_every_backend(ledger: Ledger) -> None:
    ledger.execute(opening())
    for tool in ("gpt-4o", "gpt-4o", "gpt-5"):
        ledger.execute(hold(tool))
    ledger.execute(spend(tool="gpt-4o"))
    heard: list[str] = []
    ledger.subscribe(lambda states: heard.extend(state.notebook.path for state in states))

    assert ledger.execute(note()) == Noted("slow", 2)
    assert ledger.read(CountHolds(tool="gpt-4o")) == 2
    assert ledger.read(CountHolds(tool="o3")) == 0
    (found,) = records(ledger, event="note")
    assert (found.tool, found.reasons, found.notebook) == ("gpt-4o", ("slow",), NOTEBOOK.path)
    assert heard == [NOTEBOOK.path]
    assert ledger.verify().ok


def test_its_response_is_kept_under_its_key_across_restarts(database: Backend) -> None:
    ledger = database.open()
    ledger.execute(opening())
    request = note()
    assert ledger.execute(request) == Noted("slow", 0)
    ledger.execute(hold("gpt-4o"))
    ledger.close()

    again = database.open()
    assert again.execute(request) == Noted("slow", 0)
    assert len(records(again, event="note")) == 1
    with pytest.raises(IdempotencyError):
        again.execute(note(key=request.key, note="fast"))


def test_its_refusal_changes_nothing(ledger: Ledger) -> None:
    ledger.execute(opening())
    with pytest.raises(NotFoundError):
        ledger.execute(note(notebook=OTHER))
    assert records(ledger, event="note") == []


def test_every_module_of_operations_has_its_place() -> None:
    modules = {
        importlib.import_module(f"aumos_governance.ledger.operations.{path.parent.name}.{path.stem}")
        for path in OPERATIONS.glob("*/*.py")
        if path.stem != "__init__"
    }
    done = {*registry.OPERATIONS.values(), *registry.READERS.values()}
    registered = {module for module in modules if any(function.__module__ == module.__name__ for function in done)}
    assert registered == set(dispatch.MODULES)


def test_the_kept_responses_have_names_of_their_own() -> None:
    kinds = {kind for kind in content._response_types(Request) if isinstance(kind, type)}
    assert {kind: count for kind, count in Counter(kind.__name__ for kind in kinds).items() if count > 1} == {}
