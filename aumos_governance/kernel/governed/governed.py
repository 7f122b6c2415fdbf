"""The magic ``%%governed``: requests a decision before the cell runs, and settles the cell's cost when it has ended."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from ... import money
from ...authority.authorization import Grant
from ...engine import GovernanceAction
from ...errors import AumOSGovernanceError, GovernanceDeniedError, InvalidRequestError
from ...types import TrustLevel
from ...wire.fields import MAX_TEXT
from ..text.action_text import recorded_text, suggestion_html, suggestion_lines
from ..text.arguments import Arguments
from . import running_cells
from .governed_cells import governed_code

_LONGEST_WAIT: Final = 7 * 24 * 3600


def begin(shell: Any, arguments: Arguments, options: str) -> None:
    """Request the decision on the cell that begins with ``%%governed``; return only if its code may run.

    ``options`` is the text after ``%%governed``, and ``arguments`` are parsed from it. Raises GovernanceDeniedError if
    the cell may not run, and InvalidRequestError if an option is not valid.
    """
    cell = running_cells.current()
    code = None if cell is None else governed_code(cell.text, options)
    if cell is None or code is None:
        raise InvalidRequestError(
            "%governed governs a whole cell: write %%governed on its first line, and run it as a cell; nothing was run."
        )
    cost = _cost(arguments)
    shown = {
        "tool": _text(arguments, "--tool") or "cell",
        "cost": money.to_text(money.parse(cost)),
        "code": code,
    }
    action = GovernanceAction(
        agent_id=_text(arguments, "--agent") or "",
        required_trust_level=_level(arguments),
        budget_amount=cost,
        action_type=shown["tool"],
        kind="act",
        shown=shown,
    )
    grant: Grant | None = None
    try:
        grant = _granted(shell, action, shown, _seconds(arguments))
        cell.endings.append(_Settling(shell, grant, shown, cost))
    except BaseException:
        # An interrupt came before `_Settling` was registered, so the grant is released here; the cell does not run.
        if grant is not None and not any(getattr(ending, "grant", None) is grant for ending in cell.endings):
            grant.release()
        raise


def _granted(shell: Any, action: GovernanceAction, shown: Mapping[str, str], seconds: float | None) -> Grant:
    from ..engine.notebook_engine import notebook_engine

    try:
        grant: Grant = notebook_engine().begin(action, timeout=seconds)
    except GovernanceDeniedError as error:
        if error.denial_code == "SUGGESTED":
            shell.display_pub.publish(
                {"text/plain": "\n".join(suggestion_lines(shown)), "text/html": suggestion_html(shown)}
            )
        raise
    except KeyboardInterrupt as error:
        # IPython shows only the exception's name, since the frames of this package mean nothing to the user.
        error._render_traceback_ = lambda: ["KeyboardInterrupt"]  # type: ignore[attr-defined]
        raise
    return grant


class _Settling:
    """Ends a governed cell's grant when the cell has ended, and prints the charge.

    The cost is charged if the cell succeeded or was interrupted, and released if it raised an exception.
    """

    def __init__(self, shell: Any, grant: Grant, shown: Mapping[str, str], cost: Decimal) -> None:
        self._shell = shell
        self.grant = grant
        self._shown = shown
        self._cost = cost

    def __call__(self, raised: BaseException | None) -> None:
        grant: Any = self.grant
        if raised is None:
            ended = "done"
            settlement = grant.settle(self._cost)
        elif isinstance(raised, Exception):
            ended = "failed"
            grant.result = f"failed: {type(raised).__name__}"
            settlement = grant.release()
        else:
            ended = "interrupted"
            grant.result = ended
            settlement = grant.settle(self._cost, estimated=True)
        spent = money.to_text(money.parse(settlement.spent))
        reported = getattr(grant, "report_id", None) is not None
        remaining = self._remaining() if self._cost else None
        line = recorded_text(self._shown, spent, ended, remaining, reported=reported)
        if line is not None:
            sys.stdout.write(f"{line}\n")

    def _remaining(self) -> str | None:
        from ..requests.connection import connect

        try:
            state: Mapping[str, Any] = connect(self._shell).client.request("status")["state"]
        except AumOSGovernanceError:
            # The cost is settled, and the remaining budget is only shown for information.
            return None
        remaining: str | None = state["remaining"]
        return remaining


def _cost(arguments: Arguments) -> Decimal:
    return money.to_decimal(money.parse(arguments.values.get("--cost", "0"), what="cost"))


def _level(arguments: Arguments) -> TrustLevel:
    raw = arguments.values.get("--requires", "L3")
    digits = raw.upper().removeprefix("L")
    if len(digits) == 1 and digits in "012345":
        return TrustLevel(int(digits))
    raise InvalidRequestError(f"--requires must be a trust level from L0 to L5, not {raw[:40]!r}.")


def _seconds(arguments: Arguments) -> float | None:
    raw = arguments.values.get("--timeout")
    if raw is None:
        return None
    try:
        seconds = float(raw)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST_WAIT:
        raise InvalidRequestError(
            f"--timeout must be the seconds that a user has to decide, a number above 0 and at most {_LONGEST_WAIT},"
            f" not {raw[:40]!r}."
        )
    return seconds


def _text(arguments: Arguments, option: str) -> str | None:
    value = arguments.values.get(option)
    if value is not None and (not value.strip() or len(value) > MAX_TEXT):
        raise InvalidRequestError(f"{option} must be a name of 1 to {MAX_TEXT} characters, not {value[:40]!r}.")
    return value
