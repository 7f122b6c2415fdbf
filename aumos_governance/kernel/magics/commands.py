"""What the line magics do, except ``%governance_spend``: each makes requests and shows the responses.

The arguments are sent as text, and the service validates them. Every error is raised, which stops the cell and Run All,
since the next line may be a paid call.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ...wire import fields
from ..requests.connection import choose_at_limit, current_cell
from ..text import display
from ..text.arguments import Arguments
from ..text.card import audit_html, status_html
from ..text.gateway_notes import gateway_notes
from .spending import chosen_fields, open_connection, print_lines, print_took_effect


def open_session(shell: Any, arguments: Arguments) -> None:
    """Execute ``%governance``: open, resume or change the notebook's session, and print which of these happened."""
    body: dict[str, Any] = chosen_fields(
        arguments, {"--trust-level": "trust_level", "--budget": "budget", "--agent": "agent_id"}
    )
    if "--at-limit" in arguments.values:
        choose_at_limit(arguments.values["--at-limit"])
    # The earlier state is printed only with a change, and only the values of options can change anything.
    before = _request(shell, "status")["state"] if body else None
    if "--new" in arguments.flags:
        body["new"] = True
    print_lines(*display.opened_text(_request(shell, "open", body), before))


def show_status(shell: Any) -> None:
    """Execute ``%governance_status``: show the session's trust level, budget and spending."""
    state = _request(shell, "status")["state"]
    notes = gateway_notes(os.environ)
    _show(shell, "\n".join([*display.status_text(state), *notes]), status_html(state, notes))


def close_session(shell: Any) -> None:
    """Execute ``%governance_disable``: close the session and print its total.

    Without an open session, print that governance is inactive.
    """
    state = _request(shell, "status")["state"]
    if state["active"]:
        print_lines(display.closed_text(_request(shell, "close")["state"]))
    else:
        print_lines(*display.status_text(state))


def show_audit(shell: Any, arguments: Arguments) -> None:
    """Execute ``%governance_audit``: show the notebook's newest audit records."""
    last = fields.whole(arguments.values, "--last", default=10, least=1, most=1_000)
    records = _request(shell, "audit", {"limit": last})["records"]
    _show(shell, display.audit_text(records), audit_html(records))


def _request(shell: Any, op: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    connection = open_connection(shell)
    response = connection.client.request(op, body, cell=current_cell(shell))
    print_took_effect(connection)
    return response


def _show(shell: Any, text: str, html: str) -> None:
    shell.display_pub.publish({"text/plain": text, "text/html": html})
