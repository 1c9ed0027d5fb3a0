"""What a backend said, exactly: its raw text and the whole record as JSON, to be copied."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QGuiApplication, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QPlainTextEdit,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.sureness import how_it_ran
from vvlm_desktop.ui.widgets.buttons import IconButton
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.words import plain_tip, when


class NameBox(QComboBox):
    """A choice whose long names are shortened in the middle, since they differ at their end; the tooltip has them."""

    def shown_text(self) -> str:
        """The chosen name as far as there is room for it."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        area = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, self)
        return self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideMiddle, area.width() - 4)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = self.shown_text()
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


class RawTab(QWidget):
    """Shows the analyses of a clip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._analyses: tuple[Analysis, ...] = ()
        self.choice = NameBox()
        self.choice.setMinimumContentsLength(8)
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setAccessibleName("Analysis")
        self.choice.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.choice.currentIndexChanged.connect(self._render)
        self.part = QComboBox()
        self.part.setAccessibleName("What to show")
        self.part.addItems(["As it was said", "Whole record"])
        self.part.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.part.currentIndexChanged.connect(self._render)
        self.copy = IconButton("copy", "Copy", self._on_copy)
        self.copy.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.how = label("", "muted", wrap=True)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setFont(theme.font("mono"))
        self.text.setAccessibleName("Raw answer")
        self.text.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row = QHBoxLayout()
        row.setSpacing(theme.GAP)
        row.addWidget(self.choice, 1)
        row.addWidget(self.part)
        row.addWidget(self.copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.PAD, theme.PAD, theme.PAD, theme.PAD)
        column.setSpacing(theme.GAP)
        column.addLayout(row)
        column.addWidget(self.how)
        column.addWidget(self.text, 1)

    def show_analyses(self, analyses: Sequence[Analysis]) -> None:
        """Show these, the newest first."""
        if tuple(analyses) == self._analyses and self.choice.count():
            return
        self._analyses = tuple(analyses)
        with QSignalBlocker(self.choice):
            self.choice.clear()
            for analysis in self._analyses:
                model = analysis.model or analysis.backend
                who = f"{model} + {analysis.adapter}" if analysis.adapter else model
                self.choice.addItem(f"{who} · {when(analysis.created_at)}")
                row = self.choice.count() - 1
                self.choice.setItemData(row, plain_tip(self.choice.itemText(row)), Qt.ItemDataRole.ToolTipRole)
        for item in (self.choice, self.part, self.copy):
            item.setEnabled(bool(self._analyses))
        self._render()

    def _render(self) -> None:
        row = self.choice.currentIndex()
        if not 0 <= row < len(self._analyses):
            self.how.setText("")
            self.text.setPlainText("This clip has not been analysed.")
            return
        analysis = self._analyses[row]
        self.how.setText(how_it_ran(analysis))
        self.choice.setToolTip(plain_tip(self.choice.currentText()))
        if self.part.currentIndex() == 0:
            self.text.setPlainText(_pretty(analysis.raw_text))
        else:
            self.text.setPlainText(json.dumps(asdict(analysis), indent=2, ensure_ascii=False, default=str))

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())


def _pretty(text: str) -> str:
    """JSON with line breaks; anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
