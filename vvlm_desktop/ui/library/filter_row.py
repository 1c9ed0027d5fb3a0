"""The row over the clip table that narrows it: search, status, event, problem, and any other label field."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from vvlm_desktop.domain.review import STATUSES
from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.store.library import ClipFilter
from vvlm_desktop.ui import icons, theme
from vvlm_desktop.ui.library.row_words import EVENT_FIELD
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.chip import Chip
from vvlm_desktop.ui.widgets.flow_layout import FlowLayout
from vvlm_desktop.ui.widgets.marks import STATUS_MARKS
from vvlm_desktop.ui.words import menu_text

_TYPING_MS = 180


class ChoiceButton(QPushButton):
    """A button with a menu in which several values can be ticked; it says which are."""

    changed = Signal()

    def __init__(self, title: str, choices: list[tuple[str, str]], *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._menu = QMenu(self)
        self._actions: dict[str, QAction] = {}
        for key, text in choices:
            action = self._menu.addAction(menu_text(text))
            action.setCheckable(True)
            action.triggered.connect(self._on_triggered)
            self._actions[key] = action
        self.setMenu(self._menu)
        self.setProperty("menu", "true")
        self.setAutoDefault(False)
        self._say()

    def chosen(self) -> tuple[str, ...]:
        """Keys that are ticked."""
        return tuple(key for key, action in self._actions.items() if action.isChecked())

    def choose(self, keys: tuple[str, ...]) -> None:
        """Tick `keys` and no others."""
        for key, action in self._actions.items():
            action.setChecked(key in keys)
        self._say()

    def _on_triggered(self) -> None:
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        texts = [action.text() for action in self._actions.values() if action.isChecked()]
        said = texts[0] if len(texts) == 1 else f"{len(texts)} chosen"
        self.setText(f"{self._title}: {said}" if texts else self._title)
        self.setAccessibleName(self.text().replace("&&", "&"))
        self.setProperty("active", "true" if texts else "false")
        self.style().unpolish(self)
        self.style().polish(self)


class FilterRow(QWidget):
    """Emits `changed` with the filter that was chosen."""

    changed = Signal(object)

    def __init__(self, schema: LabelSchema, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._schema = schema
        self._labels: dict[str, tuple[str, ...]] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        row = QHBoxLayout()
        row.setSpacing(theme.GAP)
        column.addLayout(row)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search names, captions and notes")
        self.search.setAccessibleName("Search names, captions and notes")
        self.search.setClearButtonEnabled(True)
        self.search.addAction(icons.icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        for action in self.search.findChildren(QAction):
            if action.objectName() == "_q_qlineeditclearaction":  # Qt's own is a picture in one colour
                action.setIcon(icons.icon("close"))
        self.search.setMinimumWidth(theme.px(260))
        self.search.setMaximumWidth(theme.px(360))
        self.status_choice = ChoiceButton("Status", [(key, STATUS_MARKS[key][0]) for key in STATUSES])
        self.problem_choice = ChoiceButton("Problem", [("yes", "With a problem"), ("no", "Without")])
        fields = {field.key: field for field in schema.fields if field.has_values}
        event = fields.pop(EVENT_FIELD, None)
        self.event_choice = ChoiceButton(menu_text(event.label), _choices(event)) if event else None
        self.more = QPushButton("More filters")
        self.more.setAutoDefault(False)
        self.more.setAccessibleName("More filters")
        self.more.setProperty("menu", "true")
        self._more_actions: dict[tuple[str, str], QAction] = {}
        self.more.setMenu(self._more_menu(list(fields.values())))
        self.clear = button("Clear filters", self.clear_all, kind="link")
        row.addWidget(self.search, 1)
        for item in (self.status_choice, self.event_choice, self.problem_choice):
            if item is not None:
                row.addWidget(item)
                item.changed.connect(self._emit)
        row.addWidget(self.more)
        row.addWidget(self.clear)
        row.addStretch(1)
        self._chips = QWidget()
        self._chip_row = FlowLayout(self._chips)
        column.addWidget(self._chips)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_TYPING_MS)
        self._timer.timeout.connect(self._emit)
        self.search.textChanged.connect(self._timer.start)
        self.search.returnPressed.connect(self._emit)
        self._show_chips()

    def clip_filter(self) -> ClipFilter:
        """The filter as chosen."""
        labels = dict(self._labels)
        if self.event_choice is not None and self.event_choice.chosen():
            labels[EVENT_FIELD] = self.event_choice.chosen()
        problem = self.problem_choice.chosen()
        return ClipFilter(
            text=self.search.text().strip(),
            status=self.status_choice.chosen(),
            problem=None if len(problem) != 1 else problem == ("yes",),
            labels=labels,
        )

    @property
    def active(self) -> bool:
        """Whether anything is left out."""
        return self.clip_filter() != ClipFilter()

    def clear_all(self) -> None:
        """Show every clip."""
        blocker = QSignalBlocker(self.search)
        self.search.clear()
        blocker.unblock()
        self.status_choice.choose(())
        self.problem_choice.choose(())
        if self.event_choice is not None:
            self.event_choice.choose(())
        self._labels.clear()
        for action in self._more_actions.values():
            action.setChecked(False)
        self._emit()

    def _more_menu(self, fields: list[Field]) -> QMenu:
        menu = QMenu(self)
        for field in fields:
            sub = menu.addMenu(menu_text(field.label))
            for key, text in _choices(field):
                action = sub.addAction(menu_text(text))
                action.setCheckable(True)
                action.setData((field.key, key))
                action.triggered.connect(self._on_more_triggered)
                self._more_actions[field.key, key] = action
        return menu

    def _on_more_triggered(self) -> None:
        self._labels = {}
        for (field_key, value), action in self._more_actions.items():
            if action.isChecked():
                self._labels[field_key] = (*self._labels.get(field_key, ()), value)
        self._emit()

    def _on_chip_clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, Chip):
            field_key, value = chip.property("filter").split("=", 1)
            self._more_actions[field_key, value].setChecked(False)
            self._on_more_triggered()

    def _emit(self) -> None:
        self._timer.stop()
        self._show_chips()
        self.changed.emit(self.clip_filter())

    def _show_chips(self) -> None:
        while (item := self._chip_row.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()  # it may be the one whose click this is, so it lives until the click is over
                widget.deleteLater()
        for field_key, values in self._labels.items():
            field = self._schema.field(field_key)
            for value in values:
                chip = Chip(f"{field.label}: {field.label_of(value)}", mark="cross", clickable=True)
                chip.setToolTip("Remove this filter")
                chip.setProperty("filter", f"{field_key}={value}")
                chip.clicked.connect(self._on_chip_clicked)
                self._chip_row.addWidget(chip)
        self._chips.setVisible(bool(self._labels))
        self.clear.setVisible(self.active)


def _choices(field: Field) -> list[tuple[str, str]]:
    return [(value.key, value.label) for value in field.choices]
