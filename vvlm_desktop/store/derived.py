"""Works out what should stand in the projection tables, from clips, events and analyses alone."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, select

from vvlm_desktop.domain.fold import apply, fold_order, review_key
from vvlm_desktop.domain.review import STATUSES, Event, Review
from vvlm_desktop.domain.values import LabelValue
from vvlm_desktop.store import tables as t
from vvlm_desktop.store.chain import Link
from vvlm_desktop.store.review_codec import review_from_text, review_to_text

_LABEL_LIKE = re.compile(r"[a-z0-9_]{1,64}")
#: Kinds that say something about the clip; a note alone does not make a review the latest word.
_SUBSTANTIAL = frozenset({"verdict", "evidence", "status"})

#: Beside the fields of label schemas, whose keys never start so, the label table holds these.
BY_BACKEND = "@backend"
BY_REVIEWER = "@reviewer"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ClipProjection:
    """Everything derived for one clip; `state` and `texts` are None for a clip that is not in the library (yet)."""

    reviews: tuple[Row, ...] = ()
    state: Row | None = None
    labels: frozenset[tuple[str, str]] = frozenset()
    texts: tuple[str, str, str] | None = None


LINK_COLUMNS = [t.event_log.c[name] for name in Link.__dataclass_fields__]
# Put together once: every action of a reviewer runs all of these, and building them took as long as running them.
CLIP_IDS: BindParameter[Any] = bindparam("clip_ids", expanding=True)
_LINKS = select(*LINK_COLUMNS).where(t.event_log.c.clip_id.in_(CLIP_IDS))
_CLIPS = select(t.clip.c.id, t.clip.c.clip_row, t.clip.c.name, t.clip.c.added_at).where(t.clip.c.id.in_(CLIP_IDS))
_ANSWERS = (
    select(
        *(t.analysis.c[name] for name in ("clip_id", "analysis_row", "backend", "created_at", "attention", "imported"))
    )
    .where(t.analysis.c.clip_id.in_(CLIP_IDS), t.analysis.c.kind == "labels")
    # A measurement judges little: it speaks for the clip only where no model has answered, as in a review. What was
    # imported gives way to what was made here; otherwise what arrived last is the newest, whatever its clock said.
    .order_by(
        func.json_extract(t.analysis.c.document, "$.provenance") != "measurement",
        t.analysis.c.imported.desc(),
        t.analysis.c.analysis_row,
    )
)
_DOCUMENTS = select(t.analysis.c.analysis_row, t.analysis.c.document).where(
    t.analysis.c.analysis_row.in_(bindparam("analysis_rows", expanding=True))
)


def links_of_clips(connection: Connection, clip_ids: Sequence[str]) -> Iterator[Link]:
    """Events of some clips, in no particular order."""
    for row in connection.execute(_LINKS, {"clip_ids": list(clip_ids)}):
        yield Link(*row)


def expected(connection: Connection, clip_ids: Sequence[str]) -> dict[str, ClipProjection]:
    """What should be stored for these clips, at most `projections.CHUNK` of them."""
    events: dict[str, list[Event]] = defaultdict(list)
    for link in links_of_clips(connection, clip_ids):
        events[str(link.clip_id)].append(link.event())
    clips = {row.id: row for row in connection.execute(_CLIPS, {"clip_ids": list(clip_ids)})}
    analyses = _latest_analyses(connection, clip_ids)
    result = {}
    for clip_id in clip_ids:
        reviews = _review_rows(sorted(events[clip_id], key=fold_order)) if clip_id in events else ()
        clip = clips.get(clip_id)
        if clip is None:
            result[clip_id] = ClipProjection(reviews=reviews)
            continue
        analysis = analyses.get(clip_id)
        state, labels = _state(clip.clip_row, clip.added_at, reviews=reviews, analysis=analysis)
        notes = "\n".join(note for row in reviews if (note := review_from_text(row["document"]).note))
        result[clip_id] = ClipProjection(
            reviews=reviews,
            state=state,
            labels=frozenset((*label_pairs(labels), *_marks(reviews, analysis))),
            texts=(clip.name, _prose(labels if analysis is None else _searchable(labels, reviews, analysis)), notes),
        )
    return result


def _review_rows(events: Sequence[Event]) -> tuple[Row, ...]:
    reviews: dict[tuple[str, str, str], Review] = {}
    places: dict[tuple[str, str, str], tuple[int, str, int]] = {}
    for event in events:
        key = review_key(event)
        if key is not None:
            reviews[key] = apply(reviews.get(key) or Review(*key), event)
            if event.kind in _SUBSTANTIAL or key not in places:
                places[key] = fold_order(event)
    return tuple(
        {
            "clip_id": review.clip_id,
            "reviewer": review.reviewer,
            "schema_key": review.schema_key,
            "status": review.status,
            "settled": review.settled,
            "document": review_to_text(review),
            "updated_at": review.updated_at,
            "lamport": places[key][0],
            "origin": places[key][1],
            "seq": places[key][2],
        }
        for key, review in sorted(reviews.items())
    )


@dataclass(frozen=True, slots=True)
class _LatestAnalysis:
    backend: str
    backends: frozenset[str]
    created_at: str
    attention: float | None
    labels: Mapping[str, LabelValue]
    confidence: float | None
    is_draft: bool


def _latest_analyses(connection: Connection, clip_ids: Sequence[str]) -> dict[str, _LatestAnalysis]:
    rows = connection.execute(_ANSWERS, {"clip_ids": list(clip_ids)}).all()
    latest = {row.clip_id: row for row in rows}
    backends: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        backends[row.clip_id].add(row.backend)
    attention = {row.clip_id: row.attention for row in rows if row.attention is not None}
    numbers = [row.analysis_row for row in latest.values()]
    documents = dict(connection.execute(_DOCUMENTS, {"analysis_rows": numbers}).all())
    result = {}
    for clip_id, row in latest.items():
        document = json.loads(documents[row.analysis_row])
        result[clip_id] = _LatestAnalysis(
            backend=row.backend,
            backends=frozenset(backends[clip_id]),
            created_at="" if row.imported else row.created_at,  # another computer's clock may be years ahead
            attention=attention.get(clip_id),
            labels=document["labels"],
            confidence=document["confidence"].get("event_type"),
            is_draft=document["provenance"] == "teacher_draft",
        )
    return result


def _state(
    clip_row: int, added_at: str, *, reviews: Sequence[Row], analysis: _LatestAnalysis | None
) -> tuple[Row, Mapping[str, LabelValue]]:
    in_order = sorted(reviews, key=lambda row: (row["lamport"], row["origin"], row["seq"]))
    decided = [row for row in in_order if row["settled"] or row["status"] == "dismissed"]
    begun = [row for row in in_order if row["status"] != "needs_review"]
    speaks = next(iter([*decided[-1:], *begun[-1:]]), None)
    truth = next((row for row in reversed(in_order) if row["settled"]), None)
    labels: Mapping[str, LabelValue] = {}
    source = None
    if truth is not None:
        labels, source = review_from_text(truth["document"]).labels(), "review"
    elif analysis is not None:
        labels, source = analysis.labels, "draft" if analysis.is_draft else "analysis"
    event_type = labels.get("event_type")
    status = speaks["status"] if speaks is not None else "needs_review"
    stamps = [added_at, *(row["updated_at"] for row in reviews), *([analysis.created_at] if analysis else [])]
    state = {
        "clip_row": clip_row,
        "status": status,
        "status_rank": STATUSES.index(status),
        "reviewer": speaks["reviewer"] if speaks is not None else None,
        "source": source,
        "labels": json.dumps(labels),
        "event_type": event_type if isinstance(event_type, str) else None,
        "confidence": analysis.confidence if analysis else None,
        "attention": analysis.attention if analysis else None,
        "backend": analysis.backend if analysis else None,
        "updated_at": max(stamps),
    }
    return state, labels


def label_pairs(labels: Mapping[str, LabelValue]) -> Iterator[tuple[str, str]]:
    """What a label filter can find: values, `""` for an empty list, `present` or `absent` for a range; no prose."""
    for field, value in labels.items():
        if isinstance(value, list):
            yield from ((field, item) for item in value or [""])
        elif isinstance(value, str):
            if _LABEL_LIKE.fullmatch(value):
                yield field, value
        else:
            yield field, "absent" if value is None else "present"


def _marks(reviews: Sequence[Row], analysis: _LatestAnalysis | None) -> Iterator[tuple[str, str]]:
    """Who has said something about a clip, kept like labels because that is the fastest filter."""
    yield from ((BY_REVIEWER, row["reviewer"]) for row in reviews)
    yield from ((BY_BACKEND, backend) for backend in (analysis.backends if analysis else ()))


def _searchable(
    labels: Mapping[str, LabelValue], reviews: Sequence[Row], analysis: _LatestAnalysis
) -> Mapping[str, LabelValue]:
    """The labels and, where no reviewer judged a field (a caption seldom is), what the analysis said."""
    judged = {field for row in reviews for field in review_from_text(row["document"]).verdicts}
    return {**{field: value for field, value in analysis.labels.items() if field not in judged}, **labels}


def _prose(labels: Mapping[str, LabelValue]) -> str:
    return "\n".join(v for v in labels.values() if isinstance(v, str) and not _LABEL_LIKE.fullmatch(v))
