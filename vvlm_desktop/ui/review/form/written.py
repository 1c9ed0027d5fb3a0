"""A written field: its text, what was changed against the answer, and an editor in the same place."""

from __future__ import annotations

import difflib
import html
import re

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.labels import KeyCap, label, set_role


class Editor(QPlainTextEdit):
    """Enter is done, Ctrl+Enter done and on to the next clip, Shift+Enter a new line, Esc leaves as it was."""

    done = Signal(bool)  # go on to the next clip
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("keepsEscape", True)
        self.setTabChangesFocus(True)
        self.setFixedHeight(theme.px(78))

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            if event.isAutoRepeat():
                return
            if not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self.done.emit(bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
                return
        super().keyPressEvent(event)

    @override
    def event(self, event: QEvent) -> bool:
        own = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape}
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in own:
            event.accept()  # Ctrl+Enter and Esc would otherwise be taken by the page's shortcuts
            return True
        return super().event(event)


class WrittenField(QWidget):
    """Shows a text and edits it in place."""

    commit_pressed = Signal(bool)  # go on to the next clip
    opened = Signal()  # the editor is open
    closed = Signal()  # the editor is gone, the keys belong to the page again

    def __init__(
        self, title: str, *, key: str, placeholder: str, max_length: int | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._max_length = max_length
        self._text, self._said = "", ""
        self._before = ""  # the text when the editor was opened
        self._changed = False
        self._placeholder = placeholder
        head = QHBoxLayout()
        head.setSpacing(theme.GAP)
        self.title = label(title, "small")
        self.counter = label("", "small")
        self.counter.hide()
        head.addWidget(self.title, 1)
        head.addWidget(self.counter)
        head.addWidget(KeyCap(key))
        self.shown = QLabel()
        self.shown.setTextFormat(Qt.TextFormat.RichText)
        self.shown.setWordWrap(True)
        self.shown.setCursor(Qt.CursorShape.IBeamCursor)
        self.shown.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.editor = Editor()
        self.editor.setAccessibleName(title)
        self.editor.setPlaceholderText(placeholder)
        self.editor.hide()
        self.refused = label("", "doubtful", wrap=True)
        self.refused.hide()
        self.editor.done.connect(self.commit_pressed)
        self.editor.left.connect(self.close_editor)
        self.editor.textChanged.connect(self._on_typed)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.PAD - 2, theme.MARGIN, theme.PAD)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.shown)
        column.addWidget(self.editor)
        column.addWidget(self.refused)

    @property
    def editing(self) -> bool:
        """Whether the editor is open."""
        return not self.editor.isHidden()

    @property
    def draft(self) -> str | None:
        """What was typed and differs from what was there; None where there is nothing to keep."""
        written = _one_line(self.editor.toPlainText())
        return written if self.editing and written != _one_line(self._before) else None

    def show_text(self, text: str, *, said: str = "", changed: bool = False) -> None:
        """Show `text`; where it was changed, against what was `said`. An open editor stays as it is."""
        if (text, said, changed) != (self._text, self._said, self._changed) or not self.shown.text():
            self._text, self._said, self._changed = text, said, changed
            self._render()

    def edit(self) -> None:
        """Open the editor and put the cursor into it; one that is open keeps what was typed."""
        if not self.editing:
            self._before = self._text
            self.editor.setPlainText(self._text)
            self.editor.selectAll()
            self.shown.hide()
            self.editor.show()
            self.counter.setVisible(self._max_length is not None)
            self._count()
            self.opened.emit()
        self.editor.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def refuse(self, reason: str) -> None:
        """What was typed could not be stored: it stays in the editor, with the reason under it."""
        self.refused.setText(reason)
        self.refused.show()
        self.editor.setAccessibleDescription(reason)
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def close_editor(self) -> None:
        """Show the text as it is stored."""
        if self.editing:
            self.editor.hide()
            self.counter.hide()
            self._forget_refusal()
            self.shown.show()
            self.closed.emit()

    def _forget_refusal(self) -> None:
        self.refused.hide()
        self.editor.setAccessibleDescription("")

    def _on_typed(self) -> None:
        self._forget_refusal()
        self._count()

    def _count(self) -> None:
        if self._max_length is not None:
            length = len(_one_line(self.editor.toPlainText()))
            self.counter.setText(f"{length}/{self._max_length}")
            set_role(self.counter, "bad" if length > self._max_length else "small")

    def _render(self) -> None:
        if not self._text:
            self.shown.setText(f'<span style="color:{theme.tokens().muted}">{html.escape(self._placeholder)}</span>')
        elif self._changed and self._said:
            self.shown.setText(changes_html(self._said, self._text))
        else:
            self.shown.setText(html.escape(self._text))
        self.shown.setAccessibleName(self._text or self._placeholder)

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not self.editing:
            self.edit()

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._render()
        super().changeEvent(event)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def changes_html(before: str, after: str) -> str:
    """`after`, with what was taken out of `before` struck through and what was put in coloured, word by word."""
    old, new = re.findall(r"\S+", before), re.findall(r"\S+", after)
    tokens = theme.tokens()
    parts = []
    for tag, i, j, k, m in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        gone, came = html.escape(" ".join(old[i:j])), html.escape(" ".join(new[k:m]))
        if tag == "equal":
            parts.append(came)
            continue
        if gone:
            parts.append(f'<s style="color:{tokens.bad}">{gone}</s>')
        if came:
            parts.append(f'<span style="color:{tokens.good}"><u>{came}</u></span>')
    return " ".join(parts)
