"""What the magics beside ``%governance_spend`` do: make a request, and show the response.

Arguments are sent as text, and the service reports what is wrong with them. Every error stops the cell and Run All,
since the paid call may be the next line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ...wire import fields
from ..requests.session import choose_at_limit, current_cell
from ..text import display
from ..text.arguments import Arguments
from ..text.card import audit_html, status_html
from ..text.gateway_notes import gateway_notes
from .spending import say, say_standing, values, way_of

__all__ = ["close_session", "open_session", "show_audit", "show_status"]


def open_session(shell: Any, arguments: Arguments) -> None:
    """Open, resume or change the session, and say which of these it was."""
    wish: dict[str, Any] = values(
        arguments, {"--trust-level": "trust_level", "--budget": "budget", "--agent": "agent_id"}
    )
    if "--at-limit" in arguments.values:
        choose_at_limit(arguments.values["--at-limit"])
    # Only a change says what it changed from, and only a value that is given changes anything.
    before = _request(shell, "status")["state"] if wish else None
    if "--new" in arguments.flags:
        wish["new"] = True
    say(*display.opened_text(_request(shell, "open", wish), before))


def show_status(shell: Any) -> None:
    """Show the figures as they stand."""
    state = _request(shell, "status")["state"]
    notes = gateway_notes(os.environ)
    _show(shell, "\n".join([*display.status_text(state), *notes]), status_html(state, notes))


def close_session(shell: Any) -> None:
    """Close the session and say its total; say that governance is inactive where none is open."""
    state = _request(shell, "status")["state"]
    if state["active"]:
        say(display.closed_text(_request(shell, "close")["state"]))
    else:
        say(*display.status_text(state))


def show_audit(shell: Any, arguments: Arguments) -> None:
    """Show the newest audit records."""
    last = fields.whole(arguments.values, "--last", default=10, least=1, most=1_000)
    records = _request(shell, "audit", {"limit": last})["records"]
    _show(shell, display.audit_text(records), audit_html(records))


def _request(shell: Any, op: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    way = way_of(shell)
    response = way.client.request(op, body, cell=current_cell(shell))
    say_standing(way)
    return response


def _show(shell: Any, text: str, html: str) -> None:
    shell.display_pub.publish({"text/plain": text, "text/html": html})
