"""One value of a run: its editor, a line that explains it, why it is refused, and the way back to where it started."""

from __future__ import annotations

from typing import Any

from pydantic.fields import FieldInfo
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLineEdit, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.training.form_values import choices_of, kind_of, text_of
from vvlm_desktop.ui.widgets.buttons import IconButton
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label
from vvlm_desktop.ui.widgets.marks import MarkLabel
from vvlm_desktop.ui.words import breakable, plain_tip, shown

_CHOICES = {
    "fp32": "Full (fp32)",
    "bf16": "Half (bf16)",
    "int8": "8 bits (int8)",
    "nf4": "4 bits (NF4, QLoRA)",
    "fps": "So many a second",
    "dpo": "Preferences (DPO)",
    "sft": "Right answers (SFT)",
}
_TITLE_PX, _EDITOR_PX = 140, 170


class FormRow(QWidget):
    """Emits `edited` at every change; whoever owns it says whether that is allowed."""

    edited = Signal(str, object)  # key, what was typed
    reset_pressed = Signal(str)

    def __init__(self, key: str, info: FieldInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = key
        self._kind = kind_of(info)
        title = info.title or key
        self.editor = self._editor(info, title)
        self.changed_mark = MarkLabel("pencil", "changed", ink="accent")
        self.reset = IconButton("undo", f"Back to the start value: {title}", self._on_reset, size_px=14)
        self.reason = label("", "bad", wrap=True)
        self.help = label(info.description or "", "small", wrap=True)
        caption = label(title)
        caption.setBuddy(self.editor)
        caption.setToolTip(plain_tip(key))
        self._lay_out(caption)
        self.show_state(changed=False, reason="", start="")

    def _lay_out(self, caption: QWidget) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.PAD)
        grid.setVerticalSpacing(2)
        grid.setColumnMinimumWidth(0, theme.px(_TITLE_PX))
        grid.setColumnStretch(2, 1)
        grid.addWidget(caption, 0, 0)
        self.editor.setFixedWidth(theme.px(_EDITOR_PX))
        grid.addWidget(self.editor, 0, 1)
        grid.addWidget(self.help, 0, 2)
        grid.addWidget(self.changed_mark, 0, 3)
        grid.addWidget(self.reset, 0, 4)
        grid.addWidget(self.reason, 1, 1, 1, 4)

    def _editor(self, info: FieldInfo, title: str) -> QComboBox | QCheckBox | QLineEdit:
        editor: QComboBox | QCheckBox | QLineEdit
        if self._kind == "choice":
            editor = QComboBox()
            for choice in choices_of(info):
                editor.addItem(_CHOICES.get(choice, choice.capitalize()), choice)
            editor.activated.connect(self._on_chosen)
        elif self._kind == "switch":
            editor = QCheckBox("On")
            editor.toggled.connect(self._on_edited)
        else:
            editor = QLineEdit()
            editor.setMaxLength(2000)
            editor.textEdited.connect(self._on_edited)
        editor.setAccessibleName(title)
        editor.setAccessibleDescription(info.description or "")
        return editor

    def show_value(self, value: Any) -> None:
        """Show another value without emitting."""
        with QSignalBlocker(self.editor):
            if isinstance(self.editor, QComboBox):
                self.editor.setCurrentIndex(self.editor.findData(str(value)))
            elif isinstance(self.editor, QCheckBox):
                self.editor.setChecked(bool(value))
            elif self.editor.text() != text_of(value):
                self.editor.setText(text_of(value))

    def show_state(self, *, changed: bool, reason: str, start: str) -> None:
        """Whether it differs from `start`, and why it is refused; no reason where it is not."""
        self.changed_mark.setVisible(changed)
        self.reset.setVisible(changed)
        self.reset.setToolTip(plain_tip(f"Back to {start}" if start else "Back to nothing"))
        self.reason.setText(breakable(shown(reason)))
        self.reason.setVisible(bool(reason))
        bad = "true" if reason else "false"
        if self.editor.property("invalid") != bad:
            self.editor.setProperty("invalid", bad)
            self.editor.style().unpolish(self.editor)
            self.editor.style().polish(self.editor)

    def _on_chosen(self, index: int) -> None:
        if isinstance(self.editor, QComboBox):
            self.edited.emit(self.key, self.editor.itemData(index))

    def _on_edited(self, value: object) -> None:
        self.edited.emit(self.key, value)

    def _on_reset(self) -> None:
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self.reset_pressed.emit(self.key)


class FixedRow(QWidget):
    """A value that is not chosen here: it can be read, with where it comes from."""

    def __init__(self, info: FieldInfo, where: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.PAD)
        grid.setVerticalSpacing(2)
        grid.setColumnMinimumWidth(0, theme.px(_TITLE_PX))
        grid.setColumnMinimumWidth(1, theme.px(_EDITOR_PX))
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        self._where = where
        self.value = ElidedLabel(f"({where})", "muted", mode=Qt.TextElideMode.ElideMiddle)
        grid.addWidget(label(info.title or ""), 0, 0)
        grid.addWidget(self.value, 0, 1)
        grid.addWidget(label(info.description or "", "small", wrap=True), 0, 2)

    def show_value(self, value: Any) -> None:
        """Show what it is; where it comes from while that is not known."""
        self.value.setText(shown(text_of(value)) if value else f"({self._where})")
