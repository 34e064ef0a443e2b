"""Versions, aliases, evaluations, events and endpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ROW = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the first tables."""
    _registry()
    op.create_table(
        "event",
        sa.Column("id", _ROW, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
    )
    op.create_index("event_subject", "event", ["project", "subject"])
    op.create_table(
        "endpoint",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("spec", sa.Text, nullable=False),
    )


def _registry() -> None:
    op.create_table(
        "version",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("engine", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("parent", sa.Text),
        sa.Column("data_digest", sa.Text),
        sa.Column("code", sa.Text),
        sa.Column("why", sa.Text, nullable=False),
        sa.UniqueConstraint("project", "model", "digest", name="version_digest"),
    )
    op.create_table(
        "alias",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("alias", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["project", "model", "number"], ["version.project", "version.model", "version.number"], name="alias_version"
        ),
    )
    op.create_table(
        "evaluation",
        sa.Column("id", _ROW, primary_key=True, autoincrement=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("report", sa.LargeBinary, nullable=False),
    )
    op.create_index("evaluation_version", "evaluation", ["project", "version"])
