"""${message}."""

from __future__ import annotations

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Bring the tables to this version."""


def downgrade() -> None:
    """There is no way back: an older program refuses a newer library, and a backup lies beside it."""
    raise NotImplementedError
