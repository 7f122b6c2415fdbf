"""The command ``jupyter governance ceiling``: it lists the ceilings that servers share, and changes or lifts one.

A ceiling is a limit on the money of several sessions together, e.g. of a team. It is stored in the ledger, so this
command opens the ledger directly and needs no server.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final

from .. import money
from ..errors import InvalidRequestError, NotFoundError
from ..ledger import open_ledger
from ..ledger.contract.budgets import CeilingState, EnvelopeKind, SetCeiling
from ..ledger.contract.facts import Origin
from ..ledger.contract.queries import ListCeilings
from ..ledger.reading import open_reader
from ..owner import owner
from ..printing import printable
from ..types import BudgetPeriod
from . import output
from .own_terminal import require_own_terminal
from .tables import Column, table

_CEILINGS: Final = (
    Column("CEILING", cut="end"),
    Column("KIND"),
    Column("OF", cut="end"),
    Column("PERIOD"),
    Column("LIMIT", right=True),
    Column("SPENT", right=True),
    Column("HELD", right=True),
    Column("REMAINING", right=True),
)
_KINDS: Final = {"team": EnvelopeKind.TEAM, "owner": EnvelopeKind.OWNER, "user": EnvelopeKind.OWNER}


def ceiling(options: Namespace, url: str) -> None:
    """Print the ceilings in the ledger at ``url``; before, set or lift one if the command line says so.

    ``options.action`` is ``list``, ``set`` or ``lift``. Raises AumOSGovernanceError if the ledger cannot be read or the
    ceiling cannot be changed.
    """
    if options.action != "list":
        require_own_terminal("Ceilings can only be changed")
    # Opened as a reader first, which neither creates nor upgrades a ledger.
    with closing(open_reader(url)) as reader:
        found = reader.read(ListCeilings())
    if options.action != "list":
        _set(options, url, _chosen(options, found))
        with closing(open_reader(url)) as reader:
            found = reader.read(ListCeilings())
    if options.json:
        output.print_json({"ceilings": [_body(state) for state in found]})
    else:
        lines = table(_CEILINGS, [_row(state) for state in found], output.terminal_width()) if found else []
        output.print_lines(lines or ["There are no shared ceilings; envelopes of kind team or user create them."])


def _set(options: Namespace, url: str, states: Sequence[CeilingState]) -> None:
    first = states[0]
    amount = None if options.action == "lift" else money.parse(options.amount, what="ceiling")
    period = BudgetPeriod(options.period) if amount is not None and options.period else None
    before = " and ".join(_text(state) for state in states)
    after = "none" if amount is None else f"{money.display(amount)} {period or first.period or ''}".rstrip()
    of_user = f" of {printable(first.subject)}" if first.subject else ""
    sentence = f"The {first.kind} ceiling {printable(first.name)!r}{of_user}: from {before} to {after}."
    if not options.yes:
        _confirm(sentence)
    with closing(open_ledger(url)) as ledger:
        changed = ledger.execute(
            SetCeiling(
                key="",
                origin=Origin(owner(), person=True),
                encloses=first.kind,
                subject=first.subject,
                name=first.name,
                ceiling=amount,
                period=period,
            )
        )
    output.notify(f"{sentence} {'The change was recorded.' if changed else 'It had this value already.'}")


def _chosen(options: Namespace, found: Sequence[CeilingState]) -> list[CeilingState]:
    """Return the states of the ceiling that the command line names, one for each period for which it is stored.

    Raises NotFoundError if there is no such ceiling, and InvalidRequestError if the name fits several ceilings.
    """
    kind = None if options.kind is None else _KINDS[options.kind]
    matching = [
        state
        for state in found
        if state.name == options.name
        and kind in (None, state.kind)
        and (options.user is None or (state.kind is EnvelopeKind.OWNER and state.subject == options.user))
    ]
    if not matching:
        raise NotFoundError(
            f"There is no shared ceiling {options.name!r}; run jupyter governance ceiling list to see all, which"
            " servers create from their envelopes of kind team or user."
        )
    if len({(state.kind, state.subject) for state in matching}) > 1:
        raise InvalidRequestError(f"Several ceilings are named {options.name!r}; choose one with --kind or --user.")
    return matching


def _confirm(sentence: str) -> None:
    if not sys.stdin.isatty():
        raise InvalidRequestError(f"{sentence} Nothing was changed; confirm it with --yes.")
    output.notify(f"{sentence} The change applies to all servers that use this ledger. Type yes to confirm:")
    if sys.stdin.readline().strip().lower() != "yes":
        raise InvalidRequestError("Nothing was changed, since you did not type yes.")


def _text(state: CeilingState) -> str:
    return "lifted" if state.period is None else f"{money.display(state.balance.limit)} {state.period}"


def _row(state: CeilingState) -> tuple[str, ...]:
    figures = state.balance
    amounts = (figures.limit, figures.spent, figures.held, figures.remaining)
    shown = ("",) * 4 if state.period is None else tuple(map(money.display, amounts))
    return (state.name, state.kind.value, state.subject, str(state.period or "lifted"), *shown)


def _body(state: CeilingState) -> dict[str, Any]:
    figures = state.balance
    amounts = {
        name: None if state.period is None else money.to_text(getattr(figures, name))
        for name in ("limit", "spent", "held", "remaining", "over")
    }
    return {
        "name": state.name,
        "kind": state.kind.value,
        "user": state.subject or None,
        "period": None if state.period is None else state.period.value,
        **amounts,
    }
