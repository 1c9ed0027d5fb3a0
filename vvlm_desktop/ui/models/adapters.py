"""Adapters as a list under the cards: what each was trained on, what it reached, and the model it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.models.card_view import AdapterView
from vvlm_desktop.ui.models.mark_line import MarkLine
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.empty_state import IconView
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label, rule
from vvlm_desktop.ui.widgets.marks import Mark, MarkLabel
from vvlm_desktop.ui.words import shown

_NONE_YET = (
    "No adapters yet. An adapter is what a fine-tune on your own reviews leaves behind: a small file on top of a model."
)
#: Shape and colour of what is known of an adapter.
_STANDING: Mapping[str, tuple[Mark, str]] = {"promoted": ("check", "good")}


class AdapterRow(QWidget):
    """One adapter; removing asks back in its place."""

    pressed = Signal(str, str)  # key, verb: "use", "stop_using", "remove"

    def __init__(self, view: AdapterView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = view
        row = QHBoxLayout(self)
        row.setContentsMargins(0, theme.GAP, 0, theme.GAP)
        row.setSpacing(theme.PAD)
        row.addWidget(
            IconView("adapter", ink="accent" if view.chosen else "muted", size_px=20),
            alignment=Qt.AlignmentFlag.AlignTop,
        )
        words = QVBoxLayout()
        words.setSpacing(2)
        head = QHBoxLayout()
        head.setSpacing(theme.GAP)
        head.addWidget(label(shown(view.title), "strong"))
        head.addWidget(ElidedLabel(shown(f"for {view.base}"), "muted"), 1)
        words.addLayout(head)
        for text in (view.data, view.metrics):
            if text:
                words.addWidget(label(shown(text), "small", wrap=True))
        if view.standing:
            known = MarkLine()
            mark, ink = _STANDING.get(view.admission, ("warning", "doubtful"))
            known.show_mark(mark, shown(view.standing), ink=ink)
            words.addWidget(known)
        if view.reason:
            why = MarkLine()
            why.show_mark("warning", shown(view.reason), ink="bad")
            words.addWidget(why)
        if view.where:
            words.addWidget(ElidedLabel(shown(view.where), "small", mode=Qt.TextElideMode.ElideMiddle))
        row.addLayout(words, 1)
        if view.chosen:
            row.addWidget(MarkLabel("check", "In use", ink="accent"))
        self.use = self._button("Use without", "stop_using") if view.chosen else self._button("Use", "use")
        self.use.setEnabled(view.chosen or not view.reason)
        self.remove = self._button("Remove…", "ask")
        self.confirm = self._button("Delete it", "remove")
        self.keep = self._button("Keep it", "keep")
        for item in (self.use, self.remove, self.confirm, self.keep):
            row.addWidget(item, alignment=Qt.AlignmentFlag.AlignVCenter)
        self._show_question(False)
        self.setAccessibleName(shown(view.in_words))

    def _button(self, text: str, verb: str) -> QPushButton:
        made = button(text)
        made.setAccessibleName(f"{text.rstrip('…')}: {shown(self.view.title)}")
        made.setProperty("verb", verb)
        made.clicked.connect(self._on_clicked)
        return made

    def _on_clicked(self) -> None:
        sender = self.sender()
        verb = str(sender.property("verb")) if sender is not None else ""
        if verb in {"ask", "keep"}:
            self._show_question(verb == "ask")
            (self.confirm if verb == "ask" else self.remove).setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self._show_question(False)
        self.pressed.emit(self.view.key, verb)

    def _show_question(self, on: bool) -> None:
        for item in (self.confirm, self.keep):
            item.setVisible(on)
        for item in (self.use, self.remove):
            item.setVisible(not on)


class AdapterList(QFrame):
    """All adapters there are."""

    pressed = Signal(str, str)  # key, verb
    import_pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.rows: dict[str, AdapterRow] = {}
        self._views: tuple[AdapterView, ...] | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.addWidget(label("Adapters", "strong"), 1)
        self.import_button = button("Import an adapter…", self.import_pressed.emit, icon="add-folder")
        head.addWidget(self.import_button)
        column.addLayout(head)
        column.addSpacing(theme.GAP)
        self.nothing = label(_NONE_YET, "muted", wrap=True)
        column.addWidget(self.nothing)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        column.addLayout(self._rows)

    def show_views(self, views: Sequence[AdapterView]) -> None:
        """Show these."""
        if tuple(views) == self._views:
            return
        self._views = tuple(views)
        while (item := self._rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        self.rows = {}
        for view in views:
            made = AdapterRow(view)
            made.pressed.connect(self.pressed)
            self.rows[view.key] = made
            self._rows.addWidget(rule())
            self._rows.addWidget(made)
        self.nothing.setVisible(not views)
