"""The strip over the clip table while it lists only some clips: which, what would change of them, and the way out."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.changes import Changes, Way
from vvlm_desktop.ui.scope import Scope
from vvlm_desktop.ui.widgets.buttons import IconButton, button
from vvlm_desktop.ui.widgets.chip import Chip, ChipKind
from vvlm_desktop.ui.widgets.empty_state import IconView
from vvlm_desktop.ui.widgets.flow_layout import FlowLayout
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label
from vvlm_desktop.ui.widgets.marks import Mark

_WAYS: tuple[tuple[Way, str, ChipKind, Mark], ...] = (
    ("towards", "towards what a person said", "good", "check"),
    ("away", "away from what a person said", "bad", "warning"),
)
_LEAVE = "Show all clips again"


def facts(changes: Changes, *, looking: bool) -> str:
    """What the numbers rest on."""
    parts = [f"now {changes.now.title}", f"{changes.compared:,} compared"]
    if changes.missing:
        parts.append(f"{len(changes.missing):,} without both answers")
    if changes.learnt:
        parts.append(f"{len(changes.learnt):,} learnt from, not judged")
    if changes.unfair:
        parts.append(f"{changes.unfair:,} not asked alike")
    return " · ".join(["looking again…", *parts] if looking else parts)


def answered_words(changes: Changes) -> str:
    """How far it is, while answers are still being made."""
    there = changes.compared + changes.unfair
    return f"{there:,} of {there + len(changes.missing):,} answered so far"


class ChangesBar(QWidget):
    """Says what is wanted: one field only, one way only, all clips again."""

    narrowed = Signal()
    left = Signal()
    compare_pressed = Signal()
    rest_pressed = Signal()

    def __init__(self, schema: LabelSchema, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._schema = schema
        self.field_key = ""
        self.way: Way | None = None
        self.setProperty("surface", "panel")
        self.title = label("", "strong")
        self.facts = ElidedLabel("", "muted")
        self.compare = button("Compare", self.compare_pressed.emit, icon="compare")
        self.rest = button("Answer the rest…", self.rest_pressed.emit, icon="analyse")
        self.leave = IconButton("close", _LEAVE, self.left.emit)
        row = QHBoxLayout()
        row.setSpacing(theme.GAP)
        row.addWidget(IconView("compare", ink="model", size_px=18))
        row.addWidget(self.title)
        row.addWidget(self.facts, 1)
        for widget in (self.rest, self.compare, self.leave):
            row.addWidget(widget)
        self._chips = QWidget()
        self._chip_row = FlowLayout(self._chips)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        column.addLayout(row)
        column.addWidget(self._chips)
        self.hide()

    @property
    def chips(self) -> list[Chip]:
        """By field and by way."""
        items = (self._chip_row.itemAt(number) for number in range(self._chip_row.count()))
        return [widget for item in items if item is not None and isinstance(widget := item.widget(), Chip)]

    def show_scope(self, scope: Scope | None, *, looking: bool = False, answering: bool = False) -> None:
        """Show what is listed; nothing where all clips are. `answering`: what is missing is being made."""
        self.setVisible(scope is not None)
        if scope is None:
            self.field_key, self.way = "", None
            return
        changes = scope.changes
        if changes is not None and self.field_key not in dict(changes.by_field()):
            self.field_key = ""
        if changes is not None and self.way is not None and not changes.going(self.way):
            self.way = None
        self.title.setText(self._title(scope, answering=answering))
        self.setAccessibleName(self.title.text())
        self.facts.setText(facts(changes, looking=looking) if changes is not None else "")
        self.rest.setVisible(changes is not None and bool(changes.missing) and not answering)
        self._show_chips(changes)

    def _title(self, scope: Scope, *, answering: bool) -> str:
        changes = scope.changes
        if changes is None or not (answering and changes.missing):
            return changes.title if changes is not None else scope.title
        so_far = answered_words(changes)
        return f"{so_far}: {changes.title}" if changes.by_row else so_far

    def _show_chips(self, changes: Changes | None) -> None:
        focused = next((number for number, chip in enumerate(self.chips) if chip.hasFocus()), None)
        while (item := self._chip_row.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()  # it may be the one whose click this is, so it lives until the click is over
                widget.deleteLater()
        if changes is not None:
            for key, number in changes.by_field():
                self._add_field(key, number)
            for way, words, kind, mark in _WAYS:
                if number := changes.going(way):
                    self._add_way(way, f"{number:,} {words}", kind, mark)
        self._chips.setVisible(bool(self.chips))
        if focused is not None and self.chips:
            self.chips[min(focused, len(self.chips) - 1)].setFocus()

    def _add_field(self, key: str, number: int) -> None:
        name = self._schema.field(key).label if key in self._schema else key
        chosen = key == self.field_key
        chip = Chip(f"{name} {number:,}", mark="cross" if chosen else None, clickable=True)
        chip.setAccessibleName(f"{name} changes in {number:,}" + (", listed alone" if chosen else ""))
        chip.setToolTip("List the others, too" if chosen else f"List only where {name} changes")
        chip.clicked.connect(partial(self._on_field, key))
        self._chip_row.addWidget(chip)

    def _add_way(self, way: Way, words: str, kind: ChipKind, mark: Mark) -> None:
        chosen = way == self.way
        chip = Chip(words, kind=kind, mark="cross" if chosen else mark, clickable=True)
        chip.setToolTip("List the others, too" if chosen else f"List only the {words}")
        chip.clicked.connect(partial(self._on_way, way))
        self._chip_row.addWidget(chip)

    def _on_field(self, key: str, _checked: bool = False) -> None:
        self.field_key = "" if key == self.field_key else key
        self.narrowed.emit()

    def _on_way(self, way: Way, _checked: bool = False) -> None:
        self.way = None if way == self.way else way
        self.narrowed.emit()
