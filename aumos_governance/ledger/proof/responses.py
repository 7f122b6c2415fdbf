"""The comparison of the ledger's stored responses with the charges and audit records that they name.

The ledger stores the response to each request in the table ``asks``, to return it if the request is repeated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ...types import GovernanceOutcome
from ..contract.audit_facts import Recorded
from ..contract.budgets import Adjusted, ChargeState, Corrected, Resolved
from ..contract.facts import Decision
from ..rules.chain import AUDIT_COLUMNS, NO_OUTCOME
from ..rules.verdicts import APPROVAL_REQUIRED
from ..transaction.rows import ChargeRow, ResponseRow
from ..transaction.tables import columns
from .damage import DAMAGED, UnreadableError
from .evidence import Evidence
from .findings import Findings

_WIDTH: Final = len(columns[ResponseRow])
_END: Final = _WIDTH + len(columns[ChargeRow])
_TIMED: Final = {
    Decision.__name__: 2,
    Resolved.__name__: 5,
    Corrected.__name__: 4,
    Adjusted.__name__: 4,
    Recorded.__name__: 0,
}
"""The index of the audit record's id in the list of a response's fields, by the name of the response's type. Responses
of other types do not name their audit record."""
_OUTCOME, _AMOUNT, _CHARGE, _NOTEBOOK = (
    AUDIT_COLUMNS.index(name) for name in ("outcome", "amount", "charge_id", "notebook_id")
)


def compare_responses(evidence: Evidence, findings: Findings, aliases: Mapping[str, str]) -> int:
    """Compare all stored responses with charges and records, and return how many are right.

    Each other response is added to ``findings``. ``aliases`` maps the id of each joined notebook to the id of the
    notebook that it was joined to, because the row of a response keeps the notebook that the request named.
    """
    right = 0
    try:
        for row in evidence.responses():
            right += _compare(evidence, findings, row, aliases)
    except UnreadableError as error:
        findings.add(DAMAGED, ResponseRow.TABLE, None, f"The table {ResponseRow.TABLE} cannot be read: {error}.")
    return right


def _compare(evidence: Evidence, findings: Findings, row: tuple[Any, ...], aliases: Mapping[str, str]) -> bool:
    values = row[:_WIDTH]
    key = values[:2]
    if not findings.check(ResponseRow, [str(part) for part in key], values):
        return False
    stored = dict(zip(columns[ResponseRow], values, strict=True))
    try:
        name, response = json.loads(stored["answer"])
    except (ValueError, TypeError):
        findings.add(
            DAMAGED,
            ResponseRow.TABLE,
            " ".join(key),
            f"The stored response to the request {' '.join(key)} cannot be read.",
        )
        return False
    charge = dict(zip(columns[ChargeRow], row[_WIDTH:_END], strict=True))
    notebook_id = row[_END]
    if notebook_id is not None and aliases.get(stored["notebook_id"]) == notebook_id:
        notebook_id = stored["notebook_id"]
    expected = _expected(evidence, stored, name, response, charge, notebook_id)
    wrong = [(column, value) for column, value in expected.items() if value != stored.get(column)]
    for column, value in wrong:
        findings.differs(ResponseRow, key, column, value, stored[column])
    return not wrong


def _expected(
    evidence: Evidence,
    stored: dict[str, Any],
    name: str,
    response: Any,
    charge: dict[str, Any],
    notebook_id: str | None,
) -> dict[str, Any]:
    """Return the values that the row of a stored response must have, as far as a record or charge proves them.

    - ``stored``: the response's row, by column.
    - ``name``: the name of the response's type, for example ``"Decision"``.
    - ``response``: the fields of the response, as a list.
    - ``charge``: the row of the response's charge, by column; all values are None without a charge.
    - ``notebook_id``: the id of the charge's notebook, or None without a charge.
    """
    if not stored["digest"]:
        # The request was cancelled before it arrived.
        nothing = dict.fromkeys(("expires_at", "notebook_id", "charge_id"))
        return {**nothing, "cancelled": 1, "answer": _NONE}
    if name == "Decision" and response[6] is not None:
        if charge["id"] != response[6]:
            return {"charge_id": response[6]}
        expected: dict[str, Any] = {
            "scope": charge["scope"],
            "at": charge["at"],
            "cancelled": int(charge["state"] == ChargeState.VOIDED.value),
        }
        if stored["notebook_id"] is not None:
            expected["notebook_id"] = notebook_id
        if [response[3], response[4]] != [charge["amount"], charge["tool"]]:
            expected["answer"] = "the amount and tool of its charge"
        return expected
    expected = {"cancelled": 0}
    if name not in _TIMED:
        return expected | _charge_of(name, response)
    expected |= _charge_of(name, response)
    record = evidence.record_at(stored["at"], response[_TIMED[name]])
    if record is None:
        return expected | {"answer": "a response whose record is in the audit trail"}
    # Where an approval is requested next, the response is a denial, while the record has no outcome yet.
    waits = record[_OUTCOME] == NO_OUTCOME and response[5:6] == [APPROVAL_REQUIRED]
    outcome = GovernanceOutcome.DENY.value if waits else record[_OUTCOME]
    if name == "Decision" and [response[0], response[3]] != [outcome, record[_AMOUNT]]:
        expected["answer"] = "the outcome and amount of its record"
    if name in ("Adjusted", "Resolved", "Corrected") and response[1 if name == "Corrected" else 0] != record[_CHARGE]:
        expected["answer"] = "the charge of its record"
    if stored["notebook_id"] is not None and name != Adjusted.__name__:
        # A caller may adjust a charge of a notebook that its request does not name.
        expected["notebook_id"] = record[_NOTEBOOK]
    return expected


_NONE: Final = '["NoneType",null]'


def _charge_of(name: str, response: Any) -> dict[str, Any]:
    """Return the value that the column ``charge_id`` must have, as a dict of one column.

    ``name`` is the name of the response's type, and ``response`` has the response's fields.
    """
    if name in ("Adjusted", "Resolved"):
        return {"charge_id": response[0]}
    if name == "Corrected":
        return {"charge_id": response[1]}
    if name == "Report":
        return {"charge_id": response[9] if len(response) > 9 else None}
    return {"charge_id": None}
