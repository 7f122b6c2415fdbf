"""Identifies each notebook by its file instead of its path, and adds the table of joined notebooks.

Notebooks that are the same file are only marked here. Joining them writes records, which needs the tables of the
current version; `migrate` joins them when all revisions have run, in the same transaction.
"""

from __future__ import annotations

import posixpath
import re

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# PostgreSQL must sort text by code point, as SQLite does by default.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("notebooks", sa.Column("file", TEXT, nullable=True))
    _name_files()
    op.drop_index("notebooks_live", "notebooks")
    op.drop_index("notebooks_deleted", "notebooks")
    op.create_index(
        "notebooks_live",
        "notebooks",
        ["owner", "file"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "notebooks_deleted",
        "notebooks",
        ["owner", "file"],
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_table(
        "notebook_aliases",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("notebook_id", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["id"], ["notebooks.id"], name=op.f("notebook_aliases_id_fk")),
        sa.ForeignKeyConstraint(["notebook_id"], ["notebooks.id"], name=op.f("notebook_aliases_notebook_id_fk")),
        sa.PrimaryKeyConstraint("id", name=op.f("notebook_aliases_pk")),
    )
    op.create_index("notebook_aliases_notebook", "notebook_aliases", ["notebook_id"])


def _name_files() -> None:
    connection = op.get_bind()
    notebooks = sa.table("notebooks", *map(sa.column, ("id", "owner", "root", "path", "deleted_at", "file")))
    found = connection.execute(sa.select(notebooks).order_by(notebooks.c.id)).mappings().all()
    taken: set[tuple[str, str]] = set()
    for row in found:
        file = _file(row["root"], row["path"])
        if row["deleted_at"] is None:
            if (row["owner"], file) in taken:
                # One file was two notebooks, reached from two roots. The mark is unique, since no file's path ends in a
                # slash and an id.
                file = f"{file}/{row['id']}"
            taken.add((row["owner"], file))
        connection.execute(sa.update(notebooks).where(notebooks.c.id == row["id"]).values(file=file))


def _file(root: str, path: str) -> str:
    if not root.startswith("/") and not re.match(r"[A-Za-z]:/", root):
        return f"{root}:{path}"
    joined = f"{root.rstrip('/')}/{path}"
    return posixpath.normpath(joined) if ".." in path else joined
