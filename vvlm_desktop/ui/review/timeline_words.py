"""What the timeline says of itself: help for the pointer, and the place for those who cannot see it."""

from __future__ import annotations

from vvlm_desktop.ui.review.timeline_axis import Axis
from vvlm_desktop.ui.review.timeline_damage import Damage
from vvlm_desktop.ui.review.timeline_edges import Draft
from vvlm_desktop.ui.review.timeline_lanes import Lane
from vvlm_desktop.ui.review.timeline_model import MARK_LOOKS, EventMark, TimelineModel
from vvlm_desktop.ui.review.timeline_rule import gap_text
from vvlm_desktop.ui.review.times import clock_text, span_text
from vvlm_desktop.video.index import FrameIndex

_NOT_MEASURED = "Nothing was measured here: the clip is not analysed yet."
_NO_SOUND = "The clip has no sound that can be heard."


def mark_help(mark: EventMark) -> str:
    """What a mark is, when, why, and what can be done with it."""
    _, who = MARK_LOOKS[mark.kind]
    text = f"{mark.label} · {who} · {span_text(mark.start_s, mark.end_s)}"
    grips = "\nIts edges can be dragged; Esc while dragging puts them back." if mark.movable else ""
    return text + (f"\n{mark.reason}" if mark.reason else "") + grips


def place_help(seconds: float, lane: Lane | None, *, axis: Axis, model: TimelineModel, damage: Damage) -> str:
    """What lies in a lane at a time, where no mark is."""
    gap = axis.gap_at(seconds)
    if gap is not None:
        return gap_text(gap).capitalize()
    if lane is not None and lane.kind == "seen":
        return model.seen_help
    if lane is not None and lane.kind == "curve":
        # What was measured stands at the pointer, where help would cover it; the lane's name has the help.
        return (_NO_SOUND if absent_text(lane, model) else _NOT_MEASURED) if lane.curve is None else ""
    if lane is not None and lane.kind == "frames" and damage.covers(seconds):
        return "Frames here are damaged in the file and cannot be shown."
    return ""


def absent_text(lane: Lane, model: TimelineModel) -> str:
    """What stands in a lane for which the clip has nothing; empty while nothing at all was measured."""
    measured = any(each.name == "motion" for each in model.curves)
    return "no sound" if lane.name == "sound" and lane.curve is None and measured else ""


def spoken_name(draft: Draft | None) -> str:
    """What is moved: the cursor, or the edge in hand."""
    return f"Timeline, {draft.edge.words}" if draft is not None else "Timeline"


def spoken_place(index: FrameIndex, frame_index: int, *, marks: tuple[EventMark, ...], draft: Draft | None) -> str:
    """A frame, its time, and which marks it lies in."""
    text = f"frame {frame_index} of {len(index)}, {clock_text(index.seconds(frame_index))}"
    if draft is not None:
        return f"{draft.edge.words}: {text}"
    here = [
        f"{mark.label}, {MARK_LOOKS[mark.kind][1]}"
        for mark in marks
        if mark.start_frame <= frame_index <= mark.end_frame
    ]
    return "; ".join((text, *here))
