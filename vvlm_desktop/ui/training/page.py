"""The Training page: what is learnt from, the run, its result, and all runs there have been."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.domain.review import Change
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.errors_view import Problem
from vvlm_desktop.ui.page import Page, Shell
from vvlm_desktop.ui.scope import Scope
from vvlm_desktop.ui.sheet import Question
from vvlm_desktop.ui.training.changing_flow import ChangingFlow
from vvlm_desktop.ui.training.data_step import DataStep
from vvlm_desktop.ui.training.history import RunHistory
from vvlm_desktop.ui.training.page_steps import STEPS, StepBar
from vvlm_desktop.ui.training.result import ResultView
from vvlm_desktop.ui.training.run_desk import RunDesk
from vvlm_desktop.ui.training.run_step import RunStep
from vvlm_desktop.ui.training.side_by_side import SideBySide
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label, rule
from vvlm_desktop.ui.words import count, shown
from vvlm_desktop.workflow.run_progress import RunProgress
from vvlm_desktop.workflow.runs import Run, holds_last_copy

#: While somebody reviews, the reviews are looked through now and then.
_REFRESH_MS = 1_500


class TrainingPage(Page):
    """Three steps and a list; it holds nothing that is not in the library's folder."""

    page_id = "training"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.desk = RunDesk(shell, self)
        self.data = DataStep(shell)
        self.run = RunStep(shell, self.desk)
        self.result = ResultView(shell)
        self.history = RunHistory(shell)
        self.beside = SideBySide(shell)
        self.changing = ChangingFlow(shell, self)
        self.runs: list[Run] = []
        self._shown: Run | None = None
        self._listed_once = False
        self._was_live = False
        self._views: dict[str, QWidget] = {
            "data": self.data,
            "run": self.run,
            "result": self.result,
            "history": self.history,
            "beside": self.beside,
        }
        self._step = ""
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(_REFRESH_MS)
        self._refresh.timeout.connect(self._on_refresh)
        self._stale = True
        self._lay_out()
        self._connect()
        self.show_step("data")

    def _lay_out(self) -> None:
        self.steps = StepBar()
        self.about = ElidedLabel("", "muted")
        self.new = button("New run", self.new_run, icon="training")
        self.list = button("Runs", self.show_history, icon="list")
        self.list.setCheckable(True)
        head = QWidget()
        head.setProperty("surface", "panel")
        row = QHBoxLayout(head)
        row.setContentsMargins(theme.MARGIN, theme.GAP, theme.MARGIN, theme.GAP)
        row.setSpacing(theme.GAP)
        row.addWidget(label("Training", "title"))
        row.addSpacing(theme.GAP)
        row.addWidget(self.steps)
        row.addSpacing(theme.GAP)
        row.addWidget(self.about, 1)
        row.addWidget(self.list)
        row.addWidget(self.new)
        self._stack = QStackedWidget()
        for view in self._views.values():
            self._stack.addWidget(view)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(head)
        column.addWidget(rule())
        column.addWidget(self._stack, 1)

    def _connect(self) -> None:
        self.steps.chosen.connect(self.show_step)
        self.data.set_chosen.connect(self.run.show_set)
        self.data.train_pressed.connect(self._on_train)
        self.run.data_pressed.connect(self._on_data)
        self.run.run_changed.connect(self._on_run_changed)
        self.desk.listed.connect(self._on_listed)
        self.desk.created.connect(self._on_begun)
        self.desk.started.connect(self._on_begun)
        self.desk.adopted.connect(self._on_adopted)
        self.desk.failed.connect(self.shell.report)
        self.history.chosen.connect(self._on_chosen)
        self.history.new_pressed.connect(self.new_run)
        self.history.remove_pressed.connect(self._on_remove)
        self.history.compare_chosen.connect(self._on_compare)
        self.beside.closed.connect(self.show_history)
        self.run.live.lead_pressed.connect(partial(self._lead_to, "run"))
        self.result.measuring.lead_pressed.connect(partial(self._lead_to, "result"))
        self.result.runs_pressed.connect(self.show_history)
        self.result.changes_pressed.connect(self.changing.start)

    # -- what the window asks of a page

    @override
    def actions_here(self) -> Sequence[Action]:
        def act(
            name: str,
            words: str,
            run: Callable[[], object],
            key: str = "",
            *,
            icon: str | None = None,
            enabled: Callable[[], bool] | None = None,
        ) -> Action:
            keys = (key,) if key else ()
            return Action(f"training.{name}", words, run, keys, "training", "Training", icon, enabled=enabled)

        steps = [
            act(key, f"Show step {number}: {title}", partial(self.show_step, key), str(number))
            for number, (key, title) in enumerate(STEPS, start=1)
        ]
        return (
            *steps,
            act("runs", "Show all runs", self.show_history, "H", icon="list"),
            act("new", "New run", self.new_run, "N", icon="training"),
            act("make_set", "Make a training set", self._make_set, "Ctrl+M"),
            act("check_set", "Check every clip of the training set", self._check_set, icon="check"),
            act("values", "Show or hide all values of the run", self.run.form.unfold, "F"),
            act("check", "Check the run first", self._check_run, "Ctrl+Return", icon="check"),
            act("start", "Start the run at once", self._start_run, icon="play"),
            act("copy_command", "Copy the command of the run", self.run.command.copy_command, icon="copy"),
            *self._acts_on_run(act),
            act("refresh", "Look at models, GPU and runs again", self._look, "F5", icon="redo"),
        )

    def _acts_on_run(self, act: Callable[..., Action]) -> tuple[Action, ...]:
        """What can be done with the run that is shown, only where it makes sense."""
        live, result = self.run.live, self.result

        def at(step: str, run: Callable[[], object]) -> Callable[[], None]:
            def do() -> None:
                self.show_step(step)
                run()

            return do

        return (
            act("stop", "Stop the run", at("run", live.stop_run), icon="pause", enabled=lambda: live.can_stop),
            act("resume", "Go on with the run", at("run", live.resume_run), icon="play", enabled=self._can_resume),
            act(
                "measure",
                "Measure the run on the test part",
                at("result", result.measure),
                icon="analyse",
                enabled=lambda: result.can_measure,
            ),
            act(
                "promote",
                "Make the run's adapter the default",
                at("result", result.promote),
                icon="check",
                enabled=lambda: result.can_promote,
            ),
            act(
                "rollback",
                "Go back to the default before",
                at("result", result.rollback),
                icon="undo",
                enabled=lambda: result.can_roll_back,
            ),
        )

    def _can_resume(self) -> bool:
        return self.run.live.can_resume and not self.desk.doing

    @override
    def activate(self, clip_id: str | None = None) -> None:
        """Show what there is; with a run's name, that run."""
        self.setFocus()  # or the first box would have the keys
        self._look()
        if self._stale:
            self._stale = False
            self.data.look()
        wanted = next((run for run in self.runs if run.name == clip_id), None)
        if wanted is not None:
            self._on_chosen(wanted)

    def _look(self) -> None:
        self.desk.look()
        self.desk.list_runs()

    @override
    def show_scope(self, scope: Scope) -> None:
        self.show_step("data")
        self.data.show_scope(scope)

    @override
    def on_change(self, change: Change) -> None:
        if change.what & {"clips", "review"}:
            self._stale = True
            if self.isVisible() and not self._refresh.isActive():
                self._refresh.start()

    @override
    def on_settings(self, settings: Settings) -> None:
        self.desk.look()

    @override
    def close_page(self) -> None:
        self._refresh.stop()
        self.data.close_step()
        self.run.close_step()
        self.result.close_view()
        self.history.close_history()
        self.beside.close_view()
        self.changing.close()
        self.desk.close()

    def _on_refresh(self) -> None:
        if self.isVisible():
            self._stale = False
            self.data.look()

    # -- what is shown

    @property
    def step(self) -> str:
        """What is shown: a step, "history" or "beside"."""
        return self._step

    def show_step(self, step: str) -> None:
        """Show a step, or the list of runs."""
        self._step = step
        self.steps.show_step(step)
        self.list.setChecked(step in {"history", "beside"})
        self.new.setVisible(step not in {"history", "beside"})  # the list has one of its own
        self._stack.setCurrentWidget(self._views[step])

    def show_history(self) -> None:
        """Show all runs."""
        self.show_step("history")
        self.desk.list_runs()

    def new_run(self) -> None:
        """The form of a new run."""
        self._show_run(None)
        self.show_step("run" if self.data.chosen_set is not None else "data")

    def _show_run(self, run: Run | None) -> None:
        self._shown = run
        self._was_live = False
        self.run.show_run(run)
        self.result.show_run(run)
        self.about.setText(shown(run.name) if run is not None else "")

    # -- what arrives

    def _on_listed(self, runs: list[Run], live: Run | None) -> None:
        self.runs = list(runs)
        self.list.setText(f"Runs ({len(runs)})" if runs else "Runs")
        self.list.setAccessibleName(count(len(runs), "run"))
        self.history.show_runs(self.runs, self._shown)
        first, self._listed_once = not self._listed_once, True
        if first and live is not None and self._shown is None:
            self._on_chosen(live)  # it went on while no window was open
        if self._shown is not None and all(run.folder != self._shown.folder for run in self.runs):
            self._show_run(None)

    def _on_begun(self, run: Run) -> None:
        self._shown = run
        self.result.show_run(run)
        self.about.setText(shown(run.name))
        self.show_step("run")
        self.desk.list_runs()

    def _on_run_changed(self, progress: RunProgress) -> None:
        if progress.state == "finished" and self._was_live and self._shown is not None:
            self.desk.list_runs()
            self.result.show_run(self._shown)
            name = shown(self._shown.name)
            said = Problem(
                f"{name} is finished.", tone="good", offer="Show the result", do=partial(self._on_result, self._shown)
            )
            self.shell.report(said)
        self._was_live = progress.live

    def _on_adopted(self, names: list[str]) -> None:
        each = "it" if len(names) == 1 else "each"
        said = f"{', '.join(map(shown, names))} can be compared now; {each} becomes the default on the Result page."
        self.shell.report(Problem(said, tone="good"))

    # -- what the user does

    def _on_chosen(self, run: Run) -> None:
        self._show_run(run)
        self.show_step("run")

    def _on_compare(self, runs: list[Run]) -> None:
        self.beside.show_runs(runs)
        self.show_step("beside")

    def _on_remove(self, run: Run) -> None:
        last = holds_last_copy(self.shell.session, run)
        adapter = (
            "Its adapter is not among the models any more: this is its last copy."
            if last
            else "An adapter that is among the models stays there."
        )
        self.shell.ask(
            Question(
                f"Remove the run {run.name}?",
                lambda _answer: self.desk.remove(run),
                "Remove",
                facts=(("Folder", str(run.folder)),),
                sentence=f"Its checkpoints, curves and measurements are deleted. {adapter}",
                icon="trash",
            )
        )

    def _on_train(self) -> None:
        self._show_run(None)
        self.show_step("run")

    def _on_data(self) -> None:
        self.show_step("data")

    def _on_result(self, run: Run) -> None:
        """The result of this run, from wherever one is."""
        self.shell.navigate(self.page_id)
        if self._shown is None or self._shown.folder != run.folder:
            self._show_run(run)
        self.show_step("result")

    def _lead_to(self, step: str) -> None:
        self.shell.navigate(self.page_id)
        self.show_step(step)

    def follow(self, run: Run, *, measured: bool = False) -> None:
        """Follow a run that goes on, or its measurement, also while another page is shown."""
        if self._shown is None:
            self._show_run(run)
            self.show_step("result" if measured else "run")

    def _make_set(self) -> None:
        self.show_step("data")
        self.data.make()

    def _check_set(self) -> None:
        self.show_step("data")
        self.data.check()

    def _check_run(self) -> None:
        if self.step == "run" and self.run.sets_up:
            self.run.check()

    def _start_run(self) -> None:
        if self.step == "run" and self.run.sets_up:
            self.run.start_at_once()
