"""Lists of clips: ids first, then pages of rows, so that 100,000 clips open at once."""

from __future__ import annotations

import json
import re
import unicodedata
from array import array
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, UnaryExpression, func, select, text

from vvlm_desktop.domain.review import STATUSES
from vvlm_desktop.store import tables as t
from vvlm_desktop.store.clips import CLIP_COLUMNS, CLIP_TABLES, clip_from
from vvlm_desktop.store.derived import BY_BACKEND, BY_REVIEWER
from vvlm_desktop.store.engine import Database
from vvlm_desktop.store.records import ClipFilter, ClipRow

_STATE = t.clip_state.c
#: What clips can be sorted by; rows without a value come last in either direction.
SORTS: dict[str, ColumnElement[Any]] = {
    "added": t.clip.c.clip_row,
    "name": t.clip.c.name,
    "duration": t.clip.c.duration_s,
    "status": _STATE.status_rank,
    "event": _STATE.event_type,
    "attention": _STATE.attention,
    "updated": _STATE.updated_at,
}
_OF_CLIP = frozenset({"added", "name", "duration"})
_WITH_GAPS = frozenset({"event", "attention"})
_ROW_COLUMNS = (
    t.clip.c.clip_row,
    _STATE.labels,
    _STATE.source,
    _STATE.confidence,
    _STATE.attention,
    _STATE.backend,
    _STATE.reviewer,
    _STATE.updated_at,
)


class ClipLists(Database):
    """Counting, ordering and paging clips."""

    def count_clips(self, filter: ClipFilter | None = None) -> int:  # noqa: A002 (the word for it)
        """How many clips a filter leaves."""
        query = _filtered(select(func.count()), filter or ClipFilter(), by_state=False)
        with self.read() as connection:
            return int(connection.scalar(query) or 0)

    def clip_rowids(
        self,
        filter: ClipFilter | None = None,  # noqa: A002 (the word for it)
        *,
        sort: str = "added",
        descending: bool = False,
    ) -> array[int]:
        """Row ids of the clips that a filter leaves, in order; raises ValueError for an unknown `sort`."""
        if sort not in SORTS:
            raise ValueError(f"cannot sort by {sort!r}; one of {', '.join(SORTS)}")
        by_state = sort not in _OF_CLIP
        number = _STATE.clip_row if by_state else t.clip.c.clip_row
        query = _filtered(select(number), filter or ClipFilter(), by_state=by_state)
        query = query.order_by(*_order(SORTS[sort], number, descending=descending, gaps=sort in _WITH_GAPS))
        with self.read() as connection:
            # Straight from the driver's cursor: 100,000 row objects would take longer than the query.
            cursor = connection.execute(query).cursor
            return array("q", [row[0] for row in cursor.fetchall()] if cursor is not None else [])

    def clip_rows(self, rowids: Sequence[int]) -> list[ClipRow]:
        """One page of rows, in the order of `rowids`; ids of no clip are left out."""
        query = (
            select(*CLIP_COLUMNS, *_ROW_COLUMNS)
            .select_from(CLIP_TABLES)
            .where(t.clip.c.clip_row.in_(text("SELECT value FROM json_each(:rows)")))
        )
        with self.read() as connection:
            found = {}
            for row in connection.execute(query, {"rows": json.dumps(list(rowids))}):
                number, labels, source, confidence, attention, backend, reviewer, updated_at = row[len(CLIP_COLUMNS) :]
                found[number] = ClipRow(
                    rowid=number,
                    clip=clip_from(row),
                    labels=json.loads(labels),
                    source=source,
                    confidence=confidence,
                    attention=attention,
                    analysed=backend is not None,
                    backend=backend,
                    reviewer=reviewer,
                    updated_at=updated_at,
                )
        return [found[number] for number in rowids if number in found]


def _order(
    column: ColumnElement[Any], number: ColumnElement[int], *, descending: bool, gaps: bool
) -> list[ColumnElement[Any] | UnaryExpression[Any]]:
    first = column.desc() if descending else column.asc()
    tie = number.desc() if descending else number.asc()
    return [first.nulls_last() if gaps else first, tie]


def _filtered(query: Select[Any], wanted: ClipFilter, *, by_state: bool) -> Select[Any]:
    """Add the filter's conditions, joining the two clip tables only where both are needed."""
    clip = t.clip.c
    conditions_clip: list[ColumnElement[bool]] = []
    state_conditions: list[ColumnElement[bool]] = []
    if wanted.status:
        state_conditions.append(_STATE.status_rank.in_(_ranks(wanted.status)))
    if wanted.problem is not None:
        conditions_clip.append(clip.problem.is_not(None) if wanted.problem else clip.problem.is_(None))
    if wanted.readable is not None:
        conditions_clip.append(clip.frames > 0 if wanted.readable else clip.frames == 0)
    if wanted.sample is not None:
        conditions_clip.append(clip.is_sample if wanted.sample else ~clip.is_sample)
    number = _STATE.clip_row if by_state else clip.clip_row
    either: list[ColumnElement[bool]] = []
    marks = {BY_BACKEND: wanted.backend, BY_REVIEWER: wanted.reviewer}
    marked = {field: (value,) for field, value in marks.items() if value is not None}
    for field, values in {**wanted.labels, **marked}.items():
        label = t.clip_label.c
        either.append(number.in_(select(label.clip_row).where(label.field == field, label.value.in_(values))))
    typed = wanted.text.encode("utf-8", "replace").decode().strip()
    words = fts_query(typed)
    if words:
        matches = text("SELECT rowid FROM clip_text WHERE clip_text MATCH :words").bindparams(words=words)
        either.append(number.in_(matches))
    elif typed:
        # Signs alone, an emoji for example, are in no word: look for them in the name itself.
        conditions_clip.append(clip.name.contains(typed, autoescape=True))
    if (by_state and conditions_clip) or (not by_state and state_conditions):
        query = query.select_from(CLIP_TABLES)
    else:
        query = query.select_from(t.clip_state if by_state else t.clip)
    return query.where(*conditions_clip, *state_conditions, *either)


def _ranks(statuses: Sequence[str]) -> list[int]:
    unknown = set(statuses) - set(STATUSES)
    if unknown:
        raise ValueError(f"no such status: {', '.join(sorted(unknown))}")
    return [STATUSES.index(status) for status in statuses]


def fts_query(typed: str) -> str:
    """What somebody typed as a full-text query: every word from its beginning; no character is an operator."""
    plain = unicodedata.normalize("NFC", typed).replace("_", " ")
    return " ".join(f'"{word}"*' for word in re.findall(r"\w+", plain))
