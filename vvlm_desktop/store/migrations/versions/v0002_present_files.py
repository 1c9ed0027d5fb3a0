"""What tells a replaced file from the clip's own, and an imported or earlier analysis from the newest."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    "ALTER TABLE clip ADD COLUMN ends_sha256 VARCHAR",
    "ALTER TABLE clip_path ADD COLUMN mtime_ns INTEGER",
    "ALTER TABLE analysis ADD COLUMN imported BOOLEAN DEFAULT 0 NOT NULL",
    "ALTER TABLE batch ADD COLUMN after_row INTEGER DEFAULT 0 NOT NULL",
)


def upgrade() -> None:
    """Add the columns; what was stored before counts as not yet compared, and as made here."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """There is no way back: an older program refuses a newer library, and a backup lies beside it."""
    raise NotImplementedError
