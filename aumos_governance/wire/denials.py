"""The message of a denial for the user, the same in exceptions, in printed lines and in responses of the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .. import money
from ..printing import printable

SESSION_BUDGET: Final = "session"
"""The ``kind`` of a `Limit` that is a session's budget, which a user raises in the panel or with ``%governance``."""

CODE_BUDGET: Final = "category"
"""The ``kind`` of a `Limit` that is a category's budget, which only code in the notebook sets."""


@dataclass(frozen=True, slots=True)
class Denial:
    """A denied request, with all data for the message to the user; amounts in nano-USD.

    ``code`` is the reason as a stable word, such as ``BUDGET_EXCEEDED``, and ``reasons`` are the ledger's sentences.
    ``tool`` and ``amount`` are what was requested.
    """

    code: str | None
    reasons: Sequence[str]
    tool: str
    amount: int = 0
    remaining: int | None = None
    """The amount that is left of the budget that ``remaining_of`` names; None if it is not known."""
    limit: str | None = None
    """The kind of the limit that forbids the request, as in `Limit.kind`."""
    set_by: str | None = None
    """The user who set the session's budget or level; None if no user did."""
    in_panel: bool = False
    """Whether the user can change the session in JupyterLab's panel; if so, the server may refuse changes by magics."""
    remaining_of: str = SESSION_BUDGET
    """The kind of limit that ``remaining`` belongs to. The message has ``remaining`` only if ``limit`` is this kind."""

    @property
    def reason(self) -> str:
        """The ledger's reason for the denial: the last of ``reasons``, which is about the check that failed."""
        return printable(self.reasons[-1]) if self.reasons else "not allowed"

    def sentence(self, advice: str | None = None) -> str:
        """Return the message: the reason, the requested and remaining amounts, and what the user can do.

        ``advice`` replaces the default advice; with "" the message has no advice.
        """
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
        """Return advice on how to raise the limit that forbids the request."""
        if self.limit == SESSION_BUDGET:
            return self._raised("budget")
        if self.limit == CODE_BUDGET:
            return "raise that budget in the code that sets it"
        return "ask the administrator of that limit to raise it"

    def _raised(self, what: str) -> str:
        """Return the advice to raise ``what``, the session's budget or trust level, in the panel or else by a magic."""
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
