"""Validation of response bodies by the schemas in `openapi.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator

import aumos_governance.server

__all__ = ["DESCRIPTION", "SERVER", "check"]

SERVER: Final = Path(aumos_governance.server.__file__).parent
DESCRIPTION: Final[dict[str, Any]] = yaml.safe_load((SERVER / "openapi.yaml").read_text("utf-8"))


def check(schema: str, body: Any) -> None:
    """Raise ValidationError unless the body matches the schema of this name."""
    Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": DESCRIPTION["components"]}).validate(
        body
    )
