"""What the magics say, as plain text, and what a spend came to. People and scripts look for how each line starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from ... import money
from ...types import GovernanceOutcome
from ...wire.denials import Denial, printable

__all__ = [
    "SpendDecision",
    "audit_rows",
    "audit_text",
    "closed_text",
    "opened_text",
    "overrun_sentence",
    "printable",
    "recorded_text",
    "refusal_sentence",
    "standing_text",
    "state_file_text",
    "status_text",
    "taken_back_text",
    "usd",
]


@dataclass(frozen=True, slots=True, repr=False)
class SpendDecision:
    """A decision on one spend, with the figures as they stood right after it; it is true where it is allowed.

    Amounts are exact Decimals in USD, and None where the notebook was never governed.
    """

    outcome: GovernanceOutcome
    allowed: bool
    reasons: tuple[str, ...]
    amount: Decimal
    tool: str
    code: str | None
    overrun: bool
    record_id: str | None
    charge_id: str | None
    agent_id: str | None
    spent: Decimal | None
    budget: Decimal | None
    remaining: Decimal | None
    limit: Mapping[str, Any] | None = None
    """Which limit forbids it: ``kind``, ``name``, ``asked`` and ``allowed``, as in the wire protocol."""

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> SpendDecision:
        """Read the answer to a ``spend``."""
        told: Mapping[str, Any] = answer["decision"]
        state: Mapping[str, Any] = answer.get("state") or {}
        return cls(
            outcome=GovernanceOutcome(told["outcome"]),
            allowed=told["allowed"] is True,
            reasons=tuple(told["reasons"]),
            amount=Decimal(told["amount"]),
            tool=told["tool"],
            code=told["code"],
            overrun=told["overrun"] is True,
            record_id=told["record_id"],
            charge_id=told["charge_id"],
            agent_id=state.get("agent_id"),
            spent=_decimal(state.get("spent")),
            budget=_decimal(state.get("budget")),
            remaining=_decimal(state.get("remaining")),
            limit=told.get("limit"),
        )

    def __bool__(self) -> bool:
        return self.allowed

    def __repr__(self) -> str:
        left = "" if self.remaining is None else f", {money.display(money.parse(self.remaining))} remaining"
        why = "".join(f" ({reason})" for reason in self.reasons)
        amount = money.display(money.parse(self.amount))
        return f"<SpendDecision {self.outcome.value}: {amount} for {self.tool!r}{left}{why}>"


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


State = Mapping[str, Any]
AUDIT_COLUMNS: Final = ("time (UTC)", "event", "outcome", "amount", "tool", "cell", "by", "why")
_CELL_WIDTH: Final = 48


def usd(amount: str | Decimal) -> str:
    """An amount of an answer as people read it."""
    return money.display(money.parse(amount)) if not str(amount).startswith("-") else f"-{usd(str(amount)[1:])}"


def state_file_text(path: object) -> str:
    return f"No governed Jupyter server here, so this state is kept in {path}"


def opened_text(answer: Mapping[str, Any], before: State | None) -> list[str]:
    """What came of ``%governance``: opened, resumed or changed; ``before`` is the state that stood, if it was asked."""
    state: State = answer["state"]
    terms = _terms(state)
    if state["agent_id"] is None:
        del terms["agent_id"]
    line = f"Governance enabled: {', '.join(terms.values())}"
    if answer["resumed"]:
        line += f" (resumed, {usd(state['spent'])} spent; --new starts fresh)"
    elif not answer["opened"]:
        line += f" ({_change(before, state)}{usd(state['spent'])} spent)"
    lines = [line]
    previous = answer.get("previous")
    if answer["opened"] and previous is not None:
        lines.append(_earlier(previous))
    if state.get("shared_with"):
        lines.append(f"Shared with {printable(state['shared_with'])}: both notebooks use this kernel and this session.")
    lines.extend(printable(note) for note in answer.get("notes", ()))
    return lines


def status_text(state: State) -> list[str]:
    """The figures as they stand, or that governance is inactive."""
    if not state["active"]:
        return ["Governance: INACTIVE", *_last_total(state)]
    lines = [
        f"Trust Level: L{state['trust_level']} ({state['trust_label']})",
        f"Budget: {usd(state['spent'])} spent / {usd(state['budget'])} limit ({usd(state['remaining'])} remaining)",
    ]
    if money.parse(state["held"]):
        lines.append(f"Held: {usd(state['held'])} for calls that have not settled")
    if money.parse(state["over"]):
        lines.append(f"Over: {usd(state['over'])} above the limit")
    if state.get("agent_id"):
        lines.append(f"Agent: {printable(state['agent_id'])}")
    if state.get("set_by") not in {None, "kernel", "server"}:
        lines.append(f"Set by: {printable(state['set_by'])}")
    if state.get("shared_with"):
        lines.append(f"Shared with: {printable(state['shared_with'])}")
    return lines


def recorded_text(decision: SpendDecision) -> str:
    left = "" if decision.remaining is None else f" ({usd(decision.remaining)} remaining)"
    return f"Recorded: {usd(decision.amount)} for {printable(decision.tool)}{left}"


def taken_back_text(decision: SpendDecision) -> str:
    """That a spend which was shown as recorded is not charged, since its cell was interrupted right then."""
    return f"Taken back: {usd(decision.amount)} for {printable(decision.tool)} is not charged"


def refusal_sentence(decision: SpendDecision, *, in_panel: bool = False) -> str:
    """Why a spend was denied, what was asked, what is left and what the user can do."""
    remaining = None if decision.remaining is None else money.parse(decision.remaining)
    kind = None if decision.limit is None else decision.limit["kind"]
    amount = money.parse(decision.amount)
    said = Denial(decision.code, decision.reasons, decision.tool, amount, remaining, kind, in_panel=in_panel)
    return said.sentence()


def overrun_sentence(decision: SpendDecision) -> str:
    """That a spend already paid is recorded in full, and does not fit."""
    return (
        f"OVERRUN: {usd(decision.amount)} for {printable(decision.tool)} was already paid, so it is recorded in full,"
        f" but is not allowed: {_reason(decision)}."
    )


def standing_text(op: str, state: State) -> str:
    """That an ``open`` or ``close`` whose cell was interrupted, or did not hear of it in time, took effect."""
    if op == "close" or not state.get("active"):
        return "The %governance_disable that was given up took effect: governance is inactive."
    terms = _terms(state)
    return f"The %governance that was given up took effect: {terms['trust_level']}, {terms['budget']}."


def closed_text(state: State) -> str:
    return f"Governance disabled. Session total: {usd(state['spent'])} / {usd(state['budget'])}"


def audit_rows(records: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """One row of text for each record, in the order of `AUDIT_COLUMNS`."""
    return [tuple(printable(part) for part in _audit_row(record)) for record in records]


def audit_text(records: Sequence[Mapping[str, Any]]) -> str:
    """The records as a table, oldest first."""
    if not records:
        return "No audit records yet."
    rows = [AUDIT_COLUMNS, *(tuple(_cut(part) for part in row) for row in audit_rows(records))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(AUDIT_COLUMNS))]
    return "\n".join(
        "  ".join(part.ljust(width) for part, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _terms(state: State) -> dict[str, str]:
    """The terms of a session, each as it is shown."""
    agent = state["agent_id"]
    return {
        "trust_level": f"trust_level=L{state['trust_level']}",
        "budget": f"budget={usd(state['budget'])}",
        "agent_id": f"agent={'none' if agent is None else printable(agent)}",
    }


def _change(before: State | None, after: State) -> str:
    if before is None or not before["active"]:
        return "changed, "
    old = ", ".join(shown for name, shown in _terms(before).items() if before[name] != after[name])
    return f"changed from {old}; " if old else "changed, "


def _earlier(previous: Mapping[str, Any]) -> str:
    count = previous["sessions"]
    who = "earlier session" if count == 1 else f"{count} earlier sessions"
    return f"This notebook's {who} spent {usd(previous['spent'])}."


def _last_total(state: State) -> list[str]:
    if state["spent"] is None:
        return []
    return [f"Last session total: {usd(state['spent'])} / {usd(state['budget'])}"]


def _reason(decision: SpendDecision) -> str:
    return printable("; ".join(decision.reasons)) or "not allowed"


def _audit_row(record: Mapping[str, Any]) -> tuple[str, ...]:
    count = (record.get("cell") or {}).get("count")
    amount = record["amount"]
    return (
        record["at"][:19].replace("T", " "),
        record["event"],
        record["outcome"] or "",
        "" if amount == "0" else usd(amount),
        record["tool"] or "",
        "" if count is None else f"[{count}]",
        record["actor"],
        "; ".join(record["reasons"]),
    )


def _cut(text: str) -> str:
    return text if len(text) <= _CELL_WIDTH else f"{text[: _CELL_WIDTH - 3]}..."
