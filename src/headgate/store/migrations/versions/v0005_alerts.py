"""Alerts, silences, and what people are told."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the tables of alerts, of silences and of deliveries."""
    op.create_table(
        "alert",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("episode", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("raised", sa.BigInteger, nullable=False),
        sa.Column("stands", sa.Boolean, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
    )
    standing = sa.text("stands")
    columns = ["project", "key"]
    op.create_index("alert_standing", "alert", columns, unique=True, postgresql_where=standing, sqlite_where=standing)
    op.create_index("alert_endpoint", "alert", ["project", "endpoint"])
    op.create_table(
        "silence",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("endpoint", sa.Text, primary_key=True),
        sa.Column("begun", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("because", sa.Text, nullable=False),
    )
    op.create_table(
        "delivery",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("alert", sa.Text, nullable=False),
        sa.Column("waits", sa.Boolean, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
    )
    waiting = sa.text("waits")
    op.create_index("delivery_waiting", "delivery", ["waits"], postgresql_where=waiting, sqlite_where=waiting)
    op.create_index("delivery_alert", "delivery", ["project", "alert"])
