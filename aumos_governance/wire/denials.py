"""The sentence of a denial, the same wherever it is raised or shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .. import money
from ..printing import printable

__all__ = ["CODE_BUDGET", "SESSION_BUDGET", "Denial", "printable"]

SESSION_BUDGET: Final = "session"
"""The kind of limit that is the session's budget: a user raises it in the panel or with ``%governance``."""

CODE_BUDGET: Final = "category"
"""The kind of limit that is the budget of a category: only code that runs in the notebook sets it."""


@dataclass(frozen=True, slots=True)
class Denial:
    """A denied request: the amount, the tool and the reasons; amounts in nano-USD."""

    code: str | None
    reasons: Sequence[str]
    tool: str
    amount: int = 0
    remaining: int | None = None
    """What is left of the budget that ``remaining_of`` names."""
    limit: str | None = None
    """The kind of limit that binds, as `Limit.kind` names it."""
    set_by: str | None = None
    """Who set the session's budget or level, where that was a user."""
    in_panel: bool = False
    """Whether the user can change the session in JupyterLab's panel; there a command may be refused."""
    remaining_of: str = SESSION_BUDGET
    """The kind of limit of which ``remaining`` is left: it is stated where that limit binds."""

    @property
    def reason(self) -> str:
        """The ledger's reason; of several checks the one that failed."""
        return printable(self.reasons[-1]) if self.reasons else "not allowed"

    def sentence(self, advice: str | None = None) -> str:
        """The reason, the amount requested, what is left, and what the user can do (``advice`` where it is given)."""
        parts = [f"DENIED: {self.reason}"]
        if self.code == "BUDGET_EXCEEDED":
            parts.append(self._requested())
        if advice is None:
            advice = self._advice()
        if advice:
            parts.append(advice)
        return "; ".join(parts) + "."

    def _requested(self) -> str:
        requested = f"{money.display(self.amount)} for {printable(self.tool)} was requested"
        if self.remaining is None or self.limit != self.remaining_of:
            return requested
        return f"{requested} and {money.display(self.remaining)} is left"

    def _advice(self) -> str | None:
        if self.code == "BUDGET_EXCEEDED":
            return self._more_money() + ", or lower the request"
        if self.code == "TRUST_LEVEL_INSUFFICIENT":
            return self._raised("trust level")
        if self.code == "SUGGESTED":
            return f"do it yourself, or {self._raised('trust level')}"
        return _ADVICE.get(self.code or "")

    def _more_money(self) -> str:
        """How the limit that binds can be raised."""
        if self.limit == SESSION_BUDGET:
            return self._raised("budget")
        if self.limit == CODE_BUDGET:
            return "raise that budget in the code that sets it"
        return "ask the administrator of that limit to raise it"

    def _raised(self, what: str) -> str:
        """How the user can raise it here. What a user set in the panel, only the panel raises."""
        if not self.in_panel:
            option = "--budget" if what == "budget" else "--trust-level"
            return f"raise the {what} with %governance {option}"
        by = "" if self.set_by is None else f", which {printable(self.set_by)} set,"
        return f"raise the {what}{by} in the Governance panel"


_ADVICE: Final = {
    "APPROVAL_REQUIRED": "no user can be reached here: run it where a user can approve it, in JupyterLab with"
    " governance enabled or at a prompt",
    "APPROVAL_TIMEOUT": "run the cell again to request approval again",
    "APPROVAL_WITHDRAWN": "run the cell again to request approval again",
}
