"""The records of an approval: a request is no decision, and each way in which it ends has its own event and code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aumos_governance.ledger.contract.agreements import Approval, AskApproval, DecideApproval
from aumos_governance.ledger.contract.charges import ExpireHolds
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditSums
from aumos_governance.ledger.operations.approvals import approvals
from aumos_governance.ledger.rules import chain, export
from aumos_governance.types import ActionKind, GovernanceOutcome, TrustLevel
from tests.ledger.charges import gone, hold
from tests.ledger.kit import BY_USER, CENT, KERNEL, NOTEBOOK, SECOND, Backend, key, opening, records

ACT: dict[str, Any] = {"kind": ActionKind.ACT, "required_level": TrustLevel.L3_ACT_APPROVE, "digest": "d1"}


def request(**values: Any) -> AskApproval:
    return AskApproval(
        **{"key": key(), "origin": KERNEL, "notebook": NOTEBOOK, "digest": "d1", "shown": "{}", "tool": "mail"} | values
    )


def decide(approval: Approval, *, approve: bool) -> DecideApproval:
    return DecideApproval(key=key(), origin=BY_USER, approval_id=approval.approval_id, digest="d1", approve=approve)


def outcomes(ledger: Ledger, *events: str) -> list[tuple[str, GovernanceOutcome | None, str | None]]:
    return [(one.event, one.outcome, one.code) for one in records(ledger) if one.event in events]


def test_what_waits_for_an_approval_is_no_decision(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE))
    waits = ledger.execute(hold(CENT, waits=True, **ACT))
    # The response denies the action, while the record has no outcome yet.
    assert (waits.allowed, waits.code) == (False, "APPROVAL_REQUIRED")
    assert records(ledger)[-1].detail == {}
    ledger.execute(request())
    undecided = [("hold", None, "APPROVAL_REQUIRED"), ("approval_requested", None, None)]
    assert outcomes(ledger, "hold", "approval_requested") == undecided
    for outcome in GovernanceOutcome:
        assert not [one for one in records(ledger, outcome=outcome) if one.event != "open"]
    assert records(ledger, decisions=True) == []
    assert [(one.event, one.outcome) for one in records(ledger, event="approval_requested")] == [
        ("approval_requested", None)
    ]
    assert all(one.denied == 0 for one in ledger.read(AuditSums(notebook=NOTEBOOK)))
    assert ledger.verify().ok


def test_where_no_approval_can_be_requested_it_is_denied(ledger: Ledger) -> None:
    ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE))
    ledger.execute(hold(CENT, **ACT))
    (denied,) = records(ledger, outcome=GovernanceOutcome.DENY)
    assert (denied.code, denied.detail) == ("APPROVAL_REQUIRED", {"approval_requested": False})


def test_each_end_has_a_word_of_its_own(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE))
    for approve in (True, False):
        ledger.execute(decide(ledger.execute(request()), approve=approve))
    ledger.execute(request(until=backend.clock.now + SECOND))
    backend.clock.advance(2 * SECOND)
    ledger.execute(ExpireHolds(key=key(), origin=KERNEL))
    ledger.execute(request())
    ledger.execute(gone())
    assert outcomes(ledger, "approve", "refuse", "withdraw") == [
        ("approve", GovernanceOutcome.ALLOW, None),
        ("refuse", GovernanceOutcome.DENY, "APPROVAL_DENIED"),
        ("withdraw", GovernanceOutcome.DENY, "APPROVAL_TIMEOUT"),
        ("withdraw", None, "APPROVAL_WITHDRAWN"),
    ]
    assert ledger.verify().ok


def test_records_of_earlier_versions_stay_valid_and_match_no_outcome(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = approvals.record

    def as_before(*args: Any, **values: Any) -> str:
        *first, event = args
        if event == "approval_requested":
            return written(*first, "ask", **values | {"outcome": GovernanceOutcome.ALLOW})
        return written(*args, **values)

    ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE))
    with monkeypatch.context() as earlier:
        earlier.setattr(approvals, "record", as_before)
        old = ledger.execute(request())
    ledger.execute(decide(old, approve=True))
    assert outcomes(ledger, "ask") == [("ask", GovernanceOutcome.ALLOW, None)]
    assert [one.event for one in records(ledger, outcome=GovernanceOutcome.ALLOW)] == ["open", "approve"]
    verified = ledger.verify()
    assert verified.ok, verified.problem
    assert verified.covered["approvals"] == 1


def test_an_export_says_null_and_its_chain_can_be_followed(ledger: Ledger) -> None:
    ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE))
    ledger.execute(request())
    entry = records(ledger)[-1]
    (line,) = export.json_lines([entry])
    assert json.loads(line)["outcome"] is None
    assert chain.digest(chain.row(entry)[:-1]) == entry.hash
    titles, row = export.csv_lines([entry])
    assert row.split(",")[titles.split(",").index("outcome")] == ""
