"""The responses that are stored under idempotency keys, compared with the charges and records that they name."""

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
from ..transaction.rows import AskRow, ChargeRow
from ..transaction.tables import columns
from .damage import DAMAGED, UnreadableError
from .evidence import Evidence
from .findings import Findings

__all__ = ["compare_asks"]

_WIDTH: Final = len(columns[AskRow])
_END: Final = _WIDTH + len(columns[ChargeRow])
_TIMED: Final = {
    Decision.__name__: 2,
    Resolved.__name__: 5,
    Corrected.__name__: 4,
    Adjusted.__name__: 4,
    Recorded.__name__: 0,
}
"""By the type of an answer, where the id of its record is."""
_OUTCOME, _AMOUNT, _CHARGE, _NOTEBOOK = (
    AUDIT_COLUMNS.index(name) for name in ("outcome", "amount", "charge_id", "notebook_id")
)


def compare_asks(evidence: Evidence, findings: Findings, aliases: Mapping[str, str]) -> int:
    """Compare all kept answers; answers how many are right as far as records say.

    ``aliases`` maps a notebook to the one that it proved to be: responses keep the notebook of their request.
    """
    right = 0
    try:
        for row in evidence.asks():
            right += _compare(evidence, findings, row, aliases)
    except UnreadableError as error:
        findings.add(DAMAGED, AskRow.TABLE, None, f"The table {AskRow.TABLE} cannot be read: {error}.")
    return right


def _compare(evidence: Evidence, findings: Findings, row: tuple[Any, ...], aliases: Mapping[str, str]) -> bool:
    values = row[:_WIDTH]
    key = values[:2]
    if not findings.check(AskRow, [str(part) for part in key], values):
        return False
    ask = dict(zip(columns[AskRow], values, strict=True))
    try:
        name, answer = json.loads(ask["answer"])
    except (ValueError, TypeError):
        findings.add(DAMAGED, AskRow.TABLE, " ".join(key), f"The kept answer of asks {' '.join(key)} is no answer.")
        return False
    charge = dict(zip(columns[ChargeRow], row[_WIDTH:_END], strict=True))
    notebook_id = row[_END]
    if notebook_id is not None and aliases.get(ask["notebook_id"]) == notebook_id:
        notebook_id = ask["notebook_id"]
    expected = _expected(evidence, ask, name, answer, charge, notebook_id)
    wrong = [(column, value) for column, value in expected.items() if value != ask.get(column)]
    for column, value in wrong:
        findings.differs(AskRow, key, column, value, ask[column])
    return not wrong


def _expected(
    evidence: Evidence, ask: dict[str, Any], name: str, answer: Any, charge: dict[str, Any], notebook_id: str | None
) -> dict[str, Any]:
    """What the row should hold, as far as records and charges say."""
    if not ask["digest"]:
        # Cancelled before it came.
        nothing = dict.fromkeys(("expires_at", "notebook_id", "charge_id"))
        return {**nothing, "cancelled": 1, "answer": _NONE}
    if name == "Decision" and answer[6] is not None:
        if charge["id"] != answer[6]:
            return {"charge_id": answer[6]}
        expected: dict[str, Any] = {
            "scope": charge["scope"],
            "at": charge["at"],
            "cancelled": int(charge["state"] == ChargeState.VOIDED.value),
        }
        if ask["notebook_id"] is not None:
            expected["notebook_id"] = notebook_id
        if [answer[3], answer[4]] != [charge["amount"], charge["tool"]]:
            expected["answer"] = "the amount and tool of its charge"
        return expected
    expected = {"cancelled": 0}
    if name not in _TIMED:
        return expected | _charge_of(name, answer)
    expected |= _charge_of(name, answer)
    record = evidence.record_at(ask["at"], answer[_TIMED[name]])
    if record is None:
        return expected | {"answer": "an answer whose record is in the audit trail"}
    # Where an approval is requested next, the answer denies and the record says that nothing is decided yet.
    waits = record[_OUTCOME] == NO_OUTCOME and answer[5:6] == [APPROVAL_REQUIRED]
    outcome = GovernanceOutcome.DENY.value if waits else record[_OUTCOME]
    if name == "Decision" and [answer[0], answer[3]] != [outcome, record[_AMOUNT]]:
        expected["answer"] = "the outcome and amount of its record"
    if name in ("Adjusted", "Resolved", "Corrected") and answer[1 if name == "Corrected" else 0] != record[_CHARGE]:
        expected["answer"] = "the charge of its record"
    if ask["notebook_id"] is not None and name != Adjusted.__name__:
        # A caller may adjust what it spent in another notebook than the one that it is in now.
        expected["notebook_id"] = record[_NOTEBOOK]
    return expected


_NONE: Final = '["NoneType",null]'


def _charge_of(name: str, answer: Any) -> dict[str, Any]:
    if name in ("Adjusted", "Resolved"):
        return {"charge_id": answer[0]}
    if name == "Corrected":
        return {"charge_id": answer[1]}
    if name == "Report":
        return {"charge_id": answer[9] if len(answer) > 9 else None}
    return {"charge_id": None}
