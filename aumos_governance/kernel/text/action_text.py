"""Makes the texts about a governed action: what it would do, that it waits for approval, and how it ended.

The argument ``shown`` has the fields of the action that the user sees: ``tool``, ``cost``, and ``code`` or arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from html import escape
from typing import Any

from ...printing import printable
from .card import card_html
from .display import usd

Shown = Mapping[str, Any]


def cost_text(shown: Shown) -> str:
    """Return the tool and the cost of an action, as in ``deploy, $0.05``."""
    return f"{printable(str(shown.get('tool', 'unknown')))}, {usd(str(shown.get('cost', '0')))}"


def action_lines(shown: Shown) -> list[str]:
    """Return the lines that show an action's arguments and its code, with invisible characters escaped."""
    lines = []
    for name, value in shown.items():
        if name in {"tool", "cost", "code"}:
            continue
        lines.append(f"{printable(str(name))}: {_value_text(value)}")
    code = shown.get("code")
    if code is not None:
        lines.extend(f"    {_escaped_line(line)}" for line in str(code).rstrip("\n").split("\n"))
    return lines


def approval_text(shown: Shown) -> list[str]:
    """Return the lines to print before the user is prompted, at the kernel, to approve the action."""
    return [f"An approval is needed to run: {cost_text(shown)}", *action_lines(shown)]


def ends_at(waiting: Mapping[str, Any]) -> datetime | None:
    """Return the time until which a user can decide, in local time; None if there is no limit.

    ``waiting`` is the server's message that a request waits.
    """
    until = waiting.get("until")
    return None if until is None else datetime.fromtimestamp(float(until), tz=timezone.utc).astimezone()


def waiting_text(shown: Shown, until: datetime | None) -> str:
    """Return the line to show while an action waits for approval, until the time ``until`` at most."""
    ends = "" if until is None else f" Denied at {until:%H:%M:%S} if there is no decision."
    return (
        f"Waiting for approval: {cost_text(shown)}. Approve or deny it under the cell or in the governance panel;"
        f" interrupt the kernel to withdraw it.{ends}"
    )


def outcome_text(shown: Shown, outcome: str) -> str:
    """Return the line that replaces `waiting_text` after the decision.

    ``outcome`` is ``Approved``, or the reason of the denial.
    """
    return f"{printable(outcome)}: {cost_text(shown)}."


def withdrawn_text(shown: Shown) -> str:
    """Return the line that replaces `waiting_text` if an interrupt withdrew the approval request."""
    return f"Withdrawn: {cost_text(shown)}. It was interrupted while it waited, and did not run."


def recorded_text(shown: Shown, spent: str, ended: str, remaining: str | None, *, reported: bool) -> str | None:
    """Return the lines to print when an action has ended; None if nothing is to be printed.

    Args:
        shown: The fields of the action that the user sees.
        spent: The charged amount in USD.
        ended: How the action ended: ``done``, ``failed`` or ``interrupted``.
        remaining: The rest of the budget in USD; None if it is not known.
        reported: Whether the panel shows a report of the action.

    """
    tool = printable(str(shown.get("tool", "unknown")))
    left = "" if remaining is None else f" ({usd(remaining)} remaining)"
    if ended == "failed":
        cost = str(shown.get("cost", "0"))
        line = None if cost == "0" else f"Released: {usd(cost)} for {tool}, since the cell failed{left}"
    elif ended == "interrupted" and spent != "0":
        line = f"Recorded: {usd(spent)} for {tool}{left}, in full: the cell was interrupted, and may have paid"
    else:
        line = None if spent == "0" else f"Recorded: {usd(spent)} for {tool}{left}"
    if not reported:
        return line
    report = f"Reported: {tool} {'ran' if ended == 'done' else ended}"
    return report if line is None else f"{line}\n{report}"


def suggestion_lines(shown: Shown) -> list[str]:
    """Return the lines for an action that was not run, since the trust level only allows suggestions."""
    return [f"Suggestion: {cost_text(shown)}. Not run:", *action_lines(shown)]


def suggestion_html(shown: Shown) -> str:
    """Return the content of `suggestion_lines` as HTML, in a card."""
    body = escape("\n".join(line.removeprefix("    ") for line in action_lines(shown)))
    # Without this style a front end may give the code a background that differs from the card's.
    style = "margin:6px 0 0;padding:0;background:none;color:inherit;white-space:pre-wrap;overflow-wrap:anywhere"
    code = f'<pre style="{style}">{body}</pre>'
    return card_html(f"Suggestion: {cost_text(shown)}", f"<div>Not run. It would do this:</div>{code}")


def _value_text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{printable(str(name))}={_value_text(part)}" for name, part in value.items())
    return _escaped_line(value if isinstance(value, str) else repr(value))


def _escaped_line(line: str) -> str:
    # Tabs stay, since code may be indented with them and they hide nothing.
    return "\t".join(printable(part) for part in line.split("\t"))
