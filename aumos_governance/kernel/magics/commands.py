"""What the magics do: ask, and show the answer.

What was typed goes out as text, and whoever decides says what is wrong with it. Every error stops the cell and Run All,
since the paid call may be the next line.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from ...errors import GovernanceDeniedError
from ...wire import fields
from ..requests.request_heads import at_limit_field, choose_at_limit, current_cell
from ..requests.session import Link, link
from ..requests.take_backs import Deferred, interruptible
from ..text import display
from ..text.arguments import Arguments
from ..text.card import audit_html, status_html
from ..text.display import SpendDecision

__all__ = ["close_session", "open_session", "show_audit", "show_status", "spend"]

_state_file_told_in: int | None = None
"""The process that has said where the embedded engine keeps its state."""


def open_session(shell: Any, arguments: Arguments) -> None:
    """Open, resume or change the session, and say which of these it was."""
    wish: dict[str, Any] = _values(
        arguments, {"--trust-level": "trust_level", "--budget": "budget", "--agent": "agent_id"}
    )
    if "--at-limit" in arguments.values:
        choose_at_limit(arguments.values["--at-limit"])
    # Only a change says what it changed from, and only a value that is given changes anything.
    before = _ask(shell, "status")["state"] if wish else None
    if "--new" in arguments.flags:
        wish["new"] = True
    _say(*display.opened_text(_ask(shell, "open", wish), before))


def show_status(shell: Any) -> None:
    """Show the figures as they stand."""
    state = _ask(shell, "status")["state"]
    _show(shell, "\n".join(display.status_text(state)), status_html(state))


def spend(shell: Any, arguments: Arguments) -> SpendDecision:
    """Have a spend decided, and say how.

    Raises GovernanceDeniedError for a denied spend and for one that is already paid and does not fit, unless
    ``--no-raise`` is given.
    """
    wish: dict[str, Any] = _values(arguments, {"--tool": "tool"})
    if arguments.positional is not None:
        wish["amount"] = arguments.positional
    if "--already-paid" in arguments.flags:
        wish["already_paid"] = True
    way = _way(shell)
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
            decision = SpendDecision.from_answer(request.answer())
        for line in lines:
            line.ended("Allowed" if decision.allowed else "Denied")
        _say_standing(way)
        sentence = _sentence(decision, in_panel=way.has_panel)
        refused = sentence is not None and "--no-raise" not in arguments.flags
        # It is charged exactly when the cell shows so: an interrupt comes before both, or after both.
        with Deferred():
            if sentence is None:
                recorded = _said(decision, display.recorded_text(decision))
            elif not refused:
                _say(sentence)
            request.keep()
    except BaseException:
        if recorded is None:
            for line in lines:
                line.ended("Withdrawn")
        # What is raised into a thread cannot be deferred.
        if request.take_back() and recorded is not None:
            _say(display.taken_back_text(recorded))
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
        return display.overrun_sentence(decision)
    return display.refusal_sentence(decision, in_panel=in_panel)


def close_session(shell: Any) -> None:
    """Close the session and say its total; say that governance is inactive where none is open."""
    state = _ask(shell, "status")["state"]
    if state["active"]:
        _say(display.closed_text(_ask(shell, "close")["state"]))
    else:
        _say(*display.status_text(state))


def show_audit(shell: Any, arguments: Arguments) -> None:
    """Show the newest audit records."""
    last = fields.whole(arguments.values, "--last", default=10, least=1, most=1_000)
    records = _ask(shell, "audit", {"limit": last})["records"]
    _show(shell, display.audit_text(records), audit_html(records))


def _way(shell: Any) -> Link:
    global _state_file_told_in  # noqa: PLW0603  said once in a process, however often the extension is loaded
    way = link(shell)
    if way.state_file is not None and _state_file_told_in != os.getpid():
        _state_file_told_in = os.getpid()
        _say(display.state_file_text(way.state_file))
    return way


def _ask(shell: Any, op: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    way = _way(shell)
    answer = way.client.ask(op, body, cell=current_cell(shell))
    _say_standing(way)
    return answer


def _say_standing(way: Link) -> None:
    """Name what an earlier cell gave up and what stands all the same."""
    for op, state in way.client.standing():
        _say(display.standing_text(op, state))


def _values(arguments: Arguments, names: Mapping[str, str]) -> dict[str, Any]:
    return {field: arguments.values[option] for option, field in names.items() if option in arguments.values}


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _said(decision: SpendDecision, line: str) -> SpendDecision | None:
    # In one step, so that nothing comes between showing it and knowing that it is shown.
    return decision if sys.stdout.write(f"{line}\n") != 0 else None


def _show(shell: Any, text: str, html: str) -> None:
    shell.display_pub.publish({"text/plain": text, "text/html": html})
