"""Who gets a key: a text field keeps all that write or edit, a focused button or list keeps those that work it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QTabBar,
    QTextEdit,
    QWidget,
)
from typing_extensions import override

_Key = Qt.Key
_PRESS = frozenset({_Key.Key_Space, _Key.Key_Return, _Key.Key_Enter, _Key.Key_Select})
_ARROWS = frozenset({_Key.Key_Left, _Key.Key_Right, _Key.Key_Up, _Key.Key_Down})
_WALK = _ARROWS | {_Key.Key_PageUp, _Key.Key_PageDown, _Key.Key_Home, _Key.Key_End}
_CHORD = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_TEXT_FIELDS = (QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox)


def is_text_field(widget: QObject | None) -> bool:
    """Whether `widget` is where somebody types; a text that can only be read is not."""
    if isinstance(widget, QLineEdit | QPlainTextEdit | QTextEdit):
        return not widget.isReadOnly()
    return isinstance(widget, QAbstractSpinBox) or (isinstance(widget, QComboBox) and widget.isEditable())


class FocusKeys(QObject):
    """Keeps the focused widget's keys from being taken as shortcuts.

    It filters only widgets that have had the focus: a filter on the application would be asked about every event there
    is. It is never taken off again: a widget that loses the focus because it dies must not be touched. It goes with
    the window that it is for.
    """

    def __init__(self, app: QApplication, window: QWidget) -> None:
        super().__init__(window)
        app.focusChanged.connect(self._on_focus_changed)

    def _on_focus_changed(self, _old: QWidget | None, new: QWidget | None) -> None:
        # The list of an open combo box chooses on ShortcutOverride itself; whoever answers that first takes it away.
        if new is not None and new.window().windowType() != Qt.WindowType.Popup:
            new.installEventFilter(self)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if keeps_key(watched, event):
                event.accept()
                return True
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._press(watched, event) or self._leave(watched, event)
        return False

    @staticmethod
    def _press(watched: QObject, event: QKeyEvent) -> bool:
        """Enter works a focused button as Space does; Qt itself does that only in dialogs."""
        if not isinstance(watched, QAbstractButton) or event.key() not in _PRESS:
            return False
        if not watched.isVisible():  # nobody presses what cannot be seen, with Space neither
            return True
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return False
        if watched.isEnabled() and not event.isAutoRepeat():
            watched.click()
        return True

    @staticmethod
    def _leave(watched: QObject, event: QKeyEvent) -> bool:
        """Esc leaves a text field, unless the field has its own use for it."""
        if event.key() != Qt.Key.Key_Escape or not is_text_field(watched) or watched.property("keepsEscape"):
            return False
        if isinstance(watched, QWidget):
            watched.clearFocus()
        return True


def keeps_key(widget: QObject, event: QKeyEvent) -> bool:
    """Whether the focused `widget` itself needs this key."""
    key = event.key()
    # AltGr is reported as Ctrl+Alt on Windows, and writes characters.
    writes = bool(event.text()) and event.text().isprintable()
    chord = bool(event.modifiers() & _CHORD)
    if is_text_field(widget):
        function_key = Qt.Key.Key_F1 <= key <= Qt.Key.Key_F35
        altgr = (
            writes
            and event.modifiers() & Qt.KeyboardModifier.ControlModifier
            and event.modifiers() & (Qt.KeyboardModifier.AltModifier)
        )
        return (not chord and not function_key) or bool(altgr)
    if chord:
        return False
    if isinstance(widget, QAbstractButton):
        return key in _PRESS
    if isinstance(widget, QComboBox):
        return key in _PRESS | _ARROWS
    if isinstance(widget, QAbstractItemView):
        return key in _PRESS | _WALK
    if isinstance(widget, QSlider | QTabBar):
        return key in _WALK
    return False
