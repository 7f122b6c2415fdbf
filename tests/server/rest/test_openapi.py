"""The server's real responses match `openapi.yaml`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from aumos_governance.server.rest.route import Route
from aumos_governance.server.rest.table import ROUTES
from aumos_governance.wire.protocol import EVENT_SCHEMA_ID
from tests.server.described import DESCRIPTION, SERVER, check

METHODS = {"get", "put", "post", "patch", "delete", "options", "head", "trace"}
"""The methods of a path; its other keys are no methods: https://spec.openapis.org/oas/v3.1.0#path-item-object"""


def parameters(path: str, method: str) -> set[str]:
    item = DESCRIPTION["paths"][path]
    listed = [*item.get("parameters", []), *item[method].get("parameters", [])]
    shared = DESCRIPTION["components"]["parameters"]
    resolved = [shared[entry["$ref"].rsplit("/", 1)[1]] if "$ref" in entry else entry for entry in listed]
    return {entry["name"] for entry in resolved if entry["in"] == "query"}


def fields(path: str, method: str) -> set[str]:
    content = DESCRIPTION["paths"][path][method].get("requestBody", {}).get("content", {})
    schemas = [media["schema"]["$ref"].rsplit("/", 1)[1] for media in content.values()]
    return {name for schema in schemas for name in DESCRIPTION["components"]["schemas"][schema]["properties"]}


def test_every_route_is_described() -> None:
    served = sorted((f"/{route.path}", route.method.lower()) for route in ROUTES)
    assert served == sorted(
        (path, name) for path, item in DESCRIPTION["paths"].items() for name in item if name in METHODS
    )


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_takes_what_is_described(route: Route[Any]) -> None:
    path, method = f"/{route.path}", route.method.lower()
    assert set(route.query.names) == parameters(path, method)
    assert set(route.body) == fields(path, method)


def test_every_route_has_its_line_for_users() -> None:
    page = (Path(__file__).parents[3] / "docs" / "rest.md").read_text("utf-8")
    named = set(re.findall(r"`(?:GET|PATCH|POST|PUT|DELETE) [a-z/{}-]+", page))
    assert {f"`{route.method} {route.path}" for route in ROUTES} <= named


async def test_the_responses_are_as_described(rest: Any) -> None:
    check("State", (await rest("GET", "state", path="a.ipynb")).body)
    change = {"budget": "5", "trust_level": 1, "agent_id": "agent-7"}
    check("Change", change)
    check("State", (await rest("PATCH", "state", change, path="a.ipynb")).body)
    check("State", (await rest("POST", "close", path="a.ipynb")).body)
    notebooks = (await rest("GET", "notebooks")).body
    audit = (await rest("GET", "audit", limit="1")).body
    assert notebooks["notebooks"]
    assert audit["records"]
    assert audit["cursor"]
    check("NotebookPage", notebooks)
    check("AuditPage", audit)
    check("Kernels", (await rest("GET", "kernels")).body)
    check("Config", (await rest("GET", "config")).body)


@pytest.mark.parametrize(
    ("method", "name", "body", "headers"),
    [
        ("GET", "state", None, {}),
        ("GET", "state", None, {"Authorization": ""}),
        ("PATCH", "state", "{", {}),
        ("DELETE", "state", None, {}),
    ],
)
async def test_the_refusals_are_as_described(rest: Any, method: str, name: str, body: Any, headers: Any) -> None:
    response = await rest(method, name, body, headers)
    assert response.status >= 400
    check("Error", response.body)


def test_the_event_has_the_fields_of_the_state() -> None:
    event = yaml.safe_load((SERVER / "events" / "state-v1.yaml").read_text("utf-8"))
    assert event["$id"] == EVENT_SCHEMA_ID
    state = DESCRIPTION["components"]["schemas"]["State"]
    assert set(event["properties"]) - {"nonce"} == set(state["properties"]) == set(state["required"])
