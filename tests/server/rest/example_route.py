"""The example of the recipe "An endpoint of the REST API" in `docs/developing.md`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aumos_governance import money
from aumos_governance.server.rest.context import Context
from aumos_governance.server.rest.route import Body, Parameters, Request, Route


def _least(parameters: Mapping[str, str], _: Any) -> int:
    return money.parse(parameters.get("least", "0"))


def spenders(context: Context, request: Request[int]) -> Body:
    """Return the paths of the notebooks whose sessions have spent at least this number of US dollars."""
    context.settle()
    states = context.service.states(context.owner, context.root)
    return {"paths": [state["path"] for state in states if money.parse(state["spent"]) >= request.query]}


EXAMPLE = Route("GET", "spenders", Parameters(("least",), _least), spenders)
