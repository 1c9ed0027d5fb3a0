"""What a training set is made of: which reviews, under which name, how many frames, and what is drawn more often."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.scope import Scope
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label
from vvlm_desktop.ui.words import menu_text
from vvlm_desktop.workflow.exporting import DEFAULT_FRAMES
from vvlm_desktop.workflow.training_sets import SetOptions

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
_NAME_HELP = "Small letters, digits, - and _; versions are counted."
EVERY_REVIEW = Scope("All reviews")


class SetForm(QFrame):
    """Says that a set is wanted, or that other clips are; it knows nothing of how sets are made."""

    changed = Signal()  # other clips would be in it
    make_pressed = Signal()
    cancel_pressed = Signal()

    def __init__(self, schema: LabelSchema, *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self._busy = False
        self._possible = True
        self._scopes: tuple[Scope, ...] = (EVERY_REVIEW,)
        self.scope = QComboBox()
        self.name = QLineEdit(name)
        self.name_help = label(_NAME_HELP, "small", wrap=True)
        self.frames = QSpinBox()
        self.balance = QComboBox()
        self.near_duplicates = QCheckBox("Keep look-alikes together")
        self.samples = QCheckBox("Sample clips, too")
        self.make = button("Make the set", self.make_pressed.emit, kind="primary")
        self.progress = QProgressBar()
        self.doing = ElidedLabel("", "small")
        self.cancel = button("Cancel", self.cancel_pressed.emit)
        self._fill(schema)
        self._lay_out()
        self.show_progress(None)

    def _fill(self, schema: LabelSchema) -> None:
        self.name.setMaxLength(41)
        self.frames.setRange(1, 128)
        self.frames.setValue(DEFAULT_FRAMES)
        self.frames.setKeyboardTracking(False)
        self.frames.lineEdit().setTextMargins(6, 0, 0, 0)
        self.balance.addItem("Nothing", None)
        for field in schema.model_fields:
            if field.has_values:
                self.balance.addItem(field.label, field.key)
        self.near_duplicates.setChecked(True)
        self.near_duplicates.setToolTip("Clips that look the same never fall into different parts of the set.")
        self.samples.setToolTip("Only to show the mechanism: what samples teach is not about roads.")
        self.offer_scope(None)
        for box in (self.scope, self.balance):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(10)
        self.scope.currentIndexChanged.connect(self.changed)
        self.samples.toggled.connect(self.changed)
        self.name.textChanged.connect(self._on_name)
        self.name.returnPressed.connect(self._on_return)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.PAD, theme.PAD, theme.PAD, theme.PAD)
        column.setSpacing(theme.GAP)
        column.addWidget(label("New training set", "strong"))
        rows = (("Reviews", self.scope), ("Name", self.name), ("Frames", self.frames), ("Draw more of", self.balance))
        for title, widget in rows:
            row = QHBoxLayout()
            caption = label(title, "muted")
            caption.setBuddy(widget)
            caption.setFixedWidth(theme.px(92))
            widget.setAccessibleName(title)
            row.addWidget(caption)
            row.addWidget(widget, 1)
            column.addLayout(row)
            if widget is self.name:
                column.addWidget(self.name_help)
        self.balance.setToolTip("Rare values of this field are drawn more often, up to five times.")
        self.frames.setToolTip("How many frames of each clip a model is shown, spread evenly.")
        column.addWidget(self.near_duplicates)
        column.addWidget(self.samples)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Making the set")
        for item in (self.doing, self.progress):
            column.addWidget(item)
        row = QHBoxLayout()
        row.addWidget(self.make, 1)
        row.addWidget(self.cancel)
        column.addLayout(row)

    # -- what is wanted

    @property
    def chosen_scope(self) -> Scope:
        """Which clips are wanted."""
        scope = self.scope.currentData()
        return scope if isinstance(scope, Scope) else EVERY_REVIEW

    @property
    def options(self) -> SetOptions:
        """How the set is wanted."""
        return SetOptions(
            frames=self.frames.value(),
            balance=self.balance.currentData(),
            include_samples=self.samples.isChecked(),
            near_duplicates=self.near_duplicates.isChecked(),
        )

    def offer_scope(self, scope: Scope | None) -> None:
        """Offer what was chosen in the library beside all reviews, and choose it."""
        self._scopes = (EVERY_REVIEW,) if scope is None else (EVERY_REVIEW, scope)
        self.scope.blockSignals(True)
        self.scope.clear()
        for each in self._scopes:
            self.scope.addItem(menu_text(each.title), each)
        self.scope.setCurrentIndex(len(self._scopes) - 1)
        self.scope.blockSignals(False)
        self.changed.emit()

    @property
    def busy(self) -> bool:
        """Whether a set is being made."""
        return self._busy

    def show_possible(self, possible: bool) -> None:
        """Whether anything would be in it."""
        self._possible = possible
        self._show_state()

    def show_main(self, main: bool) -> None:
        """Whether making a set is what the page is about now, or going on with one that is there."""
        self.make.setProperty("kind", "primary" if main else "normal")
        self.make.style().unpolish(self.make)
        self.make.style().polish(self.make)

    def show_progress(self, progress: tuple[float, str] | None) -> None:
        """How far the making is; None when it is over."""
        self._busy = progress is not None
        if progress is not None:
            fraction, text = progress
            self.progress.setRange(0, 1000)
            self.progress.setValue(round(1000 * fraction))
            self.doing.setText(text)
        self._show_state()

    def _show_state(self) -> None:
        for item in (self.progress, self.doing, self.cancel):
            item.setVisible(self._busy)
        good = _NAME.fullmatch(self.name.text()) is not None
        self.make.setEnabled(not self._busy and self._possible and good)
        for widget in (self.scope, self.name, self.frames, self.balance, self.near_duplicates, self.samples):
            widget.setEnabled(not self._busy)

    def _on_name(self, text: str) -> None:
        good = _NAME.fullmatch(text) is not None
        self.name.setProperty("invalid", "false" if good else "true")
        self.name.style().polish(self.name)
        self.name_help.setText(_NAME_HELP if good else f"This cannot be a name. {_NAME_HELP}")
        self._show_state()

    def _on_return(self) -> None:
        if self.make.isEnabled():
            self.setFocus(Qt.FocusReason.OtherFocusReason)
            self.make_pressed.emit()
