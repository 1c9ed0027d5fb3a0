"""Editors for the kinds of settings there are, made from the field's type and limits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import ElidedLabel
from vvlm_desktop.ui.words import shown

#: What a choice is called; the value itself, capitalised, where it is not here.
_CHOICES = {
    "system": "As the system",
    "event": "Play around the event",
    "paused": "Stay paused",
    "kmh": "km/h",
    "mph": "mph",
    "signals": "Built-in measurements",
    "local": "Local model",
    "gemini": "Gemini",
    "server": "VLM server",
    "auto": "The best that fits",
    "bf16": "Full precision (bf16)",
    "int8": "Compressed (int8)",
    "nf4": "Compressed most (NF4)",
}
#: Text settings that name a file or a folder.
FOLDERS = frozenset({"frames_dir", "library_dir", "models_dir"})
FILES = {"schema_file": "Label schemas (*.toml)"}


class Editor(QWidget):
    """Shows one setting's value and emits `edited` with the new one when the user has finished with it."""

    edited = Signal(object)

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.GAP)
        self.setAccessibleName(title)

    def show_value(self, value: Any) -> None:
        """Show another value without emitting."""
        raise NotImplementedError

    def _on_changed(self, value: object) -> None:
        self.edited.emit(value)

    def _put(self, widget: QWidget, *, stretch: int = 0) -> None:
        widget.setAccessibleName(self.accessibleName())
        self.setFocusProxy(widget)
        self._row.addWidget(widget, stretch)
        if not stretch:
            self._row.addStretch(1)


class SwitchEditor(Editor):
    """On or off."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.box = QCheckBox("On")
        self.box.toggled.connect(self._on_changed)
        self._put(self.box)

    def show_value(self, value: Any) -> None:
        """Show on or off."""
        blocker = QSignalBlocker(self.box)
        self.box.setChecked(bool(value))
        blocker.unblock()


class ReadOnly(Editor):
    """A value that is chosen on another page, with the way there."""

    go_pressed = Signal()

    def __init__(self, title: str, *, nothing: str) -> None:
        super().__init__(title)
        self._nothing = nothing
        self.value = ElidedLabel("")
        self.go = button("Choose on Models", self.go_pressed.emit, kind="link")
        self._row.addWidget(self.value, 1)
        self._row.addWidget(self.go)
        self.setFocusProxy(self.go)
        self.go.setAccessibleName(f"{title}: choose on the Models page")

    def show_value(self, value: Any) -> None:
        """Show the value in words."""
        self.value.setText(shown(_CHOICES.get(str(value), str(value)) or self._nothing))


class ChoiceEditor(Editor):
    """One of a few."""

    def __init__(self, title: str, choices: tuple[str, ...]) -> None:
        super().__init__(title)
        self.box = QComboBox()
        self.box.setMinimumWidth(theme.px(220))
        for choice in choices:
            self.box.addItem(_CHOICES.get(choice, choice.capitalize()), choice)
        self.box.activated.connect(self._on_activated)
        self._put(self.box)

    def show_value(self, value: Any) -> None:
        """Show the choice."""
        self.box.setCurrentIndex(self.box.findData(value))

    def _on_activated(self, index: int) -> None:
        self.edited.emit(self.box.itemData(index))


class NumberEditor(Editor):
    """A whole or a decimal number within its limits."""

    def __init__(self, title: str, field: FieldInfo, *, whole: bool) -> None:
        super().__init__(title)
        low, high = limits(field)
        self.box: QSpinBox | QDoubleSpinBox
        if whole:
            self.box = QSpinBox()
            self.box.setRange(int(low), int(high))
            self.box.setSingleStep(64 if high > 1000 else 1)
        else:
            self.box = QDoubleSpinBox()
            decimals = 3 if high <= 1 else 2
            excluded = any(hasattr(limit, "gt") for limit in field.metadata)
            self.box.setDecimals(decimals)
            self.box.setRange(low + 10.0**-decimals if excluded else low, high)
            self.box.setSingleStep(min(1.0, high / 20))
        self.box.setKeyboardTracking(False)
        self.box.setGroupSeparatorShown(True)
        self.box.lineEdit().setTextMargins(6, 0, 0, 0)  # the style sheet's padding does not reach it
        self.box.setMinimumWidth(theme.px(120))
        self.box.valueChanged.connect(self._on_changed)
        self._put(self.box)

    def show_value(self, value: Any) -> None:
        """Show the number."""
        blocker = QSignalBlocker(self.box)
        self.box.setValue(value)
        blocker.unblock()


class TextEditor(Editor):
    """A line of text."""

    def __init__(self, title: str, *, max_length: int | None = None, placeholder: str = "") -> None:
        super().__init__(title)
        self._shown = ""
        self.line = QLineEdit()
        self.line.setPlaceholderText(placeholder)
        if max_length is not None:
            self.line.setMaxLength(max_length)
        self.line.editingFinished.connect(self._on_finished)
        self._put(self.line, stretch=1)

    def show_value(self, value: Any) -> None:
        """Show the text."""
        self._shown = str(value)
        self.line.setText(self._shown)

    def _on_finished(self) -> None:
        if self.line.text() != self._shown:
            self._shown = self.line.text()
            self.edited.emit(self._shown.strip())


class PathEditor(TextEditor):
    """A line of text that names a file or folder, with a button to choose it and one to go back to the default."""

    def __init__(self, title: str, *, file_kinds: str | None, placeholder: str) -> None:
        super().__init__(title, placeholder=placeholder)
        self._file_kinds = file_kinds
        self.choose = button("Choose…", self._on_choose)
        self.choose.setAccessibleName(f"Choose: {title}")
        self.reset = button("Default", self._on_reset, kind="plain")
        self.reset.setAccessibleName(f"Back to the default: {title}")
        self._row.addWidget(self.choose)
        self._row.addWidget(self.reset)

    def _on_choose(self) -> None:
        start = str(Path(self._shown).expanduser()) if self._shown else ""
        title = self.accessibleName()
        if self._file_kinds is None:
            chosen = QFileDialog.getExistingDirectory(self, title, start)
        else:
            chosen, _ = QFileDialog.getOpenFileName(self, title, start, self._file_kinds)
        if chosen:
            self.line.setText(chosen)
            self._on_finished()

    def _on_reset(self) -> None:
        self.line.clear()
        self._on_finished()


def limits(field: FieldInfo) -> tuple[float, float]:
    """Smallest and largest number that a field allows."""
    low, high = 0.0, 1_000_000.0
    for limit in field.metadata:
        low = float(getattr(limit, "ge", getattr(limit, "gt", low)))
        high = float(getattr(limit, "le", high))
    return low, high


def editor_for(name: str, field: FieldInfo, *, placeholder: Callable[[str], str]) -> Editor:
    """The editor that fits a field of the settings.

    Raises:
        ValueError: a type that no editor exists for.
    """
    title, kind = field.title or name, field.annotation
    if get_origin(kind) is Literal:
        return ChoiceEditor(title, get_args(kind))
    if kind is bool:
        return SwitchEditor(title)
    if kind in {int, float}:
        return NumberEditor(title, field, whole=kind is int)
    if kind is str:
        if name in FOLDERS or name in FILES:
            return PathEditor(title, file_kinds=FILES.get(name), placeholder=placeholder(name))
        length = next((m.max_length for m in field.metadata if hasattr(m, "max_length")), None)
        return TextEditor(title, max_length=length, placeholder=placeholder(name))
    raise ValueError(f"no editor for setting {name!r} of type {kind!r}")
