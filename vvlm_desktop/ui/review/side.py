"""The right-hand side: the form, the raw answer, the history, one behind the other."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.ask_panel import AskPanel
from vvlm_desktop.ui.review.form.panel import FormPanel
from vvlm_desktop.ui.review.history_tab import HistoryTab
from vvlm_desktop.ui.review.raw_tab import RawTab
from vvlm_desktop.ui.tasks import Task, Tasks
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label, rule
from vvlm_desktop.ui.words import count

_NOT_YET = "Not analysed yet. You can also judge it from nothing."


def being_analysed(task: Task) -> str:
    """How far the analysis is that a clip waits for."""
    done = "" if task.fraction is None else f"{task.fraction:.0%}".replace("%", " %")
    others = task.clips_in_all - 1
    if others > 0:
        done = f"with {count(others, 'other clip')}{f': {done} done' if done else ''}"
    return f"Being analysed, {done}" if done else "Being analysed"


class Side(QWidget):
    """Form, raw JSON and history as tabs."""

    analyse_pressed = Signal()
    tab_shown = Signal(int)

    def __init__(self, form: FormPanel, *, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._without_answer: str | None = None  # id of the open clip, if it has none
        tasks.changed.connect(self._show_banner)
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
        self.banner_words = label(_NOT_YET, "muted", wrap=True)
        row.addWidget(self.banner_words, 1)
        self.analyse = button("Analyse", self.analyse_pressed.emit, icon="analyse")
        self.analyse.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row.addWidget(self.analyse)
        banner.hide()
        return banner

    def show_clip(self, clip_id: str, *, answered: bool) -> None:
        """Offer to analyse a clip that has no answer, or say that this is being done."""
        self._without_answer = None if answered else clip_id
        self._show_banner()

    def _show_banner(self) -> None:
        wanted = self._without_answer
        self.banner.setVisible(wanted is not None)
        task = next((task for task in self._tasks.running if wanted in task.clip_ids), None)
        self.banner_words.setText(_NOT_YET if task is None else being_analysed(task))
        self.analyse.setVisible(task is None)

    def show_form(self) -> None:
        """Bring the form to the front."""
        self.tabs.setCurrentIndex(0)

    def _on_tab(self, number: int) -> None:
        self.stack.setCurrentIndex(number)
        self.tab_shown.emit(number)
