"""The agent of the frameworks' tests: it sends mails at $0.04 each, from a budget of $0.10."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import TracebackType
from typing import Any

from aumos_governance import GovernanceEngine, TrustLevel
from aumos_governance.integrations.tool_guard import ToolGuard
from tests.integrations.endpoint.replies import Reply, ToolCall

CALL = Reply(tool_calls=(ToolCall("send", {"to": "ann", "text": "Hello"}),))
"""The model's response that requests the tool to send a mail."""
FAULTY_CALL = Reply(tool_calls=(ToolCall("send", {"to": "nobody", "text": "Hello"}),))


class Clerk:
    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.shown: list[Mapping[str, Any]] = []
        self.says_yes = True
        self.engine = GovernanceEngine(approver=self._approve)
        self.engine.budget.create_budget("mail", Decimal("0.1"))
        self.engine.trust.set_level("clerk", TrustLevel.L5_AUTONOMOUS)
        self.guard = ToolGuard(engine=self.engine, agent_id="clerk", budget_category="mail", cost="0.04")

    def level(self, level: TrustLevel) -> None:
        self.engine.trust.set_level("clerk", level)

    @property
    def spent(self) -> Decimal:
        return self.engine.budget.balance("mail").spent

    @property
    def held(self) -> Decimal:
        return self.engine.budget.balance("mail").held

    def send(self, to: str, text: str) -> str:
        """Send a mail."""
        if to == "nobody":
            raise ValueError("nobody has no address")
        self.sent.append((to, text))
        return "sent"

    def _approve(self, shown: Mapping[str, Any]) -> bool:
        self.shown.append(shown)
        return self.says_yes

    def __enter__(self) -> Clerk:  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.engine.close()
