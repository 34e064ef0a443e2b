"""Cases that people have, and those they skipped."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table of leases, and that of skipped cases."""
    op.create_table(
        "lease",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("endpoint", sa.Text, primary_key=True),
        sa.Column("input_id", sa.Text, primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("reviewer", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "skip",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("endpoint", sa.Text, primary_key=True),
        sa.Column("input_id", sa.Text, primary_key=True),
        sa.Column("reviewer", sa.Text, primary_key=True),
    )
