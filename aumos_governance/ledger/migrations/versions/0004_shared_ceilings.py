"""Adds the tables of shared ceilings, and fills them with the ceilings in the servers' current configurations.

Envelopes of ceilings that are no longer configured stay unchanged, and limit no further session.
"""

from __future__ import annotations

import json
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# PostgreSQL must sort text by code point, as SQLite does by default.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SHARED = ("owner", "team")


def upgrade() -> None:
    op.create_table(
        "memberships",
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("ceilings", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("memberships_pk")),
    )
    op.create_table(
        "ceilings",
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("envelopes", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", "name", name=op.f("ceilings_pk")),
    )
    _fill()


def _fill() -> None:
    connection = op.get_bind()
    members: dict[str, set[tuple[str, str]]] = {}
    ceilings: dict[tuple[str, str, str], dict[str, set[int]]] = {}
    stored = _table("configurations", "owner", "root", "envelopes")
    for owner, text in connection.execute(sa.select(stored.c.owner, stored.c.envelopes)).all():
        mine = members.setdefault(owner, set())
        for name, ceiling, kind, period in json.loads(text):
            if kind in SHARED:
                mine.add((kind, name))
                key = (kind, owner if kind == "owner" else "", name)
                ceilings.setdefault(key, {}).setdefault(period, set()).add(ceiling)
    memberships = _table("memberships", "owner", "ceilings")
    for owner, names in members.items():
        connection.execute(sa.insert(memberships).values(owner=owner, ceilings=_text(sorted(map(list, names)))))
    table = _table("ceilings", "kind", "subject", "name", "envelopes")
    for (kind, subject, name), periods in ceilings.items():
        ids = {_id(kind, subject, name, period): period for period in periods}
        for id, period in ids.items():
            _put_envelope(connection, id, kind, subject, name, period, periods[period])
        values = {"kind": kind, "subject": subject, "name": name, "envelopes": " ".join(sorted(ids))}
        connection.execute(sa.insert(table).values(**values))


def _put_envelope(
    connection: sa.Connection, id: str, kind: str, subject: str, name: str, period: str, amounts: set[int]
) -> None:
    envelopes = _table("envelopes", "id", "kind", "name", "period", "ceiling", "subject")
    here = envelopes.c.id == id
    if connection.execute(sa.select(envelopes.c.id).where(here)).first() is None:
        values = {"id": id, "kind": kind, "name": name, "period": period, "subject": subject}
        # Servers may be configured with different amounts, all of them unused so far; the lowest amount is safe.
        connection.execute(sa.insert(envelopes).values(**values, ceiling=min(amounts)))
    elif len(amounts) == 1:
        # The next opening of a session would have set this amount.
        connection.execute(sa.update(envelopes).where(here).values(ceiling=min(amounts)))


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *map(sa.column, columns))


def _id(*parts: str) -> str:
    return sha256(_text(parts).encode()).hexdigest()[:32]


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
