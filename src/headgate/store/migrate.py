"""Moves a database to the newest schema, or to any revision on the way there."""

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory

from headgate.store.revisions import MIGRATIONS
from headgate.store.tables import metadata


def upgrade(connection: sa.Connection, revision: str = "head") -> None:
    """Apply every migration up to `revision`, inside the transaction that `connection` has begun."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)

    def steps(present: tuple[str, ...], _context: MigrationContext) -> list[MigrationStep]:
        pending = list(script.iterate_revisions(revision, present or "base"))
        return [MigrationStep.upgrade_from_script(script.revision_map, each) for each in reversed(pending)]

    with EnvironmentContext(config, script, fn=steps, destination_rev=revision) as environment:
        environment.configure(connection=connection, target_metadata=metadata)
        environment.run_migrations()
