"""Runs migrations. Imported only when a library's version differs: alembic costs half a second at start."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from vvlm_desktop.store.tables import SCHEMA_VERSION

_SCRIPTS = Path(__file__).parent / "migrations"


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration without an ini file; with a connection, migrations run in its transaction."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """Bring a database to the newest version, inside the caller's transaction."""
    command.upgrade(configuration(connection), "head")
    connection.execute(text(f"PRAGMA user_version = {SCHEMA_VERSION}"))
