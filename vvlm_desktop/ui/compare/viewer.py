"""One player for both answers: the picture, whose frames are played, and the lanes of what each saw."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from vvlm_desktop.errors import ClipUnreadableError, VvlmError
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.compare.frame_lanes import FrameLanes, LaneModel, lane_model
from vvlm_desktop.ui.compare.sides import ALL_LETTERS, LETTERS
from vvlm_desktop.ui.review.early_picture import EarlyPicture
from vvlm_desktop.ui.review.open_clip import ClipOpener
from vvlm_desktop.ui.review.playback import Playback
from vvlm_desktop.ui.review.player_view import Picture, VideoView
from vvlm_desktop.ui.review.timeline_build import BEFORE_S
from vvlm_desktop.ui.review.transport import TransportBar
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label, rule
from vvlm_desktop.ui.widgets.marks import MarkLabel
from vvlm_desktop.ui.words import clip_name, plain_tip
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.workflow.comparing import Comparison
from vvlm_desktop.workflow.session import Session


def fairness(pair: Comparison) -> tuple[bool, str]:
    """Whether two answers can be compared as they are, and the sentences that say so."""
    if not pair.notes:
        return True, "Same frames, same prompt, same settings."
    return False, f"Not on equal terms. {' '.join(pair.notes)}"


class PairViewer(QWidget):
    """Shows a `Comparison`; it writes nothing."""

    side_changed = Signal(object)  # whose frames alone are played; None for all

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pair: Comparison | None = None
        self._titles: Sequence[str] = ()
        self._beside: tuple[Comparison | None, ...] = ()
        self._index: FrameIndex | None = None
        self._lanes: tuple[LaneModel, ...] = ()
        self._side: int | None = None
        self.opener = ClipOpener(session, self)
        self.playback = Playback(self)
        self.name = label("", "strong")
        self.fair = MarkLabel()
        self.words = ElidedLabel("", "muted")
        self.view = VideoView()
        self.early = EarlyPicture(self.opener, self.view, awaited=self._awaited, parent=self)
        self.transport = TransportBar()
        self.lanes = FrameLanes()
        self.transport.loop.hide()
        self.transport.full_screen.hide()
        self.transport.seen.setToolTip("Only the frames that one of the two saw (1, 2)")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        head = QWidget()
        head.setProperty("surface", "panel")
        row = QHBoxLayout(head)
        row.setContentsMargins(theme.MARGIN, theme.GAP, theme.MARGIN, theme.GAP)
        row.setSpacing(theme.GAP)
        row.addWidget(self.name)
        row.addWidget(self.fair)
        row.addWidget(self.words, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (head, self.view, self.transport, rule(), self.lanes):
            column.addWidget(widget, 1 if widget is self.view else 0)

    def _connect(self) -> None:
        self.playback.picture_changed.connect(self._on_picture)
        self.playback.position_changed.connect(self.lanes.set_position)
        self.playback.playing_changed.connect(self.transport.show_playing)
        self.playback.rate_changed.connect(self.transport.show_rate)
        self.view.clicked.connect(self.toggle)
        self.transport.play_pressed.connect(self.toggle)
        self.transport.step_pressed.connect(self.playback.step)
        self.transport.rate_pressed.connect(self.playback.change_rate)
        self.transport.seen_only_pressed.connect(self._on_seen_pressed)
        self.lanes.scrubbed.connect(self._on_scrubbed)
        self.lanes.side_pressed.connect(self.show_side)
        self.opener.read_ended.connect(self._on_read_ended)

    @property
    def pair(self) -> Comparison | None:
        """The two answers that are shown."""
        return self._pair

    @property
    def side(self) -> int | None:
        """Whose frames alone are played; None for all of the clip."""
        return self._side

    def show_pair(
        self, pair: Comparison | None, titles: Sequence[str], *, beside: tuple[Comparison | None, ...] = ()
    ) -> None:
        """Show two answers about a clip; the same clip keeps its place.

        Args:
            beside: A with each of those that stand beside the two.
        """
        same = pair is not None and self._pair is not None and pair.clip.id == self._pair.clip.id
        self._pair, self._titles, self._beside = pair, titles, beside
        self._say(pair)
        if pair is None:
            self._show_nothing("")
        elif same and self._index is not None:
            self._show_lanes(pair, self._index)
        elif self.opener.at_hand(pair.clip):
            self._open(pair)
        else:
            self._show_nothing("Reading the clip…")
            self.opener.read(pair.clip)

    def _awaited(self) -> str | None:
        """The clip whose frames are being found."""
        return self._pair.clip.id if self._pair is not None and self._index is None else None

    def _say(self, pair: Comparison | None) -> None:
        self.name.setText(clip_name(pair.clip) if pair is not None else "")
        self.fair.setVisible(pair is not None)
        self.words.setText("")
        if pair is None:
            return
        fair, sentence = fairness(pair)
        for letter, each in zip(ALL_LETTERS[len(LETTERS) :], self._beside, strict=False):
            if each is not None and each.notes:
                fair, sentence = False, f"{sentence} {LETTERS[0]} and {letter}: {' '.join(each.notes)}"
        self.fair.show_mark("check" if fair else "warning", ink="muted" if fair else "doubtful")
        self.words.setText(sentence)
        self.words.setAccessibleName(sentence)
        self.fair.setToolTip(plain_tip(sentence))

    def _open(self, pair: Comparison) -> None:
        try:
            opened = self.opener.open(pair.clip)
        except (VvlmError, OSError) as error:
            reason = error.reason if isinstance(error, ClipUnreadableError) else str(error)
            self._show_nothing(reason, error.hint if isinstance(error, VvlmError) else "")
            return
        self._index = index = opened.index
        self.view.keep_only(pair.clip.id)
        self.view.set_shape(rotation=index.rotation, sample_aspect=index.sample_aspect)
        self.playback.open(opened.source, at=self._first_look(pair, index))
        self._show_lanes(pair, index)
        self.lanes.set_position(self.playback.position)

    def _first_look(self, pair: Comparison, index: FrameIndex) -> int:
        """A little before the first event that either of them names."""
        lanes = [lane_model(answer, index, name="") for answer in (pair.a, pair.b)]
        starts = [lane.event_s[0] for lane in lanes if lane.event_s is not None]
        return index.at_time(max(0.0, min(starts) - BEFORE_S / 3)) if starts else 0

    def _show_lanes(self, pair: Comparison, index: FrameIndex) -> None:
        others = (each.b if each is not None else None for each in self._beside)
        named = zip((pair.a, pair.b, *others), ALL_LETTERS, (*self._titles, *ALL_LETTERS), strict=False)
        self._lanes = tuple(lane_model(answer, index, name=f"{letter}, {title}") for answer, letter, title in named)
        self.lanes.show_clip(index, self._lanes)
        self.lanes.set_position(self.playback.position)
        self._apply_side()

    def _show_nothing(self, sentence: str, hint: str = "") -> None:
        self._index, self._lanes = None, ()
        self.playback.open(None)
        self.lanes.show_clip(None, ())
        self.transport.show_frame(None, -1)
        self.view.show_message(sentence, hint)

    def toggle(self) -> None:
        """Play or pause."""
        self.playback.toggle()

    def show_side(self, side: int) -> None:
        """Play only the frames that one of the two saw; once more for all again."""
        self._side = None if self._side == side else side
        self._apply_side()
        self.side_changed.emit(self._side)

    def _apply_side(self) -> None:
        frames = self._lanes[self._side].frames if self._side is not None and self._lanes else ()
        self.playback.show_only(frames)
        self.lanes.set_active(self._side if frames else None)
        self.transport.show_mode(looping=False, seen_only=bool(frames))

    def leave(self) -> None:
        """Another page is shown."""
        self.playback.pause()

    def close_viewer(self) -> None:
        """Let go of threads and files."""
        self.playback.open(None)
        self.opener.close()

    def _on_picture(self, picture: Picture) -> None:
        self.view.show_picture(picture)
        self.transport.show_frame(self._index, picture.frame_index, readable=picture.frame is not None)

    def _on_scrubbed(self, frame_index: int, dragging: bool) -> None:
        self.playback.pause()
        self.playback.seek(frame_index, dragging=dragging)

    def _on_seen_pressed(self) -> None:
        self.show_side(self._side if self._side is not None else 0)

    def _on_read_ended(self, clip_id: str) -> None:
        if self._pair is not None and clip_id == self._awaited():
            self._open(self._pair)
