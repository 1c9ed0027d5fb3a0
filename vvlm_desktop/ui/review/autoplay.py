"""What "around the event" means, for playing and looping: not always what has to be looked at before Enter."""

from __future__ import annotations

from collections.abc import Sequence

from vvlm_desktop.ui.review.timeline_model import EventMark


def event_to_play(focus: EventMark | None, marks: Sequence[EventMark]) -> EventMark | None:
    """The event as it was set or answered, else the reviewer's own evidence, else what was only measured.

    Evidence is no event: where there is nothing else, the whole clip still has to be seen.
    """
    if focus is not None and focus.kind != "candidate":
        return focus
    return next((mark for mark in marks if mark.kind == "evidence"), focus)
