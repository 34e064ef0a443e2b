"""Rollouts, with their history."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table of rollouts, and the rule that an endpoint has one at a time."""
    op.create_table(
        "rollout",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("endpoint", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("moves", sa.Integer, nullable=False),
        sa.Column("ended", sa.Boolean, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
    )
    running = sa.text("NOT ended")
    columns = ["project", "endpoint"]
    op.create_index("rollout_running", "rollout", columns, unique=True, postgresql_where=running, sqlite_where=running)
