"""The extension, with a gateway's environment that a test can know in advance and no gateway behind it."""

from __future__ import annotations

from typing import Any

from aumos_governance.gateway.process_environment import ProcessEnvironment
from aumos_governance.server.extension import GovernanceExtension

ADDRESS = "http://127.0.0.1:1/llm/openai/v1"
OTHERS = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID")


class KeyedExtension(GovernanceExtension):
    def _process_environment(self) -> ProcessEnvironment:
        return ProcessEnvironment(
            lambda secret: {"OPENAI_API_KEY": secret, "OPENAI_BASE_URL": ADDRESS}, frozenset(OTHERS)
        )


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": __name__, "app": KeyedExtension}]
