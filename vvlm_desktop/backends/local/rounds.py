"""Looking more than once: which frames each look sees, and what the answer of one look says about the next.

Two ways. Models with iterative perception are asked, in all rounds but the last, for the stretches of time that matter;
the next round keeps the number of frames and samples those stretches one and a half times as densely. All other models
label the clip coarsely first; where they name an event, the next look sees its span densely and the rest thinly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from vvlm_desktop.backends.local_options import Sampling
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.errors import UsageError
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.sampling import around, at_fps, merged_spans, over_spans, uniform

Asks: TypeAlias = Literal["labels", "question", "clue"]
Spans: TypeAlias = tuple[tuple[float, float], ...]

CLUE_DENSITY = 1.5
#: A zoom leaves a quarter of the frames for the rest of the clip.
_ZOOM_DENSITY, _ZOOM_OUTSIDE = 1000.0, 0.25
#: A named event is looked at with a little of what came before and after it.
_ZOOM_MARGIN_S = 0.5

NOTHING_TO_ZOOM = "Nothing to zoom into: no time of an event was named. The first look stands."
_TIME = r"(?:(\d+):)?(\d+(?:\.\d+)?)\s*(?:s|sec|seconds)?"
_SPAN = re.compile(rf"{_TIME}\s*(?:,|-|–|to)\s*{_TIME}")
_GLUE = re.compile(r"<glue>(.*?)(?:</glue>|$)", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a clip.

    Attributes:
        purpose: as in `domain.analysis.Round`.
        spans: seconds from the clip's first frame, sampled densely; empty for `uniform`.
        note: what went another way than planned on the way to this look.
    """

    purpose: str
    asks: Asks
    spans: Spans = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Clue:
    """Stretches of time that a model pointed at, seconds; a sentence instead where there is none to use."""

    spans: Spans
    note: str = ""


def first_look(*, question: bool, rounds: int, iterative: bool) -> Look:
    """How a clip is looked at first."""
    if rounds > 1 and iterative:
        return Look("uniform", "clue")
    if question:
        note = "A question is answered in one look: this model cannot point at times." if rounds > 1 else ""
        return Look("uniform", "question", note=note)
    return Look("uniform", "labels")


def look_after_clue(text: str, *, last: bool, question: bool, range_s: tuple[float, float]) -> Look:
    """The next look of a model with iterative perception, after it said `text`."""
    clue = parse_clue(text, range_s=range_s)
    asks: Asks = "clue" if not last else "question" if question else "labels"
    return Look("clue" if clue.spans else "uniform", asks, clue.spans, clue.note)


def look_after_labels(
    schema: LabelSchema, labels: Mapping[str, Any], *, range_s: tuple[float, float], before: Look
) -> Look | None:
    """A closer look at the event that the labels name; None where they name none, or the same as before."""
    span = event_span(schema, labels)
    if span is None:
        return None
    wide = (span[0] - _ZOOM_MARGIN_S, span[1] + _ZOOM_MARGIN_S)
    spans = _whole(merged_spans([wide], start=range_s[0], end=range_s[1]))
    return Look("zoom", "labels", spans) if spans and spans != before.spans else None


def event_span(schema: LabelSchema, labels: Mapping[str, Any]) -> tuple[float, float] | None:
    """Seconds of the event that labels name: `event_time`, or the schema's first range."""
    ranges = [field.key for field in schema.model_fields if field.kind == "range"]
    for key in sorted(ranges, key=lambda each: each != "event_time")[:1]:
        value = labels.get(key)
        if isinstance(value, Mapping):
            return value["start_ms"] / 1000, value["end_ms"] / 1000
    return None


def parse_clue(text: str, *, range_s: tuple[float, float]) -> Clue:
    """Read `<glue>[(s1, e1), …]</glue>`, cut to what was shown."""
    found = _GLUE.findall(text)
    if not found:
        return Clue((), "The clue could not be read: no time was pointed at. This look is uniform.")
    named = [_seconds(match) for match in _SPAN.finditer(found[-1])]
    if not named:
        return Clue((), "The clue could not be read: it names no stretch of time. This look is uniform.")
    start, end = range_s
    spans = _whole(merged_spans([span for span in named if span[0] < span[1]], start=start, end=end))
    if not spans:
        times = ", ".join(f"{a:g}–{b:g} s" for a, b in named[:3])
        return Clue((), f"The clue points outside of what was shown ({times}). This look is uniform.")
    return Clue(spans)


def choose_frames(
    index: FrameIndex, sampling: Sampling, look: Look, *, frames: int, range_ms: tuple[int, int] | None = None
) -> tuple[int, ...]:
    """Numbers of the frames that a look sees, ascending, none twice.

    Args:
        frames: at most so many, whatever the sampling asks for.
        range_ms: only this part of the clip.

    Raises:
        UsageError: the part lies outside the clip.
    """
    start, end = shown_range_s(index, sampling, range_ms=range_ms)
    count = min(frames, sampling.frames)
    if look.spans:
        clue = look.purpose == "clue"
        density, outside = (CLUE_DENSITY, 0.1) if clue else (_ZOOM_DENSITY, _ZOOM_OUTSIDE)
        return over_spans(index, count, look.spans, density=density, outside=outside, start=start, end=end)
    if range_ms is not None:
        return uniform(index, count, start=start, end=end)
    if sampling.kind == "fps" and sampling.fps:
        return at_fps(index, sampling.fps, limit=count)
    if sampling.kind == "around" and sampling.at_ms is not None:
        before_s, after_s = sampling.before_ms / 1000, sampling.after_ms / 1000
        here = index.at_time(sampling.at_ms / 1000)
        return around(index, here, before_s=before_s, after_s=after_s, count=count)
    return uniform(index, count)


def shown_range_s(index: FrameIndex, sampling: Sampling, *, range_ms: tuple[int, int] | None) -> tuple[float, float]:
    """From where to where a clip is looked at, in seconds from its first frame.

    Raises:
        UsageError: the marked part lies outside the clip, or has no length.
    """
    start, end = 0.0, index.duration_s
    if range_ms is not None:
        start, end = max(0.0, range_ms[0] / 1000), min(end, range_ms[1] / 1000)
    elif sampling.kind == "around" and sampling.at_ms is not None:
        here = index.seconds(index.at_time(sampling.at_ms / 1000))
        start, end = max(0.0, here - sampling.before_ms / 1000), min(end, here + sampling.after_ms / 1000)
        if start >= end:  # an event at a single moment
            start, end = 0.0, index.duration_s
    if start >= end:
        raise UsageError(
            f"The marked part, {(range_ms or (0, 0))[0] / 1000:.1f} s to {(range_ms or (0, 0))[1] / 1000:.1f} s, "
            f"is not in the clip: it is {index.duration_s:.1f} s long.",
            hint="Mark a part of the clip, or ask about all of it.",
        )
    return start, end


def _seconds(match: re.Match[str]) -> tuple[float, float]:
    minutes, seconds, end_minutes, end_seconds = match.groups()
    return int(minutes or 0) * 60 + float(seconds), int(end_minutes or 0) * 60 + float(end_seconds)


def _whole(spans: Any) -> Spans:
    return tuple((float(a), float(b)) for a, b in spans)
