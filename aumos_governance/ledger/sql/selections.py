"""The selections of rows as statements."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Text, bindparam, literal_column, select

from ..transaction import schema
from .scope import of_server, scope

__all__ = ["SELECTIONS", "parameters"]

_charges, _approvals, _sessions, _notebooks, _reports, _envelopes, _trust, _consents, _estimates = (
    schema.tables[name].c
    for name in (
        *("charges", "approvals", "sessions", "notebooks", "reports", "envelopes", "trust", "consents"),
        "estimates",
    )
)
_aliases, _balances, _ceilings, _memberships = (
    schema.tables[name].c for name in ("notebook_aliases", "balances", "ceilings", "memberships")
)


def _said(text: str) -> ColumnElement[Any]:
    # In the words of a partial index, so that the planner knows that it will do.
    return literal_column(f"({text})")


_OPEN: Final = _said("charges.state IN ('held', 'unresolved')")
_HELD: Final = _charges.state == literal_column("'held'")
_PENDING: Final = _said("approvals.status = 'pending'")


def _of_server(kind: str, session_id: ColumnElement[str]) -> Select[Any]:
    return (
        select(schema.tables[kind])
        .join(schema.tables["sessions"], _sessions.id == session_id)
        .join(schema.tables["notebooks"], _notebooks.id == _sessions.notebook_id)
        .where(of_server())
    )


def _rows(kind: str, *conditions: ColumnElement[bool]) -> Select[Any]:
    return select(schema.tables[kind]).where(*conditions)


def _anywhere() -> ColumnElement[str]:
    percent: ColumnElement[str] = literal_column("'%'")
    return percent + bindparam("envelope_id", type_=Text()) + percent


SELECTIONS: Final[dict[str, Select[Any]]] = {
    "due_holds": _rows(
        "charges", _said("charges.until IS NOT NULL"), _OPEN, _charges.until <= bindparam("now")
    ).order_by(_charges.id),
    "due_approvals": _rows("approvals", _PENDING, _approvals.until <= bindparam("now")).order_by(_approvals.id),
    "estimates_of_reference": _rows(
        "estimates", _said("estimates.reference IS NOT NULL"), _estimates.reference == bindparam("reference")
    ).order_by(_estimates.charge_id),
    "holds_of_kernel": _rows("charges", _OPEN, _HELD, _charges.incarnation == bindparam("incarnation")).order_by(
        _charges.id
    ),
    "holds_of_server": _of_server("charges", _charges.session_id).where(_OPEN, _HELD).order_by(_charges.id),
    "pending_of_kernel": _rows("approvals", _PENDING, _approvals.incarnation == bindparam("incarnation")).order_by(
        _approvals.id
    ),
    "pending_of_server": _of_server("approvals", _approvals.session_id).where(_PENDING).order_by(_approvals.id),
    "open_sessions_of_owner": select(schema.tables["sessions"])
    .join(schema.tables["notebooks"], _notebooks.id == _sessions.notebook_id)
    .where(_notebooks.owner == bindparam("owner"), _said("sessions.closed_at IS NULL"))
    .order_by(_sessions.id),
    "all_ceilings": _rows("ceilings").order_by(_ceilings.kind, _ceilings.subject, _ceilings.name),
    "memberships": _rows("memberships").order_by(_memberships.owner),
    "notebooks_of_owner": _rows(
        "notebooks", _notebooks.owner == bindparam("owner"), _notebooks.deleted_at.is_(None)
    ).order_by(_notebooks.id),
    "sessions_of_notebook": _rows("sessions", _sessions.notebook_id == bindparam("notebook_id")).order_by(_sessions.id),
    "aliases_of_notebook": _rows("notebook_aliases", _aliases.notebook_id == bindparam("notebook_id")).order_by(
        _aliases.id
    ),
    "ceilings_of": _rows(
        "envelopes", _envelopes.kind == bindparam("kind"), _envelopes.subject == bindparam("subject")
    ).order_by(_envelopes.id),
    "balances_of": _rows("balances", _balances.envelope_id == bindparam("envelope_id")).order_by(
        _balances.period_start
    ),
    # An id has 32 hex digits, so what holds its text holds it as a word.
    "charges_in": _rows("charges", _charges.envelopes.like(_anywhere())).order_by(_charges.id),
    "sessions_in": _rows("sessions", _sessions.outer_envelopes.like(_anywhere())).order_by(_sessions.id),
    "counting_holds": _of_server("charges", _charges.session_id).where(_OPEN).order_by(_charges.id),
    "unseen_reports": _of_server("reports", _reports.session_id)
    .where(_said("reports.acknowledged_at IS NULL"))
    .order_by(_reports.id),
    "budgets_of_session": _rows(
        "envelopes", _envelopes.subject == bindparam("session_id"), _envelopes.kind == literal_column("'category'")
    ).order_by(_envelopes.id),
    "trust_of_realm": _rows("trust", _trust.realm == bindparam("realm")).order_by(
        _trust.realm, _trust.agent_id, _trust.scope
    ),
    "consents_of_realm": _rows("consents", _consents.realm == bindparam("realm")).order_by(
        _consents.realm, _consents.agent_id, _consents.data_type, _consents.purpose
    ),
    "consents_of_agent": _rows(
        "consents", _consents.realm == bindparam("realm"), _consents.agent_id == bindparam("agent_id")
    ).order_by(_consents.realm, _consents.agent_id, _consents.data_type, _consents.purpose),
}
"""By the selection's name; the parameters are what `parameters` makes of its values."""

_OF_SERVER: Final = frozenset({"holds_of_server", "pending_of_server", "counting_holds", "unseen_reports"})


def parameters(name: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The parameters of a selection's statement."""
    return scope(*values) if name in _OF_SERVER else values
