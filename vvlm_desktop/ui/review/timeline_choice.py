"""Which lanes the timeline shows, in much room and in little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtGui import QFontMetricsF

from vvlm_desktop.ui.review.timeline_lanes import curve_names, place_marks
from vvlm_desktop.ui.review.timeline_model import EventMark, TimelineModel, View

#: The one curve where there is little room, until others are chosen.
LOW_CURVES = frozenset({"motion"})
_EVENT_ROWS, _MOST_LOW_ROWS, _LEAST_LOW_ROWS = 4, 3, 2


@dataclass(frozen=True, slots=True)
class LaneChoice:
    """What is shown.

    Attributes:
        hidden: names of the lanes that are left out where there is room for all.
        low: names of the curves that are shown where there is little.
        compact: there is little room.
    """

    hidden: frozenset[str] = frozenset()
    low: frozenset[str] = LOW_CURVES
    compact: bool = False

    def left_out(self, model: TimelineModel) -> frozenset[str]:
        """Names of the lanes that are not shown now."""
        if not self.compact:
            return self.hidden
        curves = frozenset(curve_names(model))
        return (self.hidden - curves) | (curves - self.low)

    def choose(self, name: str, *, shown: bool, model: TimelineModel) -> LaneChoice:
        """Show or hide one lane, in the room that there is now."""
        if self.compact and name in curve_names(model):
            return replace(self, low=self.low | {name} if shown else self.low - {name})
        return replace(self, hidden=self.hidden - {name} if shown else self.hidden | {name})

    def event_rows(self, marks: Sequence[EventMark], whole: View, metrics: QFontMetricsF) -> int:
        """How many rows are kept for events.

        As many even where fewer would do: the picture must not change its size from clip to clip. Where there is little
        room an empty row costs more than that; then the whole clip's count, which zooming does not change.
        """
        if not self.compact:
            return _EVENT_ROWS
        placed = place_marks(marks, whole, 0.0, metrics, most_rows=_MOST_LOW_ROWS)
        return max(_LEAST_LOW_ROWS, len({each.rect.top() for each in placed}))
