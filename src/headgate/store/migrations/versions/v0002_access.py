"""Keys, and a history whose records are sealed and say what was before and after."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what the history lacks, and the table of keys. Records there are stay as they are, without a seal."""
    for name in ("before", "after", "previous", "seal"):
        op.add_column("event", sa.Column(name, sa.Text, nullable=False, server_default=sa.text("''")))
    op.create_table(
        "key",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("successor", sa.Text),
        sa.Column("rate", sa.Float),
        sa.Column("burst", sa.Float),
    )
    op.create_index("key_name", "key", ["project", "name"])
