"""One card: what a model is, whether it is here and fits, and the buttons for that state."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.models.card_view import STATE_MARKS, CardView, Verb
from vvlm_desktop.ui.models.mark_line import MarkLine
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.empty_state import IconView
from vvlm_desktop.ui.widgets.flow_layout import FlowLayout
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label, set_role
from vvlm_desktop.ui.widgets.marks import MarkLabel
from vvlm_desktop.ui.words import breakable, menu_text, sentences, shown

_WORDS: dict[Verb, tuple[str, str]] = {
    "use": ("Use", "check"),
    "download": ("Download…", "download"),
    "resume": ("Resume", "download"),
    "pause": ("Pause", "pause"),
    "cancel": ("Cancel", "close"),
    "remove": ("Remove…", "trash"),
    "set_up": ("Set up…", "settings"),
}
#: What is asked about before it is done.
_ASKED: frozenset[Verb] = frozenset({"download", "remove", "cancel"})
_ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}


def question(view: CardView, verb: Verb) -> tuple[str, str]:
    """What is asked before `verb` is done, and the word on the button that does it."""
    if verb == "download":
        size = view.size or "Weights of unknown size"
        licence = f"Licence: {view.licence}." if view.licence else "Its licence is not known here; read it there."
        sentence = f"{size[:1].upper()}{size[1:]} will be fetched from {view.host}."
        return sentences(sentence, licence, "Nothing of yours leaves this computer"), "Download"
    if verb == "cancel":
        return "The part that is here already will be deleted.", "Cancel the download"
    what = f"The weights ({view.size})" if view.size else "The weights"
    if view.linked:
        return "It is taken off this list; its folder stays where it is. Analyses made with it stay.", "Remove"
    return f"{what} will be deleted from this computer. Analyses made with them stay.", "Remove"


class ModelCard(QFrame):
    """Shows a `CardView`; emits what the user asked for, after asking back where weights come or go."""

    pressed = Signal(str, str)  # key, verb
    arrow_pressed = Signal(int, int)  # columns, rows

    def __init__(self, view: CardView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = view
        self._asking: Verb | None = None
        self.buttons: dict[Verb, QPushButton] = {}
        self.setProperty("surface", "card")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._build()
        self.show_view(view)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        column.setSpacing(6)
        head = QHBoxLayout()
        head.setSpacing(theme.GAP)
        self.icon = IconView(self.view.icon, size_px=20)
        self.title = ElidedLabel("", "strong")
        self.chosen = MarkLabel("check", "In use", ink="accent")
        head.addWidget(self.icon)
        head.addWidget(self.title, 1)
        head.addWidget(self.chosen)
        column.addLayout(head)
        self.facts = label("", "small", wrap=True)
        column.addWidget(self.facts)
        self.who_for = label("", "muted", wrap=True)
        column.addWidget(self.who_for)
        self.state = MarkLine()
        self.fit = MarkLine()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        for item in (self.state, self.bar, self.fit):
            column.addWidget(item)
        self.reason = label("", "bad", wrap=True)
        column.addWidget(self.reason)
        self.where = ElidedLabel("", "small", mode=Qt.TextElideMode.ElideMiddle)
        column.addWidget(self.where)
        column.addWidget(self._make_details())
        column.addStretch(1)
        column.addWidget(self._make_question())
        self._row_box = QWidget()
        self._row = FlowLayout(self._row_box, gap=theme.GAP)
        column.addSpacing(2)
        column.addWidget(self._row_box)
        self.toggle = button("Details", kind="plain")
        self.toggle.setCheckable(True)
        self.toggle.toggled.connect(self._on_details)

    def _make_details(self) -> QWidget:
        self.details = QWidget()
        self._lines = QGridLayout(self.details)
        self._lines.setContentsMargins(0, 4, 0, 4)
        self._lines.setHorizontalSpacing(theme.PAD)
        self._lines.setVerticalSpacing(2)
        self._lines.setColumnStretch(1, 1)
        self.details.hide()
        return self.details

    def _make_question(self) -> QWidget:
        box = self.question = QFrame()
        box.setProperty("surface", "raised")
        column = QVBoxLayout(box)
        column.setContentsMargins(theme.PAD, theme.GAP, theme.PAD, theme.GAP)
        self.asked = label("", wrap=True)
        column.addWidget(self.asked)
        row = QHBoxLayout()
        self.confirm = button("", self._on_confirm, kind="primary")
        self.refuse = button("Not now", self._on_refuse)
        row.addWidget(self.confirm)
        row.addWidget(self.refuse)
        row.addStretch(1)
        column.addLayout(row)
        box.hide()
        return box

    def show_view(self, view: CardView) -> None:
        """Show the same model as it now is."""
        before, self.view = self.view, view
        word, mark, ink = STATE_MARKS[view.state]
        self.icon.show_icon(view.icon, "accent" if view.chosen else "muted")
        self.title.setText(shown(view.title))
        self.chosen.setVisible(view.chosen)
        self.facts.setText(shown(view.facts))
        self.who_for.setText(view.who_for)
        self.who_for.setVisible(bool(view.who_for))
        self.state.show_mark(mark, view.transfer.in_words() if view.transfer else word, ink=ink)
        self._show_fit()
        self._show_bar()
        self.reason.setText(breakable(view.reason))
        self.reason.setVisible(bool(view.reason))
        set_role(self.reason, "bad" if view.state == "broken" else "muted")
        self.where.setText(breakable(shown(view.where)))
        self.where.setVisible(bool(view.where))
        self.setAccessibleName(shown(view.in_words))
        if view.offers != before.offers or not self.buttons:
            self._show_buttons()
        if view.details != before.details or not self._lines.count():
            self._show_details()
        if self._asking is not None and self._asking not in view.offers:
            self._on_refuse()

    def _show_fit(self) -> None:
        fit = self.view.fit
        self.fit.setVisible(fit is not None)
        if fit is not None:
            self.fit.show_mark(fit.mark, fit.sentence, ink=fit.tone)

    def _show_bar(self) -> None:
        transfer = self.view.transfer
        self.bar.setVisible(transfer is not None)
        if transfer is not None:
            fraction = transfer.fraction
            self.bar.setRange(0, 0 if fraction is None else 1000)
            self.bar.setValue(round(1000 * (fraction or 0.0)))
            self.bar.setAccessibleName(f"{self.view.title}: {transfer.in_words()}")

    def _show_buttons(self) -> None:
        had_focus = self.window().focusWidget() in self.buttons.values()
        while (item := self._row.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None and widget is not self.toggle:
                widget.deleteLater()
        self.buttons = {}
        for number, verb in enumerate(self.view.offers):
            text, icon = _WORDS[verb]
            made = button(text, kind="primary" if number == 0 and verb == "use" else "normal", icon=icon)
            made.setAccessibleName(f"{text.rstrip('…')}: {self.view.title}")
            made.setProperty("verb", verb)
            made.clicked.connect(self._on_verb)
            self.buttons[verb] = made
            self._row.addWidget(made)
        self.toggle.setAccessibleName(f"Details: {self.view.title}")
        self._row.addWidget(self.toggle)
        self._order()
        if had_focus:  # Qt would give it to whatever comes next on the page
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _order(self) -> None:
        """Tab goes through the card from top to bottom, also after its buttons were made anew."""
        before: QWidget = self
        for item in (*self.buttons.values(), self.toggle, self.confirm, self.refuse):
            if item.window() is self.window():
                QWidget.setTabOrder(before, item)
                before = item

    def _show_details(self) -> None:
        while (item := self._lines.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for line, (name, value) in enumerate(self.view.details):
            self._lines.addWidget(label(name, "small"), line, 0, Qt.AlignmentFlag.AlignTop)
            text = label(breakable(shown(value)), "small", wrap=True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._lines.addWidget(text, line, 1)
        self.toggle.setVisible(bool(self.view.details))

    # -- what the user does

    def do(self, verb: Verb) -> None:
        """As if the button had been pressed: asks first where weights come or go."""
        if verb in _ASKED:
            self._ask(verb)
        else:
            self.pressed.emit(self.view.key, verb)

    def _ask(self, verb: Verb) -> None:
        self._asking = verb
        sentence, word = question(self.view, verb)
        self.asked.setText(sentence)
        self.confirm.setText(menu_text(word))
        self.confirm.setAccessibleName(f"{word}: {self.view.title}. {sentence}")
        self.refuse.setAccessibleName(f"Not now: {self.view.title}")
        self.question.show()
        self._row_box.hide()
        self.confirm.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_verb(self) -> None:
        sender = self.sender()
        if sender is not None:
            self.do(sender.property("verb"))

    def _on_confirm(self) -> None:
        verb, self._asking = self._asking, None
        self._close_question()
        if verb is not None:
            self.pressed.emit(self.view.key, verb)

    def _on_refuse(self) -> None:
        self._asking = None
        self._close_question()

    def _close_question(self) -> None:
        had_focus = self.window().focusWidget() in {self.confirm, self.refuse}
        self.question.hide()
        self._row_box.show()
        if had_focus:
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_details(self, on: bool) -> None:
        self.details.setVisible(on)

    # -- Qt

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        elif key == Qt.Key.Key_Escape and self._asking is not None:
            self._on_refuse()
        elif self.hasFocus() and key in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space} and self.view.offers:
            if not event.isAutoRepeat():
                self.do(self.view.offers[0])
        elif self.hasFocus() and key in _ARROWS:
            self.arrow_pressed.emit(*_ARROWS[key])
        else:
            super().keyPressEvent(event)

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not (self.hasFocus() or self.view.chosen):
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("accent"), 2 if self.hasFocus() else 1))
        inset = 1.0 if self.hasFocus() else 0.5
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), 6, 6)
