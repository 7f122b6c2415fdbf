"""The interface's description, and bodies held against it."""

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
    """Raise ValidationError where the body is not as the schema of this name says."""
    Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": DESCRIPTION["components"]}).validate(
        body
    )
