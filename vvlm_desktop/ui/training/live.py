"""A run as it goes: where it is, how long it still takes, its curves, and what to do where it ended early.

It follows the run's folder, so it makes no difference which program started it, or whether that still lives.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QScrollArea, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.training.focus import hold
from vvlm_desktop.ui.training.live_facts import FactRow
from vvlm_desktop.ui.training.live_notes import Notes, TroubleCard
from vvlm_desktop.ui.training.live_plots import LivePlots
from vvlm_desktop.ui.training.live_task import RunTask
from vvlm_desktop.ui.training.live_watch import Follower, Watch
from vvlm_desktop.ui.training.live_words import STATE_MARKS, doing, step_reached, trouble
from vvlm_desktop.ui.training.log_fold import LogFold
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.empty_state import EmptyState
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label
from vvlm_desktop.ui.widgets.marks import MarkLabel
from vvlm_desktop.ui.words import shown
from vvlm_desktop.workflow import runs
from vvlm_desktop.workflow.run_progress import RunFollower, RunProgress, RunState
from vvlm_desktop.workflow.runs import Run


def _follow(folder: Path) -> Follower:
    return RunFollower(folder)


class LiveView(QWidget):
    """Shows one run; what is pressed is done by whoever owns it."""

    stop_pressed = Signal(object)  # Run
    resume_pressed = Signal(object)  # Run
    lead_pressed = Signal()  # in the status bar: this view is to be shown
    progressed = Signal(object)  # RunProgress, whenever it was read
    state_changed = Signal(object)  # RunProgress, when its state is another one

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shell = shell
        self.run: Run | None = None
        self.progress: RunProgress | None = None
        self._state: RunState | None = None
        self._stop_asked = False
        self._task = RunTask(shell.tasks, self._on_stop, self.lead_pressed.emit)
        self._watch = Watch(_follow, self)
        self._watch.told.connect(self._on_told)
        self._build()
        self.show_run(None)

    # -- building

    def _build(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self.nothing = EmptyState(
            "loop", "No run is chosen", "A run that is started, or chosen in the history, is followed here."
        )
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inner = QWidget()
        self._area.setWidget(inner)
        outer.addWidget(self.nothing)
        outer.addWidget(self._area)
        column = QVBoxLayout(inner)
        column.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        column.setSpacing(theme.GAP)
        column.addLayout(self._build_head())
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        column.addWidget(self.bar)
        self.trouble = TroubleCard()
        column.addWidget(self.trouble)
        self.facts = FactRow()
        column.addWidget(self.facts)
        self.plots = LivePlots(self._title_of)
        self.plots.setMinimumHeight(theme.px(300))
        column.addWidget(self.plots, 1)
        self.notes = Notes()
        column.addWidget(self.notes)
        self.log = LogFold()
        self.log.unfolded.connect(self._on_unfolded)
        column.addWidget(self.log)

    def _build_head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setSpacing(theme.GAP)
        self.name = label("", "title")
        self.state = MarkLabel()
        self.state.setFont(theme.font("strong"))
        self.doing = ElidedLabel("", "muted")
        self.stop = button("Stop", self._on_stop, icon="pause", tooltip="Make a checkpoint at the next step, then end")
        self.resume = button("Resume", self._on_resume, kind="primary", icon="play")
        self.copy_command = button(
            "Copy command", self._on_copy_command, icon="copy", tooltip="The exact command for a terminal"
        )
        head.addWidget(self.name)
        head.addSpacing(theme.GAP)
        head.addWidget(self.state)
        head.addWidget(self.doing, 1)
        for item in (self.stop, self.resume, self.copy_command):
            head.addWidget(item)
        return head

    # -- what is shown

    def show_run(self, run: Run | None) -> None:
        """Follow this run, whoever started it; None for none."""
        if run is None or self.run is None or run.folder != self.run.folder:
            self._task.tell(None)
        self.run, self.progress, self._state = run, None, None
        self._stop_asked = False
        self.nothing.setVisible(run is None)
        self._area.setVisible(run is not None)
        self.facts.begin()
        self.plots.begin()
        if run is None:
            self._watch.follow(None)
            self.log.show_log(None)
            return
        self.name.setText(shown(run.name))
        self.log.show_log(lambda: runs.log_tail(run))
        self._show(RunProgress())
        self.doing.setText("Reading…")
        self._watch.follow(run.folder)

    def refresh(self) -> None:
        """Look at once, as after it was started again."""
        self._stop_asked = False
        self._watch.poll()

    @property
    def can_stop(self) -> bool:
        """Whether a run works that was not told to stop."""
        live = self.run is not None and self.progress is not None and self.progress.live
        return live and not self.stop.isHidden() and self.stop.isEnabled()

    @property
    def can_resume(self) -> bool:
        """Whether the run that is shown can go on, or begin."""
        return self.run is not None and self.progress is not None and self.progress.resumable

    def stop_run(self) -> None:
        """As the button does."""
        if self.can_stop:
            self._on_stop()

    def resume_run(self) -> None:
        """As the button does."""
        if self.can_resume:
            self._on_resume()

    def close_view(self) -> None:
        """Let go of threads."""
        self._task.tell(None)
        self._watch.close()
        self.log.close_log()

    def _title_of(self, key: str) -> str:
        schema = self.shell.session.schema
        return schema.field(key).label if key in schema else key

    def _on_told(self, progress: RunProgress) -> None:
        self.progress = progress
        self._show(progress)
        self._tell_status(progress)
        self.progressed.emit(progress)
        if progress.state != self._state:
            self._state = progress.state
            self.state_changed.emit(progress)

    def _show(self, progress: RunProgress) -> None:
        run = self.run
        if run is None:
            return
        word, mark, ink = STATE_MARKS[progress.state]
        if self._stop_asked and progress.live:
            word, mark, ink = STATE_MARKS["stopping"]
        self._stop_asked = self._stop_asked and progress.live
        self.state.show_mark(mark, word, ink=ink)
        self.doing.setText(doing(progress))
        cause, hint = trouble(progress)
        self.trouble.show_trouble(cause, hint, bad=progress.state == "failed")
        self._show_bar(progress)
        self._show_buttons(progress)
        self.facts.show_progress(progress, run.config)
        self.plots.show_progress(progress)
        self.notes.show_notes(progress.notes)

    def _tell_status(self, progress: RunProgress) -> None:
        if self.run is None or not progress.live:
            self._task.tell(None)
            return
        word = STATE_MARKS[progress.state][0]
        share = progress.fraction if progress.state in {"training", "stopping"} else None
        left_s = self.facts.left_s
        self._task.tell(f"{word}: {shown(self.run.name)}", fraction=share, left_s=left_s)

    def _show_bar(self, progress: RunProgress) -> None:
        reached = step_reached(progress)
        goes_on = reached > 0 and progress.steps > 0  # then the bar does not begin anew
        preparing = progress.state == "preparing" and not goes_on
        of_steps = reached / progress.steps if goes_on else 0.0
        share = (progress.done / progress.of if progress.of else 0.0) if preparing else of_steps
        unknown = progress.state in {"starting", "measuring"} and not goes_on
        if self.bar.maximum() != (0 if unknown else 1000):
            self.bar.setRange(0, 0 if unknown else 1000)
        if not unknown:
            self.bar.setValue(round(1000 * min(1.0, share)))
        what = "Clips prepared" if preparing else "Steps done"
        self.bar.setAccessibleName(f"{what}: {share:.0%}" if not unknown else "Working")

    def _show_buttons(self, progress: RunProgress) -> None:
        known = self.progress is not None
        self.stop.setVisible(progress.live)
        self.stop.setEnabled(known and progress.state != "stopping" and not self._stop_asked)
        self.resume.setVisible(progress.resumable)
        self.resume.setText("Start training" if progress.state == "checked" else "Resume")
        self.resume.setAccessibleName(self.resume.text())

    # -- what is pressed

    def _on_unfolded(self) -> None:
        QTimer.singleShot(0, self, self._show_log)  # its place is known only after the layout

    def _show_log(self) -> None:
        self._area.ensureWidgetVisible(self.log.text, 0, theme.PAD)

    def _on_stop(self) -> None:
        self._stop_asked = True
        hold(self)
        self.stop.setEnabled(False)
        word, mark, ink = STATE_MARKS["stopping"]
        self.state.show_mark(mark, word, ink=ink)
        self.stop_pressed.emit(self.run)

    def _on_resume(self) -> None:
        self.resume_pressed.emit(self.run)

    def _on_copy_command(self) -> None:
        if self.run is None:
            return
        try:
            QGuiApplication.clipboard().setText(runs.command_of(self.run))
        except VvlmError as error:
            self.shell.report(error)
            return
        self.copy_command.setToolTip("Copied: it goes on with this run in a terminal")

    # -- Qt

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._watch.set_visible(True)

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._watch.set_visible(False)
