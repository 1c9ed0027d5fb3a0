"""The rule of promotion as a small form that folds out where the rule stands."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.workflow.promotion import PromotionRule, Test

_TESTS: tuple[tuple[Test, str], ...] = (("bootstrap", "Mean of all fields"), ("mcnemar", "One field"))
_LEVELS = ((0.01, "1 time in 100"), (0.05, "1 time in 20"), (0.1, "1 time in 10"))


def with_rule(settings: Settings, rule: PromotionRule) -> Settings:
    """The settings with another rule."""
    return settings.model_copy(
        update={
            "promotion_test": rule.test,
            "promotion_field": rule.field,
            "promotion_level": rule.level,
            "promotion_least_clips": rule.least_clips,
            "promotion_no_worse": rule.no_worse,
            "promotion_looked": rule.looked,
        }
    )


class RuleForm(QWidget):
    """Edits a rule; nothing is in force until it is saved."""

    saved = Signal(object)  # PromotionRule
    cancelled = Signal()

    def __init__(self, schema: LabelSchema, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.test = QComboBox()
        self.field = QComboBox()
        self.level = QComboBox()
        self.least_clips = QSpinBox()
        self.least_clips.setRange(1, 100_000)
        self.no_worse = QCheckBox("No other field may be clearly worse")
        self.looked = QCheckBox("Its answers must tell clips apart")
        for kind, words in _TESTS:
            self.test.addItem(words, kind)
        for field in schema.model_fields:
            if field.kind in {"one_of", "any_of"}:
                self.field.addItem(field.label, field.key)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 4)
        column.setSpacing(theme.GAP)
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.GAP)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        rows: tuple[tuple[str, QWidget], ...] = (
            ("Must get better", self.test),
            ("Which field", self.field),
            ("Chance may pass", self.level),
            ("Test clips at least", self.least_clips),
        )
        for line, (name, editor) in enumerate(rows):
            grid.addWidget(label(name, "muted"), line, 0)
            grid.addWidget(editor, line, 1)
            editor.setAccessibleName(name)
            if isinstance(editor, QComboBox):
                editor.setMinimumContentsLength(12)
                editor.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        column.addLayout(grid)
        column.addWidget(self.no_worse)
        column.addWidget(self.looked)
        row = QHBoxLayout()
        row.addStretch(1)
        self.cancel = button("Cancel", self.cancelled.emit)
        self.save = button("Save rule", self._on_save)
        row.addWidget(self.cancel)
        row.addWidget(self.save)
        column.addLayout(row)
        self.test.currentIndexChanged.connect(self._on_test)

    def show_rule(self, rule: PromotionRule) -> None:
        """Begin with this rule."""
        self.test.setCurrentIndex(max(0, self.test.findData(rule.test)))
        if self.field.findData(rule.field) < 0:
            self.field.addItem(rule.field, rule.field)
        self.field.setCurrentIndex(self.field.findData(rule.field))
        self.level.clear()
        levels = dict(_LEVELS)
        levels.setdefault(rule.level, f"{rule.level:g}")
        for level, words in sorted(levels.items()):
            self.level.addItem(words, level)
        self.level.setCurrentIndex(self.level.findData(rule.level))
        self.least_clips.setValue(rule.least_clips)
        self.no_worse.setChecked(rule.no_worse)
        self.looked.setChecked(rule.looked)
        self._on_test()
        self.test.setFocus(Qt.FocusReason.OtherFocusReason)

    def rule(self) -> PromotionRule:
        """What stands in the form."""
        return PromotionRule(
            test=cast("Test", self.test.currentData()),
            field=str(self.field.currentData()),
            level=float(self.level.currentData()),
            least_clips=self.least_clips.value(),
            no_worse=self.no_worse.isChecked(),
            looked=self.looked.isChecked(),
        )

    def _on_test(self) -> None:
        self.field.setEnabled(self.test.currentData() == "mcnemar")

    def _on_save(self) -> None:
        self.saved.emit(self.rule())
