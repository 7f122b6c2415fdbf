"""The functions behind the REST routes of notebooks: their governance sessions, kernels and ceilings."""

from __future__ import annotations

from ..identity.notebook_map import Place
from .context import Context
from .parameters import Page
from .route import Body, Request


def state(context: Context, request: Request[str]) -> Body:
    place = context.place(request.query)
    return _as_seen(request, place, context.service.state(place.notebook, shared_with=place.shared_with))


def change(context: Context, request: Request[str]) -> Body:
    place = context.place(request.query)
    changed = context.service.change(request.user, place.notebook, request.body, key=request.key)
    return _as_seen(request, place, changed)


def close(context: Context, request: Request[str]) -> Body:
    place = context.place(request.query)
    return _as_seen(request, place, context.service.close(request.user, place.notebook, key=request.key))


def notebooks(context: Context, request: Request[Page]) -> Body:
    """Return a page of the notebooks that have or had a governance session, in the order of their paths."""
    context.settle()
    page = _states(context, request.query.after, request.query.limit)
    last = page[-1]["path"] if page else ""
    more = len(page) == request.query.limit and _states(context, last, 1)
    return {"notebooks": page, "after": last if more else None}


def kernels(context: Context, request: Request[None]) -> Body:
    return {"kernels": context.kernels()}


def envelopes(context: Context, request: Request[str]) -> Body:
    return context.waiting.envelopes(context.place(request.query).notebook)


def _states(context: Context, after: str, limit: int) -> list[Body]:
    return context.service.states(context.owner, context.root, after=after, limit=limit)


def _as_seen(request: Request[str], place: Place, body: Body) -> Body:
    """Return a state's body with the path that the request names.

    Otherwise the body would have the path of another notebook if the requested one shares that notebook's session.
    """
    return {**body, "path": request.query, "shared_with": place.shared_with}
