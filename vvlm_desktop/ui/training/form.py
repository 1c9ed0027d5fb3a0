"""All values of a run: the important ones at once, all of them folded out, each checked while it is typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from vvlm_desktop.backends.train_config import TrainConfig
from vvlm_desktop.ui import icons, theme
from vvlm_desktop.ui.training.form_row import FixedRow, FormRow
from vvlm_desktop.ui.training.form_start import Start
from vvlm_desktop.ui.training.form_values import ELSEWHERE, IMPORTANT, FormValues, text_of
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label


class ConfigForm(QFrame):
    """A row for each value that `TrainConfig` has; what it is told stays when the preset changes."""

    changed = Signal()

    def __init__(self, start: Start, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.values = FormValues(start)
        self.rows: dict[str, FormRow] = {}
        self.fixed: dict[str, FixedRow] = {}
        self._rest: QWidget | None = None
        self.reset = button("Reset all", self.reset_all, icon="undo")
        self.together = label("", "bad", wrap=True)
        self.more = button("All values", kind="plain", icon="chevron-right")
        self.more.setCheckable(True)
        self.more.toggled.connect(self._on_more)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        self._column.setSpacing(theme.PAD)
        head = QHBoxLayout()
        head.addWidget(label("Values", "strong"))
        head.addStretch(1)
        head.addWidget(self.reset)
        self._column.addLayout(head)
        for key in IMPORTANT:
            if key in TrainConfig.model_fields:
                self._column.addWidget(self._row(key))
        self._column.addWidget(self.together)
        self._column.addWidget(self.more, alignment=Qt.AlignmentFlag.AlignLeft)
        self._refresh()

    def _row(self, key: str) -> FormRow:
        row = FormRow(key, TrainConfig.model_fields[key])
        row.edited.connect(self._on_edited)
        row.reset_pressed.connect(self._on_reset)
        self.rows[key] = row
        return row

    # -- what it says

    def show_start(self, start: Start) -> None:
        """Start from other values; what was typed stays where it still differs."""
        typed = dict(self.values.typed)
        self.values = FormValues(start)
        for key, value in typed.items():
            self.values.put(key, value)
        self._refresh()
        self.changed.emit()

    def show_config(self, start: Start, config: TrainConfig) -> None:
        """Take the values of a run that was planned before."""
        self.values = FormValues(start)
        for key in TrainConfig.model_fields:
            if key not in ELSEWHERE:
                self.values.put(key, getattr(config, key))
        self._refresh()
        self.changed.emit()

    def show_fixed(self, known: Mapping[str, Any]) -> None:
        """Show what was chosen elsewhere."""
        self._known = dict(known)
        for key, row in self.fixed.items():
            row.show_value(self._known.get(key))

    _known: Mapping[str, Any] = {}

    @property
    def config(self) -> TrainConfig | None:
        """The values with stand-ins for model and set; None where one is not allowed."""
        return self.values.checked()[0]

    def reset_all(self) -> None:
        """Back to where it started."""
        self.values.typed.clear()
        self._refresh()
        self.changed.emit()

    def unfold(self) -> None:
        """Show or hide all values."""
        self.more.toggle()

    # -- what is typed

    def _on_edited(self, key: str, value: object) -> None:
        self.values.put(key, value)
        self._refresh(typing=key)
        self.changed.emit()

    def _on_reset(self, key: str) -> None:
        self.values.typed.pop(key, None)
        self._refresh()
        self.changed.emit()

    def _refresh(self, *, typing: str = "") -> None:
        base = self.values.base
        _, reasons = self.values.checked()
        for key, row in self.rows.items():
            if key != typing:
                row.show_value(self.values.value(key))
            changed = self.values.changed(key)
            row.show_state(changed=changed, reason=reasons.get(key, ""), start=text_of(getattr(base, key)))
        hidden = [f"{key}: {words}" for key, words in reasons.items() if key not in self.rows]
        self.together.setText("\n".join(hidden))
        self.together.setVisible(bool(hidden))
        changes = len(self.values.typed)
        self.reset.setVisible(changes > 0)
        self.reset.setText("Reset it" if changes == 1 else f"Reset all {changes}")

    def _on_more(self, on: bool) -> None:
        self.more.setIcon(icons.icon("chevron-down" if on else "chevron-right"))
        if on and self._rest is None:
            self._rest = self._made_rest()
            self._column.addWidget(self._rest)
            self._refresh()
            self._order_keys(self._rest)
        if self._rest is not None:
            self._rest.setVisible(on)

    def _order_keys(self, rest: QWidget) -> None:
        """Tab goes on with the rows: what is made later would come last in the whole window."""
        before: QWidget = self.more
        for row in self.rows.values():
            if rest.isAncestorOf(row):
                for item in (row.editor, row.reset):
                    QWidget.setTabOrder(before, item)
                    before = item

    def _made_rest(self) -> QWidget:
        """Built when somebody asks: forty rows take a while."""
        rest = QWidget()
        column = QVBoxLayout(rest)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.PAD)
        for key, info in TrainConfig.model_fields.items():
            if key in ELSEWHERE:
                fixed = FixedRow(info, ELSEWHERE[key])
                fixed.show_value(self._known.get(key))
                self.fixed[key] = fixed
                column.addWidget(fixed)
            elif key not in self.rows:
                column.addWidget(self._row(key))
        return rest
