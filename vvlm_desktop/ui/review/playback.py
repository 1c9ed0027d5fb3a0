"""What plays, where, and how fast: seeks, steps, the clock, the loop, the frames the model saw. Paints nothing."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from vvlm_desktop.ui.review.clip_source import ClipSource
from vvlm_desktop.ui.review.play_line import Span, due_at, gap_end, seen_per_s
from vvlm_desktop.ui.review.player_view import Picture
from vvlm_desktop.ui.review.seek_history import SeekHistory
from vvlm_desktop.video.audio_clock import Timing

#: Speeds that `-` and `+` go through.
RATES = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
#: The clock waits for a decoder that is further behind than this, so that no stretch is passed over unseen.
_LAG_S = 0.1


class Playback(QObject):
    """Plays one `ClipSource`; everything is in frame indices, in PTS order."""

    picture_changed = Signal(object)  # Picture
    position_changed = Signal(object)  # frame index that is wanted
    playing_changed = Signal(bool)
    rate_changed = Signal(float)
    timing_changed = Signal()  # what is due at which moment of the clock
    mode_changed = Signal()  # looping, only the model's frames
    span_finished = Signal()
    gap_passed = Signal(float)  # seconds without a picture that were not waited for

    def __init__(self, parent: QObject | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._clock = clock
        self._source: ClipSource | None = None
        self._wanted = 0
        self._shown = -1
        self._near = -1  # frame on screen, be it a small copy
        self._dragging = False
        self._rate = 1.0
        self._direction = 1
        self._base_s = 0.0
        self._started_s = 0.0
        self._kept_at = -1000
        self._span: Span | None = None
        self._only: tuple[int, ...] = ()
        self._history = SeekHistory()
        self._drag_origin: int | None = None
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(5)
        self._timer.timeout.connect(self.tick)

    # -- what is so ----------------------------------------------------------------------------------------------

    @property
    def source(self) -> ClipSource | None:
        """The open clip."""
        return self._source

    @property
    def position(self) -> int:
        """Frame that is wanted; the picture follows as soon as it is decoded."""
        return self._wanted

    @property
    def playing(self) -> bool:
        """Whether the clock runs."""
        return self._timer.isActive()

    @property
    def rate(self) -> float:
        """Speed, 1.0 as recorded."""
        return self._rate

    @property
    def backward(self) -> bool:
        """Whether it plays backward."""
        return self._direction < 0

    @property
    def timing(self) -> Timing | None:
        """How the picture goes with the clock; None unless it plays forward, frame after frame."""
        plain = self.playing and not self._only and not self.backward
        return Timing(self._base_s, self._started_s, self._rate) if plain else None

    @property
    def looping(self) -> bool:
        """Whether a stretch plays again and again."""
        return self._span is not None and self._span.rest is None

    @property
    def only(self) -> tuple[int, ...]:
        """The frames that steps and playing are limited to; empty for all."""
        return self._only

    # -- clips ---------------------------------------------------------------------------------------------------

    def open(self, source: ClipSource | None, *, at: int = 0) -> None:
        """Show another clip, paused on frame `at`; the old source is the caller's to close."""
        self.pause()
        if self._source is not None:
            self._source.decoded.disconnect(self._on_decoded)
        self._source = source
        self._shown, self._near, self._kept_at, self._span, self._only = -1, -1, -1000, None, ()
        self._dragging = False
        self._history.clear()
        self._drag_origin = None
        self.mode_changed.emit()
        if source is not None:
            source.decoded.connect(self._on_decoded, Qt.ConnectionType.QueuedConnection)
            self._wanted = -1
            self.seek(at)

    # -- going somewhere -----------------------------------------------------------------------------------------

    def seek(self, i: int, *, dragging: bool = False) -> None:
        """Go to frame `i`; while `dragging`, pictures on the way are shown too."""
        if self._source is None or not len(self._source.index):
            return
        self._dragging = dragging
        self._go(max(0, min(i, len(self._source.index) - 1)))
        if self.playing:
            self._restart_clock()
        picture = self._source.cached(self._wanted) or self._nearer(self._source.preview(self._wanted))
        if picture is not None:
            self._show(picture)
        self._source.request(self._wanted)

    def jump(self, i: int, *, dragging: bool = False) -> None:
        """Pause and go to frame `i`; `go_back` returns to where this began. A drag is one jump, told by its end."""
        self.pause()
        origin = self._wanted if self._drag_origin is None else self._drag_origin
        self.seek(i, dragging=dragging)
        self._drag_origin = origin if dragging else None
        if not dragging:
            self._history.jumped(origin, self._wanted)

    def go_back(self, *, forward: bool = False) -> bool:
        """Return to where the last jump began, or (`forward`) where going back began; whether there is such a place."""
        place = self._history.forward(self._wanted) if forward else self._history.back(self._wanted)
        if place is None:
            return False
        self.pause()
        self.seek(place)
        return True

    def step(self, frames: int) -> None:
        """Pause and go `frames` frames on, or back; among the model's frames where only they are shown."""
        self.pause()
        if not self._only:
            self.seek(self._wanted + frames)
            return
        place = bisect_left(self._only, self._wanted)
        if frames > 0 and place < len(self._only) and self._only[place] != self._wanted:
            place -= 1  # between two of them: the next one is one step away
        self.seek(self._only[max(0, min(place + frames, len(self._only) - 1))])

    def skip(self, seconds: float) -> None:
        """Go `seconds` on, or back; goes on playing if it was."""
        if self._source is not None:
            index = self._source.index
            here = index.seconds(self._wanted)
            target = index.at_time(max(0.0, here + seconds))
            # A step shorter than a frame still moves.
            self.seek(target if target != self._wanted else self._wanted + (1 if seconds > 0 else -1))

    # -- playing -------------------------------------------------------------------------------------------------

    def play(self, rate: float | None = None, *, backward: bool = False) -> None:
        """Play from here; from the other end when there is nothing left to play."""
        if self._source is None or not len(self._source.index):
            return
        if rate is not None:
            self.set_rate(rate)
        self._direction = -1 if backward else 1
        last = len(self._source.index) - 1
        if self._span is None and not self._only:
            if not backward and self._wanted >= last:
                self.seek(0)
            elif backward and self._wanted <= 0:
                self.seek(last)
        self._restart_clock()
        self._keep_ahead()
        if not self.playing:
            self._timer.start()
            self.playing_changed.emit(True)

    def play_span(self, first: int, last: int, *, rest: int | None) -> None:
        """Play `first`…`last`, once and then rest on `rest`, or in a loop when that is None."""
        self._only = ()
        self._span = Span(first, last, rest)
        self.seek(first)
        self.play()
        self.mode_changed.emit()

    def change_loop(self, first: int, last: int) -> None:
        """Go on looping over another stretch; nothing where nothing is looped."""
        if self.looping:
            self._span = Span(first, last)
            if self.playing and not first <= self._wanted <= last:
                self.seek(last if self.backward else first)

    def stop_loop(self) -> None:
        """Play on past the end of the stretch that was looped."""
        if self._span is not None:
            self._span = None
            self.mode_changed.emit()

    def show_only(self, frames: Sequence[int]) -> None:
        """Limit steps and playing to `frames`; empty for all."""
        self._only = tuple(frames)
        self._span = None
        if self._only and self._source is not None:
            after = bisect_right(self._only, self._wanted)
            near = self._only[max(0, after - 1) : after + 1]
            self.seek(min(near, key=lambda i: abs(i - self._wanted)))
        self.mode_changed.emit()

    def pause(self) -> None:
        """Stay on the frame that is shown."""
        if not self.playing:
            return
        self._timer.stop()
        self._direction = 1
        if self._span is not None and self._span.rest is not None:
            self._span = None
        self.playing_changed.emit(False)
        if self._source is not None:
            if self._shown >= 0:
                self._go(self._shown)
            self._source.request(self._wanted)

    def toggle(self) -> None:
        """Play or pause."""
        if self.playing:
            self.pause()
        else:
            self.play()

    def set_rate(self, rate: float) -> None:
        """Play at `rate` from now on, within 0.1 to 4."""
        rate = max(RATES[0], min(rate, RATES[-1]))
        if rate != self._rate:
            now_s = None if self._only or not self.playing else self._media_s()
            self._rate = rate
            if self.playing:
                self._restart_clock(now_s)
            self.rate_changed.emit(rate)

    def change_rate(self, steps: int) -> None:
        """The next faster or slower speed."""
        place = bisect_left(RATES, self._rate) if steps < 0 else bisect_right(RATES, self._rate) - 1
        self.set_rate(RATES[max(0, min(place + steps, len(RATES) - 1))])

    # -- the clock -----------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Show the frame that is due now."""
        if self._source is None or not self.playing:
            return
        self._pass_gap()
        due, over = self._due()
        self._show_up_to(due)
        if over and self._wanted == due:
            self._end_reached()
        elif abs(self._wanted - self._kept_at) >= 6:
            self._keep_ahead()

    def _due(self) -> tuple[int, bool]:
        """Frame that the clock is at, and whether that is the end of what plays."""
        assert self._source is not None
        if self._only:
            place = int(self._base_s + (self._media_s() - self._base_s) * seen_per_s(len(self._only)))
            clamped = max(0, min(place, len(self._only) - 1))
            return self._only[clamped], place != clamped
        return due_at(self._source.index, self._media_s(), span=self._span, backward=self.backward)

    def _media_s(self) -> float:
        """The moment of the clip that the clock is at."""
        return self._base_s + (self._clock() - self._started_s) * self._rate * self._direction

    def _pass_gap(self) -> None:
        """Go on behind a gap instead of waiting for as long as it lasted."""
        assert self._source is not None
        if self._only:
            return
        end = gap_end(self._source.index, self._media_s(), rate=self._rate, backward=self.backward)
        if end is not None:
            self._restart_clock(end.media_s)
            self.gap_passed.emit(end.length_s)

    def _show_up_to(self, due: int) -> None:
        """Show `due`, or the last decoded frame before it; the clock waits rather than passing over a stretch."""
        assert self._source is not None
        if due == self._shown:
            return
        picture = self._source.cached(due)
        if picture is not None:
            self._go(due)
            self._show(picture)
            return
        if self._source.left_out(due):
            self._go(due)
            self._source.request(due)
            return
        step = -self._direction
        between = range(due + step, self._wanted, step) if (due - self._wanted) * self._direction > 0 else ()
        reached = next((p for i in between if (p := self._source.cached(i)) is not None), None)
        if reached is not None:
            self._go(reached.frame_index)
            self._show(reached)
        if self._only:
            self._restart_clock()
        elif abs(self._media_s() - self._next_s()) > _LAG_S:
            self._restart_clock(self._next_s())
        if reached is None:
            self._keep_ahead()

    def _next_s(self) -> float:
        """When the next picture is due: the clock waits there, not a long picture's time before."""
        assert self._source is not None
        index = self._source.index
        following = self._wanted + (not self.backward and self._shown == self._wanted)
        return index.seconds(min(following, len(index) - 1))

    def _end_reached(self) -> None:
        span = self._span
        if span is not None and span.rest is None:
            self.seek(span.last if self.backward else span.first)
            return
        self.pause()
        if span is not None and span.rest is not None:
            self._span = None
            self.seek(span.rest)
            self.mode_changed.emit()
            self.span_finished.emit()

    def _restart_clock(self, media_s: float | None = None) -> None:
        """Let the clock go on from that moment, or from the frame that is wanted."""
        assert self._source is not None
        self._started_s = self._clock()
        if self._only:
            self._base_s = float(max(0, bisect_right(self._only, self._wanted) - 1))
        else:
            self._base_s = self._source.index.seconds(self._wanted) if media_s is None else media_s
        self.timing_changed.emit()

    def _keep_ahead(self) -> None:
        assert self._source is not None
        if self._only:
            place = bisect_right(self._only, self._wanted)
            if place < len(self._only):
                self._source.keep_ahead(self._only[place], frames=1, backward=False)
            return
        self._kept_at = self._wanted
        frames = max(12, round(0.8 / self._source.index.usual_s * max(1.0, self._rate)))
        self._source.keep_ahead(self._wanted, frames=frames, backward=self.backward)

    # -- pictures ------------------------------------------------------------------------------------------------

    def _on_decoded(self, picture: Picture) -> None:
        if self._source is None or picture.clip_id != self._source.clip_id:
            return  # announced before the clip was left
        if picture.frame_index == self._wanted:
            if self._shown != self._wanted:
                self._show(picture)
        elif not self.playing and self._shown != self._wanted and (picture.exact or self._on_the_way(picture)):
            self._show(picture)

    def _on_the_way(self, picture: Picture) -> bool:
        """Whether a frame that was met on the way is worth showing during a drag."""
        assert self._source is not None
        return self._dragging and (not self._source.has_previews or self._nearer(picture) is not None)

    def _nearer(self, picture: Picture | None) -> Picture | None:
        """The picture, if it is nearer to what is wanted than what is on screen."""
        if picture is None or self._near < 0:
            return picture
        return picture if abs(picture.frame_index - self._wanted) < abs(self._near - self._wanted) else None

    def _show(self, picture: Picture) -> None:
        # A small copy is not the frame: that is still to come, also where its number is the wanted one.
        self._shown = picture.frame_index if picture.reduced_from is None else -1
        self._near = picture.frame_index
        self.picture_changed.emit(picture)

    def _go(self, i: int) -> None:
        if i != self._wanted:
            self._wanted = i
            self.position_changed.emit(i)
