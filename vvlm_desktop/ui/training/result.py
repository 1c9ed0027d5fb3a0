"""The result of a run: measured on the test part, before and after, and whether it may become the default."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.scope import Scope
from vvlm_desktop.ui.sheet import Question
from vvlm_desktop.ui.training.focus import hand_on, hold
from vvlm_desktop.ui.training.promotion_panel import PromotionPanel, PromotionView
from vvlm_desktop.ui.training.promotion_rule_form import with_rule
from vvlm_desktop.ui.training.result_acts import ResultActs
from vvlm_desktop.ui.training.result_measuring import MeasuringLine
from vvlm_desktop.ui.training.result_rows import ResultTable, result_table
from vvlm_desktop.ui.training.result_seen import SeenResults
from vvlm_desktop.ui.training.result_table import ResultTableView
from vvlm_desktop.ui.training.result_work import Errand, ResultFacts, clips_of, read_facts
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.empty_state import EmptyState, Offer
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label
from vvlm_desktop.ui.words import count, shown, when
from vvlm_desktop.workflow.promotion import PromotionRule
from vvlm_desktop.workflow.runs import Evaluation, Run

_PANEL_PX = 340
_LEGEND = (
    "Bars are 95 % intervals; the dotted line is what always saying the commonest value would get. p: how often chance"
    " alone makes such a difference (McNemar); of twenty fields that are equally good, one is called clear by chance."
)


class ResultView(QWidget):
    """Shows the result of one run, and does what is pressed."""

    changes_pressed = Signal(object)  # Run
    default_changed = Signal()
    runs_pressed = Signal()

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shell = shell
        self.run: Run | None = None
        self.facts: ResultFacts | None = None
        self.table: ResultTable | None = None
        self._chosen: Path | None = None
        self._acted = False
        self._seen = SeenResults()
        self._reading = Errand("run-result", self)
        self._reading.done.connect(self._on_facts)
        self._reading.failed.connect(self._on_failed)
        self._finding = Errand("run-result-clips", self)
        self._finding.done.connect(self._on_clips)
        self._finding.failed.connect(self._on_failed)
        self.acts = ResultActs(shell, self)
        self.acts.changed.connect(self.refresh)
        self.acts.default_changed.connect(self.default_changed)
        self._build()
        self.show_run(None)

    # -- building

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        column.setSpacing(theme.GAP)
        column.addLayout(self._build_head())
        self.measuring = MeasuringLine(self.shell.tasks)
        self.measuring.ended.connect(self._on_measured)
        self.measuring.cancel_pressed.connect(self._on_cancel)
        column.addWidget(self.measuring)
        body = QWidget()
        self._stack = QStackedLayout(body)
        column.addWidget(body, 1)
        self.nothing = EmptyState(
            "loop", "No run is chosen", "Its result is shown here.", (Offer("Show the runs", self.runs_pressed.emit),)
        )
        offer = Offer("Measure on the test part", self.measure, "play")
        self.unmeasured = EmptyState("analyse", "Not measured yet", "", (offer,))
        self._stack.addWidget(self.nothing)
        self._stack.addWidget(self.unmeasured)
        self._shown = self._build_shown()
        self._stack.addWidget(self._shown)

    def _build_head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setSpacing(theme.GAP)
        self.name = label("", "title")
        self.about = ElidedLabel("", "muted")
        self.choice = QComboBox()
        self.choice.setAccessibleName("Which measurement")
        self.choice.activated.connect(self._on_chosen)
        self.again = button("Measure again", self.measure)
        self.copy = button("Copy numbers", self.copy_numbers, icon="copy")
        head.addWidget(self.name)
        head.addWidget(self.about, 1)
        for item in (self.choice, self.again, self.copy):
            head.addWidget(item)
        return head

    def _build_shown(self) -> QWidget:
        made = QWidget()
        row = QHBoxLayout(made)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.PAD)
        left = QVBoxLayout()
        left.setSpacing(theme.GAP)
        self.numbers = ResultTableView()
        left.addWidget(self.numbers, 1)
        self.legend = label(_LEGEND, "small", wrap=True)
        left.addWidget(self.legend)
        under = QHBoxLayout()
        under.setSpacing(theme.GAP)
        self.changes = button("Which clips would change", self._on_changes, icon="swap")
        self.compare = button("Open in Compare", self._on_compare, icon="compare")
        under.addWidget(self.changes)
        under.addWidget(self.compare)
        under.addStretch(1)
        left.addLayout(under)
        row.addLayout(left, 1)
        self.panel = PromotionPanel(self.shell.session.schema)
        self.panel.promote_pressed.connect(self._on_promote)
        self.panel.rollback_pressed.connect(self._on_rollback)
        self.panel.rule_saved.connect(self._on_rule)
        self.panel.setFixedWidth(theme.px(_PANEL_PX))
        row.addWidget(self.panel)
        return made

    # -- what is shown

    def show_run(self, run: Run | None) -> None:
        """Show the result of this run; None for none."""
        same = run is not None and self.run is not None and run.folder == self.run.folder
        self.run = run
        if not same:
            self.facts, self.table, self._chosen = None, None, None
            self.measuring.follow(None)
        self.name.setText(shown(run.name) if run is not None else "")
        if not same:
            self._show_head(None)
            self._stack.setCurrentWidget(self.nothing)
            for item in self.nothing.buttons:
                item.setVisible(run is None)
            if run is not None:
                self.nothing.show_words("One moment", "Reading what was measured…")
            else:
                self.nothing.show_words("No run is chosen", "Its result is shown here.")
        if run is None:
            self._reading.forget()
        else:
            self.refresh()

    def refresh(self) -> None:
        """Read everything again."""
        run, session, chosen = self.run, self.shell.session, self._chosen
        if run is not None:
            self._reading.start(lambda: read_facts(session, run, chosen))

    def close_view(self) -> None:
        """Let go of threads."""
        for errand in (self._reading, self._finding):
            errand.close()
        self.measuring.close_line()
        self.acts.close()

    def _on_facts(self, facts: ResultFacts) -> None:
        if self.run is None or facts.run.folder != self.run.folder:
            return
        self.facts = facts
        if facts.running is not None:
            self.measuring.follow(facts.running)
        chosen = facts.chosen
        self._show_head(chosen)
        if chosen is None:
            self._show_unmeasured(facts)
            return
        self.table = result_table(chosen, self.shell.session.schema)
        self.numbers.show_table(self.table)
        self._show_panel()
        self._stack.setCurrentWidget(self._shown)

    def _show_head(self, chosen: Evaluation | None) -> None:
        facts = self.facts
        several = facts is not None and len(facts.evaluations) > 1
        self.choice.setVisible(several)
        self.choice.clear()
        for each in facts.evaluations if facts is not None and several else ():
            self.choice.addItem(f"Measured {when(str(each.metrics.get('created_at', '')))}", str(each.folder))
        if chosen is not None:
            self.choice.setCurrentIndex(self.choice.findData(str(chosen.folder)))
        self.about.setText(_about(chosen) if chosen is not None else "")
        self.again.setVisible(chosen is not None)
        self.again.setEnabled(not self.measuring.active)
        self.copy.setVisible(chosen is not None)

    def _show_unmeasured(self, facts: ResultFacts) -> None:
        self._stack.setCurrentWidget(self.unmeasured)
        if not facts.has_adapter:
            words = "This run has no adapter yet. It is there when the training has finished."
            self.unmeasured.show_words("Not trained to its end", words, enabled=False)
        else:
            words = (
                "Base and adapter answer about the clips of the test part, which never trained, on the same frames."
                " It runs in the background, and lives on when this window is closed."
            )
            self.unmeasured.show_words("Not measured yet", words, enabled=not self.measuring.active)

    def _show_panel(self) -> None:
        facts = self.facts
        if facts is None:
            return
        edited = facts.chosen is not None and self._seen.edited_after(facts.chosen.folder, facts.rule)
        view = PromotionView(facts.rule, facts.judgement, facts.unjudged, edited, facts.default)
        self.panel.show_view(view, busy=self.acts.busy)
        if self._acted and not self.acts.busy:  # the button that was pressed has given way to the other one
            self._acted = False
            hand_on(self, self.panel.rollback, self.panel.promote, self.changes)

    def _on_chosen(self, place: int) -> None:
        self._chosen = Path(str(self.choice.itemData(place)))
        self.refresh()

    def _on_failed(self, error: VvlmError) -> None:
        self.shell.report(error)

    # -- measuring

    @property
    def can_measure(self) -> bool:
        """Whether there is an adapter to be measured, and nothing is being measured."""
        return self.facts is not None and self.facts.has_adapter and not self.measuring.active and not self.acts.busy

    def measure(self) -> None:
        """Begin an evaluation of the test part."""
        if self.run is None or self.measuring.active:
            return
        self._chosen = None
        self.setFocus()  # or it would go to whatever comes next, when the button is switched off
        for item in (self.again, *self.unmeasured.buttons):
            item.setEnabled(False)
        self.acts.measure(self.run, then=self.measuring.follow)

    def _on_cancel(self, evaluation: Evaluation) -> None:
        self.acts.stop(evaluation)

    def _on_measured(self) -> None:
        self.refresh()

    # -- promotion

    @property
    def can_promote(self) -> bool:
        """Whether what is shown may become the default."""
        return self.facts is not None and self.facts.chosen is not None and self.panel.can_promote

    @property
    def can_roll_back(self) -> bool:
        """Whether what is shown is the default."""
        return self.facts is not None and self.facts.default is not None and not self.acts.busy

    def promote(self) -> None:
        """As the button does."""
        if self.can_promote:
            self._on_promote()

    def rollback(self) -> None:
        """As the button does: it asks."""
        if self.can_roll_back:
            self._on_rollback()

    def _on_promote(self) -> None:
        if self.facts is not None and self.facts.chosen is not None:
            self._acted = True
            hold(self)
            self.acts.promote(self.facts.chosen)
            self._show_panel()

    def _on_rollback(self) -> None:
        facts = self.facts
        if facts is None or facts.default is None:
            return
        backend, model, adapter = facts.default.before
        before = (
            f"{model or 'no model'}{f' with {adapter}' if adapter else ' alone'}" if backend == "local" else backend
        )
        self.shell.ask(
            Question(
                "Go back to what was the default before?",
                facts=(("Now", shown(facts.run.name)), ("Then", shown(before))),
                sentence="Answers that were given stay. The adapter stays, too, and can be made the default again.",
                icon="undo",
                yes="Roll back",
                on_yes=self._on_rollback_agreed,
            )
        )

    def _on_rollback_agreed(self, _answer: object) -> None:
        self._acted = True
        hold(self)
        self.acts.rollback()

    def _on_rule(self, rule: PromotionRule) -> None:
        if self.facts is not None and self.facts.chosen is not None:
            self._seen.note_edit(self.facts.chosen.folder, before=self.facts.rule)
        if self.shell.change_settings(with_rule(self.shell.session.settings, rule)):
            self.refresh()

    # -- what leads on

    def copy_numbers(self) -> None:
        """Put the table on the clipboard, as CSV."""
        if self.table is not None:
            QGuiApplication.clipboard().setText(self.table.as_csv())
            self.copy.setToolTip("Copied")

    def _on_changes(self) -> None:
        if self.run is not None:
            self.changes_pressed.emit(self.run)

    def _on_compare(self) -> None:
        facts, session = self.facts, self.shell.session
        if facts is not None and facts.chosen is not None:
            chosen = facts.chosen
            self._finding.start(lambda: clips_of(session, chosen))

    def _on_clips(self, rows: tuple[int, ...]) -> None:
        if self.run is not None:
            self.shell.compare(Scope(f"Test part of {shown(self.run.name)}", chosen=rows))

    # -- Qt

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.measuring.set_visible(True)

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.measuring.set_visible(False)


def _about(evaluation: Evaluation) -> str:
    metrics = evaluation.metrics
    clips = max((int(each.get("clips", 0)) for each in metrics.get("scores", {}).values()), default=0)
    parts = [
        f"on {count(clips, 'clip')} of the test part that never trained",
        f"{metrics.get('frames', '?')} frames",
        str(metrics.get("precision", "")),
        f"measured {when(str(metrics.get('created_at', '')))}",
    ]
    unreadable = len(metrics.get("unreadable", {}))
    if unreadable:
        parts.append(f"{count(unreadable, 'clip')} could not be read")
    return " · ".join(part for part in parts if part)
