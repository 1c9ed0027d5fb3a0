"""Moving an edge of evidence or of the event: by dragging it, or frame by frame with the arrow keys.

One move is one action, from taking the edge in hand to letting go: Enter is done, Escape puts it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPen

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.timeline_lanes import PlacedMark
from vvlm_desktop.ui.review.timeline_model import MARK_LOOKS, EventMark, EventTime, View
from vvlm_desktop.video.index import FrameIndex

#: How far from its line an edge can be gripped.
_GRIP_PX = 5.0

End = Literal[0, 1]


@dataclass(frozen=True, slots=True)
class Edge:
    """The start (0) or the end (1) of a stretch that can be moved."""

    mark: EventMark
    end: End

    @property
    def words(self) -> str:
        """For people."""
        return f"{'end' if self.end else 'start'} of {self.mark.label}"

    @property
    def frame_index(self) -> int:
        """The first or last frame of the stretch."""
        return self.mark.end_frame if self.end else self.mark.start_frame


@dataclass(frozen=True, slots=True)
class Draft:
    """Where the edges of a stretch would be."""

    edge: Edge
    first: int
    last: int

    @property
    def frame_index(self) -> int:
        """Where the edge that is moved would be."""
        return self.last if self.edge.end else self.first

    @property
    def moved(self) -> bool:
        """Whether that is somewhere else than it was."""
        return (self.first, self.last) != (self.edge.mark.start_frame, self.edge.mark.end_frame)


class Edges(QObject):
    """Which edge is held, and where it would go. It stores nothing: `moved` says what is wanted."""

    changed = Signal()  # another edge, or another place
    moved = Signal(object)  # Draft

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.held: Edge | None = None
        self.draft: Draft | None = None
        self.dragging = False
        self._wanted: tuple[int, int] | None = None  # while a move is stored

    def hold(self, edge: Edge | None, *, dragging: bool = False) -> None:
        """Take an edge in hand, or let go; what was moved before is stored first."""
        self.finish()
        self.held, self.dragging = edge, dragging
        self.draft = Draft(edge, edge.mark.start_frame, edge.mark.end_frame) if edge is not None else None
        self.changed.emit()

    def move(self, frame_index: int) -> None:
        """Put the edge there; it never passes the other one."""
        draft = self.draft
        if draft is None:
            return
        if draft.edge.end:
            moved = Draft(draft.edge, draft.first, max(draft.first, frame_index))
        else:
            moved = Draft(draft.edge, min(draft.last, max(0, frame_index)), draft.last)
        if moved != draft:
            self.draft = moved
            self.changed.emit()

    def nudge(self, frames: int, *, last: int) -> None:
        """Some frames on or back, within a clip whose last frame is `last`; stored when it is let go."""
        if self.draft is not None:
            self.move(max(0, min(self.draft.frame_index + frames, last)))

    def finish(self) -> None:
        """Say where the edge shall be."""
        self.dragging = False
        draft = self.draft
        if draft is not None and draft.moved:
            # Shown where it is wanted until it is stored, or refused; never told twice.
            mark = draft.edge.mark
            self.draft = Draft(draft.edge, mark.start_frame, mark.end_frame)
            self._wanted = draft.first, draft.last
            self.moved.emit(draft)
            self._wanted = None

    def cancel(self) -> bool:
        """Back to where it was; whether there was anything to go back from."""
        draft, self.dragging = self.draft, False
        if draft is None or not draft.moved:
            return False
        self.draft = Draft(draft.edge, draft.edge.mark.start_frame, draft.edge.mark.end_frame)
        self.changed.emit()
        return True

    def drop(self) -> bool:
        """Let go without storing; whether something was lost by that."""
        lost = self.cancel()
        self.held = self.draft = None
        return lost

    def follow(self, marks: Sequence[EventMark]) -> bool:
        """The marks are others now: hold the same edge of the same stretch, if it is there; whether a move was lost."""
        held, draft = self.held, self.draft
        if held is None or draft is None:
            return False
        # Of several stretches for one value: the one that was moved, by where it was wanted; else by where it was.
        was = self._wanted if self._wanted is not None else (held.mark.start_frame, held.mark.end_frame)
        found = [m for m in marks if m.movable and m.held_as == held.mark.held_as]
        near = min(found, key=lambda m: abs(m.start_frame - was[0]) + abs(m.end_frame - was[1]), default=None)
        self._wanted = None
        self.held = Edge(near, held.end) if near is not None else None
        self.draft = Draft(self.held, near.start_frame, near.end_frame) if near and self.held else None
        if not draft.moved:
            return False
        # In the middle of a move something else was stored, or an analysis came: what the hand does goes on.
        same = near is not None and (near.start_frame, near.end_frame) == was
        if self.held is not None and same:
            self.draft = Draft(self.held, draft.first, draft.last)
        return not same


def next_edge(edges: Sequence[Edge], held: Edge | None, *, forward: bool) -> Edge | None:
    """The one after or before the one in hand, from the beginning or the end where none is; None beyond the last."""
    place = edges.index(held) if held in edges else (-1 if forward else len(edges))
    place += 1 if forward else -1
    return edges[place] if 0 <= place < len(edges) else None


def moved_time(draft: Draft, time: EventTime, index: FrameIndex) -> dict[str, int]:
    """The value of a time field after a move; the end that was not moved stays as it is, to the millisecond."""
    if draft.edge.end:
        end_ms = index.ms(draft.last)
        return {"start_ms": min(time.start_ms, end_ms), "end_ms": end_ms}
    start_ms = index.ms(draft.first)
    return {"start_ms": start_ms, "end_ms": max(start_ms, time.end_ms)}


def edges_of(marks: Sequence[EventMark]) -> tuple[Edge, ...]:
    """Every edge that can be moved, in order of time."""
    ends: tuple[End, End] = (0, 1)
    ordered = sorted((m for m in marks if m.movable), key=lambda m: (m.start_s, m.end_s))
    return tuple(Edge(mark, end) for mark in ordered for end in ends)


def edge_x(mark: EventMark, end: End, view: View) -> float:
    """Where an edge is: before its first frame, behind its last."""
    return view.x(view.axis.frame_end_s(mark.end_frame)) if end else view.x(mark.start_s)


def edge_at(placed: Sequence[PlacedMark], position: QPointF, view: View) -> Edge | None:
    """The edge that can be gripped there; the closer one where both can."""
    best: tuple[float, Edge] | None = None
    ends: tuple[End, End] = (0, 1)
    for each in placed:
        if not each.mark.movable or not each.rect.top() <= position.y() <= each.rect.bottom():
            continue
        for end in ends:
            away = (position.x() - edge_x(each.mark, end, view)) * (-1 if end else 1)
            # Outside of the stretch belongs to the edge at that side, also where both are on one pixel.
            distance = abs(away) + (0.5 if away > 0 else 0.0)
            if distance <= _GRIP_PX and (best is None or distance < best[0]):
                best = distance, Edge(each.mark, end)
    return best[1] if best is not None else None


def paint_edges(painter: QPainter, placed: Sequence[PlacedMark], view: View, held: Edge | None) -> None:
    """A grip at each edge of evidence; the one in hand is larger and in the accent."""
    painter.setPen(Qt.PenStyle.NoPen)
    ends: tuple[End, End] = (0, 1)
    for each in placed:
        if not each.mark.movable:
            continue
        for end in ends:
            x = edge_x(each.mark, end, view)
            if not view.left_px - 1 <= x <= view.right_px + 1:
                continue
            in_hand = held is not None and held.end == end and held.mark == each.mark
            width = 4.0 if in_hand else 2.0
            rect = QRectF(x if end else x - width, each.rect.top() - in_hand, width, each.rect.height() + 2 * in_hand)
            painter.fillRect(rect, theme.colour("accent" if in_hand else MARK_LOOKS[each.mark.kind][0]))


def paint_draft(painter: QPainter, draft: Draft, view: View, *, top: float, low: float) -> None:
    """Where the stretch would be, through all lanes."""
    assert view.axis.times_s is not None
    left = max(view.left_px, view.x(float(view.axis.times_s[draft.first])))
    right = min(view.right_px, view.x(view.axis.frame_end_s(draft.last)))
    if right < view.left_px or left > view.right_px:
        return
    painter.fillRect(QRectF(left, top, max(1.0, right - left), low - top), theme.colour("good", alpha=0.16))
    for end, x in ((0, left), (1, right)):
        held = draft.edge.end == end
        painter.setPen(QPen(theme.colour("accent" if held else "good"), 2 if held else 1))
        painter.drawLine(QPointF(x, top), QPointF(x, low))
