"""Alembic's scripts: one file per version of the library's tables."""
