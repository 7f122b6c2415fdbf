"""The interface's description, held against what the server really answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import aumos_governance.server
from aumos_governance.server.rest import audit_filter, handlers
from aumos_governance.wire.protocol import EVENT_SCHEMA_ID

SERVER = Path(aumos_governance.server.__file__).parent
DESCRIPTION: dict[str, Any] = yaml.safe_load((SERVER / "openapi.yaml").read_text("utf-8"))


def check(schema: str, body: Any) -> None:
    Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": DESCRIPTION["components"]}).validate(
        body
    )


def parameters(path: str, method: str) -> set[str]:
    item = DESCRIPTION["paths"][path]
    listed = [*item.get("parameters", []), *item[method].get("parameters", [])]
    shared = DESCRIPTION["components"]["parameters"]
    resolved = [shared[entry["$ref"].rsplit("/", 1)[1]] if "$ref" in entry else entry for entry in listed]
    return {entry["name"] for entry in resolved if entry["in"] == "query"}


def test_every_route_and_method_is_described(extension: Any) -> None:
    served = {
        f"/{path}": {method.lower() for method in handler.SUPPORTED_METHODS if method.lower() in vars(handler)}
        for path, handler in handlers.HANDLERS.items()
    }
    described = {path: set(item) - {"parameters"} for path, item in DESCRIPTION["paths"].items()}
    assert described == served
    routes = handlers.routes(extension._people, extension._workers, extension._long_reads)
    assert [handler for _, handler, _ in routes] == [*handlers.HANDLERS.values()]
    assert parameters("/audit", "get") == set(audit_filter.PARAMETERS)
    assert parameters("/audit/sums", "get") == set(audit_filter.SUMS_PARAMETERS)
    assert parameters("/audit/export", "get") == set(audit_filter.EXPORT_PARAMETERS)


async def test_the_answers_are_as_described(rest: Any) -> None:
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
    answer = await rest(method, name, body, headers)
    assert answer.status >= 400
    check("Error", answer.body)


def test_the_event_has_the_fields_of_the_state() -> None:
    event = yaml.safe_load((SERVER / "events" / "state-v1.yaml").read_text("utf-8"))
    assert event["$id"] == EVENT_SCHEMA_ID
    state = DESCRIPTION["components"]["schemas"]["State"]
    assert set(event["properties"]) - {"nonce"} == set(state["properties"]) == set(state["required"])
