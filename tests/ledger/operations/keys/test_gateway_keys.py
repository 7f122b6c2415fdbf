"""Keys of the gateway: issued, bound, revoked and listed, each with a record, and stored only as digests."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aumos_governance.errors import ConflictError, InvalidRequestError, NotAllowedError, NotFoundError
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.ledger.contract.keys import (
    KERNEL,
    RUN,
    TERMINAL,
    USER,
    BindKey,
    GatewayKey,
    ListKeys,
    RevokedKeys,
    RevokeKeys,
)
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListStates
from aumos_governance.ledger.contract.requests import JoinNotebooks
from tests.ledger.kit import BY_USER, NOTEBOOK, OTHER, SERVER, Backend, at, delete, key, move, opening, records
from tests.ledger.rich import issue


def valid(ledger: Ledger, owner: str = "ann", root: str = "/srv/ann") -> list[GatewayKey]:
    return list(ledger.read(ListKeys(owner=owner, root=root)))


def revoke(*key_ids: str, **values: object) -> RevokeKeys:
    given = {"key": key(), "origin": BY_USER, "key_ids": key_ids, "why": "a user revoked it"}
    return RevokeKeys(**given | values)  # type: ignore[arg-type]


def bind(key_id: str, notebook: NotebookKey) -> BindKey:
    return BindKey(key=key(), origin=BY_USER, key_id=key_id, notebook=notebook)


def document(ledger: Ledger, key_id: str) -> NotebookKey | None:
    (found,) = (found for found in valid(ledger) if found.key_id == key_id)
    return found.notebook


def test_what_was_issued_is_listed_and_on_record(ledger: Ledger) -> None:
    made = ledger.execute(issue("k1", USER, at("key:script"), name="script"))
    assert (made.kind, made.name, made.notebook, made.issued_by) == (USER, "script", at("key:script"), "ann")
    assert valid(ledger) == [made]
    (found,) = records(ledger, event="key_issued")
    assert (found.actor, found.notebook, found.resource) == ("ann", "key:script", "script")
    assert found.detail["sha256"] == made.digest
    assert made.digest not in repr(made)
    assert valid(ledger, "bob", "/srv/bob") == []
    assert ledger.verify().ok


def test_a_new_process_of_a_kernel_revokes_the_key_of_the_one_before(ledger: Ledger) -> None:
    for key_id, kernel in (("old", "k"), ("another", "other"), ("new", "k")):
        ledger.execute(issue(key_id, KERNEL, subject=kernel, server="s", replaces=True))
    assert [found.key_id for found in valid(ledger)] == ["another", "new"]
    assert [found.event for found in records(ledger)] == ["key_issued", "key_issued", "key_revoked", "key_issued"]
    assert records(ledger, event="key_revoked")[0].detail["key"] == "old"


def test_another_servers_kernel_of_the_same_id_keeps_its_key(ledger: Ledger) -> None:
    for server in ("one", "two"):
        ledger.execute(issue(server, KERNEL, subject="k", server=server, replaces=True))
    assert len(valid(ledger)) == 2


def test_revoked_keys_stay_revoked_and_are_recorded_once(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(issue("k1", KERNEL, subject="k"))
    ledger.execute(issue("k2", KERNEL, subject="l"))
    assert ledger.execute(revoke("k1", "k2", notebook=NOTEBOOK)) == RevokedKeys(("k1", "k2"), 2)
    assert ledger.execute(revoke("k1")) == RevokedKeys((), 0)
    assert valid(ledger) == []
    found = records(ledger, event="key_revoked")
    assert [(entry.actor, entry.notebook, entry.detail["key"]) for entry in found] == [
        ("ann", NOTEBOOK.path, "k1"),
        ("ann", NOTEBOOK.path, "k2"),
    ]
    assert found[0].detail["why"] == "a user revoked it"


def test_what_a_user_revokes_is_found_under_the_notebook_that_was_named(ledger: Ledger) -> None:
    for key_id in ("k1", "k2"):
        ledger.execute(issue(key_id, KERNEL, subject=key_id))
    ledger.execute(revoke("k1", notebook=NOTEBOOK))
    ledger.execute(revoke("k2", notebook=OTHER, origin=SERVER))
    assert [entry.detail["key"] for entry in records(ledger, notebook=NOTEBOOK)] == ["k1"]
    # A record that belongs to no notebook does not match a notebook that never existed.
    assert records(ledger, notebook=OTHER) == []
    assert len(records(ledger)) == 4
    assert ledger.verify().ok


def test_one_unknown_key_keeps_all_from_being_revoked(ledger: Ledger) -> None:
    ledger.execute(issue("k1"))
    with pytest.raises(NotFoundError):
        ledger.execute(revoke("k1", "k2"))
    assert [found.key_id for found in valid(ledger)] == ["k1"]
    with pytest.raises(InvalidRequestError):
        ledger.execute(revoke())


def test_a_caller_reaches_only_the_keys_of_its_own_root(ledger: Ledger) -> None:
    ledger.execute(issue("k1"))
    elsewhere = replace(BY_USER, within=("bob", "/srv/bob"))
    with pytest.raises(NotFoundError):
        ledger.execute(revoke("k1", origin=elsewhere))
    assert ledger.execute(revoke("k1", origin=replace(BY_USER, within=("ann", "/srv/ann")))).count == 1


@pytest.mark.parametrize("kind", [USER, RUN])
def test_only_a_user_gets_a_key_of_a_users_kind(ledger: Ledger, kind: str) -> None:
    with pytest.raises(NotAllowedError):
        ledger.execute(issue("k1", kind, NOTEBOOK, origin=SERVER))
    with pytest.raises(InvalidRequestError):
        ledger.execute(issue("k1", kind))
    assert records(ledger) == []


def test_a_users_keys_have_names_of_their_own_while_they_are_valid(ledger: Ledger) -> None:
    ledger.execute(issue("k1", USER, at("key:a"), name="a"))
    with pytest.raises(ConflictError):
        ledger.execute(issue("k2", USER, at("key:a"), name="a"))
    ledger.execute(revoke("k1"))
    ledger.execute(issue("k2", USER, at("key:a"), name="a"))
    with pytest.raises(ConflictError):
        ledger.execute(issue("k2", USER, at("key:b"), name="b"))
    assert [found.key_id for found in valid(ledger)] == ["k2"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "robot"},
        {"name": " "},
        {"name": "n" * 201},
        {"digest": "sk-aumos-secret"},
        {"key_id": ""},
        {"kind": KERNEL, "notebook": NOTEBOOK},
        {"name": "\0"},
    ],
)
def test_what_is_no_key_is_refused(ledger: Ledger, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError):
        ledger.execute(replace(issue("k1"), **wrong))  # type: ignore[arg-type]
    assert valid(ledger) == [] == records(ledger)


def test_a_terminals_key_is_bound_to_a_notebook_and_to_another(ledger: Ledger) -> None:
    ledger.execute(issue("t", TERMINAL, subject="1", server="s"))
    assert document(ledger, "t") is None
    for notebook in (NOTEBOOK, OTHER, OTHER):
        assert ledger.execute(bind("t", notebook)).notebook == notebook
    assert document(ledger, "t") == OTHER
    assert [entry.notebook for entry in records(ledger, event="key_bound")] == [NOTEBOOK.path, OTHER.path]
    ledger.execute(issue("u", USER, at("key:a")))
    with pytest.raises(InvalidRequestError):
        ledger.execute(bind("u", NOTEBOOK))
    ledger.execute(revoke("t"))
    with pytest.raises(NotFoundError):
        ledger.execute(bind("t", NOTEBOOK))
    assert ledger.verify().ok


def test_a_key_follows_its_notebook_when_that_is_renamed_joined_or_deleted(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(issue("t", RUN, NOTEBOOK))
    ledger.execute(move(NOTEBOOK.path, "moved.ipynb"))
    assert document(ledger, "t") == at("moved.ipynb")
    ledger.execute(opening(OTHER))
    ledger.execute(issue("other", RUN, OTHER))
    pairs = ((OTHER, at("moved.ipynb")),)
    ledger.execute(JoinNotebooks(key=key(), origin=SERVER, pairs=pairs))
    assert document(ledger, "other") == document(ledger, "t") == at("moved.ipynb")
    ledger.execute(delete("moved.ipynb"))
    assert document(ledger, "t") is None
    assert ledger.verify().ok


def test_pages_hear_of_a_notebooks_new_key(ledger: Ledger) -> None:
    heard: list[str] = []
    ledger.subscribe(lambda states: heard.extend(state.notebook.path for state in states))
    ledger.execute(issue("t", RUN, NOTEBOOK))
    ledger.execute(revoke("t"))
    assert heard == [NOTEBOOK.path] * 2


def test_valid_keys_outlive_the_ledgers_process(database: Backend) -> None:
    ledger = database.open()
    for key_id in ("k1", "k2"):
        ledger.execute(issue(key_id, USER, at(f"key:{key_id}")))
    ledger.execute(revoke("k1"))
    before = valid(ledger)
    ledger.close()
    assert valid(database.open()) == before
    assert [found.key_id for found in before] == ["k2"]


def test_a_name_may_be_as_long_as_its_column(ledger: Ledger) -> None:
    assert ledger.execute(issue("k1", name="n" * 200)).name == "n" * 200


def test_only_users_keys_have_names_of_their_own(ledger: Ledger) -> None:
    ledger.execute(issue("run", RUN, NOTEBOOK, name="a"))
    ledger.execute(issue("run again", RUN, NOTEBOOK, name="a"))
    ledger.execute(issue("user", USER, at("key:a"), name="a"))
    ledger.execute(issue("other", USER, at("key:b"), name="b"))
    ledger.execute(issue("run once more", RUN, NOTEBOOK, name="a"))
    assert len(valid(ledger)) == 5


def test_a_key_replaces_none_unless_that_is_requested(ledger: Ledger) -> None:
    for key_id in ("k1", "k2"):
        ledger.execute(issue(key_id, KERNEL, subject="k", server="s"))
    ledger.execute(issue("t", TERMINAL, subject="k", server="s", replaces=True))
    assert [found.key_id for found in valid(ledger)] == ["k1", "k2", "t"]


def test_the_end_of_one_key_comes_before_the_start_of_the_next(ledger: Ledger) -> None:
    for key_id in ("old", "new"):
        made = ledger.execute(issue(key_id, KERNEL, subject="k", server="s", replaces=True))
    (revoked,) = records(ledger, event="key_revoked")
    assert revoked.at < made.issued_at


def test_pages_hear_of_a_notebook_that_a_terminal_is_bound_to(ledger: Ledger) -> None:
    ledger.execute(issue("t", TERMINAL, subject="1", server="s"))
    heard: list[str] = []
    ledger.subscribe(lambda states: heard.extend(state.notebook.path for state in states))
    for notebook in (NOTEBOOK, NOTEBOOK):
        ledger.execute(bind("t", notebook))
    assert heard == [NOTEBOOK.path]


def test_a_key_revoked_before_makes_no_notebook_known(ledger: Ledger) -> None:
    ledger.execute(issue("k1", KERNEL, subject="k"))
    ledger.execute(revoke("k1", origin=SERVER))
    assert ledger.execute(revoke("k1", notebook=OTHER)).count == 0
    assert ledger.read(ListStates(owner="ann", root="/srv/ann")) in ((), [])
