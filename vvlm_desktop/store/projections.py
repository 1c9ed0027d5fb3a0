"""The projection tables: derived from events and analyses, and kept so that lists are fast.

`derived.expected` works out what should stand there for some clips. Writing transactions store it with `refresh`,
`rebuild` does so for everything, and `verify` compares it with what is `stored`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, Executable, bindparam, delete, func, insert, select, text, union

from vvlm_desktop.store import tables as t
from vvlm_desktop.store.derived import CLIP_IDS, ClipProjection, Row, expected

#: Clips looked at together: large enough to be quick, small enough for SQLite's limit on bound values.
CHUNK = 400
# Put together once, as in `derived`.
_CLIP_ROWS: BindParameter[Any] = bindparam("clip_rows", expanding=True)
_REVIEWS = (
    select(t.review)
    .where(t.review.c.clip_id.in_(CLIP_IDS))
    .order_by(t.review.c.clip_id, t.review.c.reviewer, t.review.c.schema_key)
)
_ROWS = select(t.clip.c.id, t.clip.c.clip_row).where(t.clip.c.id.in_(CLIP_IDS))
_STATES = select(t.clip_state).where(t.clip_state.c.clip_row.in_(_CLIP_ROWS))
_LABELS = select(t.clip_label.c.field, t.clip_label.c.value, t.clip_label.c.clip_row).where(
    t.clip_label.c.clip_row.in_(_CLIP_ROWS)
)
_TEXTS = text("SELECT rowid, name, caption, note FROM clip_text WHERE rowid IN (SELECT value FROM json_each(:rows))")
_FORGET_REVIEWS = delete(t.review).where(t.review.c.clip_id == bindparam("of"))
_STORE_REVIEWS = insert(t.review)
_STORE_STATES = insert(t.clip_state).prefix_with("OR REPLACE")
_FORGET_LABELS = delete(t.clip_label).where(t.clip_label.c.clip_row == bindparam("of"))
_STORE_LABELS = insert(t.clip_label)
_FORGET_TEXT = text("DELETE FROM clip_text WHERE rowid = :row")
_STORE_TEXT = text("INSERT INTO clip_text (rowid, name, caption, note) VALUES (:row, :name, :caption, :note)")


def stored(connection: Connection, clip_ids: Sequence[str]) -> dict[str, ClipProjection]:
    """What is stored for these clips, at most `CHUNK` of them."""
    reviews: dict[str, list[Row]] = defaultdict(list)
    of_clips = {"clip_ids": list(clip_ids)}
    for row in connection.execute(_REVIEWS, of_clips).mappings():
        reviews[row["clip_id"]].append(dict(row))
    rows = dict(connection.execute(_ROWS, of_clips).all())
    numbers = list(rows.values())
    of_rows = {"clip_rows": numbers}
    states = {row["clip_row"]: dict(row) for row in connection.execute(_STATES, of_rows).mappings()}
    labels: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for field, value, number in connection.execute(_LABELS, of_rows):
        labels[number].add((field, value))
    texts = {row[0]: (row[1], row[2], row[3]) for row in connection.execute(_TEXTS, {"rows": json.dumps(numbers)})}
    result = {}
    for clip_id in clip_ids:
        number = rows.get(clip_id, -1)
        result[clip_id] = ClipProjection(
            reviews=tuple(reviews.get(clip_id, ())),
            state=states.get(number),
            labels=frozenset(labels.get(number, ())),
            texts=texts.get(number),
        )
    return result


def refresh(connection: Connection, clip_ids: Sequence[str]) -> None:
    """Bring the projections of these clips up to date, inside the caller's transaction."""
    unique = list(dict.fromkeys(clip_ids))
    for start in range(0, len(unique), CHUNK):
        chunk = unique[start : start + CHUNK]
        wanted, there = expected(connection, chunk), stored(connection, chunk)
        _store(connection, [(id_, wanted[id_], there[id_]) for id_ in chunk if wanted[id_] != there[id_]])


def _store(connection: Connection, changed: Sequence[tuple[str, ClipProjection, ClipProjection]]) -> None:
    """Replace, for each clip, what differs; one statement for all of them, since a rebuild has 100,000."""
    reviews = [(clip_id, wanted.reviews) for clip_id, wanted, there in changed if wanted.reviews != there.reviews]
    _run(connection, _FORGET_REVIEWS, [{"of": id_} for id_, _ in reviews])
    _run(connection, _STORE_REVIEWS, [row for _, rows in reviews for row in rows])

    here = [(wanted.state["clip_row"], wanted, there) for _, wanted, there in changed if wanted.state is not None]
    states = [wanted.state for _, wanted, there in here if wanted.state is not None and wanted.state != there.state]
    _run(connection, _STORE_STATES, states)

    labels = [(number, wanted, there) for number, wanted, there in here if wanted.labels != there.labels]
    old = [{"of": number} for number, _, there in labels if there.labels]
    _run(connection, _FORGET_LABELS, old)
    rows = [
        {"field": field, "value": value, "clip_row": number}
        for number, wanted, _ in labels
        for field, value in sorted(wanted.labels)
    ]
    _run(connection, _STORE_LABELS, rows)

    texts = [(number, wanted.texts, there.texts) for number, wanted, there in here if wanted.texts != there.texts]
    _run(connection, _FORGET_TEXT, [{"row": number} for number, _, before in texts if before is not None])
    _run(
        connection,
        _STORE_TEXT,
        [{"row": n, "name": after[0], "caption": after[1], "note": after[2]} for n, after, _ in texts if after],
    )


def _run(connection: Connection, statement: Executable, rows: Sequence[Row]) -> None:
    if rows:
        connection.execute(statement, rows)


def known_clip_ids(connection: Connection) -> list[str]:
    """Every clip that is in the library, or that an event or a stored review speaks of."""
    query = union(
        select(t.clip.c.id),
        select(t.event_log.c.clip_id).where(t.event_log.c.clip_id.is_not(None)),
        select(t.review.c.clip_id),
    )
    return sorted(row[0] for row in connection.execute(query))


def clear(connection: Connection) -> None:
    """Empty the projections of clips."""
    for table in (t.review, t.clip_state, t.clip_label):
        connection.execute(delete(table))
    connection.execute(text("DELETE FROM clip_text"))


def orphans(connection: Connection) -> list[str]:
    """Projection tables with rows of clips that do not exist; `expected` never looks at those."""
    rows = select(t.clip.c.clip_row)
    found = []
    for name, column in (("clip_state", t.clip_state.c.clip_row), ("clip_label", t.clip_label.c.clip_row)):
        if connection.scalar(select(func.count()).where(column.not_in(rows))):
            found.append(name)
    if connection.scalar(text("SELECT count(*) FROM clip_text WHERE rowid NOT IN (SELECT clip_row FROM clip)")):
        found.append("clip_text")
    return found
