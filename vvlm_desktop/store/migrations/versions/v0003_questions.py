"""Tells free questions from labels, and what a base model said from what its adapters said."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    "ALTER TABLE analysis ADD COLUMN kind VARCHAR DEFAULT 'labels' NOT NULL",
    "ALTER TABLE analysis ADD COLUMN adapter VARCHAR",
    # Analyses are immutable for the program; this fills in a column that repeats what the document holds.
    "DROP TRIGGER analysis_is_immutable",
    "UPDATE analysis SET adapter = json_extract(document, '$.adapter')",
    """CREATE TRIGGER analysis_is_immutable BEFORE UPDATE ON analysis
BEGIN SELECT RAISE(ABORT, 'an analysis is never changed'); END""",
)


def upgrade() -> None:
    """Add the columns; until now every analysis was about labels."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """There is no way back: an older program refuses a newer library, and a backup lies beside it."""
    raise NotImplementedError
