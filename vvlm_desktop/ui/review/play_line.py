"""What is due at which moment of a clip while it plays: within a stretch, and across gaps that nobody waits for."""

from __future__ import annotations

from dataclasses import dataclass

from vvlm_desktop.video.index import FrameIndex

#: Of the frames that a model saw, so many are shown a second; or more, so that all have passed after a while.
_SEEN_PER_S, _SEEN_WITHIN_S = 2.0, 30.0

#: A longer time without a picture is passed over; in a shorter one the sound may still tell something.
_LONGEST_GAP_S = 3.0
#: And only where it is so many times the usual: a time-lapse recording has a picture every few seconds.
_GAP_FRAMES = 5
#: How long the picture before a gap stands, by the wall: long enough to be seen as the last one.
_STAND_S = 1.0


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch that plays: once, then resting on `rest`, or again and again."""

    first: int
    last: int
    rest: int | None = None  # None: loop


@dataclass(frozen=True, slots=True)
class GapEnd:
    """Where playing goes on: the clock at `media_s`, after `length_s` without a picture."""

    media_s: float
    length_s: float


def gap_after(index: FrameIndex, i: int) -> float:
    """Seconds without a picture after frame `i`, where that is too long to wait for; else 0."""
    if not 0 <= i < len(index) - 1:
        return 0.0
    length_s = index.seconds(i + 1) - index.seconds(i)
    return length_s if length_s > max(_LONGEST_GAP_S, _GAP_FRAMES * index.usual_s) else 0.0


def due_at(index: FrameIndex, media_s: float, *, span: Span | None, backward: bool) -> tuple[int, bool]:
    """The frame that is due at that moment, and whether what plays is at its end."""
    first, last = (span.first, span.last) if span is not None else (0, len(index) - 1)
    due = index.at_time(max(0.0, media_s))
    if backward:
        return max(due, first), media_s <= index.seconds(first)
    return min(due, last), media_s >= _end_s(index, last)


def _end_s(index: FrameIndex, last: int) -> float:
    """When the last frame of a stretch has been seen; at once where nothing follows it."""
    if last + 1 >= len(index):
        return index.seconds(last)
    return index.seconds(last) + index.usual_s if gap_after(index, last) else index.seconds(last + 1)


def gap_end(index: FrameIndex, media_s: float, *, rate: float, backward: bool) -> GapEnd | None:
    """Where to go on when the picture before a gap has stood long enough; None outside of gaps, and until then."""
    i = index.at_time(max(0.0, media_s))
    length_s = gap_after(index, i)
    start_s, end_s = index.seconds(i), index.seconds(i) + length_s
    if not length_s or (backward and media_s <= start_s):
        return None
    stood_s = (end_s - media_s if backward else media_s - start_s) / rate
    return GapEnd(start_s if backward else end_s, length_s) if stood_s >= _STAND_S else None


def gap_sentence(length_s: float) -> str:
    """What to say when a gap was passed over."""
    return f"The file has no pictures for {_length_text(length_s)}. Playing goes on after the gap."


def _length_text(length_s: float) -> str:
    whole_s = round(length_s)
    if whole_s < 60:
        return f"{length_s:.1f} s"
    minutes, seconds = divmod(whole_s, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def seen_per_s(count: int) -> float:
    """How many frames are shown a second where only those that the model saw play: few slowly, many within a while."""
    return max(_SEEN_PER_S, count / _SEEN_WITHIN_S)
