"""What a check found: time and memory of a real step, and one batch as the model sees it; then Start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.models.mark_line import MarkLine
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.training.check_batch import SeenBatch, SeenClip, measured_words, preflight_words, read_batch
from vvlm_desktop.ui.training.check_frames import THUMB_PX, FrameRow, LargeFrame
from vvlm_desktop.ui.training.check_text import AnswerText, PromptEnd
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.words import breakable, menu_text, shown
from vvlm_desktop.ui.work_line import Job, WorkLine
from vvlm_desktop.workflow.run_progress import RunProgress
from vvlm_desktop.workflow.runs import Run

_TEXT_PX = 150
_MOST_FINDINGS = 12

Pictures = dict[Path, QImage]


class CheckView(QWidget):
    """Shows a run that was checked and not trained yet."""

    start_pressed = Signal(object)  # Run
    change_pressed = Signal(object)  # Run

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = WorkLine(shell.tasks, self)
        self._shell = shell
        self.run: Run | None = None
        self._batch = SeenBatch()
        self._pictures: Pictures = {}
        self.title = label("", "title")
        self.measured = label("", "strong", wrap=True)
        self.start = button("Start training", self._on_start, kind="primary", icon="play")
        self.change = button("Change values", self._on_change, icon="pencil")
        self.clip = QComboBox()
        self.numbers = label("", "small", wrap=True)
        self.problem = label("", "doubtful", wrap=True)
        self.frames = FrameRow()
        self.prompt = PromptEnd()
        self.answer = AnswerText()
        self._findings = QVBoxLayout()
        self._lay_out()
        self.large = LargeFrame(self)
        self.frames.enlarged.connect(self._on_enlarged)
        self.clip.activated.connect(self._on_clip)

    def _lay_out(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.MARGIN)
        column.setSpacing(theme.PAD)
        head = QHBoxLayout()
        head.setSpacing(theme.GAP)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.title)
        words.addWidget(self.measured)
        head.addLayout(words, 1)
        for item in (self.change, self.start):
            head.addWidget(item, alignment=Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        self._findings.setSpacing(4)
        column.addLayout(self._findings)
        column.addWidget(self._batch_card())
        column.addStretch(1)
        area.setWidget(body)
        outer.addWidget(area)

    def _batch_card(self) -> QFrame:
        card = QFrame()
        card.setProperty("surface", "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        column.setSpacing(theme.GAP)
        row = QHBoxLayout()
        row.addWidget(label("One batch as the model sees it", "strong"))
        row.addSpacing(theme.GAP)
        self.clip.setAccessibleName("Clip of the batch")
        self.clip.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.clip.setMinimumContentsLength(20)
        row.addWidget(self.clip)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.numbers)
        column.addWidget(self.problem)
        column.addWidget(self.frames)
        for title, text in (("End of the prompt", self.prompt), ("Answer: what is underlined is learnt", self.answer)):
            column.addWidget(label(title, "muted"))
            text.setFixedHeight(theme.px(_TEXT_PX))
            column.addWidget(text)
        return card

    # -- what is shown

    def show_run(self, run: Run, progress: RunProgress) -> None:
        """Show what was found about a run."""
        self.run = run
        self.title.setText(f"{shown(run.name)} was checked")
        self.measured.setText(measured_words(progress) or "Nothing was measured.")
        self._show_findings(progress)
        self.large.hide()
        folder = run.folder

        def read(_report: Callable[[object], None], _cancelled: Callable[[], bool]) -> tuple[Path, SeenBatch, Pictures]:
            batch = read_batch(folder)
            return folder, batch, _thumbnails(batch)

        self._line.add(Job("training-batch", read, on_success=self._on_read, on_failure=self._shell.report))

    def close_view(self) -> None:
        """The page goes."""
        self._line.close()

    @property
    def seen(self) -> SeenClip | None:
        """The clip of the batch that is shown."""
        place = self.clip.currentIndex()
        return self._batch.clips[place] if 0 <= place < len(self._batch.clips) else None

    def _on_read(self, found: tuple[Path, SeenBatch, Pictures]) -> None:
        folder, batch, pictures = found
        if self.run is None or folder != self.run.folder:
            return
        self._batch, self._pictures = batch, pictures
        self.clip.clear()
        for each in batch.clips:
            self.clip.addItem(menu_text(shown(each.clip)))
        self.clip.setVisible(len(batch.clips) > 0)
        self.clip.setEnabled(len(batch.clips) > 1)
        self.problem.setText(breakable(shown(batch.problem)))
        self.problem.setVisible(bool(batch.problem))
        self._show_clip()

    def _on_clip(self, _place: int) -> None:
        self._show_clip()

    def _show_clip(self) -> None:
        seen = self.seen or SeenClip("")
        self.numbers.setText(seen.in_words if self.seen is not None else "")
        self.frames.show_frames(seen.frames, [self._pictures.get(frame.file, QImage()) for frame in seen.frames])
        self.prompt.show_prompt(seen.prompt)
        self.answer.show_pieces(seen.answer)

    def _show_findings(self, progress: RunProgress) -> None:
        while (item := self._findings.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        found = preflight_words(progress)
        for good, words in found[:_MOST_FINDINGS]:
            line = MarkLine()
            line.show_mark("check" if good else "warning", breakable(shown(words)), ink="muted" if good else "doubtful")
            self._findings.addWidget(line)
        if len(found) > _MOST_FINDINGS:
            self._findings.addWidget(label(f"and {len(found) - _MOST_FINDINGS} more; the log has them all", "small"))

    # -- what the user does

    def _on_enlarged(self, place: int) -> None:
        if self.seen is not None:
            self.large.open(self.seen.frames, place)

    def _on_start(self) -> None:
        self.start_pressed.emit(self.run)

    def _on_change(self) -> None:
        self.change_pressed.emit(self.run)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.large.isVisible():
            self.large.setGeometry(self.rect())


def _thumbnails(batch: SeenBatch) -> Pictures:
    """Small pictures; twice as large as they are shown, for screens with small pixels."""
    side = 2 * theme.px(THUMB_PX)
    found: Pictures = {}
    for clip in batch.clips:
        for frame in clip.frames:
            picture = QImage(str(frame.file))
            found[frame.file] = (
                picture if picture.isNull() else picture.scaledToWidth(side, Qt.TransformationMode.SmoothTransformation)
            )
    return found
