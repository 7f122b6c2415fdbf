"""Open holds, approvals and reports: read in pages, and named only by callers that they belong to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from aumos_governance.errors import ConflictError, InvalidRequestError, NotFoundError
from aumos_governance.ledger.contract.agreements import (
    AcknowledgeReport,
    AskApproval,
    DecideApproval,
    FileReport,
    FinishReport,
    Record,
    WithdrawApproval,
)
from aumos_governance.ledger.contract.charges import Correct, Hold, KernelGone, Release, Settle
from aumos_governance.ledger.contract.facts import NotebookKey, Origin
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListApprovals, ListHolds, ListReports
from aumos_governance.ledger.contract.requests import Request
from aumos_governance.types import GovernanceOutcome
from tests.ledger.kit import (
    BY_USER,
    CENT,
    KERNEL,
    NOTEBOOK,
    OTHER,
    SERVER,
    key,
    opening,
    spend,
    state,
)

ANN = ("ann", "/srv/ann")
WITHIN = replace(BY_USER, within=ANN)
STRANGER = replace(BY_USER, actor="bob", scope="bob", within=("bob", "/srv/bob"))

Listing = Callable[..., list[str]]


def hold(ledger: Ledger, notebook: NotebookKey = NOTEBOOK) -> str:
    decision = ledger.execute(Hold(key=key(), origin=KERNEL, notebook=notebook, amount=CENT))
    assert decision.charge_id is not None
    return decision.charge_id


def request_approval(ledger: Ledger, notebook: NotebookKey = NOTEBOOK) -> str:
    request = AskApproval(key=key(), origin=KERNEL, notebook=notebook, digest="d", shown="{}")
    return ledger.execute(request).approval_id


def report(ledger: Ledger, notebook: NotebookKey = NOTEBOOK) -> str:
    request = FileReport(key=key(), origin=KERNEL, notebook=notebook, shown="{}", charge_id="c")
    return ledger.execute(request).report_id


def holds(ledger: Ledger, **values: Any) -> list[str]:
    return [found.charge_id for found in ledger.read(ListHolds(owner="ann", root="/srv/ann", **values))]


def approvals(ledger: Ledger, **values: Any) -> list[str]:
    return [found.approval_id for found in ledger.read(ListApprovals(owner="ann", root="/srv/ann", **values))]


def reports(ledger: Ledger, **values: Any) -> list[str]:
    return [found.report_id for found in ledger.read(ListReports(owner="ann", root="/srv/ann", **values))]


@pytest.mark.parametrize(("make", "listed"), [(hold, holds), (request_approval, approvals), (report, reports)])
def test_lists_come_in_pages_oldest_first(ledger: Ledger, make: Callable[..., str], listed: Listing) -> None:
    ledger.execute(opening())
    ledger.execute(opening(OTHER))
    made = [make(ledger, notebook) for notebook in (NOTEBOOK, OTHER, NOTEBOOK, OTHER, NOTEBOOK)]
    assert listed(ledger) == made
    assert listed(ledger, limit=2) == made[:2]
    assert listed(ledger, limit=2, after=made[1]) == made[2:4]
    assert listed(ledger, limit=2, after=made[3]) == made[4:]
    assert listed(ledger, after=made[4]) == []
    assert listed(ledger, notebook=OTHER) == made[1::2]
    assert listed(ledger, notebook=OTHER, limit=1, after=made[1]) == [made[3]]
    with pytest.raises(InvalidRequestError):
        listed(ledger, after="\0")
    with pytest.raises(InvalidRequestError):
        listed(ledger, limit=0)


def test_a_page_of_unresolved_holds_skips_the_others(ledger: Ledger) -> None:
    ledger.execute(opening())
    left = hold(ledger)
    ledger.execute(KernelGone(key=key(), origin=SERVER, incarnation="one"))
    running = hold(ledger)
    assert holds(ledger) == [left, running]
    assert holds(ledger, unresolved_only=True, limit=1) == [left]
    assert holds(ledger, unresolved_only=True, after=left) == []


def test_no_user_decides_what_belongs_to_others(ledger: Ledger) -> None:
    ledger.execute(opening())
    held, requested, reported = hold(ledger), request_approval(ledger), report(ledger)
    charge = ledger.execute(spend()).charge_id
    assert charge is not None
    ledger.execute(KernelGone(key=key(), origin=SERVER, incarnation="two"))

    def requests(origin: Origin) -> list[Request[Any]]:
        return [
            DecideApproval(key=key(), origin=origin, approval_id=requested, digest="d", approve=True),
            AcknowledgeReport(key=key(), origin=origin, report_id=reported),
            Correct(key=key(), origin=origin, charge_id=charge, amount=CENT, reason="twice"),
            Settle(key=key(), origin=origin, hold_id=held, amount=CENT),
        ]

    for request in (
        *requests(STRANGER),
        Release(key=key(), origin=STRANGER, hold_id=held),
        WithdrawApproval(key=key(), origin=STRANGER, approval_id=requested),
    ):
        with pytest.raises(NotFoundError):
            ledger.execute(request)
    ledger.execute(KernelGone(key=key(), origin=SERVER, incarnation="one"))
    assert approvals(ledger) == []  # withdrawn with its kernel
    requested = request_approval(ledger)
    for request in requests(WITHIN):
        ledger.execute(request)
    assert (holds(ledger), approvals(ledger), reports(ledger)) == ([], [], [])


@pytest.mark.parametrize(("approve", "word"), [(True, "approved"), (False, "denied")])
def test_a_second_decision_states_who_made_the_first(ledger: Ledger, approve: bool, word: str) -> None:
    ledger.execute(opening())
    requested = request_approval(ledger)

    def decide(origin: Origin) -> DecideApproval:
        return DecideApproval(key=key(), origin=origin, approval_id=requested, digest="d", approve=approve)

    ledger.execute(decide(BY_USER))
    with pytest.raises(ConflictError, match=f"This was {word} already, by ann"):
        ledger.execute(decide(replace(BY_USER, actor="bob")))


def test_a_report_is_of_a_session_and_finished_by_its_notebook(ledger: Ledger) -> None:
    def finish(notebook: NotebookKey, report_id: str) -> FinishReport:
        return FinishReport(key=key(), origin=KERNEL, notebook=notebook, report_id=report_id, result="done")

    # The notebook is known by a record, though it never had a session.
    ledger.execute(
        Record(key=key(), origin=KERNEL, notebook=OTHER, event="log", outcome=GovernanceOutcome.ALLOW, agent_id="a")
    )
    with pytest.raises(NotFoundError, match="never had a governance session"):
        report(ledger, OTHER)
    ledger.execute(opening())
    filed = report(ledger)
    unknown = replace(OTHER, path="never/seen.ipynb")
    for notebook, report_id in ((NOTEBOOK, "unknown"), (OTHER, filed), (unknown, filed)):
        with pytest.raises(NotFoundError, match="There is no report"):
            ledger.execute(finish(notebook, report_id))
    assert ledger.execute(finish(NOTEBOOK, filed)).report_id == filed


def test_each_step_of_a_report_is_shown_to_the_listeners_of_its_notebook(ledger: Ledger) -> None:
    ledger.execute(opening())
    seen = [state(ledger).seq]
    filed = report(ledger)
    seen.append(state(ledger).seq)
    ledger.execute(FinishReport(key=key(), origin=KERNEL, notebook=NOTEBOOK, report_id=filed, result="done"))
    seen.append(state(ledger).seq)
    for _ in range(2):
        ledger.execute(AcknowledgeReport(key=key(), origin=BY_USER, report_id=filed))
        seen.append(state(ledger).seq)
    assert [number - seen[0] for number in seen] == [0, 1, 2, 3, 3]


def test_a_report_names_its_charge(ledger: Ledger) -> None:
    ledger.execute(opening())
    report(ledger)
    (found,) = ledger.read(ListReports(owner="ann", root="/srv/ann"))
    assert found.charge_id == "c"
