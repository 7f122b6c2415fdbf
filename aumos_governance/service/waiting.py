"""The REST requests about items that wait for a user: pending holds, approval requests and reports.

Like `NotebookService`, this module decides nothing: the rules are in the ledger, inside its transactions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from .. import money
from ..errors import InvalidRequestError
from ..ledger.contract.agreements import AcknowledgeReport, Approval, DecideApproval, Report
from ..ledger.contract.audit_facts import AuditEntry
from ..ledger.contract.budgets import HeldCharge
from ..ledger.contract.charges import Correct, Release, Settle
from ..ledger.contract.facts import NotebookKey, Origin
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import AuditQuery, ListApprovals, ListEnvelopes, ListHolds, ListReports, Query
from ..ledger.contract.requests import new_key
from ..wire import fields
from ..wire.bodies import ENVELOPE
from ..wire.fields import shown
from ..wire.operations import OPERATIONS
from ..wire.waiting_bodies import approval_body, cell_body, corrected_body, hold_body, report_body
from .users import User

FoundT = TypeVar("FoundT", HeldCharge, Approval, Report)
_AT_ONCE: Final = 1_000
"""The most records to read at once. Fewer than this have the same event and were made in the same microsecond."""


class Waiting:
    """Executes users' requests about the holds, approval requests and reports of one owner's notebooks.

    Only notebooks below the server's root folder are included: requests about the items of other owners or folders
    fail. In all methods that change something, ``key`` is the request's idempotency key. All methods return response
    bodies and raise the ledger's errors.
    """

    def __init__(self, ledger: Ledger, owner: str, root: str) -> None:
        self._ledger = ledger
        self._owner = owner
        self._root = root

    # ---- lists: each returns one page, oldest first; its ``after`` requests the next page, and is null on the last

    def holds(self, notebook: NotebookKey | None, after: str, limit: int) -> dict[str, Any]:
        """Return a page of the holds that were neither settled nor released, also those whose kernel is gone."""
        return self._page("holds", ListHolds, self._hold_body, notebook, after, limit)

    def approvals(self, notebook: NotebookKey | None, after: str, limit: int) -> dict[str, Any]:
        """Return a page of the approval requests that a user has not decided yet."""
        return self._page("approvals", ListApprovals, self._approval_body, notebook, after, limit)

    def reports(self, notebook: NotebookKey | None, after: str, limit: int) -> dict[str, Any]:
        """Return a page of the reports of actions that no user has acknowledged yet."""
        return self._page("reports", ListReports, self._report_body, notebook, after, limit)

    def envelopes(self, notebook: NotebookKey) -> dict[str, Any]:
        """Return the ceilings around a notebook's open or last session, innermost first.

        Ceilings are limits that sessions share, e.g. of the user or of the server. The session's own budget is left
        out.
        """
        states = self._ledger.read(ListEnvelopes(notebook=notebook))
        return {"envelopes": [ENVELOPE.write(state) for state in states if state.kind != "session"]}

    def _page(
        self,
        name: str,
        query: Callable[..., Query[tuple[FoundT, ...]]],
        to_body: Callable[[FoundT], dict[str, Any]],
        notebook: NotebookKey | None,
        after: str,
        limit: int,
    ) -> dict[str, Any]:
        def read(after: str, limit: int) -> tuple[FoundT, ...]:
            return self._ledger.read(
                query(owner=self._owner, root=self._root, notebook=notebook, after=after, limit=limit)
            )

        bodies = [to_body(found) for found in read(after, limit)]
        last = bodies[-1]["id"] if bodies else ""
        more = len(bodies) == limit and bool(read(last, 1))
        return {name: bodies, "after": last if more else None}

    # ---- the user's decisions

    def settle(self, user: User, hold_id: str, body: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        """Settle a hold whose kernel is gone: charge the amount, in USD, that the user states the call to have cost."""
        if body.get("amount") is None:
            raise InvalidRequestError("A settlement needs an amount in US dollars, for example 0.05; 0 is allowed.")
        request = Settle(
            key=key or new_key(),
            origin=self._origin(user),
            hold_id=_id(hold_id, "hold"),
            amount=money.parse(body["amount"]),
        )
        return OPERATIONS["settle"].response.write(self._ledger.execute(request))

    def release(self, user: User, hold_id: str, key: str | None) -> dict[str, Any]:
        """Release a hold whose kernel is gone: the user states that the call cost nothing."""
        request = Release(key=key or new_key(), origin=self._origin(user), hold_id=_id(hold_id, "hold"))
        return OPERATIONS["release"].response.write(self._ledger.execute(request))

    def decide(self, user: User, approval_id: str, body: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        """Approve or deny an approval request.

        The body has the ``decision``, ``approve`` or ``deny``, and the ``digest`` of the description that the user saw.
        """
        decision = body.get("decision")
        if decision not in ("approve", "deny"):
            raise InvalidRequestError(f"The field decision must be approve or deny, not {shown(decision)}.")
        request = DecideApproval(
            key=key or new_key(),
            origin=self._origin(user),
            approval_id=_id(approval_id, "approval"),
            digest=fields.text(body, "digest", "digest"),
            approve=decision == "approve",
        )
        return self._approval_body(self._ledger.execute(request))

    def acknowledge(self, user: User, report_id: str, key: str | None) -> dict[str, Any]:
        """Mark a report as seen by the user. Acknowledging it again changes nothing."""
        request = AcknowledgeReport(key=key or new_key(), origin=self._origin(user), report_id=_id(report_id, "report"))
        return self._report_body(self._ledger.execute(request))

    def correct(self, user: User, body: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        """Reduce a charge, for example after a refund by the provider.

        The body has the ``charge_id``, the ``amount`` to subtract, in USD and at most the whole charge, and the
        ``reason``, which the audit record states.
        """
        if body.get("amount") is None:
            raise InvalidRequestError(
                "A correction needs the amount to subtract from the charge, in US dollars, for example 0.05."
            )
        request = Correct(
            key=key or new_key(),
            origin=self._origin(user),
            charge_id=fields.text(body, "charge_id", "charge_id"),
            amount=money.parse_positive(body["amount"]),
            reason=fields.text(body, "reason", "reason"),
        )
        return corrected_body(self._ledger.execute(request))

    def _origin(self, user: User) -> Origin:
        return user.origin(within=(self._owner, self._root))

    # ---- bodies, each with the cell that made the request

    def _hold_body(self, hold: HeldCharge) -> dict[str, Any]:
        record = self._record("hold", hold.at, lambda record: record.charge_id == hold.charge_id)
        return hold_body(hold, cell_body(record))

    def _approval_body(self, approval: Approval) -> dict[str, Any]:
        id = approval.approval_id

        def is_it(record: AuditEntry) -> bool:
            return record.detail.get("approval") == id

        # Earlier versions recorded the event as ``ask``.
        record = self._record("approval_requested", approval.asked_at, is_it) or self._record(
            "ask", approval.asked_at, is_it
        )
        return approval_body(approval, cell_body(record))

    def _report_body(self, report: Report) -> dict[str, Any]:
        id = report.report_id
        record = self._record("report", report.at, lambda record: record.detail.get("report") == id)
        return report_body(report, cell_body(record))

    def _record(self, event: str, at: int, is_it: Callable[[AuditEntry], bool]) -> AuditEntry | None:
        # The cell is only in the audit record, which was made in the same transaction as the item and has its time.
        page = self._ledger.read(AuditQuery(event=event, since=at, until=at + 1, limit=_AT_ONCE))
        return next(filter(is_it, page.records), None)


def _id(raw: str, what: str) -> str:
    return fields.text({"id": raw}, "id", f"{what}'s id")
