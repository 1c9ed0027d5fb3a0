"""The library on disk: SQLite through SQLAlchemy Core, the event log and what is derived from it."""
