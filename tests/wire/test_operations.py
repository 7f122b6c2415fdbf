"""The table of operations: it declares what the protocol documents, and each body is read back as it was written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from aumos_governance.errors import InvalidRequestError
from aumos_governance.ledger.contract.agreements import Consent, TrustAssignment
from aumos_governance.ledger.contract.audit_facts import AuditEntry
from aumos_governance.ledger.contract.budgets import Adjusted, BudgetState, ChargeState, Resolved, SetBudget
from aumos_governance.ledger.contract.charges import Adjust, Release, Settle, Spend
from aumos_governance.ledger.contract.facts import Balance, Decision, Limit, NotebookKey, Origin
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.types import BudgetPeriod, GovernanceOutcome, TrustLevel
from aumos_governance.wire import bodies, operation, operations, protocol
from aumos_governance.wire.operations import OPERATIONS
from aumos_governance.wire.shapes import Field, Shape, time_micros, time_text

SAMPLES = json.loads((Path(__file__).parents[1] / "protocol" / "wire.json").read_text())
HEAD = ("id", "op", "exp", "cell")
AT = 1_700_000_000_123_456


def documented() -> dict[str, tuple[list[str], list[str]]]:
    """Return the fields of each request and response in the table of the protocol's docstring."""
    assert protocol.__doc__ is not None
    rows: dict[str, list[str]] = {}
    for line in protocol.__doc__.partition("========  ===")[2].splitlines()[3:]:
        if line.startswith("========"):
            break
        name = line[:10].strip() or list(rows)[-1]
        rows[name] = [*rows.get(name, ()), line[10:64], line[64:]]
    columns = {name: (" ".join(cells[::2]), " ".join(cells[1::2])) for name, cells in rows.items()}
    return {name: (_names(request), _names(response)) for name, (request, response) in columns.items()}


def _names(cell: str) -> list[str]:
    return [name for quoted in re.findall(r"``([^`]*)``", cell) for name in re.findall(r"[a-z_]+", quoted)]


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_protocol_documents_the_fields_of_each_operation(name: str) -> None:
    request, response = documented()[name]
    assert {member.name for member in OPERATIONS[name].request.members} == set(request)
    # `waiting` is in messages before the response, and `oldest_first` is a field of the request.
    assert {member.name for member in OPERATIONS[name].response.members} == set(response) - {"waiting", "oldest_first"}


def test_the_protocol_documents_every_operation() -> None:
    assert set(documented()) == set(OPERATIONS) == protocol.OPS


@pytest.mark.parametrize("raw", SAMPLES["requests"], ids=lambda raw: raw["id"])
def test_every_field_of_the_samples_is_in_the_table(raw: dict[str, Any]) -> None:
    assert set(raw) - set(HEAD) <= {member.name for member in OPERATIONS[raw["op"]].request.members}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_table_of_each_operation_can_be_compiled(name: str) -> None:
    one = OPERATIONS[name]
    for shape in (one.request, one.response):
        assert callable(shape.write)
        assert callable(shape.body)
        if shape.made or any(member.read is not None for member in shape.members):
            assert callable(shape.read)


FACTS = [
    (
        bodies.DECISION,
        Decision(
            GovernanceOutcome.DENY,
            ("Would exceed it",),
            "r1",
            250_000_000,
            "gpt-4o",
            "BUDGET_EXCEEDED",
            None,
            False,
            None,
            TrustLevel.L3_ACT_APPROVE,
            Limit("session", "", 10_100_000_000, 10_000_000_000),
        ),
    ),
    (bodies.LIMIT, Limit("agent", "agent-7", 3, 1)),
    (
        bodies.RESOLUTION,
        Resolved("c1", ChargeState.SETTLED, 5, 7, True, "r2", estimated=True),
    ),
    (bodies.ADJUSTMENT, Adjusted("c1", 5, 7, True, "r3")),
    (bodies.BUDGET, BudgetState("mail", BudgetPeriod.DAILY, AT, Balance(9, 5, 1), 3)),
    (bodies.BUDGET, BudgetState("mail", BudgetPeriod.LIFETIME, 0, Balance(9, 5, 1), 3)),
    (bodies.ASSIGNMENT, TrustAssignment("a", None, TrustLevel.L2_SUGGEST, "ada", AT, AT)),
    (bodies.CONSENT, Consent("a", "personal_data", None, "ada", AT, None)),
    (bodies.CONSENT, Consent("a", "personal_data", "support", "ada", AT, AT + 1)),
    (
        bodies.ENTRY,
        AuditEntry(
            "s1", 4, "r4", AT, "void", GovernanceOutcome.ALLOW, "kernel", "a.ipynb", spent_delta=-5, held_delta=-1,
            cell_id="c", execution_count=2, reasons=("one", "two"), detail={"late": True},
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "fact"), FACTS, ids=lambda value: type(value).__name__)
def test_a_body_is_read_as_what_it_was_made_of(shape: Shape, fact: object) -> None:
    assert shape.read(json.loads(json.dumps(shape.write(fact)))) == fact


REQUESTS = [
    ("spend", Spend, {"amount": 50_000_000, "tool": "gpt-4o", "already_paid": True, "note": "estimated"}),
    ("spend", Spend, {"amount": 1, "tool": "unknown", "category": "mail", "agent_id": "a"}),
    ("settle", Settle, {"hold_id": "c1", "amount": 0, "estimated": True, "reference": "openai/resp_1"}),
    ("release", Release, {"hold_id": "c1"}),
    ("adjust", Adjust, {"charge_id": "c1", "amount": 7}),
    ("budget", SetBudget, {"category": "mail", "ceiling": 7, "period": BudgetPeriod.DAILY, "create": False}),
]


@pytest.mark.parametrize(("name", "kind", "values"), REQUESTS, ids=lambda value: str(value)[:20])
def test_a_request_is_read_as_what_it_was_made_of(name: str, kind: Any, values: dict[str, Any]) -> None:
    notebook, origin = NotebookKey("ada", "/srv", "a.ipynb"), Origin("kernel")
    given = {"key": "k", "origin": origin, "expires_at": 9}
    if name not in ("settle", "release"):
        given["notebook"] = notebook
    request = kind(**values, **given)
    shape = OPERATIONS[name].request
    body = json.loads(json.dumps(shape.write(request)))
    assert shape.read(body, "k", origin, 9, notebook, SessionTerms()) == request


def test_a_body_made_of_values_leaves_out_what_is_not_given() -> None:
    body = OPERATIONS["hold"].request.body(amount=5, tool="x", required_level=TrustLevel.L1_MONITOR, detail={})
    assert body == {"amount": "0.000000005", "tool": "x", "required_level": 1}
    with pytest.raises(TypeError):
        OPERATIONS["hold"].request.body(amuont=5)


def test_a_field_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidRequestError, match="'amuont' is not known here; the fields are agent_id, already_paid"):
        OPERATIONS["spend"].request.read({"amount": "1", "amuont": "2"})


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="spend"):
        operations.add(operation.Operation("spend"))


def test_a_field_of_a_later_version_is_read_as_null() -> None:
    late = Shape("dict", Field("new", late=True), Field("old"))
    assert late.read({"old": 1}) == {"new": None, "old": 1}


def test_times_keep_their_microseconds() -> None:
    assert time_text(AT) == "2023-11-14T22:13:20.123456Z"
    assert time_micros(time_text(AT)) == AT
