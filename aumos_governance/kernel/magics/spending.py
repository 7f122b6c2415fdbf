"""What ``%governance_spend`` does: a spend is decided, shown, and taken back where its cell is interrupted.

Arguments are sent as text, and the service reports what is wrong with them.
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
from ...types import GovernanceOutcome
from ...wire.denials import Denial, printable
from ..requests.session import Link, at_limit_field, current_cell, link
from ..text.arguments import Arguments
from ..text.display import standing_text, state_file_text
from ..transports.waiter import Deferred, interruptible

__all__ = [
    "SpendDecision",
    "overrun_sentence",
    "recorded_text",
    "refusal_sentence",
    "say",
    "say_standing",
    "spend",
    "taken_back_text",
    "values",
    "way_of",
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
    def from_response(cls, response: Mapping[str, Any]) -> SpendDecision:
        """Read the response to a ``spend``."""
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
    """Have a spend decided, and say how.

    Raises GovernanceDeniedError for a denied spend and for one that is already paid and does not fit, unless
    ``--no-raise`` is given.
    """
    wish: dict[str, Any] = values(arguments, {"--tool": "tool"})
    if arguments.positional is not None:
        wish["amount"] = arguments.positional
    if "--already-paid" in arguments.flags:
        wish["already_paid"] = True
    way = way_of(shell)
    recorded: SpendDecision | None = None
    wish |= at_limit_field()
    lines: list[Any] = []

    def on_waiting(waiting: Mapping[str, Any]) -> None:
        from ..text.limit_line import LimitLine

        lines[:] = lines or [LimitLine(shell, wish)]
        lines[0].waits(waiting)

    request = way.client.start("spend", wish, cell=current_cell(shell), on_waiting=on_waiting)
    try:
        with interruptible() if at_limit_field() else nullcontext():
            decision = SpendDecision.from_response(request.response())
        for line in lines:
            line.ended("Allowed" if decision.allowed else "Denied")
        say_standing(way)
        sentence = _sentence(decision, in_panel=way.has_panel)
        refused = sentence is not None and "--no-raise" not in arguments.flags
        # It is charged exactly when the cell shows so: an interrupt comes before both, or after both.
        with Deferred():
            if sentence is None:
                recorded = _print_decision(decision, recorded_text(decision))
            elif not refused:
                say(sentence)
            request.keep()
    except BaseException:
        if recorded is None:
            for line in lines:
                line.ended("Withdrawn")
        # What is raised into a thread cannot be deferred.
        if request.take_back() and recorded is not None:
            say(taken_back_text(recorded))
        raise
    if refused:
        reason = "; ".join(decision.reasons)
        raise GovernanceDeniedError(
            decision.agent_id, reason, decision.record_id, message=sentence, denial_code=decision.code
        )
    return decision


def _sentence(decision: SpendDecision, *, in_panel: bool) -> str | None:
    """Why the spend does not fit; None where it does."""
    if decision.allowed and not decision.overrun:
        return None
    if decision.allowed:
        return overrun_sentence(decision)
    return refusal_sentence(decision, in_panel=in_panel)


def _usd(amount: Decimal) -> str:
    return money.display(money.parse(amount))


def _tool(decision: SpendDecision) -> str:
    # As nearly always.
    return decision.tool if decision.tool.isprintable() else printable(decision.tool)


def recorded_text(decision: SpendDecision) -> str:
    left = "" if decision.remaining is None else f" ({_usd(decision.remaining)} remaining)"
    return f"Recorded: {_usd(decision.amount)} for {_tool(decision)}{left}"


def taken_back_text(decision: SpendDecision) -> str:
    """That a spend which was shown as recorded is not charged, since its cell was interrupted right then."""
    return f"Taken back: {_usd(decision.amount)} for {_tool(decision)} is not charged"


def refusal_sentence(decision: SpendDecision, *, in_panel: bool = False) -> str:
    """Why a spend was denied, what was requested, what is left and what the user can do."""
    remaining = None if decision.remaining is None else money.parse(decision.remaining)
    kind = None if decision.limit is None else decision.limit["kind"]
    amount = money.parse(decision.amount)
    denial = Denial(decision.code, decision.reasons, decision.tool, amount, remaining, kind, in_panel=in_panel)
    return denial.sentence()


def overrun_sentence(decision: SpendDecision) -> str:
    """That a spend already paid is recorded in full, and does not fit."""
    return (
        f"OVERRUN: {_usd(decision.amount)} for {_tool(decision)} was already paid, so it is recorded in full,"
        f" but is not allowed: {_reason(decision)}."
    )


def _reason(decision: SpendDecision) -> str:
    return printable("; ".join(decision.reasons)) or "not allowed"


_state_file_printed_in: int | None = None
"""The process that has printed where the embedded engine keeps its state."""


def way_of(shell: Any) -> Link:
    """The connection to the engine; the first time it prints where the embedded engine keeps its state."""
    global _state_file_printed_in  # noqa: PLW0603  printed once in a process, however often the extension is loaded
    way = link(shell)
    if way.state_file is not None and _state_file_printed_in != os.getpid():
        _state_file_printed_in = os.getpid()
        say(state_file_text(way.state_file))
    return way


def say_standing(way: Link) -> None:
    """Name what an earlier cell gave up and what stands all the same."""
    for op, state in way.client.standing():
        say(standing_text(op, state))


def values(arguments: Arguments, names: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a request: those of ``names``, by option, that the line gives."""
    return {field: arguments.values[option] for option, field in names.items() if option in arguments.values}


def say(*lines: str) -> None:
    """Print these lines."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _print_decision(decision: SpendDecision, line: str) -> SpendDecision | None:
    # In one step, so that nothing comes between showing it and knowing that it is shown.
    return decision if sys.stdout.write(f"{line}\n") != 0 else None
