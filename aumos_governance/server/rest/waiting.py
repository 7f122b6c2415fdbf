"""The functions behind the REST routes of all that waits for a user, and of corrections.

Holds, approval requests, calls at a limit on money and reports wait for a user.
"""

from __future__ import annotations

from ...ledger.contract.facts import NotebookKey
from .context import Context
from .parameters import Page
from .route import Body, Request


def holds(context: Context, request: Request[Page]) -> Body:
    return context.waiting.holds(*_page(context, request.query))


def settle(context: Context, request: Request[None]) -> Body:
    return context.waiting.settle(request.user, request.id, request.body, request.key)


def release(context: Context, request: Request[None]) -> Body:
    return context.waiting.release(request.user, request.id, request.key)


def approvals(context: Context, request: Request[Page]) -> Body:
    return context.waiting.approvals(*_page(context, request.query))


def decide(context: Context, request: Request[None]) -> Body:
    return context.waiting.decide(request.user, request.id, request.body, request.key)


def limit_requests(context: Context, request: Request[str | None]) -> Body:
    context.settle()
    path = request.query
    return context.limit_requests.waiting(None if path is None else context.key(path))


def deny_at_limit(context: Context, request: Request[None]) -> Body:
    return context.limit_requests.deny(request.user, request.id, request.key)


def reports(context: Context, request: Request[Page]) -> Body:
    return context.waiting.reports(*_page(context, request.query))


def acknowledge(context: Context, request: Request[None]) -> Body:
    return context.waiting.acknowledge(request.user, request.id, request.key)


def correct(context: Context, request: Request[None]) -> Body:
    return context.waiting.correct(request.user, request.body, request.key)


def _page(context: Context, page: Page) -> tuple[NotebookKey | None, str, int]:
    context.settle()
    return None if page.path is None else context.key(page.path), page.after, page.limit
