"""The middle of the page: headline, picture, transport, timeline; what plays and what has been looked at."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from vvlm_desktop.domain.review import PtsRange
from vvlm_desktop.ui.review.form.field_card import as_span
from vvlm_desktop.ui.review.form.model import frame_of_pts
from vvlm_desktop.ui.review.go_to import GoToBox
from vvlm_desktop.ui.review.headline import Headline
from vvlm_desktop.ui.review.open_clip import OpenClip
from vvlm_desktop.ui.review.overlay import HintCard, Toast
from vvlm_desktop.ui.review.playback import Playback
from vvlm_desktop.ui.review.player_view import Picture, VideoView
from vvlm_desktop.ui.review.seen import Attention
from vvlm_desktop.ui.review.shuttle import Shuttle
from vvlm_desktop.ui.review.strip_feeder import StripFeeder
from vvlm_desktop.ui.review.timeline import Timeline
from vvlm_desktop.ui.review.timeline_build import focus_event, span_to_play, window_around
from vvlm_desktop.ui.review.timeline_model import EventMark, TimelineModel
from vvlm_desktop.ui.review.transport import TransportBar
from vvlm_desktop.ui.widgets.labels import rule
from vvlm_desktop.video.index import FrameIndex

#: How long the event frame stands before the clip plays around it.
_STAND_MS = 400


class Desk(QWidget):
    """Everything about looking at one clip. It writes nothing."""

    ready_changed = Signal(bool)  # the event frame has been looked at long enough
    settled = Signal()  # the clip is on screen and nothing is in a hurry: what comes next can be made ready

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._open: OpenClip | None = None
        self._event: EventMark | None = None
        self._attention: Attention | None = None
        self._autoplay = False
        self._rate_after = 1.0
        self._marked: list[int | None] = [None, None]
        self.seen_frames: tuple[int, ...] = ()
        self.headline = Headline()
        self.view = VideoView()
        self.transport = TransportBar()
        self.timeline = Timeline()
        self.playback = Playback(self)
        self.shuttle = Shuttle(self.playback)
        self.toast = Toast(self.view)
        self.card = HintCard(self.view)
        self.go_to_box = GoToBox(self.view)
        self.strip = StripFeeder(self.timeline)
        self._stand_timer = self._single_shot(_STAND_MS, self._play_event)
        self._look_timer = self._single_shot(300, self._check_ready)
        self._lay_out()
        self._connect()

    def _single_shot(self, interval_ms: int, run: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(run)
        return timer

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.headline)
        column.addWidget(self.view, 1)
        column.addWidget(self.transport)
        column.addWidget(rule())
        column.addWidget(self.timeline)

    def _connect(self) -> None:
        self.playback.picture_changed.connect(self._on_picture)
        self.playback.position_changed.connect(self.timeline.set_position)
        self.playback.playing_changed.connect(self.transport.show_playing)
        self.playback.rate_changed.connect(self.transport.show_rate)
        self.playback.mode_changed.connect(self._on_mode)
        self.playback.span_finished.connect(self._on_span_finished)
        self.shuttle.used.connect(self.touched)
        self.view.painted.connect(self._on_painted)
        self.view.clicked.connect(self.toggle)
        self.transport.play_pressed.connect(self.toggle)
        self.transport.step_pressed.connect(self.step)
        self.transport.rate_pressed.connect(self.change_rate)
        self.transport.loop_pressed.connect(self.loop)
        self.transport.seen_only_pressed.connect(self.seen_only)
        self.timeline.scrubbed.connect(self._on_scrubbed)
        self.timeline.mark_chosen.connect(self._on_mark_chosen)
        self.go_to_box.chosen.connect(self.go_to)

    # -- clips ---------------------------------------------------------------------------------------------------

    @property
    def index(self) -> FrameIndex | None:
        """Frame index of the open clip."""
        return self._open.index if self._open is not None else None

    @property
    def attention(self) -> Attention | None:
        """What has been looked at."""
        return self._attention

    def show_clip(self, opened: OpenClip, model: TimelineModel, *, seen: tuple[int, ...], autoplay: bool) -> None:
        """Show a clip at its event."""
        self._open = opened
        index = opened.index
        self._event = focus_event(model)
        look_at = self._event.look_frame if self._event is not None else 0
        self._attention = Attention(index, look_at=look_at, window=window_around(index, self._event))
        self._autoplay = autoplay
        self._marked = [None, None]
        self.seen_frames = seen
        self.view.set_shape(rotation=index.rotation, sample_aspect=index.sample_aspect)
        self.timeline.show_clip(index, model)
        self.timeline.set_position(look_at)
        self.playback.set_rate(1.0)
        self.ready_changed.emit(False)
        self.playback.open(opened.source, at=look_at)
        self.strip.show_clip(opened)

    def show_marks(self, model: TimelineModel) -> None:
        """The same clip, with other marks on the timeline."""
        if self._open is not None:
            self.timeline.show_clip(self._open.index, model, keep_view=True)

    def show_nothing(self, sentence: str = "", hint: str = "") -> None:
        """No clip, or one that gives no picture."""
        self._open = self._attention = self._event = None
        self._stand_timer.stop()
        self.playback.open(None)
        self.strip.show_clip(None)
        self.timeline.show_clip(None, TimelineModel())
        self.transport.show_frame(None, -1)
        self.view.show_message(sentence, hint)
        self.ready_changed.emit(bool(sentence))

    def leave(self) -> None:
        """Another page is shown: nothing is looked at."""
        self._stand_timer.stop()
        self.playback.pause()
        self.shuttle.let_go()
        if self._attention is not None:
            self._attention.painted(-1)

    def close_desk(self) -> None:
        """Let go of the threads."""
        self.leave()
        self.playback.open(None)
        self.strip.close()

    # -- what can be done ----------------------------------------------------------------------------------------

    def touched(self) -> None:
        """The reviewer has taken over: nothing plays by itself any more."""
        self._stand_timer.stop()
        self._autoplay = False

    def toggle(self) -> None:
        """Play or pause."""
        self.touched()
        self.playback.toggle()

    def step(self, frames: int) -> None:
        """One frame on or back."""
        self.touched()
        self.playback.step(frames)

    def skip(self, seconds: float) -> None:
        """Some seconds on or back."""
        self.touched()
        self.playback.skip(seconds)

    def seek(self, i: int) -> None:
        """Go to a frame and stay there."""
        self.touched()
        self.playback.pause()
        self.playback.seek(i)

    def seek_end(self, *, last: bool) -> None:
        """Go to the first or last frame."""
        if self.index is not None:
            self.seek(len(self.index) - 1 if last else 0)

    def change_rate(self, steps: int) -> None:
        """Faster or slower."""
        self.playback.change_rate(steps)

    def loop(self) -> None:
        """Loop around the event, or stop looping."""
        self.touched()
        if self.playback.looping:
            self.playback.stop_loop()
            self.playback.pause()
        elif self.index is not None:
            first, last = self._stretch()
            self.playback.play_span(first, last, rest=None)
        self._on_mode()

    def _stretch(self) -> tuple[int, int]:
        """What a loop plays: the marked stretch, else around the event, else around this frame."""
        assert self.index is not None
        marked = self.marked_frames()
        if marked is not None and marked[0] != marked[1]:
            return marked
        if self._event is not None:
            return span_to_play(self.index, self._event)
        here = self.index.seconds(self.playback.position)
        return self.index.at_time(max(0.0, here - 1.0)), self.index.at_time(here + 1.0)

    def seen_only(self) -> None:
        """Only the frames that the model saw, or all again."""
        self.touched()
        if self.playback.only:
            self.playback.show_only(())
        elif self.seen_frames:
            self.playback.pause()
            self.playback.show_only(self.seen_frames)
        else:
            self.toast.say("No analysis says which frames it was given.")
        self._on_mode()

    def next_mark(self, direction: int) -> None:
        """Go to the next or previous event or evidence."""
        here = self.playback.position
        places = sorted({place for mark in self.timeline.marks for place in (mark.start_frame, mark.look_frame)})
        found = [p for p in places if p > here] if direction > 0 else [p for p in reversed(places) if p < here]
        if found:
            self.seek(found[0])
        else:
            self.toast.say("No event or evidence further on." if direction > 0 else "No event or evidence before this.")

    def go_to(self, frame_index: int) -> None:
        """Go to a frame that was typed."""
        self.seek(frame_index)

    def ask_where(self) -> None:
        """Let the reviewer type a time or a frame."""
        if self.index is not None:
            self.go_to_box.ask(self.index)

    def go_to_ms(self, ms: int) -> None:
        """Go to a time."""
        if self.index is not None:
            self.seek(self.index.number(self.index.pts_at_ms(ms)))

    def go_to_span(self, span: PtsRange) -> None:
        """Go to where evidence starts."""
        if self.index is not None:
            self.seek(frame_of_pts(self.index, span.start_pts))

    # -- the marked stretch --------------------------------------------------------------------------------------

    def mark(self, end: int) -> None:
        """Mark this frame as the first (0) or last (1) of a stretch."""
        self._marked[end] = self.playback.position
        self.timeline.set_marked(self.marked_frames())

    def clear_marked(self) -> None:
        """Nothing is marked any more."""
        self._marked = [None, None]
        self.timeline.set_marked(None)

    def marked_frames(self) -> tuple[int, int] | None:
        """The marked stretch; to this frame where one end is missing."""
        if self._marked == [None, None]:
            return None
        ends = [self.playback.position if end is None else end for end in self._marked]
        return min(ends), max(ends)

    def evidence_span(self) -> PtsRange | None:
        """What E stamps: the marked stretch, else the frame that is shown."""
        if self.index is None:
            return None
        first, last = self.marked_frames() or (self.playback.position, self.playback.position)
        return as_span(self.index.pts[first], self.index.pts[last])

    # -- what happens --------------------------------------------------------------------------------------------

    def _on_picture(self, picture: Picture) -> None:
        self.view.show_picture(picture)
        self.transport.show_frame(self.index, picture.frame_index, readable=picture.frame is not None)
        if picture.frame is None and self._attention is not None:
            self._attention.told(picture.frame_index)
            self._check_ready()

    def _on_painted(self, frame_index: int) -> None:
        attention = self._attention
        if attention is None:
            return
        attention.painted(frame_index)
        if frame_index == attention.look_at and not attention.ready and not self._look_timer.isActive():
            self._look_timer.start(int(attention.wait_s * 1000) + 2)
            if self._autoplay:
                self._autoplay = False
                self._stand_timer.start()

    def _check_ready(self) -> None:
        attention = self._attention
        if attention is None:
            return
        if attention.ready:
            self.ready_changed.emit(True)
            self.settled.emit()
        elif self.view.picture is not None and self.view.picture.frame_index == attention.look_at:
            self._look_timer.start(int(attention.wait_s * 1000) + 2)

    def _play_event(self) -> None:
        if self.index is None or not self.isVisible():
            return
        if self._event is not None:
            first, last = span_to_play(self.index, self._event)
            self.playback.play_span(first, last, rest=self._event.look_frame)
        else:
            self.playback.set_rate(4.0)
            self.playback.play_span(0, len(self.index) - 1, rest=0)

    def _on_span_finished(self) -> None:
        self.playback.set_rate(1.0)

    def _on_mode(self) -> None:
        self.transport.show_mode(looping=self.playback.looping, seen_only=bool(self.playback.only))

    def _on_scrubbed(self, frame_index: int, dragging: bool) -> None:
        self.touched()
        self.playback.pause()
        self.playback.seek(frame_index, dragging=dragging)

    def _on_mark_chosen(self, mark: EventMark) -> None:
        self.seek(mark.look_frame)

    def set_alone(self, alone: bool) -> None:
        """Only the picture and its transport bar, for full screen."""
        self.timeline.setVisible(not alone)
        self.headline.setVisible(not alone)
