"""The middle of the page: headline, picture, transport, timeline; what plays and what has been looked at."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from vvlm_desktop.domain.review import PtsRange
from vvlm_desktop.ui.review.autoplay import event_to_play
from vvlm_desktop.ui.review.camera_stage import CameraStage
from vvlm_desktop.ui.review.cameras import Cameras
from vvlm_desktop.ui.review.form.field_card import as_span
from vvlm_desktop.ui.review.form.model import frame_of_pts
from vvlm_desktop.ui.review.go_to import GoToBox
from vvlm_desktop.ui.review.headline import Headline
from vvlm_desktop.ui.review.lane_choice import remember_lanes
from vvlm_desktop.ui.review.lane_drive import DriveDesk
from vvlm_desktop.ui.review.looking import Looking
from vvlm_desktop.ui.review.only_seen import OnlySeen
from vvlm_desktop.ui.review.open_clip import OpenClip
from vvlm_desktop.ui.review.overlay import HintCard, Toast
from vvlm_desktop.ui.review.picture_tools import PictureTools
from vvlm_desktop.ui.review.play_line import gap_sentence
from vvlm_desktop.ui.review.playback import Playback
from vvlm_desktop.ui.review.player_view import Picture, VideoView
from vvlm_desktop.ui.review.reaction import Trail
from vvlm_desktop.ui.review.seen import Attention
from vvlm_desktop.ui.review.shuttle import Shuttle
from vvlm_desktop.ui.review.sound import Sound
from vvlm_desktop.ui.review.strip_feeder import StripFeeder
from vvlm_desktop.ui.review.timeline import Timeline
from vvlm_desktop.ui.review.timeline_build import focus_event, span_to_play
from vvlm_desktop.ui.review.timeline_model import TimelineModel
from vvlm_desktop.ui.review.timeline_peek import Peek, PeekFeeder
from vvlm_desktop.ui.review.times import span_text
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
        self._autoplay = self._taken_over = False
        self.waiting = False  # for the open clip to be read
        self._hurried = False  # whether the speed is that of the overview, which nobody chose
        self._marked: list[int | None] = [None, None]
        self.seen_frames: tuple[int, ...] = ()
        self.headline = Headline()
        self.view = VideoView()
        self.stage = CameraStage(self.view)
        self.looking = Looking(self.view, self)
        self.transport = TransportBar()
        self.timeline = Timeline()
        self.sound = Sound(self)
        self.playback = Playback(self, clock=self.sound.clock)
        self.shuttle = Shuttle(self.playback)
        self.trail = Trail(self.playback, parent=self)
        self.toast = Toast(self.stage)
        self.only_seen = OnlySeen(self.playback, transport=self.transport, toast=self.toast, parent=self)
        self.picture = PictureTools(self.view, self.toast)
        self.card = HintCard(self.stage)
        self.go_to_box = GoToBox(self.stage)
        self.cameras = Cameras(self.stage, self.playback, toast=self.toast, looking=self.looking)
        self.cameras.show_in(self.transport.cameras)
        self.strip = StripFeeder(self.timeline)
        self.peek = PeekFeeder(self.timeline, Peek(self, caption=self.transport))
        self.drive = DriveDesk(timeline=self.timeline, playback=self.playback, seek=self.seek, caption=self.transport)
        self._stand_timer = QTimer(self, singleShot=True, interval=_STAND_MS)
        self._stand_timer.timeout.connect(self._play_event)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.headline)
        column.addWidget(self.stage, 1)
        column.addWidget(self.transport)
        column.addWidget(rule())
        column.addLayout(self.drive.row())

    def _connect(self) -> None:
        self.playback.picture_changed.connect(self._on_picture)
        self.playback.position_changed.connect(self.timeline.set_position)
        self.playback.playing_changed.connect(self.transport.show_playing)
        self.playback.rate_changed.connect(self.transport.show_rate)
        self.playback.mode_changed.connect(self._on_mode)
        self.playback.span_finished.connect(self._on_span_finished)
        self.playback.gap_passed.connect(lambda length_s: self.toast.say(gap_sentence(length_s)))
        self.shuttle.used.connect(self.touched)
        self.looking.ready_changed.connect(self.ready_changed)
        self.looking.settled.connect(self.settled)
        self.looking.reached.connect(self._on_reached)
        self.view.clicked.connect(self.toggle)
        self.view.hand.back_pressed.connect(self.go_back)
        self.view.hand.forward_pressed.connect(lambda: self.go_back(forward=True))
        self.transport.play_pressed.connect(self.toggle)
        self.transport.step_pressed.connect(self.step)
        self.transport.rate_pressed.connect(self.change_rate)
        self.transport.loop_pressed.connect(self.loop)
        self.transport.seen_only_pressed.connect(self.seen_only)
        self.sound.attach(self.playback)
        self.sound.show_in(self.transport.sound, say=self.toast.say)
        self.timeline.scrubbed.connect(self._on_scrubbed)
        self.timeline.mark_chosen.connect(lambda mark: self.seek(mark.look_frame))
        remember_lanes(self.timeline)
        self.timeline.edge_lost.connect(self.toast.say)
        self.go_to_box.chosen.connect(self.seek)

    # -- clips ---------------------------------------------------------------------------------------------------

    @property
    def index(self) -> FrameIndex | None:
        """Frame index of the open clip."""
        return self._open.index if self._open is not None else None

    @property
    def attention(self) -> Attention | None:
        """What has been looked at."""
        return self.looking.attention

    @property
    def taken_over(self) -> bool:
        """Whether the reviewer has played or gone somewhere in this clip."""
        return self._taken_over

    def show_clip(self, opened: OpenClip, model: TimelineModel, *, seen: tuple[int, ...], autoplay: bool) -> None:
        """Show a clip at its event."""
        self._open, self.waiting = opened, False
        index = opened.index
        # The picture of the clip before must not stand for this one while this one is decoded.
        self.view.keep_only(opened.clip.id)
        self.transport.show_frame(None, -1)
        self.looking.begin(opened.clip.id, index, focus_event(model))
        look_at = self.looking.look_at
        self._autoplay, self._taken_over = autoplay, False
        self._marked = [None, None]
        self.seen_frames = seen
        self.picture.new_clip()
        self.view.set_shape(rotation=index.rotation, sample_aspect=index.sample_aspect)
        self.timeline.show_clip(index, model)
        self.timeline.set_position(look_at)
        self._stand_timer.stop()
        self._hurried = False
        self.playback.set_rate(1.0)
        self.playback.open(opened.source, at=look_at)
        self.strip.show_clip(opened)
        self.peek.show_clip(opened)
        self.sound.show_clip(opened)
        self.cameras.show_clip(opened)

    def show_marks(self, model: TimelineModel, *, seen: tuple[int, ...], afresh: bool) -> None:
        """The same clip with other marks; `afresh` where another reviewer or answer has to be looked at anew."""
        if self._open is None:
            return
        self.seen_frames = seen
        self.timeline.show_clip(self._open.index, model, keep_view=True)
        changed = self.looking.follow(focus_event(model), afresh=afresh)
        if changed and not self._taken_over and self.attention is not None and not self.attention.ready:
            self._stand_timer.stop()
            self.playback.pause()
            self.playback.seek(self.looking.look_at)

    def show_nothing(self, sentence: str = "", hint: str = "", *, wait: bool = False) -> None:
        """No clip, or one that gives no picture, or (`wait`) does not yet."""
        self._open, self.waiting = None, wait
        self.looking.end()
        self._stand_timer.stop()
        self.playback.open(None)
        self.strip.show_clip(None)
        self.peek.show_clip(None)
        self.sound.show_clip(None)
        self.cameras.show_clip(None)
        self.timeline.show_clip(None, TimelineModel())
        self.transport.show_frame(None, -1)
        self.view.show_message(sentence, hint)
        self.ready_changed.emit(bool(sentence) and not wait)

    def leave(self) -> None:
        """Another page is shown: nothing is looked at."""
        self._stand_timer.stop()
        self.playback.pause()
        self.shuttle.let_go()
        self.looking.leave()

    def close_desk(self) -> None:
        """Let go of the threads."""
        self.leave()
        self.playback.open(None)
        for each in (self.strip, self.peek, self.drive):
            each.close()
        self.sound.close()
        self.cameras.close()

    # -- what can be done ----------------------------------------------------------------------------------------

    def touched(self) -> None:
        """The reviewer has taken over: nothing plays by itself any more."""
        self._stand_timer.stop()
        self._autoplay, self._taken_over = False, True
        if self._hurried:
            self._hurried = False
            self.playback.set_rate(1.0)

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
        self.playback.jump(i)

    def go_back(self, *, forward: bool = False) -> None:
        """Where the last jump began, or (`forward`) where going back began."""
        self.touched()
        if not self.playback.go_back(forward=forward):
            self.toast.say("There is no later place to go to." if forward else "You have not jumped from anywhere yet.")

    def seek_end(self, *, last: bool) -> None:
        """Go to the first or last frame."""
        if self.index is not None:
            self.seek(len(self.index) - 1 if last else 0)

    def change_rate(self, steps: int) -> None:
        """Faster or slower."""
        self._hurried = False
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
            self.toast.say(f"Loops {span_text(self.index.seconds(first), self.index.seconds(last))}")
        self._on_mode()

    def _stretch(self) -> tuple[int, int]:
        """What a loop plays: the marked stretch, else around the event, else around this frame."""
        assert self.index is not None
        marked = self.marked_frames()
        if marked is not None and marked[0] != marked[1]:
            return marked
        if (event := event_to_play(self.looking.focus, self.timeline.marks)) is not None:
            return span_to_play(self.index, event)
        here = self.index.seconds(self.playback.position)
        return self.index.at_time(max(0.0, here - 1.0)), self.index.at_time(here + 1.0)

    def seen_only(self) -> None:
        """Only the frames that the model saw, or all again."""
        self.touched()
        self.only_seen.toggle(self.seen_frames)
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

    def ask_where(self) -> None:
        """Let the reviewer type a time or a frame."""
        if self.index is not None:
            self.go_to_box.ask(self.index, here=self.playback.position)

    def go_to_ms(self, ms: int) -> None:
        """Go to a time."""
        if self.index is not None:
            self.seek(self.index.number(self.index.pts_at_ms(ms)))

    def go_to_span(self, span: PtsRange) -> None:
        """Go to where evidence starts."""
        if self.index is not None:
            self.seek(frame_of_pts(self.index, span.start_pts))

    # -- the marked stretch --------------------------------------------------------------------------------------

    def mark(self, end: int, *, here: int | None) -> None:
        """Mark frame `here` as the first (0) or last (1) of a stretch; None where there is none to mark."""
        if here is not None:
            self._marked[end] = here
            self.timeline.set_marked(self.marked_frames())
            if None not in self._marked:
                self.playback.change_loop(*self._stretch())

    def clear_marked(self) -> None:
        """Nothing is marked any more."""
        self._marked = [None, None]
        self.timeline.set_marked(None)

    def unmark(self) -> None:
        """Nothing shall be marked any more, nor looped because it was."""
        if self.playback.looping and None not in self._marked:
            self.playback.stop_loop()
            self.toast.say("Nothing is marked any more; the loop is off.")
        self.clear_marked()

    def marked_frames(self) -> tuple[int, int] | None:
        """The marked stretch; to this frame where one end is missing."""
        if self._marked == [None, None]:
            return None
        ends = [self.playback.position if end is None else end for end in self._marked]
        return min(ends), max(ends)

    def frame_on_screen(self) -> int | None:
        """The frame that is painted, for what is recorded with it; where it is not the wanted one, says so."""
        picture, wanted = self.view.picture, self.playback.position
        if self._open is None:
            return None
        if picture is not None and picture is not self.view.on_screen:
            self.view.repaint()  # decoded already: the key was quicker than the screen
        painted = self.view.on_screen
        if painted is not None and (painted.clip_id, painted.frame_index) == (self._open.clip.id, wanted):
            return wanted
        if picture is not None and picture.frame is None and picture.frame_index == wanted:
            self.toast.say(f"Frame {wanted} cannot be shown. Nothing was stored.")
        else:
            self.toast.say(f"Frame {wanted} is not on screen yet. Nothing was stored.")
        return None

    def evidence_span(self) -> PtsRange | None:
        """What E stamps: the marked stretch, else the frame that is on screen."""
        if self.index is None:
            return None
        here = self.frame_on_screen() if None in self._marked else None
        first, last = (here if end is None else end for end in self._marked)
        return as_span(self.index.pts[first], self.index.pts[last]) if first is not None and last is not None else None

    # -- what happens --------------------------------------------------------------------------------------------

    def _on_picture(self, picture: Picture) -> None:
        self.view.show_picture(picture)
        self.transport.set_clock(self._open.source.wall_clock if self._open is not None else None)
        self.transport.show_frame(self.index, picture.frame_index, readable=picture.frame is not None)
        self.looking.picture_came(picture)

    def _on_reached(self) -> None:
        if self._autoplay:
            self._autoplay = False
            self._stand_timer.start()

    def _play_event(self) -> None:
        if self.index is None or not self.isVisible():
            return
        event = event_to_play(self.looking.focus, self.timeline.marks)
        if event is not None:
            first, last = span_to_play(self.index, event)
            self.playback.play_span(first, last, rest=event.look_frame)
        else:
            self.playback.set_rate(4.0)
            self._hurried = True
            self.toast.say("Overview of the whole clip, 4×")
            self.playback.play_span(0, len(self.index) - 1, rest=0)

    def _on_span_finished(self) -> None:
        self._hurried = False
        self.playback.set_rate(1.0)

    def _on_mode(self) -> None:
        self.transport.show_mode(looping=self.playback.looping, seen_only=bool(self.playback.only))

    def _on_scrubbed(self, frame_index: int, dragging: bool) -> None:
        self.touched()
        self.playback.jump(frame_index, dragging=dragging)

    def set_alone(self, alone: bool) -> None:
        """Only the picture and its transport bar, for full screen."""
        self.timeline.setVisible(not alone)
        self.drive.set_alone(alone)
        self.headline.setVisible(not alone)
