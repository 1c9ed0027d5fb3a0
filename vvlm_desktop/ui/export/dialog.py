"""Asks what to export, as what, and where to; says beforehand what the format cannot carry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.words import count

_WIDTH_PX = 560
#: Room for the window manager's frame and a panel.
_FRAME_PX = 80
_QWIDGETSIZE_MAX = 16_777_215


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """What the user decided."""

    format_name: str
    out: Path
    copy: bool
    unreviewed: bool
    include_samples: bool


@dataclass(frozen=True, slots=True)
class Exportable:
    """What there is to export: clips that a person has settled, how many of them are samples, and all clips."""

    reviewed: int
    samples: int
    clips: int


@dataclass(frozen=True, slots=True)
class FormatEntry:
    """A format as the dialog offers it."""

    name: str
    title: str
    description: str
    losses: tuple[str, ...]


class ExportDialog(QDialog):
    """Window-modal; emits `chosen` and closes."""

    chosen = Signal(object)

    def __init__(
        self,
        formats: tuple[FormatEntry, ...],
        exportable: Exportable,
        *,
        suggested: Path,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._formats = formats
        self._exportable = exportable
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Export")
        self.setMinimumWidth(theme.px(_WIDTH_PX))
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(theme.PAD)
        column.addWidget(label("Export reviewed clips", "title"))
        self.summary = label("", "muted", wrap=True)
        column.addWidget(self.summary)
        column.addLayout(self._fields(suggested))
        column.addWidget(label("What this format cannot carry", "strong"))
        self.losses = label("", "small", wrap=True)
        self.losses.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._losses_area = QScrollArea()
        self._losses_area.setFrameShape(QFrame.Shape.NoFrame)
        self._losses_area.setWidgetResizable(True)
        self._losses_area.setWidget(self.losses)
        self._losses_area.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._losses_area.setAccessibleName("What this format cannot carry")
        column.addWidget(self._losses_area, 1)
        bottom = QHBoxLayout()
        bottom.addStretch(1)
        bottom.addWidget(button("Cancel", self.reject))
        self.export_button = button("Export", self._on_export, kind="primary")
        self.export_button.setDefault(True)
        bottom.addWidget(self.export_button)
        column.addLayout(bottom)
        self._on_changed()

    def _fields(self, suggested: Path) -> QGridLayout:
        form = QGridLayout()
        form.setHorizontalSpacing(theme.MARGIN)
        form.setVerticalSpacing(theme.GAP)
        form.setColumnStretch(1, 1)
        self.format_box = QComboBox()
        self.format_box.setAccessibleName("Format")
        for entry in self._formats:
            self.format_box.addItem(entry.title, entry.name)
        self.format_box.currentIndexChanged.connect(self._on_changed)
        self.description = label("", "small", wrap=True)
        self.folder = QLineEdit(str(suggested))
        self.folder.setAccessibleName("Folder")
        self.folder.textChanged.connect(self._on_changed)
        row = QHBoxLayout()
        row.setSpacing(theme.GAP)
        row.addWidget(self.folder, 1)
        row.addWidget(button("Choose…", self._on_choose))
        self.reason = label("", "bad", wrap=True)
        self.copy_clips = QCheckBox("Copy the clips (otherwise they are linked)")
        self.unreviewed = QCheckBox("Also clips that nobody has reviewed; each record says so")
        self.samples = QCheckBox("Let sample clips into training formats")
        self.samples.setChecked(0 < self._exportable.samples == self._exportable.reviewed)
        for box in (self.copy_clips, self.unreviewed, self.samples):
            box.setAccessibleName(box.text())
            box.toggled.connect(self._on_changed)
        form.addWidget(label("Format"), 0, 0)
        form.addWidget(self.format_box, 0, 1)
        form.addWidget(self.description, 1, 1)
        form.addWidget(label("Folder"), 2, 0)
        form.addLayout(row, 2, 1)
        form.addWidget(self.reason, 3, 1)
        for line, box in enumerate((self.copy_clips, self.unreviewed, self.samples), start=4):
            form.addWidget(box, line, 1)
        return form

    def choice(self) -> ExportChoice:
        """What is set at present."""
        return ExportChoice(
            format_name=str(self.format_box.currentData()),
            out=Path(self.folder.text().strip()).expanduser(),
            copy=self.copy_clips.isChecked(),
            unreviewed=self.unreviewed.isChecked(),
            include_samples=self.samples.isChecked(),
        )

    def _on_choose(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder to export into", str(self.choice().out.parent))
        if name:
            self.folder.setText(name)

    def _on_changed(self) -> None:
        entry = self._formats[max(0, self.format_box.currentIndex())]
        self.description.setText(entry.description)
        self.losses.setText("\n".join(f"• {loss}" for loss in entry.losses) or "Nothing is lost.")
        self.summary.setText(self._summary())
        reason = self._refusal()
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason))
        self.export_button.setEnabled(not reason)
        self._fit()

    def _fit(self) -> None:
        """Take the height that the texts need: Qt makes room for wrapped texts only when a dialog is first shown.

        Where the screen is too low for all, the list of losses scrolls.
        """
        column = self.layout()
        if column is None:
            return
        width = max(self.width() if self.isVisible() else 0, self.minimumWidth())
        inner = width - 2 * theme.MARGIN
        self._losses_area.setFixedHeight(0)
        column.activate()  # also forgets what its inner layouts remember of the texts before
        others = column.totalHeightForWidth(width) if column.hasHeightForWidth() else column.totalMinimumSize().height()
        # A line more than needed: with a scroll bar there is less width, so that once shown it would stay.
        wanted = self.losses.heightForWidth(inner) + self.losses.fontMetrics().lineSpacing()
        room = self.screen().availableGeometry().height() - theme.px(_FRAME_PX) - others
        self._losses_area.setMinimumHeight(min(wanted, max(room, theme.px(60))))
        self._losses_area.setMaximumHeight(_QWIDGETSIZE_MAX)
        self.setMinimumHeight(others + self._losses_area.minimumHeight())
        self.resize(width, self.minimumHeight())

    def _wanted(self) -> int:
        return self._exportable.clips if self.unreviewed.isChecked() else self._exportable.reviewed

    def _summary(self) -> str:
        has = self._exportable
        text = f"{count(has.reviewed, 'clip is', 'clips are')} reviewed"
        if has.samples:
            text += f", {has.samples:,} of them {'a sample' if has.samples == 1 else 'samples'}"
        return f"{text}. Clips of one drive always stay in the same split."

    def _refusal(self) -> str:
        if not self.folder.text().strip():
            return "Choose a folder."
        out = self.choice().out
        if out.is_file():
            return "This is a file. Choose a folder."
        if out.is_dir() and any(out.iterdir()):
            return "This folder is not empty. Name a new one, so that nothing is overwritten."
        return "" if self._wanted() else self._nothing()

    def _nothing(self) -> str:
        if not self._exportable.clips:
            return "There is nothing to export: the library holds no clip that can be read."
        return "There is nothing to export: no clip is reviewed yet. Review one, or tick the clips that nobody has."

    def _on_export(self) -> None:
        choice = self.choice()
        self.accept()
        self.chosen.emit(choice)
