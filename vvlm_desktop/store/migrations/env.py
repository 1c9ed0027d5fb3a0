"""Alembic runs this: migrate over the connection that `store.migrate` gives, inside its transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from vvlm_desktop.store.tables import metadata


def run(connection: Connection) -> None:
    """Run the migrations that are wanted."""
    # transactional_ddl: the caller's transaction holds all of it, and alembic must not commit a part.
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=False)
    context.run_migrations()


run(context.config.attributes["connection"])
