"""The first step: from which reviews a training set is made, which sets there are, and what is in them."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QListWidget, QListWidgetItem, QStackedWidget, QVBoxLayout, QWidget

from vvlm_desktop.formats.base import LeftOut
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.errors_view import Problem
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.scope import Scope
from vvlm_desktop.ui.training import set_empty
from vvlm_desktop.ui.training.focus import hand_on, hold
from vvlm_desktop.ui.training.set_desk import SetDesk
from vvlm_desktop.ui.training.set_facts import SetFacts, line_of_set, title_of_set
from vvlm_desktop.ui.training.set_form import SetForm
from vvlm_desktop.ui.training.set_outlook import Outlook
from vvlm_desktop.ui.training.set_view import SetView
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label, rule
from vvlm_desktop.ui.words import count
from vvlm_desktop.workflow.training_check import CheckReport
from vvlm_desktop.workflow.training_sets import MadeSet, TrainingSet

_SIDE_PX = 300
_FIRST_NAME = "fleet"


class DataStep(QWidget):
    """A form and the versions at the left, one version at the right."""

    set_chosen = Signal(object)  # TrainingSet | None: what the next run would train on
    train_pressed = Signal()

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._sets: list[TrainingSet] = []
        self._outlook: Outlook | None = None
        self._left_out: dict[str, tuple[LeftOut, ...]] = {}
        self._reports: dict[str, CheckReport] = {}
        self._wanted: str | None = None
        self.desk = SetDesk(shell, self)
        self.form = SetForm(shell.session.schema, name=_FIRST_NAME)
        self.there = label("", "muted", wrap=True)
        self.advice = label("", "small", wrap=True)
        self.review = button("Review more clips", self._on_review, kind="link")
        self.versions = QListWidget()
        self.view = SetView()
        self._empty: QWidget | None = None
        self._stack = QStackedWidget()
        self._lay_out()
        self._connect()
        self._show_empty(set_empty.reading())

    def _lay_out(self) -> None:
        side = QWidget()
        side.setFixedWidth(theme.px(_SIDE_PX))
        column = QVBoxLayout(side)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(theme.GAP)
        column.addWidget(self.there)
        column.addWidget(self.advice)
        column.addWidget(self.review, alignment=Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.form)
        column.addSpacing(theme.GAP)
        self._versions_title = label("Versions", "strong")
        column.addWidget(self._versions_title)
        self.versions.setAccessibleName("Versions of training sets")
        self.versions.setFrameShape(QFrame.Shape.NoFrame)
        self.versions.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.versions.setMinimumHeight(theme.px(80))
        column.addWidget(self.versions, 4)
        column.addStretch(1)
        self._work = QWidget()
        row = QHBoxLayout(self._work)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(side)
        row.addWidget(rule(vertical=True))
        self._right = QStackedWidget()
        self._right.addWidget(set_empty.no_set())
        self._right.addWidget(self.view)
        row.addWidget(self._right, 1)
        self._stack.addWidget(self._work)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)

    def _connect(self) -> None:
        self.form.changed.connect(self.look)
        self.form.make_pressed.connect(self.make)
        self.form.cancel_pressed.connect(self.desk.cancel_making)
        self.versions.currentRowChanged.connect(self._on_row)
        self.view.clip_chosen.connect(self._on_clip)
        self.view.clips_listed.connect(self._on_list)
        self.view.train_pressed.connect(self.train_pressed)
        self.view.check_pressed.connect(self.check)
        self.view.check_cancelled.connect(self.desk.cancel_check)
        self.desk.looked.connect(self._on_looked)
        self.desk.facts_read.connect(self._on_facts)
        self.desk.making.connect(self._on_making)
        self.desk.made.connect(self._on_made)
        self.desk.make_ended.connect(self._on_make_ended)
        self.desk.checking.connect(self._on_checking)
        self.desk.checked.connect(self._on_checked)
        self.desk.check_ended.connect(self._on_check_ended)
        self.desk.failed.connect(self._shell.report)

    # -- what the page asks

    @property
    def chosen_set(self) -> TrainingSet | None:
        """The version that is looked at."""
        row = self.versions.currentRow()
        return self._sets[row] if 0 <= row < len(self._sets) else None

    def look(self) -> None:
        """Look through the reviews and the sets again."""
        self.desk.look(self.form.chosen_scope, include_samples=self.form.options.include_samples)

    def show_scope(self, scope: Scope) -> None:
        """Make the next set of these clips."""
        self.form.offer_scope(scope)

    def make(self) -> None:
        """Make the next version of the set that is named."""
        if self.form.make.isEnabled():
            hold(self)
            self.desk.make(self.form.name.text(), self.form.chosen_scope, self.form.options)

    def check(self) -> None:
        """Look at every clip of the chosen set."""
        if self.chosen_set is not None:
            self.desk.check(self.chosen_set)

    def close_step(self) -> None:
        """The page goes."""
        self.desk.close()

    # -- what arrives

    def _on_looked(self, outlook: Outlook, sets: list[TrainingSet]) -> None:
        self._outlook = outlook
        self._show_sets(sets)
        if not sets and outlook.usable == 0:
            self._show_empty(set_empty.too_little(self._shell, outlook, let_samples_in=self._let_samples_in))
            return
        self._stack.setCurrentWidget(self._work)
        self.there.setText(f"{outlook.in_words} can train." if outlook.usable else "No reviewed clip can train.")
        self.advice.setText(outlook.advice)
        self.advice.setVisible(bool(outlook.advice))
        self.review.setVisible(outlook.usable == 0 or bool(outlook.advice))
        self.form.show_possible(outlook.usable > 0)
        self.form.show_main(not sets)
        for item in (self._versions_title, self.versions):
            item.setVisible(bool(sets))

    def _show_sets(self, sets: list[TrainingSet]) -> None:
        before = self._wanted or (self.chosen_set.id if self.chosen_set is not None else None)
        newest = sorted(sets, key=lambda each: (each.last_made, each.is_current), reverse=True)
        same = [each.id for each in newest] == [each.id for each in self._sets]
        self._sets = newest
        self._wanted = None
        if not same:
            with QSignalBlocker(self.versions):
                self.versions.clear()
                for each in newest:
                    self.versions.addItem(QListWidgetItem(f"{title_of_set(each)}\n{line_of_set(each)}"))
            if newest and self.form.name.text() == _FIRST_NAME:
                self.form.name.setText(newest[0].name)
        row = next((place for place, each in enumerate(newest) if each.id == before), 0 if newest else -1)
        if row != self.versions.currentRow():
            self.versions.setCurrentRow(row)
        else:
            self._on_row(row)

    def _on_row(self, _row: int) -> None:
        chosen = self.chosen_set
        if chosen is None:
            self._right.setCurrentIndex(0)
        else:
            self.desk.read(chosen)
        self.set_chosen.emit(chosen)

    def _on_facts(self, facts: SetFacts) -> None:
        chosen = self.chosen_set
        if chosen is None or facts.training_set.id != chosen.id:
            return
        rows = self._left_out.get(chosen.id) or (self._outlook.left_out if self._outlook is not None else ())
        self.view.show_facts(facts, left_out=rows)
        if not self.desk.checks:
            self.view.check.show_report(self._reports.get(chosen.id))
        self._right.setCurrentWidget(self.view)
        if self.hasFocus() and not self.form.busy:  # a set was made: go on with it
            hand_on(self, self.view.train)

    def _on_making(self, fraction: float, text: str) -> None:
        self.form.show_progress((fraction, text))

    def _on_made(self, made: MadeSet) -> None:
        self._left_out[made.training_set.id] = (*made.report.left_out, *made.report.failed)
        self._wanted = made.training_set.id
        title = title_of_set(made.training_set)
        if not made.is_new:
            self._shell.report(Problem(f"Nothing has changed since {title} was made; it is shown.", tone="good"))
        elif made.report.failed:
            clips = count(len(made.report.failed), "clip")
            said = f"{title} was made without {clips} that could not be read."
            self._shell.report(Problem(said, hint="They are listed under “Not in it”.", tone="doubtful"))
        else:
            self._shell.report(Problem(f"The training set {title} was made.", tone="good"))

    def _on_make_ended(self) -> None:
        self.form.show_progress(None)
        self.look()

    def _on_checking(self, fraction: float, text: str) -> None:
        self.view.check.show_progress(fraction, text)

    def _on_checked(self, training_set: TrainingSet, report: CheckReport) -> None:
        self._reports[training_set.id] = report

    def _on_check_ended(self) -> None:
        chosen = self.chosen_set
        self.view.check.show_report(self._reports.get(chosen.id) if chosen is not None else None)

    # -- what the user does

    def _let_samples_in(self) -> None:
        self.form.samples.setChecked(True)

    def _on_review(self) -> None:
        self._shell.navigate("review")

    def _on_clip(self, clip_id: str) -> None:
        self._shell.navigate("library", clip_id)

    def _on_list(self, reason: str, clip_ids: list[str]) -> None:
        library = self._shell.session.library
        rowids = (library.rowid_of(clip_id) for clip_id in clip_ids)
        chosen = tuple(rowid for rowid in rowids if rowid is not None)
        self._shell.list_clips(Scope(f"Not in the set: {reason}", chosen=chosen))

    def _show_empty(self, state: QWidget) -> None:
        if self._empty is not None:
            self._stack.removeWidget(self._empty)
            self._empty.deleteLater()
        self._empty = state
        self._stack.addWidget(state)
        self._stack.setCurrentWidget(state)
