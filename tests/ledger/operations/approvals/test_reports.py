"""Reports of governed actions: whose they are, what they show, and who is notified of them."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from aumos_governance.errors import NotFoundError
from aumos_governance.ledger.contract.agreements import AcknowledgeReport, FileReport, FinishReport, Report
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListReports
from aumos_governance.types import TrustLevel
from tests.ledger.kit import BY_USER, KERNEL, NOTEBOOK, OTHER, closing, key, opening, records, state


def file(ledger: Ledger, shown: str = '{"code":"rm"}', **values: Any) -> Report:
    given = {"tool": "shell", "agent_id": "writer", "charge_id": "c1"} | values
    return ledger.execute(FileReport(key=key(), origin=KERNEL, notebook=NOTEBOOK, shown=shown, **given))


def finish(ledger: Ledger, report: Report) -> Report:
    return ledger.execute(
        FinishReport(key=key(), origin=KERNEL, notebook=NOTEBOOK, report_id=report.report_id, result="done")
    )


def acknowledge(ledger: Ledger, report: Report, **values: Any) -> Report:
    return ledger.execute(AcknowledgeReport(key=key(), origin=BY_USER, report_id=report.report_id, **values))


@pytest.mark.parametrize(
    ("shown", "then"),
    [
        ('{"code":"rm"}', {"code": "rm", "result": "done"}),
        ("no JSON", {"shown": "no JSON", "result": "done"}),
        ("[1]", {"shown": [1], "result": "done"}),
    ],
)
def test_what_a_report_shows_stays_when_its_action_ends(ledger: Ledger, shown: str, then: dict[str, Any]) -> None:
    ledger.execute(opening(trust_level=TrustLevel.L4_ACT_REPORT))
    finished = finish(ledger, file(ledger, shown))
    assert json.loads(finished.shown or "") == then
    assert ledger.read(ListReports(owner=NOTEBOOK.owner, root=NOTEBOOK.root)) == (finished,)


def test_each_step_of_a_report_is_recorded_once_and_notified(ledger: Ledger) -> None:
    session_id = ledger.execute(opening(trust_level=TrustLevel.L4_ACT_REPORT)).state.session_id
    seen = [state(ledger).seq]
    report = file(ledger)
    seen.append(state(ledger).seq)
    finish(ledger, report)
    seen.append(state(ledger).seq)
    acknowledged = acknowledge(ledger, report)
    seen.append(state(ledger).seq)
    assert acknowledge(ledger, report) == acknowledged
    assert [after - before for before, after in pairwise(seen)] == [1, 1, 1]
    assert state(ledger).seq == seen[-1]
    found = [(one.event, one.tool, one.agent_id, one.charge_id, one.detail) for one in records(ledger)[1:]]
    detail = {"report": report.report_id}
    assert found == [
        ("report", "shell", "writer", "c1", detail),
        ("report", "shell", "writer", "c1", {**detail, "finished": True}),
        ("acknowledge", "shell", None, None, detail),
    ]
    assert {one.chain for one in records(ledger)[1:]} == {session_id}
    assert ledger.verify().ok


def test_a_report_is_of_the_session_that_the_notebook_had_last(ledger: Ledger) -> None:
    session_id = ledger.execute(opening(agent_id="planner")).state.session_id
    ledger.execute(closing())
    report = file(ledger, agent_id=None)
    assert (report.session_id, report.agent_id, report.charge_id) == (session_id, "planner", "c1")
    assert finish(ledger, report).session_id == session_id


def test_only_a_server_s_own_reports_can_be_acknowledged_through_it(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(opening(OTHER))
    report = file(ledger)
    elsewhere = type(BY_USER)("ann", person=True, scope="ann", within=("ann", "/srv/bob"))
    with pytest.raises(NotFoundError):
        ledger.execute(AcknowledgeReport(key=key(), origin=elsewhere, report_id=report.report_id))
    here = type(BY_USER)("ann", person=True, scope="ann", within=(NOTEBOOK.owner, NOTEBOOK.root))
    assert ledger.execute(AcknowledgeReport(key=key(), origin=here, report_id=report.report_id)).acknowledged_by
