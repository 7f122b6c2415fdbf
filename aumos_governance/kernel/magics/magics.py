"""Defines the magics. Each parses its line and calls a function of another module that does the work.

That module is imported only when a magic is first used, so that loading the extension does not delay a kernel's start.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

from ..governed.governed_cells import MAGIC
from ..text.arguments import Arguments, Flag, Signature, Valued

if TYPE_CHECKING:
    from .spending import SpendDecision

_OPEN: Final = Signature(
    "governance",
    (
        *(Valued("--trust-level", "0-5"), Valued("--budget", "USD"), Valued("--agent", "ID")),
        *(Valued("--at-limit", "ask|deny"), Flag("--new")),
    ),
)
_SPEND: Final = Signature(
    "governance_spend", (Valued("--tool", "NAME"), Flag("--already-paid"), Flag("--no-raise")), "AMOUNT"
)
_STATUS: Final = Signature("governance_status")
_DISABLE: Final = Signature("governance_disable")
_AUDIT: Final = Signature("governance_audit", (Valued("--last", "N"),))
_GOVERNED: Final = Signature(
    "%governed",
    (
        Valued("--tool", "NAME"),
        Valued("--cost", "USD"),
        Valued("--requires", "L0-L5"),
        Valued("--agent", "ID"),
        Valued("--timeout", "SECONDS"),
    ),
)
_FRAMES_TO_CELL: Final = 2
"""The number of stack frames from a magic's method up to the code of the cell that runs it. IPython's
``run_line_magic`` is between them."""


@magics_class
class GovernanceMagics(Magics):
    """The magics that govern this notebook, as ``%load_ext aumos_governance`` registers them."""

    @classmethod
    def unregister(cls, shell: Any) -> None:
        """Remove the magics from ``shell``."""
        manager = shell.magics_manager
        for signature in (_OPEN, _SPEND, _STATUS, _DISABLE, _AUDIT):
            manager.magics["line"].pop(signature.magic, None)
        for kind in ("line", "cell"):
            manager.magics[kind].pop(MAGIC, None)
        manager.registry.pop(cls.__name__, None)

    @no_var_expand
    @line_magic
    def governance(self, line: str) -> None:
        """Govern this notebook: open a session, resume the open one, or change it.

            %governance [--trust-level 0-5] [--budget USD] [--agent ID] [--at-limit ask|deny] [--new]

        Without an open session, one is opened with these values; options that are left out have the server's
        defaults (trust level 2 and budget $10.00 unless configured otherwise). An open session with the same values
        is resumed with its spending so far; other values change the session, and the change is recorded.

        --trust-level  0 Observer, 1 Monitor, 2 Suggest, 3 Act (Approval Required), 4 Act (Report After), 5 Autonomous
        --budget       the most this session may spend, in US dollars
        --agent        the agent's name, shown in the audit record
        --at-limit     what happens to a call above the limit: with ask it waits, and you raise the limit in the
                       governance panel or deny it; with deny it fails at once. The choice holds until the kernel
                       ends; the default is the server's setting. Without a governed server the call fails at once
        --new          close the open session and open a new one at $0.00 spent

        A trust level or budget that a user set in the governance panel can only be lowered from a notebook.

        Examples::

            %governance --trust-level 2 --budget 10.0
            %governance --budget {my_budget} --agent research-bot
            %governance --new
        """
        self._commands().open_session(self.shell, self._read(_OPEN, line))

    @no_var_expand
    @line_magic
    def governance_status(self, line: str) -> None:
        """Show the trust level, the budget, and the amounts spent and left: ``%governance_status``."""
        self._read(_STATUS, line)
        self._commands().show_status(self.shell)

    @no_var_expand
    @line_magic
    def governance_spend(self, line: str) -> SpendDecision:
        """Decide and record a spend before the call that costs it.

            %governance_spend AMOUNT [--tool NAME] [--already-paid] [--no-raise]

        A spend that is allowed is recorded at once. A denied spend raises GovernanceDeniedError, which stops this cell
        and Run All before the paid call is reached, and nothing is charged.

        AMOUNT          US dollars, more than 0, with at most 9 decimals; {variable} and $variable work
        --tool          what the amount pays for, for example a model's name
        --already-paid  the amount is paid already: record it in full, and raise an error if it exceeds a limit
        --no-raise      print a denial instead of raising an error

        The magic returns the decision, which is true if the spend is allowed::

            %governance_spend 0.05 --tool gpt-4o

            decision = %governance_spend {cost} --tool gpt-4o --no-raise
            if decision:
                call_the_model()
        """
        from . import spending

        decision = spending.spend(self.shell, self._read(_SPEND, line))
        quiet_value(self.shell, decision, depth=_FRAMES_TO_CELL)
        return decision

    @no_var_expand
    @line_magic
    def governance_disable(self, line: str) -> None:
        """Close this notebook's session and print its total; its audit records stay.

            %governance_disable

        Governed calls are denied until %governance opens a new session at $0.00 spent.
        """
        self._read(_DISABLE, line)
        self._commands().close_session(self.shell)

    @no_var_expand
    @line_magic
    def governance_audit(self, line: str) -> None:
        """Show the newest audit records of this notebook, oldest first.

            %governance_audit [--last N]

        --last  the number of records, 10 by default
        """
        self._commands().show_audit(self.shell, self._read(_AUDIT, line))

    @no_var_expand
    @line_cell_magic
    def governed(self, line: str, cell: str | None = None) -> None:
        """Govern a cell that acts on the world, such as a deployment: the trust level decides whether and how it runs.

            %%governed [--tool NAME] [--cost USD] [--requires L0-L5] [--agent ID] [--timeout SECONDS]

        The code below this line runs as in any other cell: it may await, use other magics and show the value of its
        last line. The session's trust level decides:

        L0       the cell is denied
        L1, L2   the cell does not run; its code and cost are shown as a suggestion
        L3       the cell waits until a user approves exactly this code, tool and cost: in JupyterLab under the cell
                 or in the governance panel; without a governed server at the kernel's own prompt; if there is no
                 prompt either, the cell is denied at once
        L4       the cell runs, and the panel shows a report for a user to acknowledge
        L5       the cell runs, and is recorded

        A cell that is not run raises GovernanceDeniedError, which stops Run All. The cost is held before the cell
        runs, charged when it has run or is interrupted, and released when it raises an exception. Interrupting the
        kernel while the cell waits withdraws the approval request.

        --tool      the tool's name in the approval request and the audit record, "cell" by default
        --cost      the cost in US dollars, 0 by default; {variable} and $variable work
        --requires  the trust level that the cell needs, L3 by default
        --agent     the agent's name, by default the session's agent
        --timeout   the seconds that a user has to decide, by default the server's setting; then the cell is denied

        Examples::

            %%governed --tool deploy --cost 0.05 --requires L3
            deploy("production")

            %%governed --tool mail --timeout 60
            await send(letter)
        """
        if cell is None:
            from ..governed import governed

            governed.begin(self.shell, self._read(_GOVERNED, line), line)
            return
        # A script called the magic, so that `GovernedCells` has not transformed this cell yet.
        shell: Any = self.shell
        shell.run_cell(f"%%{MAGIC} {line}\n{cell}").raise_error()

    def _read(self, signature: Signature, line: str) -> Arguments:
        if "$" in line or "{" in line:
            from .variables import expand

            # The magic that calls this method is one frame more.
            line = expand(self.shell, line, depth=_FRAMES_TO_CELL + 1)
        return signature.parse(line)

    @staticmethod
    def _commands() -> ModuleType:
        from . import commands

        return commands


_STATEMENT: Final = "<module>"
_BARE: Final = frozenset({"get_ipython", "run_line_magic"})
"""The names that the compiled code uses if a statement is nothing but one line magic."""


class _QuietHook:
    """A display hook that does not display the decision that a bare ``%governance_spend`` returns.

    All other values are passed to ``hook``, the display hook before it. IPython sets its own hook again at the end of
    each cell, which removes this one.
    """

    def __init__(self, hook: Callable[[object], Any]) -> None:
        self._hook = hook
        self._of_thread = threading.local()

    def skip(self, value: object, statement: CodeType, around: frozenset[CodeType]) -> None:
        """Do not display ``value`` if it is the value of ``statement``, or of one of the statements ``around`` it."""
        self._of_thread.last = (value, statement, around)

    def __call__(self, value: object) -> Any:
        last = getattr(self._of_thread, "last", None)
        # IPython compiles each statement of a cell separately. The value of `%magic` is displayed by the code that ran
        # the magic; with `d = %magic` and then `d` another code object displays it, and the user wants to see it.
        if last is not None and value is last[0]:
            shows = sys._getframe(1).f_code
            if shows is last[1] or shows in last[2]:
                return None
        return self._hook(value)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hook, name)


def quiet_value(shell: Any, value: object, *, depth: int) -> None:
    """Suppress the ``Out[n]`` of ``value``, which a magic returns, if the statement that ran the magic displays it.

    That statement is ``depth`` frames above the caller. ``value`` is also suppressed if another magic, such as
    ``%%time``, runs the statement and returns its value.
    """
    trap = shell.display_trap
    # IPython 8, the newest for Python 3.10, has no public attribute for this.
    if not (trap.is_active if hasattr(trap, "is_active") else trap._nested_level):
        # No cell is running, so nothing will be displayed, and this hook would not be removed.
        return
    hook = sys.displayhook
    if not isinstance(hook, _QuietHook):
        # This is IPython's own hook, or the hook of `%%capture`, which restores the earlier hook itself.
        hook = sys.displayhook = _QuietHook(hook)
    frame = sys._getframe(depth + 1)
    hook.skip(value, frame.f_code, _around(frame))


def _around(frame: FrameType) -> frozenset[CodeType]:
    """Return the code of the outer statements that run the statement of ``frame``, for example a ``%time`` around it.

    Returns none unless that statement is nothing but a line magic.
    """
    code = frame.f_code
    if code.co_name != _STATEMENT or not _BARE.issuperset(code.co_names):
        return frozenset()
    found, outer = [], frame.f_back
    while outer is not None:
        if outer.f_code.co_name == _STATEMENT:
            found.append(outer.f_code)
        outer = outer.f_back
    return frozenset(found)
