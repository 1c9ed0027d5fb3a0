"""The right-hand side: the form, the raw answer, the history, one behind the other."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.ask_panel import AskPanel
from vvlm_desktop.ui.review.form.panel import FormPanel
from vvlm_desktop.ui.review.history_tab import HistoryTab
from vvlm_desktop.ui.review.raw_tab import RawTab
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label, rule


class Side(QWidget):
    """Form, raw JSON and history as tabs."""

    analyse_pressed = Signal()
    tab_shown = Signal(int)

    def __init__(self, form: FormPanel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.form = form
        self.raw = RawTab()
        self.history = HistoryTab()
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.tabs.setAccessibleName("Form, raw JSON, history")
        self.stack = QStackedWidget()
        for name, widget in (("Form", form), ("Raw JSON", self.raw), ("History", self.history)):
            self.tabs.addTab(name)
            self.stack.addWidget(widget)
        self.tabs.currentChanged.connect(self._on_tab)
        self.banner = self._make_banner()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(theme.GAP, 0, theme.GAP, 0)
        head.addWidget(self.tabs)
        head.addStretch(1)
        holder = QWidget()
        holder.setFixedHeight(theme.px(44))
        holder.setLayout(head)
        column.addWidget(holder)
        column.addWidget(rule())
        column.addWidget(self.banner)
        column.addWidget(self.stack, 1)
        self.ask = AskPanel()
        column.addWidget(self.ask)

    def _make_banner(self) -> QWidget:
        banner = QWidget()
        row = QHBoxLayout(banner)
        row.setContentsMargins(theme.MARGIN, theme.GAP, theme.PAD, theme.GAP)
        row.addWidget(label("Not analysed yet. You can also judge it from nothing.", "muted", wrap=True), 1)
        self.analyse = button("Analyse", self.analyse_pressed.emit, icon="analyse")
        self.analyse.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row.addWidget(self.analyse)
        banner.hide()
        return banner

    def show_form(self) -> None:
        """Bring the form to the front."""
        self.tabs.setCurrentIndex(0)

    def _on_tab(self, number: int) -> None:
        self.stack.setCurrentIndex(number)
        self.tab_shown.emit(number)
