"""The functions behind the REST routes that list, issue, bind and revoke the gateway's keys, and that stop a notebook.

To bind a key is to choose the notebook that its calls are charged to. To stop a notebook ends its calls and revokes its
keys.
"""

from __future__ import annotations

from .context import Context
from .route import Body, Request


def keys(context: Context, request: Request[str | None]) -> Body:
    if not context.has_gateway:
        return {"enabled": False, "keys": []}
    context.settle()
    return context.keys.list(request.query)


def create(context: Context, request: Request[None]) -> Body:
    context.settle()
    return context.keys.create(request.user, request.body, request.key)


def bind(context: Context, request: Request[None]) -> Body:
    context.settle()
    return context.keys.bind(request.user, request.id, request.body, request.key)


def revoke(context: Context, request: Request[None]) -> Body:
    return context.keys.revoke(request.user, request.id, request.key)


def stop(context: Context, request: Request[str]) -> Body:
    context.settle()
    return context.keys.stop(request.user, request.query, request.key)
