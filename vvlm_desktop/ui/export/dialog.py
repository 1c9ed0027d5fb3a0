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
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.words import count

_WIDTH_PX = 560


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
        column.addWidget(self.losses)
        column.addStretch(1)
        bottom = QHBoxLayout()
        bottom.addStretch(1)
        bottom.addWidget(button("Cancel", self.reject))
        self.export_button = button("Export", self._on_export, kind="primary")
        self.export_button.setDefault(True)
        bottom.addWidget(self.export_button)
        column.addLayout(bottom)
        self._on_changed()

    def _fields(self, suggested: Path) -> QFormLayout:
        form = QFormLayout()
        form.setHorizontalSpacing(theme.MARGIN)
        form.setVerticalSpacing(theme.GAP)
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
        form.addRow(label("Format"), self.format_box)
        form.addRow("", self.description)
        form.addRow(label("Folder"), row)
        form.addRow("", self.reason)
        for box in (self.copy_clips, self.unreviewed, self.samples):
            form.addRow("", box)
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
        self.export_button.setEnabled(not reason and self._wanted() > 0)

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
        return ""

    def _on_export(self) -> None:
        choice = self.choice()
        self.accept()
        self.chosen.emit(choice)
