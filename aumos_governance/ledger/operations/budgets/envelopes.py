"""The operations that set a category's budget within a session, and apply the ceilings of a server's configuration."""

from __future__ import annotations

import json
from operator import attrgetter
from typing import Any

from .... import money
from ....errors import (
    BudgetNotFoundError,
    ConfigurationError,
    ConflictError,
    InvalidAmountError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
)
from ....types import BudgetPeriod
from ...contract.budgets import BudgetState, ConfigureEnvelopes, EnvelopeSpec, EnvelopeState, SetBudget
from ...contract.facts import Balance, Origin
from ...contract.queries import ListBudgets, ListEnvelopes
from ...rules.chain import LEDGER_CHAIN, dumps
from ...rules.files import lies_in
from ...transaction.rows import BalanceRow, ConfigurationRow, EnvelopeRow, NotebookRow, SessionRow
from ...transaction.selections import BUDGETS_OF_SESSION, OPEN_SESSIONS_OF_OWNER
from ...transaction.work import Work, record
from ..balances import balances_of, category_id, enclosing_ids, open_session_of, period_start
from ..reach import newest_session
from ..registry import operation, reader
from .ceilings import share, shared_detail
from .enclosures import ORDER, enclose


@operation(ConfigureEnvelopes)
def configure(work: Work, request: ConfigureEnvelopes) -> bool:
    """Execute `ConfigureEnvelopes`: store a server's configured ceilings, and put them around its open sessions.

    Returns whether anything changed.
    """
    owner, root = request.owner, request.root
    specs = sorted(request.envelopes, key=lambda spec: ORDER[spec.encloses.value])
    _check(specs)
    text = dumps([[spec.name, spec.ceiling, spec.encloses.value, spec.period.value] for spec in specs])
    sessions = work.select(OPEN_SESSIONS_OF_OWNER, owner)
    row = work.find(ConfigurationRow, owner, root)
    stored = "[]" if row is None else row.envelopes
    if row is None:
        # A row without ceilings is stored as well, so that a request that opens a session and a request of another
        # process that adds the first ceiling lock the same row.
        work.add(ConfigurationRow(owner, root, text))
    elif text != stored:
        row.envelopes = text
        work.save(row)
    before = json.loads(stored)
    changed = share(work, owner, specs) or text != stored
    around, elsewhere = {}, {}
    for session in sessions:
        notebook = work.get(NotebookRow, session.notebook_id)
        # Shared ceilings also enclose the owner's sessions under other roots.
        inside = text != stored and lies_in(notebook, owner, root)
        moved = enclose(work, notebook, session, root if inside else None, before if inside else ())
        if moved:
            work.save(session)
        if inside:
            around[session.id] = session.outer_envelopes
        elif moved:
            elsewhere[session.id] = session.outer_envelopes
    if not changed and not elsewhere:
        return False
    detail = {
        "owner": owner,
        "root": root,
        "from": _readable(before),
        "to": _readable(json.loads(text)),
        # By id of each open session, the ceilings around it from now on.
        "around": around,
        **({"elsewhere": elsewhere} if elsewhere else {}),
        # The shared ceilings that apply, which may differ from this server's configuration.
        "shared": shared_detail(work, owner),
    }
    record(work, LEDGER_CHAIN, None, request.origin, "configure", detail=detail)
    return True


@operation(SetBudget)
def set_budget(work: Work, request: SetBudget) -> BudgetState:
    """Execute `SetBudget`: create or change a category's budget within the notebook's open session."""
    if not request.category:
        raise InvalidRequestError("A budget's category must be a non-empty string.")
    if type(request.ceiling) is not int or not 0 <= request.ceiling <= money.MAX_NANO:
        raise InvalidAmountError("A budget must be a whole number of nano-dollars, from 0 to 1000000000 US dollars.")
    notebook = work.notebook(request.notebook)
    session = open_session_of(work, notebook)
    if notebook is None or session is None:
        raise NotFoundError("A budget needs an open governance session; start it with %governance.")
    id = category_id(session.id, request.category)
    envelope = work.find(EnvelopeRow, id)
    if envelope is None:
        if not request.create:
            raise BudgetNotFoundError(request.category)
        period = BudgetPeriod(request.period).value
        envelope = work.add(EnvelopeRow(id, "category", request.category, period, request.ceiling, session.id))
        _record(work, notebook, session, envelope, None, request.origin)
        return budget_state(envelope, work.balance(id, period_start(period, work.now)), created=True)
    same_period = not request.create or envelope.period == request.period
    if request.create and (envelope.ceiling != request.ceiling or not same_period):
        raise ConflictError(
            f"There is a {envelope.period} budget {request.category!r} of {money.display(envelope.ceiling)} already;"
            f" change it with set_limit({request.category!r}, limit)."
        )
    before, changed = envelope.ceiling, envelope.ceiling != request.ceiling
    if request.tighten_only and request.ceiling > before:
        raise NotAllowedError(
            f"This server is strict: from the notebook the budget {request.category!r} cannot be raised above its"
            f" present {money.display(before)}."
        )
    if changed:
        envelope.ceiling = request.ceiling
        work.save(envelope)
        _record(work, notebook, session, envelope, before, request.origin)
    balance = work.balance(id, period_start(envelope.period, work.now))
    return budget_state(envelope, balance, changed=changed)


def budget_state(
    envelope: EnvelopeRow, balance: BalanceRow, *, created: bool = False, changed: bool = False
) -> BudgetState:
    """Return the state of one named budget of a realm, which is stored as an envelope, as responses contain it.

    ``balance`` is the envelope's balance in the current period. ``created`` and ``changed`` state whether the request
    that is responded to has created the budget or changed its limit.
    """
    return BudgetState(
        envelope.name,
        BudgetPeriod(envelope.period),
        balance.period_start,
        Balance(envelope.ceiling, balance.spent, balance.held),
        balance.charges,
        created,
        changed,
    )


def _check(specs: list[EnvelopeSpec]) -> None:
    names = [spec.name for spec in specs]
    for spec in specs:
        if not spec.name or names.count(spec.name) > 1:
            raise ConfigurationError(f"Each envelope needs a name of its own; {spec.name!r} is empty or used twice.")
        if type(spec.ceiling) is not int or not 0 <= spec.ceiling <= money.MAX_NANO:
            raise ConfigurationError(f"The ceiling of envelope {spec.name!r} must be from 0 to 1000000000 US dollars.")


def _readable(specs: list[list[Any]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "ceiling": money.to_text(ceiling), "encloses": kind, "period": period}
        for name, ceiling, kind, period in specs
    ]


def _record(
    work: Work, notebook: NotebookRow, session: SessionRow, envelope: EnvelopeRow, before: int | None, origin: Origin
) -> None:
    detail = {
        "category": envelope.name,
        "period": envelope.period,
        "from": None if before is None else money.to_text(before),
        "to": money.to_text(envelope.ceiling),
    }
    record(work, session.id, notebook, origin, "budget", agent_id=session.agent_id, detail=detail)


@reader(ListEnvelopes)
def list_envelopes(work: Work, query: ListEnvelopes) -> tuple[EnvelopeState, ...]:
    """Execute `ListEnvelopes`: return the session's budget and the ceilings around the session, inner before outer."""
    session = newest_session(work, query.notebook)
    if session is None:
        return ()
    return tuple(
        EnvelopeState(
            envelope.name,
            envelope.kind,
            BudgetPeriod(envelope.period),
            balance.period_start,
            Balance(envelope.ceiling, balance.spent, balance.held),
            balance.charges,
        )
        for envelope, balance in balances_of(work, enclosing_ids(session), work.now)
    )


@reader(ListBudgets)
def list_budgets(work: Work, query: ListBudgets) -> tuple[BudgetState, ...]:
    """Execute `ListBudgets`: return the budgets of categories in a notebook's newest session, sorted by name."""
    session = newest_session(work, query.notebook)
    if session is None:
        return ()
    if query.category is None:
        found = work.select(BUDGETS_OF_SESSION, session.id)
    else:
        only = work.find(EnvelopeRow, category_id(session.id, query.category))
        found = [] if only is None else [only]
    return tuple(
        budget_state(row, work.balance(row.id, period_start(row.period, work.now)))
        for row in sorted(found, key=attrgetter("name"))
    )
