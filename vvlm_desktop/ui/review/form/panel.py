"""The form as a whole: fields, context chips, texts, and the one button."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.form.context_chips import ContextChips
from vvlm_desktop.ui.review.form.field_card import FieldCard
from vvlm_desktop.ui.review.form.model import FieldView, FormModel
from vvlm_desktop.ui.review.form.written import WrittenField
from vvlm_desktop.ui.widgets.buttons import PrimaryButton
from vvlm_desktop.ui.widgets.empty_state import IconView
from vvlm_desktop.ui.widgets.labels import label, rule
from vvlm_desktop.ui.words import plain_tip

#: Stands for the note among the written fields.
NOTE = ""


class RuleBar(QFrame):
    """A broken rule, told in the form before the review is stored."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.MARGIN, theme.GAP, theme.MARGIN, theme.GAP)
        row.setSpacing(theme.GAP)
        row.addWidget(IconView("warning", ink="doubtful"), alignment=Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        self.sentence = label("", "body", wrap=True)
        self.what_now = label("Enter again to keep it so · Esc to go back", "small", wrap=True)
        words.addWidget(self.sentence)
        words.addWidget(self.what_now)
        row.addLayout(words, 1)
        self.hide()

    def ask(self, sentences: Sequence[str]) -> None:
        """Show what is broken."""
        self.sentence.setText("\n".join(sentences))
        self.setAccessibleName(" ".join((*sentences, self.what_now.text())))
        self.show()


class RuleNote(QWidget):
    """The rules that the values break as they stand, quietly, under the event."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.MARGIN, 4, theme.MARGIN, theme.GAP)
        row.setSpacing(theme.GAP)
        row.addWidget(IconView("warning", ink="doubtful"), alignment=Qt.AlignmentFlag.AlignTop)
        self.sentences = label("", "doubtful", wrap=True)
        row.addWidget(self.sentences, 1)
        self.hide()

    def show_rules(self, sentences: Sequence[str]) -> None:
        """Show what is broken; nothing where nothing is."""
        self.sentences.setText("\n".join(sentences))
        self.setAccessibleName(" ".join(sentences))
        self.setVisible(bool(sentences))


class FormPanel(QWidget):
    """Shows a `FormModel`; says what the reviewer did. It holds which field is open, and nothing else."""

    field_opened = Signal(str)
    value_pressed = Signal(str, str)
    edge_pressed = Signal(str, str)
    span_pressed = Signal(object)
    time_pressed = Signal(object)
    evidence_removed = Signal(str, object, object)
    evidence_pressed = Signal(str)
    reason_pressed = Signal(str)
    editor_opened = Signal()
    commit_pressed = Signal(bool)  # keep what is typed in the open editors; True: and go on to the next clip
    accept_pressed = Signal()
    editor_closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self._model = FormModel("", ())
        self._open_key = ""
        self._shape: tuple[str, ...] = ()
        self.cards: dict[str, FieldCard] = {}
        self.texts: dict[str, WrittenField] = {}
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._body = QWidget()
        self._body.setProperty("surface", "panel")
        self.area.setWidget(self._body)
        self._rows = QVBoxLayout(self._body)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(0)
        self.context = ContextChips()
        self.context.chosen.connect(self.open_field)
        self.note = WrittenField("Note", key="V", placeholder="Your own words; never shown to a model")
        self.note.commit_pressed.connect(self.commit_pressed)
        self.note.opened.connect(self.editor_opened)
        self.note.closed.connect(self.editor_closed)
        self.rule_note = RuleNote()
        self.rule_bar = RuleBar()
        self.accept = PrimaryButton("Accept the rest, next clip", key="Enter")
        self.accept.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.accept.clicked.connect(self.accept_pressed)
        self._lay_out()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.area, 1)
        column.addWidget(rule())
        column.addWidget(self.rule_bar)
        bottom = QVBoxLayout()
        bottom.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        bottom.addWidget(self.accept)
        column.addLayout(bottom)

    # -- what it shows -------------------------------------------------------------------------------------------

    @property
    def model(self) -> FormModel:
        """What is shown."""
        return self._model

    @property
    def open_key(self) -> str:
        """Key of the opened field."""
        return self._open_key

    @property
    def open_view(self) -> FieldView | None:
        """The opened field."""
        return next((view for view in self._model.fields if view.key == self._open_key), None)

    def show_model(self, model: FormModel) -> None:
        """Show a form; the opened field stays open on the same clip."""
        if tuple(view.key for view in model.fields) != self._shape:
            self._rebuild(model)
        if model.clip_id != self._model.clip_id:
            self._open_key = ""
            self.area.verticalScrollBar().setValue(0)
            for text in (*self.texts.values(), self.note):
                text.close_editor()
        self._model = model
        if self._open_key not in model.order:
            self._open_key = model.order[0] if model.order else ""
        self._render()

    def open_field(self, key: str) -> None:
        """Open a field and bring it into view."""
        if key not in self._model.order:
            return
        changed = key != self._open_key
        self._open_key = key
        self._render()
        if changed:
            self.field_opened.emit(key)
        # Its size is known only after the layout has run.
        QTimer.singleShot(0, self, self._show_open_field)

    def step_field(self, steps: int) -> None:
        """Open the next or previous field."""
        order = self._model.order
        if order:
            place = order.index(self._open_key) if self._open_key in order else 0
            self.open_field(order[max(0, min(place + steps, len(order) - 1))])

    def next_doubtful(self) -> bool:
        """Open the next doubtful field after the opened one, from the top again at the end; False if there is none."""
        order = self._model.order
        place = order.index(self._open_key) if self._open_key in order else -1
        doubtful = {view.key for view in self._model.fields if view.doubtful}
        for key in (*order[place + 1 :], *order[: place + 1]):
            if key in doubtful:
                self.open_field(key)
                return True
        return False

    @property
    def editors(self) -> dict[str, WrittenField]:
        """The texts whose editors are open, by field; the note's key is NOTE."""
        return {key: text for key, text in (*self.texts.items(), (NOTE, self.note)) if text.editing}

    def edit_text(self, key: str) -> None:
        """Write in a text field; the opened field stays the one that digits are for."""
        if key in self.texts:
            self.texts[key].edit()
            self._show_editor(self.texts[key])

    def edit_note(self) -> None:
        """Write a note."""
        self.note.edit()
        self._show_editor(self.note)

    def _show_editor(self, text: WrittenField) -> None:
        QTimer.singleShot(0, text, lambda: self.area.ensureWidgetVisible(text, 0, theme.PAD))

    def _rebuild(self, model: FormModel) -> None:
        """Another schema: other fields."""
        self._shape = tuple(view.key for view in model.fields)
        while (item := self._rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None and widget not in (self.context, self.note, self.rule_note):
                widget.deleteLater()
        self.cards, self.texts = {}, {}
        for view in model.fields:
            if view.field.group == "text":
                self.texts[view.key] = self._make_text(view)
            else:
                self.cards[view.key] = self._make_card(view)
        for place, view in enumerate(v for v in model.fields if v.field.group in {"core", "event"}):
            self._rows.addWidget(self.cards[view.key])
            if place == 0:
                self._rows.addWidget(self.rule_note)
        self._rows.addWidget(self.context)
        for view in model.fields:
            if view.field.group == "context":
                self._rows.addWidget(self.cards[view.key])
        for text in self.texts.values():
            self._rows.addWidget(rule())
            self._rows.addWidget(text)
        self._rows.addWidget(rule())
        self._rows.addWidget(self.note)
        self._rows.addStretch(1)

    def _make_card(self, view: FieldView) -> FieldCard:
        card = FieldCard(view)
        card.opened.connect(self.open_field)
        card.value_pressed.connect(self.value_pressed)
        card.edge_pressed.connect(self.edge_pressed)
        card.span_pressed.connect(self.span_pressed)
        card.time_pressed.connect(self.time_pressed)
        card.evidence_removed.connect(self.evidence_removed)
        card.evidence_pressed.connect(self.evidence_pressed)
        card.reason_pressed.connect(self.reason_pressed)
        return card

    def _make_text(self, view: FieldView) -> WrittenField:
        text = WrittenField(
            view.field.label, key="C", placeholder="Not answered", max_length=view.field.max_length or None
        )
        text.editor.setToolTip(plain_tip(view.field.help))
        text.commit_pressed.connect(self.commit_pressed)
        text.opened.connect(self.editor_opened)
        text.closed.connect(self.editor_closed)
        return text

    def _render(self) -> None:
        context = {view.key for view in self._model.context}
        for view in self._model.fields:
            card = self.cards.get(view.key)
            if card is None:
                continue
            is_open = view.key == self._open_key
            card.setVisible(not view.hidden and (view.field.group != "context" or (view.key in context and is_open)))
            card.show_view(view, source=self._model.source_word, is_open=is_open)
        self.context.show_views(self._model.context, open_key=self._open_key)
        self.context.setVisible(bool(context))
        for view in self._model.texts:
            changed = view.verdict is not None and view.verdict.verdict == "corrected"
            said = view.said_value if isinstance(view.said_value, str) else ""
            text = view.value if isinstance(view.value, str) else ""
            self.texts[view.key].show_text(text, said=said, changed=changed)
        self.note.show_text(self._model.note)
        self.rule_note.show_rules(self._model.broken_rules)

    def _show_open_field(self) -> None:
        card: QWidget | None = self.cards.get(self._open_key) or self.texts.get(self._open_key)
        if card is not None and card.isVisible():
            self.area.ensureWidgetVisible(card, 0, theme.PAD)
