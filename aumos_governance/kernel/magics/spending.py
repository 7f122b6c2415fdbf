"""The magic ``%governance_spend``: requests a spend, prints the decision, and cancels the spend after an interrupt.

A *spend* records an amount in the notebook's session at once, without a hold. The arguments are sent as text, and the
notebook service, in the server or in an engine of the kernel, validates them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ... import money
from ...errors import GovernanceDeniedError
from ...printing import printable
from ...types import GovernanceOutcome
from ...wire.denials import Denial
from ..requests.connection import Connection, at_limit_field, connect, current_cell
from ..text.arguments import Arguments
from ..text.display import state_file_text, took_effect_text
from ..transports.waiter import Deferred, interruptible


@dataclass(frozen=True, slots=True, repr=False)
class SpendDecision:
    """The decision on one ``%governance_spend``, with the session's figures after it; true if the spend is allowed.

    Amounts are exact Decimals in USD. The session's figures are None if the notebook was never governed.
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
    """The limit that the spend exceeds, or None: a mapping with its ``kind`` and ``name``, the amount ``asked`` and the
    amount ``allowed``, as in the wire protocol."""

    @classmethod
    def from_response(cls, response: Mapping[str, Any]) -> SpendDecision:
        """Return the decision that the body of the response to a ``spend`` states."""
        body: Mapping[str, Any] = response["decision"]
        state: Mapping[str, Any] = response.get("state") or {}
        return cls(
            outcome=GovernanceOutcome(body["outcome"]),
            allowed=body["allowed"] is True,
            reasons=tuple(body["reasons"]),
            amount=Decimal(body["amount"]),
            tool=body["tool"],
            code=body["code"],
            overrun=body["overrun"] is True,
            record_id=body["record_id"],
            charge_id=body["charge_id"],
            agent_id=state.get("agent_id"),
            spent=_decimal(state.get("spent")),
            budget=_decimal(state.get("budget")),
            remaining=_decimal(state.get("remaining")),
            limit=body.get("limit"),
        )

    def __bool__(self) -> bool:
        return self.allowed

    def __repr__(self) -> str:
        left = "" if self.remaining is None else f", {_usd(self.remaining)} remaining"
        why = "".join(f" ({reason})" for reason in self.reasons)
        return f"<SpendDecision {self.outcome.value}: {_usd(self.amount)} for {self.tool!r}{left}{why}>"


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def spend(shell: Any, arguments: Arguments) -> SpendDecision:
    """Request the spend that ``arguments`` describe, print the decision and return it.

    Raises GovernanceDeniedError if the spend is denied, or if it was already paid and exceeds a limit; with
    ``--no-raise``, the message is printed instead. If another error or an interrupt ends this function early, the spend
    is cancelled, so that nothing is charged.
    """
    body: dict[str, Any] = chosen_fields(arguments, {"--tool": "tool"})
    if arguments.positional is not None:
        body["amount"] = arguments.positional
    if "--already-paid" in arguments.flags:
        body["already_paid"] = True
    connection = open_connection(shell)
    recorded: SpendDecision | None = None
    body |= at_limit_field()
    lines: list[Any] = []

    def on_waiting(waiting: Mapping[str, Any]) -> None:
        from ..text.limit_line import LimitLine

        lines[:] = lines or [LimitLine(shell, body)]
        lines[0].show_waiting(waiting)

    request = connection.client.start("spend", body, cell=current_cell(shell), on_waiting=on_waiting)
    try:
        with interruptible() if at_limit_field() else nullcontext():
            decision = SpendDecision.from_response(request.response())
        for line in lines:
            line.show_outcome("Allowed" if decision.allowed else "Denied")
        print_took_effect(connection)
        sentence = _sentence(decision, in_panel=connection.has_panel)
        refused = sentence is not None and "--no-raise" not in arguments.flags
        # An interrupt is handled only after both steps: printing the decision, and keeping the charge.
        with Deferred():
            if sentence is None:
                recorded = _print_decision(decision, recorded_text(decision))
            elif not refused:
                print_lines(sentence)
            request.keep()
    except BaseException:
        if recorded is None:
            for line in lines:
                line.show_outcome("Withdrawn")
        # An exception that another thread raises in this one cannot be deferred, so the spend may be printed already.
        if request.take_back() and recorded is not None:
            print_lines(taken_back_text(recorded))
        raise
    if refused:
        reason = "; ".join(decision.reasons)
        raise GovernanceDeniedError(
            decision.agent_id, reason, decision.record_id, message=sentence, denial_code=decision.code
        )
    return decision


def _sentence(decision: SpendDecision, *, in_panel: bool) -> str | None:
    """Return the message for a spend that is denied or exceeds a limit; None for a spend within all limits."""
    if decision.allowed and not decision.overrun:
        return None
    if decision.allowed:
        return overrun_sentence(decision)
    return refusal_sentence(decision, in_panel=in_panel)


def _usd(amount: Decimal) -> str:
    return money.display(money.parse(amount))


def _tool(decision: SpendDecision) -> str:
    # Nearly all names are printable, and checking that is quicker.
    return decision.tool if decision.tool.isprintable() else printable(decision.tool)


def recorded_text(decision: SpendDecision) -> str:
    """Return the line to print for an allowed spend, which states its amount and the rest of the budget."""
    left = "" if decision.remaining is None else f" ({_usd(decision.remaining)} remaining)"
    return f"Recorded: {_usd(decision.amount)} for {_tool(decision)}{left}"


def taken_back_text(decision: SpendDecision) -> str:
    """Return the line to print if a spend was already printed as recorded, and was then voided after an interrupt."""
    return f"Taken back: {_usd(decision.amount)} for {_tool(decision)} is not charged"


def refusal_sentence(decision: SpendDecision, *, in_panel: bool = False) -> str:
    """Return the message for a denied spend: the reason, the amount, the rest of the budget and what the user can do.

    ``in_panel`` is whether the user can change the session in JupyterLab's panel.
    """
    remaining = None if decision.remaining is None else money.parse(decision.remaining)
    kind = None if decision.limit is None else decision.limit["kind"]
    amount = money.parse(decision.amount)
    denial = Denial(decision.code, decision.reasons, decision.tool, amount, remaining, kind, in_panel=in_panel)
    return denial.sentence()


def overrun_sentence(decision: SpendDecision) -> str:
    """Return the message for a spend that was already paid, exceeds a limit, and is recorded in full."""
    return (
        f"OVERRUN: {_usd(decision.amount)} for {_tool(decision)} was already paid, so it is recorded in full,"
        f" but is not allowed: {printable('; '.join(decision.reasons)) or 'not allowed'}."
    )


_state_file_printed_in: int | None = None
"""The id of the process that has printed the path of the embedded engine's state file; None before that. A forked
process has another id, and prints it again."""


def open_connection(shell: Any) -> Connection:
    """Return this process's connection to the notebook service.

    For an embedded engine, also print the path of its state file, once in a process.
    """
    global _state_file_printed_in  # noqa: PLW0603  printed once in a process, even when the extension is loaded again
    connection = connect(shell)
    if connection.state_file is not None and _state_file_printed_in != os.getpid():
        _state_file_printed_in = os.getpid()
        print_lines(state_file_text(connection.state_file))
    return connection


def print_took_effect(connection: Connection) -> None:
    """Print a line for each ``%governance`` or ``%governance_disable`` that was interrupted and still executed."""
    for op, state in connection.client.took_effect():
        print_lines(took_effect_text(op, state))


def chosen_fields(arguments: Arguments, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the request fields for the options that the user stated; ``names`` has the field for each option."""
    return {field: arguments.values[option] for option, field in names.items() if option in arguments.values}


def print_lines(*lines: str) -> None:
    """Print the lines in a single write, each with a line break."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _print_decision(decision: SpendDecision, line: str) -> SpendDecision | None:
    # One expression, so that no interrupt can come between printing the line and returning that it was printed.
    return decision if sys.stdout.write(f"{line}\n") != 0 else None
