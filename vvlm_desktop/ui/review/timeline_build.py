"""From a clip's records to what its timeline shows, and to where one looks first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.domain.analysis import Analysis, EventCandidate
from vvlm_desktop.domain.clip_times import lies_within
from vvlm_desktop.domain.labels import format_value
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import LabelValue
from vvlm_desktop.ui.review.form.model import SOURCE_WORDS, frame_of_pts
from vvlm_desktop.ui.review.sureness import round_text
from vvlm_desktop.ui.review.timeline_model import (
    CurveLane,
    EventMark,
    EventTime,
    Look,
    MarkKind,
    Proof,
    TimelineModel,
    curve,
)
from vvlm_desktop.video.curves import Curves
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.workflow.review_state import ReviewState

EVENT_TYPE, EVENT_TIME = "event_type", "event_time"
#: More candidates than these are noise on a timeline; the strongest stay.
_MOST_CANDIDATES = 8
#: Candidates of one kind that are no further apart than this are one moment.
_SAME_MOMENT_S = 0.25
#: What an autoplay shows before and after the event.
BEFORE_S, AFTER_S = 3.0, 2.0


def timeline_model(schema: LabelSchema, state: ReviewState, index: FrameIndex, curves: Curves | None) -> TimelineModel:
    """Everything on the timeline of one clip."""
    seen = state.analysis.frames_pts if state.analysis is not None else ()
    return TimelineModel(
        duration_s=index.duration_s,
        seen_s=tuple(index.seconds(frame) for frame in _frames_of(index, seen)),
        seen_name=state.analysis.model or state.analysis.backend if state.analysis is not None else "",
        looks=looks_of(state.analysis, index) if state.analysis is not None else (),
        curves=tuple(curve_lanes(curves)) if curves is not None else (),
        marks=tuple(_marks(schema, state, index)),
    )


def looks_of(analysis: Analysis, index: FrameIndex) -> tuple[Look, ...]:
    """Each look of an answer that took several; empty where one was enough."""
    rounds = analysis.rounds
    if len(rounds) < 2:
        return ()
    looks = []
    for number, each in enumerate(rounds, start=1):
        spans = tuple((start / 1000, end / 1000) for start, end in each.spans_ms)
        text = round_text(number, len(rounds), spans_s=spans, frames=len(each.frames_pts))
        seen = tuple(index.seconds(frame_of_pts(index, pts)) for pts in each.frames_pts)
        looks.append(Look(seen, spans, f"{text}. {each.note}".strip() if each.note else text))
    return tuple(looks)


def curve_lanes(curves: Curves) -> Iterator[CurveLane]:
    """What was measured in picture and sound, each with its axis."""
    lanes = (
        curve(
            "motion", curves.t_s, curves.motion * 100, ink="accent", bounds=_change(curves.motion), unit="%",
            source="How much the picture changed since the measured frame before: mean of all pixels, 100 % is from"
            " black to white. The row is scaled to the clip.",
        ),
        curve(
            "brightness", curves.t_s, curves.brightness * 100, ink="doubtful", filled=False, bounds=(0, 100), unit="%",
            source="Mean brightness of the picture: 0 % is black, 100 % white.",
        ),
        curve(
            "sound", curves.t_s, curves.sound, ink="muted", bounds=_loudness(curves.sound), unit="dBFS",
            source="Loudness; 0 dBFS is the loudest that the file can hold. The row is scaled to the clip.",
        ),
    )  # fmt: skip
    yield from (replace(lane, scale=scale_text(lane)) for lane in lanes if lane is not None)


def scale_text(lane: CurveLane) -> str:
    """From where to where a lane goes: `0–100 %`, `−62…−31 dBFS`."""
    digits = 0 if lane.high - lane.low >= 3 else 1
    low, high = (f"{value:.{digits}f}".replace("-", "−") for value in (lane.low, lane.high))
    return f"{low}{'…' if lane.low < 0 else '–'}{high} {lane.unit}".strip()


def _change(motion: NDArray[np.float32]) -> tuple[float, float]:
    """From nothing up to what occurs, 1 % at least: the noise of a car that stands fills no row."""
    known = motion[np.isfinite(motion)]
    return 0.0, max(1.0, float(known.max()) * 100 if known.size else 1.0)


def _loudness(sound: NDArray[np.float32] | None) -> tuple[float, float] | None:
    """From the clip's usual quiet up, 24 dB at least: steady noise is no event and must not look like one."""
    known = sound[np.isfinite(sound)] if sound is not None else np.empty(0)
    if known.size == 0:
        return None
    quiet = float(np.percentile(known, 5)) - 3.0
    return quiet, max(float(known.max()), quiet + 24.0)


def _marks(schema: LabelSchema, state: ReviewState, index: FrameIndex) -> Iterator[EventMark]:
    for first, last, candidate in _candidates(state, index):
        yield _mark(index, first, last, "candidate", candidate.kind.replace("_", " "), candidate.reason)
    # The answer that the review starts from comes first: its event is the one that is looked at and accepted.
    for analysis in sorted(state.analyses, key=lambda each: each.id != state.analysis_id):
        span = analysis.labels.get(EVENT_TIME)
        if isinstance(span, dict) and lies_within(span, index.duration_s):
            label = _event_label(schema, analysis.labels.get(EVENT_TYPE))
            held = EVENT_TIME not in state.review.verdicts and analysis.id == state.analysis_id
            who = f"{SOURCE_WORDS.get(analysis.provenance, 'model')}: {analysis.model or analysis.backend}"
            yield _span_mark(index, span, "model_event", label, who, movable=held)
    verdict = state.review.verdicts.get(EVENT_TIME)
    value = verdict.value if verdict is not None else None
    if isinstance(value, dict) and lies_within(value, index.duration_s):
        label = _event_label(schema, state.labels.get(EVENT_TYPE))
        yield _span_mark(index, value, "event", label, "", movable=True)
    for field_key, by_value in state.review.evidence.items():
        if field_key not in schema:
            continue
        for value, spans in by_value.items():
            shown: LabelValue = [value] if value is not None else state.labels.get(field_key)
            for stretch in spans:
                first, last = frame_of_pts(index, stretch.start_pts), frame_of_pts(index, stretch.end_pts)
                words = format_value(schema, field_key, shown) if shown is not None else ""
                reason = f"shows: {schema.field(field_key).label} {words}".strip()
                label = words or schema.field(field_key).label
                proof = Proof(field_key, value, stretch)
                yield replace(_mark(index, first, last, "evidence", label, reason), proof=proof)


def _candidates(state: ReviewState, index: FrameIndex) -> list[tuple[int, int, EventCandidate]]:
    """The strongest moments; what several analyses found at the same place is one moment."""
    found: list[tuple[int, int, EventCandidate]] = []
    every = [c for analysis in state.analyses for c in analysis.candidates]
    for candidate in sorted(every, key=lambda c: -c.score):
        first, last = frame_of_pts(index, candidate.start_pts), frame_of_pts(index, candidate.end_pts)
        near = round(_SAME_MOMENT_S / index.usual_s)
        known = any(k.kind == candidate.kind and first <= b + near and last >= a - near for a, b, k in found)
        if not known and len(found) < _MOST_CANDIDATES:
            found.append((first, last, candidate))
    return found


def _event_label(schema: LabelSchema, value: LabelValue) -> str:
    if EVENT_TYPE in schema and isinstance(value, str):
        return schema.field(EVENT_TYPE).label_of(value).lower()
    return "event"


def _span_mark(
    index: FrameIndex, span: dict[str, int], kind: MarkKind, label: str, reason: str, *, movable: bool
) -> EventMark:
    """A stored time lies at the frame it was taken from, although it was rounded to a millisecond, perhaps down."""
    first, last = (index.number(index.pts_at_ms(span[end])) for end in ("start_ms", "end_ms"))
    time = EventTime(EVENT_TIME, span["start_ms"], span["end_ms"]) if movable else None
    return replace(_mark(index, first, last, kind, label, reason), time=time)


def _mark(index: FrameIndex, first: int, last: int, kind: MarkKind, label: str, reason: str) -> EventMark:
    return EventMark(first, last, index.seconds(first), index.seconds(last), kind, label, reason)


def seen_frames(index: FrameIndex, state: ReviewState) -> tuple[int, ...]:
    """The frames that the answer was made from."""
    seen = state.analysis.frames_pts if state.analysis is not None else ()
    return _frames_of(index, seen)


@lru_cache(maxsize=1)
def _frames_of(index: FrameIndex, seen: tuple[int, ...]) -> tuple[int, ...]:
    """Of an hour that was looked at ten times a second: kept, because it is asked after every verdict."""
    return tuple(frame_of_pts(index, pts) for pts in seen)


def first_look(schema: LabelSchema, state: ReviewState, index: FrameIndex) -> int:
    """The frame that a clip will be opened at."""
    event = focus_event(TimelineModel(marks=tuple(_marks(schema, state, index))))
    return event.look_frame if event is not None else 0


def focus_event(model: TimelineModel) -> EventMark | None:
    """The event that a clip is opened at: the reviewer's, else the answer's, else the strongest candidate."""
    for kind in ("event", "model_event", "candidate"):
        found = [mark for mark in model.marks if mark.kind == kind]
        if found:
            return found[0]
    return None


def window_around(index: FrameIndex, event: EventMark | None) -> tuple[int, int]:
    """Frames that have to be seen for the event to have been seen; the whole clip where there is none."""
    if event is None:
        return 0, len(index) - 1
    return event.start_frame, event.end_frame


def span_to_play(index: FrameIndex, event: EventMark) -> tuple[int, int]:
    """From three seconds before the event to two after it."""
    return index.at_time(max(0.0, event.start_s - BEFORE_S)), index.at_time(event.end_s + AFTER_S)
