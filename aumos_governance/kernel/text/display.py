"""Makes the plain text that the magics print. Users and scripts search for how lines begin, so that must not change.

The argument ``state`` is the session's state in a response.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from ... import money
from ...printing import printable

State = Mapping[str, Any]
AUDIT_COLUMNS: Final = ("time (UTC)", "event", "outcome", "amount", "tool", "cell", "by", "why")
_CELL_WIDTH: Final = 48


def usd(amount: str | Decimal) -> str:
    """Return an amount in USD from a response as users see it, such as ``$0.05`` or ``-$0.05``."""
    return money.display(money.parse(amount)) if not str(amount).startswith("-") else f"-{usd(str(amount)[1:])}"


def state_file_text(path: object) -> str:
    """Return the line that states in which file the embedded engine keeps its state."""
    return f"No governed Jupyter server here, so this state is kept in {path}"


def opened_text(response: Mapping[str, Any], before: State | None) -> list[str]:
    """Return the lines that state how ``%governance`` opened, resumed or changed the session.

    ``response`` is the body of the response, and ``before`` the state before the request, if it was read.
    """
    state: State = response["state"]
    settings = _settings(state)
    if state["agent_id"] is None:
        del settings["agent_id"]
    line = f"Governance enabled: {', '.join(settings.values())}"
    if response["resumed"]:
        line += f" (resumed, {usd(state['spent'])} spent; --new starts fresh)"
    elif not response["opened"]:
        line += f" ({_change(before, state)}{usd(state['spent'])} spent)"
    lines = [line]
    previous = response.get("previous")
    if response["opened"] and previous is not None:
        lines.append(_earlier(previous))
    if state.get("shared_with"):
        lines.append(f"Shared with {printable(state['shared_with'])}: both notebooks use this kernel and this session.")
    lines.extend(printable(note) for note in response.get("notes", ()))
    return lines


def status_text(state: State) -> list[str]:
    """Return the lines with the session's trust level, budget and spending, or that governance is inactive."""
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


def took_effect_text(op: str, state: State) -> str:
    """Return the line for an ``open`` or ``close`` that was executed although its cell was interrupted or timed out."""
    if op == "close" or not state.get("active"):
        return "The %governance_disable that was interrupted or timed out took effect: governance is inactive."
    settings = _settings(state)
    changed = f"{settings['trust_level']}, {settings['budget']}"
    return f"The %governance that was interrupted or timed out took effect: {changed}."


def closed_text(state: State) -> str:
    """Return the line that states that the session was closed, with its total."""
    return f"Governance disabled. Session total: {usd(state['spent'])} / {usd(state['budget'])}"


def audit_rows(records: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return one row of text for each record, in the order of `AUDIT_COLUMNS`."""
    return [tuple(printable(part) for part in _audit_row(record)) for record in records]


def audit_text(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the records as a table in plain text, in the order in which they are given."""
    if not records:
        return "No audit records yet."
    rows = [AUDIT_COLUMNS, *(tuple(_cut(part) for part in row) for row in audit_rows(records))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(AUDIT_COLUMNS))]
    return "\n".join(
        "  ".join(part.ljust(width) for part, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _settings(state: State) -> dict[str, str]:
    """Return a session's trust level, budget and agent as users see them, such as ``budget=$10.00``, by field name."""
    agent = state["agent_id"]
    return {
        "trust_level": f"trust_level=L{state['trust_level']}",
        "budget": f"budget={usd(state['budget'])}",
        "agent_id": f"agent={'none' if agent is None else printable(agent)}",
    }


def _change(before: State | None, after: State) -> str:
    if before is None or not before["active"]:
        return "changed, "
    old = ", ".join(shown for name, shown in _settings(before).items() if before[name] != after[name])
    return f"changed from {old}; " if old else "changed, "


def _earlier(previous: Mapping[str, Any]) -> str:
    count = previous["sessions"]
    who = "earlier session" if count == 1 else f"{count} earlier sessions"
    return f"This notebook's {who} spent {usd(previous['spent'])}."


def _last_total(state: State) -> list[str]:
    if state["spent"] is None:
        return []
    return [f"Last session total: {usd(state['spent'])} / {usd(state['budget'])}"]


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
