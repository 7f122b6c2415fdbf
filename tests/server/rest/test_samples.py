"""The sample bodies of the front end's tests match `openapi.yaml`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError

from tests.server.described import check

SAMPLES = Path(__file__).parents[2] / "protocol"
GOOD = [
    ("rest_holds", "valid", "HoldPage"),
    ("rest_holds", "responses", "ResolutionResponse"),
    ("rest_approvals", "valid", "ApprovalPage"),
    ("rest_approvals", "responses", "Approval"),
    ("rest_limit_requests", "valid", "LimitRequests"),
    ("rest_limit_requests", "responses", "DeniedAtLimit"),
    ("rest_reports", "valid", "ReportPage"),
    ("rest_reports", "responses", "Report"),
    ("rest_corrections", "valid", "CorrectionResponse"),
    ("rest_envelopes", "valid", "Envelopes"),
    ("rest_kernels", "valid", "Kernels"),
    ("rest_audit", "pages", "AuditPage"),
    ("rest_audit", "sums", "AuditSums"),
    ("rest_audit", "verifications", "Verification"),
]
BAD = [
    ("rest_holds", "malformed", "HoldPage"),
    ("rest_approvals", "malformed", "ApprovalPage"),
    ("rest_limit_requests", "malformed", "LimitRequests"),
    ("rest_reports", "malformed", "ReportPage"),
    ("rest_corrections", "malformed", "CorrectionResponse"),
    ("rest_envelopes", "malformed", "Envelopes"),
    ("rest_kernels", "malformed", "Kernels"),
    ("rest_audit", "malformed_pages", "AuditPage"),
    ("rest_audit", "malformed_sums", "AuditSums"),
    ("rest_audit", "malformed_verifications", "Verification"),
]


def cases(groups: list[tuple[str, str, str]]) -> list[Any]:
    return [
        pytest.param(schema, body, id=f"{file}-{group}-{name}")
        for file, group, schema in groups
        for name, body in json.loads((SAMPLES / f"{file}.json").read_text("utf-8"))[group].items()
    ]


@pytest.mark.parametrize(("schema", "body"), cases(GOOD))
def test_a_sample_is_as_described(schema: str, body: Any) -> None:
    check(schema, body)


@pytest.mark.parametrize(("schema", "body"), cases(BAD))
def test_a_malformed_sample_is_not(schema: str, body: Any) -> None:
    with pytest.raises(ValidationError):
        check(schema, body)
