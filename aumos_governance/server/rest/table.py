"""All routes of the REST interface under ``aumos-governance/v1/``, which `openapi.yaml` describes.

A user needs the permission to ``read`` the resource ``aumos-governance`` for a GET, and to ``write`` it for all other
methods. On a JupyterHub, these others also need a user who logged in with a browser. ``needs`` of a route names a
further permission. A success has status 200, and each error the status that `http_errors` returns. `RestHandler`
enforces this for every route.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any, Final

from ...gateway.key_requests import KEY_FIELDS
from . import audit, keys, sessions, waiting
from .audit_filter import is_search
from .configuration import config
from .context import Context
from .examples import example
from .handler import RestHandler
from .parameters import ANY_NOTEBOOK, NONE, NOTEBOOK, NOTEBOOK_PAGE, PAGE
from .route import Route

PREFIX: Final = "aumos-governance/v1/"

# fmt: off
ROUTES: tuple[Route[Any], ...] = (
    # method,      path                        query          function, and the fields of the body
    Route("GET",   "state",                    NOTEBOOK,      sessions.state),
    Route("PATCH", "state",                    NOTEBOOK,      sessions.change, ("budget", "trust_level", "agent_id")),
    Route("POST",  "close",                    NOTEBOOK,      sessions.close),
    Route("GET",   "envelopes",                NOTEBOOK,      sessions.envelopes),
    Route("GET",   "notebooks",                PAGE,          sessions.notebooks),
    Route("GET",   "kernels",                  NONE,          sessions.kernels),
    Route("GET",   "config",                   NONE,          config),
    Route("GET",   "holds",                    NOTEBOOK_PAGE, waiting.holds),
    Route("POST",  "holds/{id}/settle",        NONE,          waiting.settle, ("amount",)),
    Route("POST",  "holds/{id}/release",       NONE,          waiting.release),
    Route("GET",   "approvals",                NOTEBOOK_PAGE, waiting.approvals),
    Route("POST",  "approvals/{id}",           NONE,          waiting.decide, ("decision", "digest")),
    Route("GET",   "limit-requests",           ANY_NOTEBOOK,  waiting.limit_requests),
    Route("POST",  "limit-requests/{id}/deny", NONE,          waiting.deny_at_limit),
    Route("GET",   "reports",                  NOTEBOOK_PAGE, waiting.reports),
    Route("POST",  "reports/{id}/acknowledge", NONE,          waiting.acknowledge),
    Route("POST",  "corrections",              NONE,          waiting.correct, ("charge_id", "amount", "reason")),
    Route("GET",   "keys",                     ANY_NOTEBOOK,  keys.keys),
    Route("POST",  "keys",                     NONE,          keys.create, KEY_FIELDS),
    Route("PATCH", "keys/{id}",                NONE,          keys.bind, ("path",)),
    Route("DELETE", "keys/{id}",               NONE,          keys.revoke),
    Route("POST",  "stop",                     NOTEBOOK,      keys.stop),
    Route("GET",   "audit",                    audit.RECORDS, audit.records, long=is_search),
    Route("GET",   "audit/sums",               audit.SUMS,    audit.sums, long=True),
    Route("GET",   "audit/verify",             audit.CHAIN,   audit.verify, long=True),
    Route("GET",   "audit/export",             audit.EXPORT,  audit.export, long=True),
    Route("POST",  "examples/{id}",            NONE,          example, ("folder",), needs=("write", "contents")),
)
# fmt: on


def handlers(
    context: Context, workers: Executor, long_reads: Executor
) -> list[tuple[str, type[RestHandler], dict[str, Any]]]:
    """Return the tornado handlers to add to the server: one for each path, with its routes.

    ``workers`` executes the functions of the routes, and ``long_reads`` those that may read the whole audit record.
    """
    by_path: dict[str, dict[str, Route[Any]]] = {}
    for route in ROUTES:
        by_path.setdefault(route.path, {})[route.method] = route
    parts = {"context": context, "workers": workers, "long_reads": long_reads}
    return [
        (PREFIX + path.replace("{id}", "(?P<id>[^/]+)"), RestHandler, {"routes": routes, **parts})
        for path, routes in by_path.items()
    ]
