"""The tables of the library's database, as SQLAlchemy Core; no object mapper.

    clip, clip_path, problem_file     files and their content
    analysis                          immutable; a trigger refuses updates
    schema_document                   label schemas that analyses and reviews refer to
    origin, event, head, signature    the event log: one chain per origin
    review, clip_state, clip_label,   projections: derived from the above in the same transaction,
    clip_text, undo_entry             recreated by `Library.rebuild`
    batch, batch_item                 analyses under way

A change here needs a migration in `migrations/versions` and a higher `SCHEMA_VERSION`.
"""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    TypeDecorator,
    text,
)

#: Kept in `PRAGMA user_version`, equal to the number of the newest migration.
SCHEMA_VERSION = 3

metadata = MetaData()


class PathText(TypeDecorator[str]):
    """A path; the rare one whose bytes are not UTF-8 is kept as those bytes, so that it can still be opened."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002 (SQLAlchemy's signature)
        """Python's text to SQLite's value."""
        if value is None:
            return None
        try:
            value.encode()
        except UnicodeEncodeError:
            return os.fsencode(value)
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 (SQLAlchemy's signature)
        """SQLite's value to Python's text."""
        return os.fsdecode(value) if isinstance(value, bytes) else value


clip = Table(
    "clip",
    metadata,
    Column("clip_row", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("name", String(collation="NOCASE"), nullable=False),
    Column("path", PathText, nullable=False),
    Column("sha256", String, nullable=False),
    Column("stream_index", Integer, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("duration_s", Float, nullable=False),
    Column("fps", Float),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("codec", String, nullable=False),
    Column("has_audio", Boolean, nullable=False),
    Column("keyframes", Integer, nullable=False),
    Column("problem", String),
    Column("recording", String, nullable=False),
    Column("added_at", String, nullable=False),
    Column("is_sample", Boolean, nullable=False),
    Column("ends_sha256", String),  # of the file's two ends, None for what version 1 stored
    Index("clip_by_name", "name"),
    Index("clip_by_path", "path"),
    Index("clip_by_duration", "duration_s"),
    Index("clip_by_recording", "recording"),
)

#: Every path at which a content was seen; a path that now holds another content keeps its old row.
clip_path = Table(
    "clip_path",
    metadata,
    Column("clip_id", String, ForeignKey("clip.id"), nullable=False),
    Column("path", PathText, nullable=False),
    Column("first_seen", String, nullable=False),
    Column("seen", Integer, nullable=False),  # counts sightings over the whole library: the highest is the latest
    Column("mtime_ns", Integer),  # of the file when its whole content was last compared, None if never
    PrimaryKeyConstraint("path", "clip_id"),
    Index("clip_path_by_clip", "clip_id"),
    Index("clip_path_by_seen", "seen"),
)

problem_file = Table(
    "problem_file",
    metadata,
    Column("path", PathText, primary_key=True),
    Column("problem", String, nullable=False),
    Column("at", String, nullable=False),
)

analysis = Table(
    "analysis",
    metadata,
    Column("analysis_row", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("clip_id", String, ForeignKey("clip.id"), nullable=False),
    Column("backend", String, nullable=False),
    Column("model", String, nullable=False),
    Column("schema_key", String, nullable=False),
    Column("schema_labels_sha", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("attention", Float),
    Column("document", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("imported", Boolean, nullable=False, server_default=text("0")),
    Column("kind", String, nullable=False, server_default=text("'labels'")),  # of domain.analysis.KINDS
    Column("adapter", String),
    Index("analysis_by_clip", "clip_id", "backend"),
)

schema_document = Table(
    "schema_document",
    metadata,
    Column("labels_sha", String, nullable=False),
    Column("wording_sha", String, nullable=False),
    Column("key", String, nullable=False),
    Column("document", String, nullable=False),
    Column("at", String, nullable=False),
    PrimaryKeyConstraint("labels_sha", "wording_sha"),
)

origin = Table(
    "origin",
    metadata,
    Column("origin", String, primary_key=True),
    Column("own", Boolean, nullable=False),
    Column("place", String),  # fingerprint of computer and folder; None for imported chains
    Column("public_key", String),  # the first key that signed this chain
    Column("created_at", String, nullable=False),
)

event_log = Table(
    "event",
    metadata,
    Column("origin", String, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("v", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("at", String, nullable=False),
    Column("lamport", Integer, nullable=False),
    Column("action_id", String, nullable=False),
    Column("undoes", String),
    Column("clip_id", String),  # no foreign key: an imported review may be of a clip that is not here yet
    Column("prev", String, nullable=False),
    Column("payload_hash", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("salt", LargeBinary),
    Column("payload", String),
    PrimaryKeyConstraint("origin", "seq"),
    Index("event_by_clip", "clip_id"),
    Index("event_by_action", "action_id"),
    Index("event_by_lamport", "lamport"),
)

head = Table(
    "head",
    metadata,
    Column("origin", String, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", String, nullable=False),
    Column("at", String, nullable=False),
)

#: The last head of each chain that was signed; it lags behind `head` while no key is at hand.
signature = Table(
    "signature",
    metadata,
    Column("origin", String, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", String, nullable=False),
    Column("at", String, nullable=False),
    Column("public_key", String, nullable=False),
    Column("signature", String, nullable=False),
)

review = Table(
    "review",
    metadata,
    Column("clip_id", String, nullable=False),
    Column("reviewer", String, nullable=False),
    Column("schema_key", String, nullable=False),
    Column("status", String, nullable=False),
    Column("settled", Boolean, nullable=False),
    Column("document", String, nullable=False),
    Column("updated_at", String, nullable=False),
    # Fold position of the last event that said something about the clip; orders the reviews of one clip.
    Column("lamport", Integer, nullable=False),
    Column("origin", String, nullable=False),
    Column("seq", Integer, nullable=False),
    PrimaryKeyConstraint("clip_id", "reviewer", "schema_key"),
    Index("review_by_reviewer", "reviewer", "clip_id"),
)

clip_state = Table(
    "clip_state",
    metadata,
    Column("clip_row", Integer, primary_key=True),
    Column("status", String, nullable=False),
    Column("status_rank", Integer, nullable=False),
    Column("reviewer", String),
    Column("source", String),
    Column("labels", String, nullable=False),
    Column("event_type", String),
    Column("confidence", Float),
    Column("attention", Float),
    Column("backend", String),
    Column("updated_at", String, nullable=False),
    Index("clip_state_by_status", "status_rank"),
    Index("clip_state_by_event", "event_type"),
    Index("clip_state_by_attention", "attention"),
    Index("clip_state_by_updated", "updated_at"),
)

clip_label = Table(
    "clip_label",
    metadata,
    Column("field", String, nullable=False),
    Column("value", String, nullable=False),
    Column("clip_row", Integer, nullable=False),
    PrimaryKeyConstraint("field", "value", "clip_row"),
    Index("clip_label_by_clip", "clip_row"),
    sqlite_with_rowid=False,
)

undo_entry = Table(
    "undo_entry",
    metadata,
    Column("reviewer", String, nullable=False),
    Column("side", String, nullable=False),
    Column("position", Integer, nullable=False),
    Column("action_id", String, nullable=False),
    PrimaryKeyConstraint("reviewer", "side", "position"),
)

batch = Table(
    "batch",
    metadata,
    Column("id", String, primary_key=True),
    Column("backend", String, nullable=False),
    Column("options", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("closed_at", String),
    Column("after_row", Integer, nullable=False, server_default=text("0")),  # the last analysis when it was opened
)

batch_item = Table(
    "batch_item",
    metadata,
    Column("batch_id", String, ForeignKey("batch.id"), nullable=False),
    Column("clip_id", String, ForeignKey("clip.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("state", String, nullable=False),  # pending, done, failed
    Column("error", String),
    Column("analysis_id", String),
    PrimaryKeyConstraint("batch_id", "clip_id"),
)

#: What SQLAlchemy has no words for: the text index, and triggers that keep our own code from rewriting history.
EXTRA_DDL = (
    """CREATE VIRTUAL TABLE clip_text USING fts5(
    name, caption, note, tokenize = "unicode61 remove_diacritics 2", prefix = '2 3'
)""",
    """CREATE TRIGGER analysis_is_immutable BEFORE UPDATE ON analysis
BEGIN SELECT RAISE(ABORT, 'an analysis is never changed'); END""",
    """CREATE TRIGGER event_stays BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'an event is never removed'); END""",
    """CREATE TRIGGER event_is_immutable
BEFORE UPDATE OF origin, seq, v, kind, at, lamport, action_id, undoes, clip_id, prev, payload_hash, hash ON event
BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END""",
)


def create_all(connection: Connection) -> None:
    """Create every table, index and trigger in an empty database."""
    metadata.create_all(connection)
    for statement in EXTRA_DDL:
        connection.exec_driver_sql(statement)
