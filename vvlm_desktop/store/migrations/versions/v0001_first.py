"""The first version of the library's tables. Frozen: later changes are migrations of their own."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    """CREATE TABLE clip (
        clip_row INTEGER NOT NULL,
        id VARCHAR NOT NULL,
        name VARCHAR COLLATE "NOCASE" NOT NULL,
        path VARCHAR NOT NULL,
        sha256 VARCHAR NOT NULL,
        stream_index INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        frames INTEGER NOT NULL,
        duration_s FLOAT NOT NULL,
        fps FLOAT,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        codec VARCHAR NOT NULL,
        has_audio BOOLEAN NOT NULL,
        keyframes INTEGER NOT NULL,
        problem VARCHAR,
        recording VARCHAR NOT NULL,
        added_at VARCHAR NOT NULL,
        is_sample BOOLEAN NOT NULL,
        PRIMARY KEY (clip_row),
        UNIQUE (id)
    )""",
    """CREATE INDEX clip_by_name ON clip (name)""",
    """CREATE INDEX clip_by_duration ON clip (duration_s)""",
    """CREATE INDEX clip_by_path ON clip (path)""",
    """CREATE INDEX clip_by_recording ON clip (recording)""",
    """CREATE TABLE problem_file (
        path VARCHAR NOT NULL,
        problem VARCHAR NOT NULL,
        at VARCHAR NOT NULL,
        PRIMARY KEY (path)
    )""",
    """CREATE TABLE schema_document (
        labels_sha VARCHAR NOT NULL,
        wording_sha VARCHAR NOT NULL,
        "key" VARCHAR NOT NULL,
        document VARCHAR NOT NULL,
        at VARCHAR NOT NULL,
        PRIMARY KEY (labels_sha, wording_sha)
    )""",
    """CREATE TABLE origin (
        origin VARCHAR NOT NULL,
        own BOOLEAN NOT NULL,
        place VARCHAR,
        public_key VARCHAR,
        created_at VARCHAR NOT NULL,
        PRIMARY KEY (origin)
    )""",
    """CREATE TABLE event (
        origin VARCHAR NOT NULL,
        seq INTEGER NOT NULL,
        v INTEGER NOT NULL,
        kind VARCHAR NOT NULL,
        at VARCHAR NOT NULL,
        lamport INTEGER NOT NULL,
        action_id VARCHAR NOT NULL,
        undoes VARCHAR,
        clip_id VARCHAR,
        prev VARCHAR NOT NULL,
        payload_hash VARCHAR NOT NULL,
        hash VARCHAR NOT NULL,
        salt BLOB,
        payload VARCHAR,
        PRIMARY KEY (origin, seq)
    )""",
    """CREATE INDEX event_by_clip ON event (clip_id)""",
    """CREATE INDEX event_by_lamport ON event (lamport)""",
    """CREATE INDEX event_by_action ON event (action_id)""",
    """CREATE TABLE head (
        origin VARCHAR NOT NULL,
        seq INTEGER NOT NULL,
        hash VARCHAR NOT NULL,
        at VARCHAR NOT NULL,
        PRIMARY KEY (origin)
    )""",
    """CREATE TABLE signature (
        origin VARCHAR NOT NULL,
        seq INTEGER NOT NULL,
        hash VARCHAR NOT NULL,
        at VARCHAR NOT NULL,
        public_key VARCHAR NOT NULL,
        signature VARCHAR NOT NULL,
        PRIMARY KEY (origin)
    )""",
    """CREATE TABLE review (
        clip_id VARCHAR NOT NULL,
        reviewer VARCHAR NOT NULL,
        schema_key VARCHAR NOT NULL,
        status VARCHAR NOT NULL,
        settled BOOLEAN NOT NULL,
        document VARCHAR NOT NULL,
        updated_at VARCHAR NOT NULL,
        lamport INTEGER NOT NULL,
        origin VARCHAR NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (clip_id, reviewer, schema_key)
    )""",
    """CREATE INDEX review_by_reviewer ON review (reviewer, clip_id)""",
    """CREATE TABLE clip_state (
        clip_row INTEGER NOT NULL,
        status VARCHAR NOT NULL,
        status_rank INTEGER NOT NULL,
        reviewer VARCHAR,
        source VARCHAR,
        labels VARCHAR NOT NULL,
        event_type VARCHAR,
        confidence FLOAT,
        attention FLOAT,
        backend VARCHAR,
        updated_at VARCHAR NOT NULL,
        PRIMARY KEY (clip_row)
    )""",
    """CREATE INDEX clip_state_by_status ON clip_state (status_rank)""",
    """CREATE INDEX clip_state_by_attention ON clip_state (attention)""",
    """CREATE INDEX clip_state_by_event ON clip_state (event_type)""",
    """CREATE INDEX clip_state_by_updated ON clip_state (updated_at)""",
    """CREATE TABLE clip_label (
        field VARCHAR NOT NULL,
        value VARCHAR NOT NULL,
        clip_row INTEGER NOT NULL,
        PRIMARY KEY (field, value, clip_row)
    )
 WITHOUT ROWID

""",
    """CREATE INDEX clip_label_by_clip ON clip_label (clip_row)""",
    """CREATE TABLE undo_entry (
        reviewer VARCHAR NOT NULL,
        side VARCHAR NOT NULL,
        position INTEGER NOT NULL,
        action_id VARCHAR NOT NULL,
        PRIMARY KEY (reviewer, side, position)
    )""",
    """CREATE TABLE batch (
        id VARCHAR NOT NULL,
        backend VARCHAR NOT NULL,
        options VARCHAR NOT NULL,
        created_at VARCHAR NOT NULL,
        closed_at VARCHAR,
        PRIMARY KEY (id)
    )""",
    """CREATE TABLE clip_path (
        clip_id VARCHAR NOT NULL,
        path VARCHAR NOT NULL,
        first_seen VARCHAR NOT NULL,
        seen INTEGER NOT NULL,
        PRIMARY KEY (path, clip_id),
        FOREIGN KEY(clip_id) REFERENCES clip (id)
    )""",
    """CREATE INDEX clip_path_by_seen ON clip_path (seen)""",
    """CREATE INDEX clip_path_by_clip ON clip_path (clip_id)""",
    """CREATE TABLE analysis (
        analysis_row INTEGER NOT NULL,
        id VARCHAR NOT NULL,
        clip_id VARCHAR NOT NULL,
        backend VARCHAR NOT NULL,
        model VARCHAR NOT NULL,
        schema_key VARCHAR NOT NULL,
        schema_labels_sha VARCHAR NOT NULL,
        created_at VARCHAR NOT NULL,
        attention FLOAT,
        document VARCHAR NOT NULL,
        sha256 VARCHAR NOT NULL,
        PRIMARY KEY (analysis_row),
        UNIQUE (id),
        FOREIGN KEY(clip_id) REFERENCES clip (id)
    )""",
    """CREATE INDEX analysis_by_clip ON analysis (clip_id, backend)""",
    """CREATE TABLE batch_item (
        batch_id VARCHAR NOT NULL,
        clip_id VARCHAR NOT NULL,
        position INTEGER NOT NULL,
        state VARCHAR NOT NULL,
        error VARCHAR,
        analysis_id VARCHAR,
        PRIMARY KEY (batch_id, clip_id),
        FOREIGN KEY(batch_id) REFERENCES batch (id),
        FOREIGN KEY(clip_id) REFERENCES clip (id)
    )""",
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


def upgrade() -> None:
    """Create everything in an empty database."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """There is no way back: an older program refuses a newer library, and a backup lies beside it."""
    raise NotImplementedError
