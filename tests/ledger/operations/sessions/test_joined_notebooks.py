"""What is left of two notebooks that prove to be one: their sessions, their sums, and which of them stays."""

from __future__ import annotations

import pytest

from aumos_governance.ledger.contract.budgets import EnvelopeKind, EnvelopeSpec
from aumos_governance.ledger.contract.facts import Balance, ClosedSessions, NotebookKey
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListEnvelopes, ListStates
from aumos_governance.ledger.contract.requests import JoinNotebooks
from tests.ledger.charges import hold
from tests.ledger.kit import (
    CENT,
    NOTEBOOK,
    OTHER,
    SERVER,
    USD,
    closing,
    delete,
    key,
    move,
    opening,
    records,
    spend,
    state,
)
from tests.ledger.rich import configure

LINK = NotebookKey("ann", "/srv/link", "plan.ipynb")
BELOW = NotebookKey("ann", "/srv/ann/work", "plan.ipynb")


def join(ledger: Ledger, old: NotebookKey = LINK, new: NotebookKey = NOTEBOOK) -> int:
    return ledger.execute(JoinNotebooks(key=key(), origin=SERVER, pairs=((old, new),)))


def test_two_names_of_one_file_need_no_join(ledger: Ledger) -> None:
    before = ledger.execute(opening()).state
    for old, new in ((NOTEBOOK, BELOW), (NOTEBOOK, NOTEBOOK), (LINK, NOTEBOOK)):
        assert join(ledger, old, new) == 0
    assert state(ledger) == before
    assert records(ledger, event="join") == []


@pytest.mark.parametrize("older", [True, False])
@pytest.mark.parametrize("opened", [LINK, NOTEBOOK])
def test_a_notebook_that_never_had_a_session_shares_the_other_one_s(
    ledger: Ledger, opened: NotebookKey, older: bool
) -> None:
    # Refused, it is known all the same; the older notebook stays.
    refused = spend(notebook=NOTEBOOK if opened is LINK else LINK)
    if older:
        ledger.execute(refused)
    session_id = ledger.execute(opening(opened, budget=USD)).state.session_id
    ledger.execute(spend(3 * CENT, opened))
    ended = ledger.execute(closing(opened))
    if not older:
        ledger.execute(refused)
    assert join(ledger) == 1
    now = state(ledger)
    assert (now.session_id, now.active) == (session_id, False)
    assert now.previous == ClosedSessions(1, 3 * CENT, USD, ended.closed_at or 0)
    assert state(ledger, LINK).session_id is None
    assert ledger.verify().ok


@pytest.mark.parametrize("last", [LINK, NOTEBOOK])
def test_the_session_that_was_closed_last_is_shown(ledger: Ledger, last: NotebookKey) -> None:
    first = NOTEBOOK if last is LINK else LINK
    for notebook, budget in ((first, USD), (last, 2 * USD)):
        ledger.execute(opening(notebook, budget=budget))
        ledger.execute(spend(CENT, notebook))
    ledger.execute(closing(first))
    ended = ledger.execute(closing(last))
    seen = max(state(ledger, notebook).seq for notebook in (LINK, NOTEBOOK))
    assert join(ledger) == 1
    now = state(ledger)
    assert now.session_id == ended.session_id
    assert now.previous == ClosedSessions(2, 2 * CENT, 2 * USD, ended.closed_at or 0)
    assert now.seq > seen
    assert ledger.verify().ok


def test_an_open_session_stays_open_whichever_was_closed(ledger: Ledger) -> None:
    ledger.execute(opening(LINK, budget=USD))
    ledger.execute(closing(LINK))
    kept = ledger.execute(opening()).state
    assert join(ledger) == 1
    now = state(ledger)
    assert (now.session_id, now.active) == (kept.session_id, True)
    assert now.previous is not None
    assert (now.previous.sessions, now.previous.budget) == (1, USD)


@pytest.mark.parametrize("root", [LINK.root, NOTEBOOK.root])
def test_a_ceiling_that_one_of_the_two_had_counts_for_the_notebook(ledger: Ledger, root: str) -> None:
    ledger.execute(configure("ann", root, EnvelopeSpec("each", USD, EnvelopeKind.NOTEBOOK)))
    for notebook in (LINK, NOTEBOOK):
        ledger.execute(opening(notebook, budget=9 * USD))
        ledger.execute(spend(40 * CENT, notebook))
    ledger.execute(hold(10 * CENT, notebook=LINK))
    assert join(ledger) == 1
    assert not ledger.execute(opening()).opened
    around = {found.name: found.balance for found in ledger.read(ListEnvelopes(notebook=NOTEBOOK))}
    assert around["each"] == Balance(USD, 40 * CENT, 10 * CENT if root == LINK.root else 0)
    assert ledger.verify().findings == ()


def test_a_notebook_is_shown_by_the_server_that_uses_it_now(ledger: Ledger) -> None:
    ledger.execute(opening())
    through = NotebookKey("ann", "/srv/elsewhere", f"../ann/{NOTEBOOK.path}")
    assert not ledger.execute(opening(through)).opened
    for root, shown in (("/srv/elsewhere", [through]), (NOTEBOOK.root, [NOTEBOOK])):
        assert [found.notebook for found in ledger.read(ListStates(owner="ann", root=root))] == shown


def test_the_count_of_a_path_s_changes_never_falls(ledger: Ledger) -> None:
    ledger.execute(opening())
    for _ in range(5):
        ledger.execute(spend())
    ledger.execute(delete(NOTEBOOK.path))
    gone = state(ledger).seq
    ledger.execute(opening(OTHER))
    ledger.execute(move(OTHER.path, NOTEBOOK.path))
    assert state(ledger).active
    assert state(ledger).seq > gone


def test_the_count_of_a_path_that_another_notebook_had_never_falls(ledger: Ledger) -> None:
    ledger.execute(opening())
    for _ in range(5):
        ledger.execute(spend())
    before = state(ledger).seq
    moved = ledger.execute(opening(OTHER)).state
    ledger.execute(move(OTHER.path, NOTEBOOK.path))
    now = state(ledger)
    assert now.session_id == moved.session_id
    assert now.seq > before
