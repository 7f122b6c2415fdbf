from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aumos_governance.errors import InvalidRequestError
from aumos_governance.ledger.contract.facts import SessionState
from aumos_governance.ledger.contract.keys import ListKeys
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import (
    ListCeilings,
    ListHolds,
    ListNotebooks,
    Query,
)
from tests.ledger.kit import (
    CENT,
    Backend,
    at,
    balance,
    delete,
    key,
    move,
    opening,
    records,
    spend,
    state,
)


def test_a_renamed_notebook_keeps_its_session(ledger: Ledger) -> None:
    opened = ledger.execute(opening(at("a.ipynb")))
    assert ledger.execute(move("a.ipynb", "b.ipynb")) == 1
    moved = state(ledger, at("b.ipynb"))
    assert moved.session_id == opened.state.session_id
    assert moved.seq == opened.state.seq + 1
    assert state(ledger, at("a.ipynb")).session_id is None
    ledger.execute(spend(notebook=at("b.ipynb")))
    assert [record.notebook for record in records(ledger, notebook=at("b.ipynb"))] == ["a.ipynb", "b.ipynb"]
    assert records(ledger, notebook=at("a.ipynb")) == []


def test_a_folder_takes_what_is_in_it_and_nothing_else(ledger: Ledger) -> None:
    for path in ("a/b/x.ipynb", "a/b/c/y.ipynb", "a/bc/z.ipynb", "a/b.ipynb", "a/b0"):
        ledger.execute(opening(at(path)))
    assert ledger.execute(move("a/b", "new")) == 2
    active = {
        path
        for path in (
            "new/x.ipynb",
            "new/c/y.ipynb",
            "a/bc/z.ipynb",
            "a/b.ipynb",
            "a/b0",
            "a/b/x.ipynb",
            "a/b/c/y.ipynb",
        )
        if state(ledger, at(path)).active
    }
    assert active == {"new/x.ipynb", "new/c/y.ipynb", "a/bc/z.ipynb", "a/b.ipynb", "a/b0"}


def test_a_folder_can_come_up_into_its_parent(ledger: Ledger) -> None:
    for path in ("a/b", "a/b/b", "a/b/b/b"):
        ledger.execute(opening(at(path)))
    assert ledger.execute(move("a/b", "a")) == 3
    assert [state(ledger, at(path)).active for path in ("a", "a/b", "a/b/b", "a/b/b/b")] == [True, True, True, False]


def test_what_lay_at_the_new_path_is_kept_as_deleted(ledger: Ledger) -> None:
    ledger.execute(opening(at("a.ipynb")))
    old = ledger.execute(opening(at("b.ipynb")))
    for _ in range(3):
        old_seq = ledger.execute(spend(notebook=at("b.ipynb"))).state.seq  # type: ignore[union-attr]
    assert ledger.execute(move("a.ipynb", "b.ipynb")) == 1
    found = state(ledger, at("b.ipynb"))
    assert found.session_id != old.state.session_id
    assert found.seq > old_seq
    closed = records(ledger, session_id=old.state.session_id)[-1]
    assert closed.event == "close"
    assert closed.actor == "server"
    assert closed.detail["why"] == "another notebook was moved to its path"
    assert ledger.verify().ok


def test_a_deleted_notebook_closes_its_session_and_keeps_its_records(ledger: Ledger) -> None:
    for path in ("d/a.ipynb", "d/b.ipynb", "d2/c.ipynb"):
        ledger.execute(opening(at(path)))
    ledger.execute(spend(notebook=at("d/a.ipynb")))
    assert ledger.execute(delete("d")) == 2
    gone = state(ledger, at("d/a.ipynb"))
    assert gone == SessionState(at("d/a.ipynb"), 4)
    assert state(ledger, at("d2/c.ipynb")).active
    assert [record.event for record in records(ledger, notebook=at("d/a.ipynb"))] == ["open", "spend", "close"]
    fresh = ledger.execute(opening(at("d/a.ipynb"))).state
    assert fresh.previous is None
    assert fresh.seq > gone.seq
    assert balance(ledger, at("d/a.ipynb")).spent == 0
    # Its records belong to the new notebook now.
    assert [record.event for record in records(ledger, notebook=at("d/a.ipynb"))] == ["open"]


def test_moves_that_come_to_nothing(ledger: Ledger) -> None:
    ledger.execute(opening(at("a/x.ipynb")))
    assert ledger.execute(move("a/x.ipynb", "a/x.ipynb")) == 0
    assert ledger.execute(move("unknown.ipynb", "y.ipynb")) == 0
    assert ledger.execute(delete("unknown.ipynb")) == 0
    with pytest.raises(InvalidRequestError, match="into itself"):
        ledger.execute(move("a", "a/b"))
    assert (
        ledger.execute(
            move("a", "b").__class__(
                key=key(), origin=move("a", "b").origin, owner="bob", root="/srv/ann", old="a", new="b"
            )
        )
        == 0
    )
    assert state(ledger, at("a/x.ipynb")).active


def test_notebooks_that_change_places_in_one_commit(backend: Backend) -> None:
    ledger = backend.open()
    first = ledger.execute(opening(at("a.ipynb"))).state.session_id
    second = ledger.execute(opening(at("b.ipynb"))).state.session_id
    pending = [
        ledger.submit(request)
        for request in (
            move("a.ipynb", "tmp.ipynb"),
            move("b.ipynb", "a.ipynb"),
            move("tmp.ipynb", "b.ipynb"),
            spend(2 * CENT, at("a.ipynb")),
            delete("b.ipynb"),
            opening(at("b.ipynb")),
            move("b.ipynb", "c.ipynb"),
            opening(at("b.ipynb")),
        )
    ]
    for future in pending:
        future.result()
    assert state(ledger, at("a.ipynb")).session_id == second
    assert balance(ledger, at("a.ipynb")).spent == 2 * CENT
    assert state(ledger, at("c.ipynb")).active
    assert state(ledger, at("b.ipynb")).active
    assert state(ledger, at("b.ipynb")).session_id not in (first, second)
    assert state(ledger, at("tmp.ipynb")).session_id is None
    assert ledger.verify().ok


@pytest.mark.parametrize("text", ["\0", "half \ud800"])
@pytest.mark.parametrize(
    "query",
    [
        lambda text: ListNotebooks(owner=text),
        lambda text: ListCeilings(owner=text),
        lambda text: ListHolds(owner=text, root="/srv/ann"),
        lambda text: ListKeys(owner=text, root="/srv/ann"),
        lambda text: ListHolds(owner="ann", root=text),
        lambda text: ListKeys(owner="ann", root=text),
    ],
)
def test_a_query_for_what_no_database_can_store_is_refused(
    ledger: Ledger, query: Callable[[str], Query[Any]], text: str
) -> None:
    with pytest.raises(InvalidRequestError, match="cannot be recorded"):
        ledger.read(query(text))
