"""The bar under the picture: play and step, and which frame is painted."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QToolTip, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.sound_control import SoundControl
from vvlm_desktop.ui.review.times import clock_text, rate_text
from vvlm_desktop.ui.widgets.buttons import IconButton
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.words import plain_tip
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.wall_clock import WallClock

_SOURCES = {
    "name": "by the file's name: the camera's own clock",
    "header": "by the file's header: the camera's own clock, be it UTC or local time",
    "satellites": "by the satellites: UTC",
}

#: How what is said of a clip names frames that are not there; a clock that jumps loses none.
_LOSSES = ("can be shown", "cannot be shown", "left out")
#: Narrower than this, the frame's numbers need the room of the volume.
_ROOM_FOR_VOLUME = 900


class TextButton(QAbstractButton):
    """Quiet text that is copied when it is clicked."""

    def __init__(self, what: str, *, ink: str = "muted", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ink = ink
        self._what = what
        self._copied = self._whole = self._short = ""
        self._is_short = False
        self.setToolTip(f"Copy the {what}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click must not take the keys from the page
        if ink == "text":
            self.setFont(theme.font("strong"))
        self.clicked.connect(self._on_clicked)

    def show_text(self, text: str, *, copied: str = "", short: str = "") -> None:
        """Show `text`, or `short` where there is little room; a click copies `copied`, or the text if empty."""
        self._whole, self._short = text, short or text
        self._copied = copied or text
        self._put(self._short if self._is_short else text)
        self.setEnabled(bool(text))
        self.setAccessibleName(f"{self._what[0].upper()}{self._what[1:]} {self._copied}, copy")

    def set_short(self, is_short: bool) -> None:
        """Show the short text, or the whole again."""
        self._is_short = is_short
        self._put(self._short if is_short else self._whole)

    def _put(self, text: str) -> None:
        if text != self.text():
            self.setText(text)
            self.updateGeometry()

    @property
    def copied(self) -> str:
        """What a click copies."""
        return self._copied

    def _on_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self._copied)
        QToolTip.showText(self.mapToGlobal(self.rect().topLeft()), f"Copied: {self._copied}", self)

    @override
    def sizeHint(self) -> QSize:
        return self.fontMetrics().size(0, self.text()) + QSize(8, 6)

    @override
    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(theme.colour("accent" if self.underMouse() and self.isEnabled() else self._ink))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
        if self.hasFocus():
            painter.setPen(theme.colour("accent"))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))


class TransportBar(QWidget):
    """Says what is painted; emits what was pressed."""

    play_pressed = Signal()
    step_pressed = Signal(int)
    rate_pressed = Signal(int)  # +1 faster, -1 slower
    loop_pressed = Signal()
    seen_only_pressed = Signal()
    full_screen_pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._index: FrameIndex | None = None
        self._frame_index, self._readable = -1, True
        self.back = IconButton("step-back", "One frame back", lambda: self.step_pressed.emit(-1), key="←")
        self.play = IconButton("play", "Play", self.play_pressed.emit, key="Space", ink="text")
        self.forward = IconButton("step-forward", "One frame on", lambda: self.step_pressed.emit(1), key="→")
        self._clock: WallClock | None = None
        self._satellites: WallClock | None = None
        self._dropped: list[QWidget] = []
        self._rate, self._place = 1.0, (0, 0)
        self._lengths: tuple[int, ...] = ()
        self.time = TextButton("time", ink="text")
        self.duration = label("", "muted")
        self.frame = label("", "muted")
        self.frame_number = TextButton("frame number", ink="text")
        self.pts = TextButton("PTS")
        self.wall = TextButton("recording time")
        self.slower = IconButton("speed", "Speed: slower with -, faster with +", lambda: self.rate_pressed.emit(1))
        self.rate = label("1×", "muted")
        self.cameras = IconButton("camera", "Other cameras of this moment", key="Q")
        self.cameras.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.cameras.hide()  # shown where there are any
        self.sound = SoundControl()
        self.loop = IconButton("loop", "Loop the marked stretch, or around the event", self.loop_pressed.emit, key="B")
        self.seen = IconButton("eye", "Only the frames the model saw", self.seen_only_pressed.emit, key="S")
        self.full_screen = IconButton("fullscreen", "Full screen", self.full_screen_pressed.emit, key="F")
        for checkable in (self.loop, self.seen):
            checkable.setCheckable(True)
        self._lay_out()
        self.show_frame(None, -1)

    def _lay_out(self) -> None:
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(theme.PAD, 4, theme.PAD, 4)
        row.setSpacing(4)
        for item in (self.back, self.play, self.forward):
            row.addWidget(item)
        row.addSpacing(theme.GAP)
        row.addWidget(self.time)
        row.addWidget(self.duration)
        row.addSpacing(theme.PAD)
        row.addWidget(self.frame)
        row.addWidget(self.frame_number)
        row.addSpacing(theme.GAP)
        row.addWidget(self.pts)
        row.addWidget(self.wall)
        row.addStretch(1)
        row.addWidget(self.slower)
        row.addWidget(self.rate)
        row.addWidget(self.cameras)
        row.addWidget(self.sound)
        for item in (self.loop, self.seen, self.full_screen):
            row.addWidget(item)
        for each in (self.back, self.play, self.forward, self.slower, self.loop, self.seen, self.full_screen):
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click must not take the keys from the page
        digits = self.fontMetrics().horizontalAdvance("0")
        self.time.setMinimumWidth(9 * digits)
        self.frame_number.setMinimumWidth(5 * digits)
        self.rate.setMinimumWidth(4 * digits)

    def show_frame(self, index: FrameIndex | None, frame_index: int, *, readable: bool = True) -> None:
        """Name the frame that is painted."""
        self._index, self._frame_index, self._readable = index, frame_index, readable
        self._name(index, frame_index, readable=readable)
        texts = (self.duration.text(), self.frame_number.text(), self.pts.text(), self.wall.copied)
        lengths = tuple(map(len, texts))
        if lengths != self._lengths:
            self._lengths = lengths
            self._drop()

    def _drop(self) -> None:
        """Leave out what is needed least until the rest has room; a part that is cut off would say something else."""
        for each in self._dropped:
            each.show()
        self._dropped.clear()
        for short in (False, True):
            self.wall.set_short(short)
            if self._fits():
                return
        for each in (self.duration, self.wall, self.frame, self.pts):
            if self._fits():
                return
            if not each.isHidden():
                each.hide()
                self._dropped.append(each)

    def _fits(self) -> bool:
        self._row.invalidate()
        return self._row.sizeHint().width() <= self.width()

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(280), super().minimumSizeHint().height())

    def _name(self, index: FrameIndex | None, frame_index: int, *, readable: bool) -> None:
        there = index is not None and 0 <= frame_index < len(index)
        for item in (self.back, self.play, self.forward, self.loop, self.seen, self.slower):
            item.setEnabled(there)
        if not there or index is None:
            for text in (self.time, self.frame_number, self.pts, self.wall):
                text.show_text("")
            for silent in (self.duration, self.frame):
                silent.setText("")
            return
        seconds = index.seconds(frame_index)
        self.time.show_text(clock_text(seconds))
        self.duration.setText(f"/ {clock_text(index.duration_s)}")
        self.frame.setText("frame" if readable else "unreadable frame")
        # Where frames were lost, the numbers are not those of a program that counts what the file promises.
        lost = what_is_lost(index)
        self.frame_number.show_text(f"{frame_index}{' of those shown' if lost else ''}", copied=str(frame_index))
        said = f". It counts the frames that can be shown. {lost}" if lost else ""
        self.frame_number.setToolTip(plain_tip(f"Copy the frame number{said}"))
        self.pts.show_text(f"PTS {index.pts[frame_index]}", copied=str(index.pts[frame_index]))
        self._show_clock(seconds)

    def set_clock(self, clock: WallClock | None) -> None:
        """By what clock the open clip was recorded, where that is known."""
        if clock != self._clock:
            self._clock = clock
            self._explain_clock()

    def set_satellites(self, clock: WallClock | None) -> None:
        """What the satellites say beside it; theirs is the one that is shown, as it is known to be UTC."""
        if clock != self._satellites:
            self._satellites = clock
            self._explain_clock()
            self.show_frame(self._index, self._frame_index, readable=self._readable)

    def _explain_clock(self) -> None:
        known = [clock for clock in (self._satellites, self._clock) if clock is not None]
        lines = [f"{_SOURCES[clock.source]}{f' ({clock.told_by})' if clock.told_by else ''}" for clock in known]
        self.wall.setToolTip(plain_tip(f"Copy the recording time, {lines[0]}") if lines else "")

    def _show_clock(self, seconds: float) -> None:
        shown = self._satellites or self._clock
        if shown is None:
            self.wall.show_text("")
            return
        time, zone = f"{shown.at(seconds):%H:%M:%S}", shown.zone
        short = zone.removesuffix("'s clock")
        self.wall.show_text(f"{time} {zone}", copied=_written(shown, seconds), short=f"{time} {short}")

    def show_playing(self, playing: bool) -> None:
        """Offer pause while it plays."""
        self.play.show_icon("pause" if playing else "play", "Pause" if playing else "Play", key="Space")

    def show_rate(self, rate: float) -> None:
        """Show the speed."""
        self._rate = rate
        self._show_speed()

    def show_place(self, place: int, count: int) -> None:
        """Which of `count` frames is shown, where only they are; `count` 0 where all are."""
        self._place = place, count
        self._show_speed()

    def _show_speed(self) -> None:
        place, count = self._place
        text = rate_text(self._rate) + (f" · {place} of {count}" if count else "")
        if text != self.rate.text():
            longer = len(text) != len(self.rate.text())
            self.rate.setText(text)
            if longer:
                self._drop()

    def show_mode(self, *, looping: bool, seen_only: bool) -> None:
        """Show what is switched on."""
        self.loop.setChecked(looping)
        self.seen.setChecked(seen_only)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.sound.set_compact(self.width() < theme.px(_ROOM_FOR_VOLUME))
        self._drop()

    def set_compact(self, compact: bool) -> None:
        """Leave out what is also elsewhere when there is little width."""
        self._dropped = [each for each in self._dropped if each is not self.duration]
        self.duration.setVisible(not compact)
        self._drop()

    def caption(self) -> str:
        """Everything that names the frame on screen, for the clipboard."""
        if self._index is None or self._frame_index < 0:
            return ""
        i = self._frame_index
        seconds = self._index.seconds(i)
        clocks = [_written(clock, seconds) for clock in (self._satellites, self._clock) if clock is not None]
        return ", ".join([f"frame {i}, PTS {self._index.pts[i]}, {clock_text(seconds)}", *clocks])


def what_is_lost(index: FrameIndex) -> str:
    """The sentence about frames that cannot be shown; nothing where every frame can, whatever else is said of it."""
    said = index.problem or ""
    return said if any(words in said for words in _LOSSES) else ""


def _written(clock: WallClock, seconds: float) -> str:
    """A moment by a clock, with its date and thousandths."""
    now = clock.at(seconds)
    return f"{now:%Y-%m-%d %H:%M:%S}.{now.microsecond // 1000:03} {clock.zone}"
