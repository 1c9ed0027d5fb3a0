"""A line for a free question under the form, and what was asked and answered about the clip before."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QScrollArea, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.ask_view import AskEntry, frames_words
from vvlm_desktop.ui.widgets.buttons import IconButton, button
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label, rule, set_role
from vvlm_desktop.ui.words import shown

_MOST_CHARACTERS = 2_000
#: Of the side's height, and never more than so much: the form is what one works with.
_LIST_SHARE, _LIST_PX, _LEAST_LIST_PX = 0.25, 240, 40


def broken_up(text: str) -> str:
    """`text` with places to break a line in anything long, hyphens too: a model may repeat one for ever."""
    return re.sub(r"\S{24}(?=\S)", "\\g<0>\N{ZERO WIDTH SPACE}", text)


class AskLine(QLineEdit):
    """Enter asks; Esc leaves, and what is typed stays."""

    asked = Signal()
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("keepsEscape", True)
        self.setMaxLength(_MOST_CHARACTERS)
        self.setAccessibleName("Question about the clip")

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            if not event.isAutoRepeat():
                self.asked.emit()
        else:
            super().keyPressEvent(event)

    @override
    def event(self, event: QEvent) -> bool:
        own = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape}
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in own:
            event.accept()  # the page's own Enter accepts the clip
            return True
        return super().event(event)


class EntryView(QWidget):
    """One question with its answer, and what can be done with it."""

    frames_pressed = Signal(str)
    again_pressed = Signal(str)
    forget_pressed = Signal(str)

    def __init__(self, entry: AskEntry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entry = entry
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(2)
        self.question = label("", "strong", wrap=True)
        self.answer = label("", wrap=True)
        selectable = Qt.TextInteractionFlag.TextSelectableByMouse
        self.detail = label("", "small", wrap=True)
        for text in (self.question, self.answer, self.detail):
            text.setTextInteractionFlags(selectable)
            text.setMinimumWidth(1)  # what cannot be broken is cut off, instead of widening the panel
            column.addWidget(text)
        row = QHBoxLayout()
        row.setSpacing(theme.GAP)
        self.frames = self._button(self._on_frames)
        self.again = self._button(self._on_again)
        self.forget = self._button(self._on_forget)
        for item in (self.frames, self.again, self.forget):
            row.addWidget(item)
        row.addStretch(1)
        column.addLayout(row)
        self.show_entry(entry)

    def _button(self, slot: Callable[[], None]) -> QPushButton:
        made = button("", slot, kind="link")
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return made

    def _on_frames(self) -> None:
        self.frames_pressed.emit(self.entry.key)

    def _on_again(self) -> None:
        self.again_pressed.emit(self.entry.key)

    def _on_forget(self) -> None:
        self.forget_pressed.emit(self.entry.key)

    def show_entry(self, entry: AskEntry) -> None:
        """Show the same question as it now stands."""
        self.entry = entry
        failed = entry.state == "failed"
        self.question.setText(broken_up(shown(entry.question)))
        self.answer.setText(broken_up(entry.answer))
        self.answer.setVisible(bool(entry.answer))
        set_role(self.answer, "bad" if failed else "body")
        self.detail.setText(broken_up(shown(entry.detail)))
        self.detail.setVisible(bool(entry.detail))
        words = {
            self.frames: frames_words(entry) if entry.frames else "",
            self.again: "Ask again" if failed else "",
            self.forget: "Remove" if failed else "Give up" if entry.state == "asking" else "",
        }
        for item, text in words.items():
            item.setText(text)
            item.setAccessibleName(f"{text}: {entry.question}")
            item.setVisible(bool(text))
        self.setAccessibleName(entry.in_words)


class AskPanel(QFrame):
    """Shows entries, and emits what is asked; hidden until it is opened."""

    asked = Signal(str)
    left = Signal()
    frames_pressed = Signal(str)
    again_pressed = Signal(str)
    forget_pressed = Signal(str)
    models_pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "raised")
        self.entries: dict[str, EntryView] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(rule())
        head = QHBoxLayout()
        head.setContentsMargins(theme.MARGIN, 4, theme.GAP, 0)
        self.about = ElidedLabel("", "small")
        head.addWidget(self.about, 1)
        self.close_button = IconButton("close", "Close the questions", self.left.emit, key="Esc", size_px=14)
        self.close_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        head.addWidget(self.close_button)
        column.addLayout(head)
        column.addWidget(self._make_list())
        self.note = label("", "doubtful", wrap=True)
        self.models = button("Show the models", self.models_pressed.emit, icon="models")
        self.models.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        bottom = QVBoxLayout()
        bottom.setContentsMargins(theme.MARGIN, 4, theme.MARGIN, theme.PAD)
        bottom.setSpacing(6)
        bottom.addWidget(self.note)
        bottom.addWidget(self.models, alignment=Qt.AlignmentFlag.AlignLeft)
        self.line = AskLine()
        self.line.asked.connect(self._on_asked)
        self.line.left.connect(self.left)
        bottom.addWidget(self.line)
        column.addLayout(bottom)
        self.hide()

    def _make_list(self) -> QWidget:
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._bottom = 0
        self.area.verticalScrollBar().rangeChanged.connect(self._on_range)
        self._body = QWidget()
        self._body.setProperty("surface", "raised")
        self._rows = QVBoxLayout(self._body)
        self._rows.setContentsMargins(theme.MARGIN, 4, theme.MARGIN, 4)
        self._rows.setSpacing(theme.GAP)
        self._rows.addStretch(1)
        self.area.setWidget(self._body)
        return self.area

    def show_target(self, *, by: str, about: str, refusal: str) -> None:
        """Say who is asked about what; `refusal` says why nobody can be, and then the way to the models is shown."""
        self.about.setText(f"Ask {by} · {about}" if by else f"Ask · {about}")
        self.note.setText(refusal)
        self.note.setVisible(bool(refusal))
        self.models.setVisible(bool(refusal))
        self.line.setPlaceholderText("A question; I and O mark a part first")

    def show_entries(self, entries: Sequence[AskEntry]) -> None:
        """Show these; the newest is in view."""
        keys = [entry.key for entry in entries]
        for key in [key for key in self.entries if key not in keys]:
            gone = self.entries.pop(key)
            self._rows.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        grown = False
        for entry in entries:
            view = self.entries.get(entry.key)
            if view is None:
                self._add(entry)
                grown = True
            elif view.entry != entry:
                view.show_entry(entry)
                grown = grown or bool(entry.answer)
        self.area.setVisible(bool(entries))
        self.fit()
        if grown:
            QTimer.singleShot(0, self, self._show_newest)

    def _add(self, entry: AskEntry) -> None:
        view = self.entries[entry.key] = EntryView(entry)
        view.frames_pressed.connect(self.frames_pressed)
        view.again_pressed.connect(self.again_pressed)
        view.forget_pressed.connect(self.forget_pressed)
        self._rows.insertWidget(self._rows.count() - 1, view)

    def fit(self) -> None:
        """Take no more room than the questions need, and leave the form enough of it."""
        side = self.parentWidget()
        share = round(side.height() * _LIST_SHARE) if side is not None else theme.px(_LIST_PX)
        body = self._body
        width = self.area.viewport().width()
        wanted = body.heightForWidth(width) if body.hasHeightForWidth() else body.sizeHint().height()
        self.area.setFixedHeight(max(theme.px(_LEAST_LIST_PX), min(share, theme.px(_LIST_PX), wanted)))

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def _show_newest(self) -> None:
        self.fit()
        bar = self.area.verticalScrollBar()
        bar.setValue(bar.maximum())

    def _on_range(self, _low: int, high: int) -> None:
        """More, or less room: the newest stays in view unless somebody has scrolled up."""
        bar = self.area.verticalScrollBar()
        if bar.value() >= self._bottom:
            bar.setValue(high)
        self._bottom = high

    def _on_asked(self) -> None:
        text = self.line.text().strip()
        if text:
            self.asked.emit(text)
