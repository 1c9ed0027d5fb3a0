"""A question over the whole window that must be answered first; nothing under it can be pressed meanwhile.

The focus is on the button that does nothing, and whatever has to be ticked is not: Enter never means yes by accident.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget
from shiboken6 import isValid
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.empty_state import IconView
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.words import breakable, menu_text, shown

_WIDTH_PX = 520
_TALL_MARGIN_PX = 40
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes: with what was ticked and typed."""

    ticked: bool = False
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        facts: names and values, one under the other.
        sentence: what it means, under them.
        tick: words beside a box; with `must_tick` there is no yes without it.
        secret: what is typed into a line that shows none of it; no line where empty, and no yes without it.
        no: word on the button that does nothing; it has the focus unless there is something to type.
    """

    headline: str
    on_yes: Callable[[Answer], object]
    yes: str
    facts: tuple[tuple[str, str], ...] = ()
    sentence: str = ""
    icon: str = "info"
    tick: str = ""
    must_tick: bool = False
    secret: str = ""
    no: str = "Cancel"
    on_no: Callable[[], object] = lambda: None


class Sheet(QWidget):
    """Shows one question at a time over `parent`; the next when that one is answered."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._waiting: deque[Question] = deque()
        self._before: QWidget | None = None
        self.question: Question | None = None
        self._build()
        self.hide()
        parent.installEventFilter(self)

    def _build(self) -> None:
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        self.card = QFrame()
        self.card.setProperty("surface", "card")
        self.card.setFixedWidth(theme.px(_WIDTH_PX))
        outer.addWidget(self.card, alignment=Qt.AlignmentFlag.AlignHCenter)
        outer.addStretch(3)
        column = QVBoxLayout(self.card)
        column.setContentsMargins(theme.MARGIN + 4, theme.MARGIN, theme.MARGIN + 4, theme.MARGIN)
        column.setSpacing(theme.PAD)
        head = QHBoxLayout()
        head.setSpacing(theme.GAP)
        self.icon = IconView("info", ink="accent", size_px=20)
        self.headline = label("", "title", wrap=True)
        head.addWidget(self.icon, alignment=Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.headline, 1)
        column.addLayout(head)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(theme.PAD)
        self._facts.setVerticalSpacing(6)
        self._facts.setColumnStretch(1, 1)
        column.addLayout(self._facts)
        self.sentence = label("", "muted", wrap=True)
        column.addWidget(self.sentence)
        self.secret = QLineEdit()
        self.secret.setEchoMode(QLineEdit.EchoMode.Password)
        self.secret.textChanged.connect(self._on_changed)
        self.secret.returnPressed.connect(self._on_yes)
        column.addWidget(self.secret)
        self.tick = QCheckBox()
        self.tick.toggled.connect(self._on_changed)
        column.addWidget(self.tick)
        row = QHBoxLayout()
        row.addStretch(1)
        self.no = button("", self._on_no)
        self.yes = button("", self._on_yes, kind="primary")
        row.addWidget(self.no)
        row.addWidget(self.yes)
        column.addLayout(row)

    def ask(self, question: Question) -> None:
        """Ask now, or after the questions before."""
        self._waiting.append(question)
        if self.question is None:
            self._next()

    def close_all(self) -> None:
        """Nobody answers any more; nothing is called."""
        self._waiting.clear()
        self.question = None
        self.secret.clear()
        self.hide()

    def _next(self) -> None:
        if not self._waiting:
            self.question = None
            before, self._before = self._before, None
            if before is not None and isValid(before) and before.isVisible():
                before.setFocus(Qt.FocusReason.OtherFocusReason)
            self.hide()
            return
        question = self.question = self._waiting.popleft()
        if self._before is None:
            self._before = self.window().focusWidget()
        self._show(question)

    def _show(self, question: Question) -> None:
        self.icon.show_icon(question.icon, "accent")
        self.headline.setText(breakable(shown(question.headline)))
        self._show_facts(question.facts)
        self.sentence.setText(breakable(question.sentence))
        self.sentence.setVisible(bool(question.sentence))
        self.secret.clear()
        self.secret.setPlaceholderText(question.secret)
        self.secret.setAccessibleName(question.secret)
        self.secret.setVisible(bool(question.secret))
        self.tick.setChecked(False)
        self.tick.setText(menu_text(question.tick))
        self.tick.setVisible(bool(question.tick))
        self.no.setText(menu_text(question.no))
        self.no.setAccessibleName(question.no)
        self.yes.setText(menu_text(question.yes))
        self.yes.setAccessibleName(question.yes)
        self.setAccessibleName(question.headline)
        self.setAccessibleDescription(". ".join([*(f"{n}: {v}" for n, v in question.facts), question.sentence]))
        self._on_changed()
        self._cover()
        (self.secret if question.secret else self.no).setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_facts(self, facts: tuple[tuple[str, str], ...]) -> None:
        while (item := self._facts.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for line, (name, value) in enumerate(facts):
            self._facts.addWidget(label(name, "muted"), line, 0, Qt.AlignmentFlag.AlignTop)
            self._facts.addWidget(label(breakable(shown(value)), wrap=True), line, 1)

    def _cover(self) -> None:
        parent = self._parent
        self.setGeometry(parent.rect())
        self.card.setFixedWidth(min(theme.px(_WIDTH_PX), max(200, parent.width() - _TALL_MARGIN_PX)))
        self._fit()
        self.raise_()
        self.show()

    def _fit(self) -> None:
        """A card beside stretches gets the height of its hint, which knows nothing of lines that wrap."""
        layout = self.card.layout()
        if layout is not None:
            layout.activate()
            self.card.setFixedHeight(layout.totalHeightForWidth(self.card.width()))

    def _on_changed(self) -> None:
        question = self.question
        if question is not None:
            ticked = self.tick.isChecked() or not question.must_tick
            self.yes.setEnabled(ticked and bool(self.secret.text().strip() or not question.secret))

    def _on_yes(self) -> None:
        question = self.question
        if question is None or not self.yes.isEnabled():
            return
        answer = Answer(self.tick.isChecked(), self.secret.text())
        self.secret.clear()
        self._next()
        question.on_yes(answer)

    def _on_no(self) -> None:
        question = self.question
        self.secret.clear()
        self._next()
        if question is not None:
            question.on_no()

    # -- Qt

    @override
    def event(self, event: QEvent) -> bool:
        # The keys of the page under it are shortcuts of the window: none may act while this is asked.
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.question is not None:
            self._cover()
        return super().eventFilter(watched, event)

    @override
    def focusNextPrevChild(self, next: bool) -> bool:
        """Tab stays inside."""
        if self.question is None:  # Qt looks for another place for the focus while this is being hidden
            return super().focusNextPrevChild(next)
        items = [w for w in (self.secret, self.tick, self.no, self.yes) if w.isVisible() and w.isEnabled()]
        now = self.focusWidget()
        place = items.index(now) if now in items else -1
        reason = Qt.FocusReason.TabFocusReason if next else Qt.FocusReason.BacktabFocusReason
        items[(place + (1 if next else -1)) % len(items)].setFocus(reason)
        return True

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        entered = event.key() in _ENTER and not event.isAutoRepeat()
        if event.key() == Qt.Key.Key_Escape or (entered and self.no.hasFocus()):
            self._on_no()
        elif entered and self.yes.hasFocus():
            self._on_yes()
        event.accept()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("background", alpha=0.78))
