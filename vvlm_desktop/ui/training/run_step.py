"""The second step: what is to be run, the check before hours are spent on it, and the run as it goes."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.training import run_empty
from vvlm_desktop.ui.training.check_view import CheckView
from vvlm_desktop.ui.training.command_box import CommandBox
from vvlm_desktop.ui.training.focus import hand_on, hold
from vvlm_desktop.ui.training.form import ConfigForm
from vvlm_desktop.ui.training.form_model import ModelForm, Workplace
from vvlm_desktop.ui.training.form_start import Needs, Start, needs, start_of_preset
from vvlm_desktop.ui.training.live import LiveView
from vvlm_desktop.ui.training.run_desk import Plan, RunDesk, Wish
from vvlm_desktop.ui.training.set_facts import title_of_set
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.words import sentences
from vvlm_desktop.workflow.run_progress import RunProgress
from vvlm_desktop.workflow.runs import Run
from vvlm_desktop.workflow.training_sets import TrainingSet

#: Somebody who types a number is not told after each digit what the command would be.
_PLAN_MS = 250
_WIDTH_PX, _SIDE_PX = 860, 300


class RunStep(QWidget):
    """The form, or one run: while it is checked and trained, and what the check has found."""

    data_pressed = Signal()
    run_changed = Signal(object)  # RunProgress of the run that is shown: its state is another one
    busy_changed = Signal()

    def __init__(self, shell: Shell, desk: RunDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell, self.desk = shell, desk
        self._workplace: Workplace | None = None
        self._set: TrainingSet | None = None
        self._instead_of: Run | None = None
        self._own_preset = ""
        self.run: Run | None = None
        self.model = ModelForm()
        self.form = ConfigForm(Start("none", ""))
        self.command = CommandBox()
        self.check_first = button("Check first", self.check, kind="primary", icon="check")
        self.at_once = button("Start at once", self.start_at_once, icon="play")
        self.checking = CheckView(shell)
        self.live = LiveView(shell)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PLAN_MS)
        self._timer.timeout.connect(self._plan)
        self._empty: QWidget | None = None
        self._lay_out()
        self._connect()
        self._show_empty(run_empty.looking())

    def _lay_out(self) -> None:
        self._stack = QStackedWidget()
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        row.setSpacing(theme.PAD)
        left = QWidget()
        left.setMaximumWidth(theme.px(_WIDTH_PX))
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.PAD)
        column.addWidget(self.model)
        column.addWidget(self.form)
        column.addStretch(1)
        row.addWidget(left, 1)
        self.command.setFixedWidth(theme.px(_SIDE_PX))
        row.addWidget(self.command, alignment=Qt.AlignmentFlag.AlignTop)
        row.addStretch(0)
        self._area.setWidget(body)
        self._setup = QWidget()
        whole = QVBoxLayout(self._setup)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._area, 1)
        whole.addWidget(self._foot())
        for view in (self._setup, self.checking, self.live):
            self._stack.addWidget(view)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)

    def _foot(self) -> QWidget:
        foot = QWidget()
        foot.setProperty("surface", "panel")
        foot.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(foot)
        row.setContentsMargins(theme.MARGIN, theme.GAP, theme.MARGIN, theme.GAP)
        row.setSpacing(theme.GAP)
        self.hint = label(
            "The check decodes every clip, shows one batch as the model sees it, and measures one real step.",
            "small",
            wrap=True,
        )
        row.addWidget(self.hint, 1)
        row.addWidget(self.at_once)
        row.addWidget(self.check_first)
        return foot

    def _connect(self) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._on_focus)
        self.model.changed.connect(self._on_changed)
        self.model.model_chosen.connect(self._on_model)
        self.model.preset_chosen.connect(self._on_preset)
        self.model.set_pressed.connect(self.data_pressed)
        self.form.changed.connect(self._on_changed)
        self.checking.start_pressed.connect(self._on_start)
        self.checking.change_pressed.connect(self._on_change)
        self.live.resume_pressed.connect(self._on_start)
        self.live.stop_pressed.connect(self.desk.stop)
        self.live.state_changed.connect(self._on_state)
        self.desk.looked.connect(self._on_looked)
        self.desk.planned.connect(self._on_planned)
        self.desk.listed.connect(self._on_listed)
        self.desk.created.connect(self._on_created)
        self.desk.started.connect(self._on_started)
        self.desk.ended.connect(self._on_ended)

    # -- what the page asks

    def show_set(self, training_set: TrainingSet | None) -> None:
        """What the next run trains on."""
        self._set = training_set
        splits = (training_set.manifest.get("splits") or {}) if training_set is not None else {}
        title = title_of_set(training_set) if training_set is not None else ""
        self.model.show_set(title, int(splits.get("train", 0)))
        self._on_changed()
        if self.run is None:
            self._show_setup()

    def show_run(self, run: Run | None) -> None:
        """Show a run; None for the form of a new one."""
        self.run = run
        if run is None:
            self.live.show_run(None)
            self._show_setup()
            return
        self._stack.setCurrentWidget(self.live)
        self.live.show_run(run)

    @property
    def sets_up(self) -> bool:
        """Whether the form of a new run is shown."""
        return self._stack.currentWidget() is self._setup

    def close_step(self) -> None:
        """The page goes; what runs goes on."""
        self._timer.stop()
        self.checking.close_view()
        self.live.close_view()

    # -- the form

    @property
    def wish(self) -> Wish | None:
        """What is wanted; None while something is missing or not allowed."""
        model = self.model.chosen_model
        if self._set is None or model is None or self.form.config is None:
            return None
        return Wish(self._set, model.name, self.model.name.text().strip(), self.form.values.given)

    def check(self) -> None:
        """Make the run and check it."""
        self._create(check_only=True)

    def start_at_once(self) -> None:
        """Make the run and train it without looking at what the check finds."""
        self._create(check_only=False)

    def _create(self, *, check_only: bool) -> None:
        wish = self.wish
        if wish is not None and self.check_first.isEnabled():
            hold(self)
            self.desk.create(wish, check_only=check_only, instead_of=self._instead_of)
            self._show_buttons()

    def _show_setup(self) -> None:
        place = self._workplace
        if place is None:
            self._show_empty(run_empty.looking())
        elif place.missing:
            self._show_empty(run_empty.no_packages(self._shell, place.missing))
        elif not place.models:
            self._show_empty(run_empty.no_model(self._shell))
        elif self._set is None:
            self._show_empty(run_empty.no_set(show_data=self.data_pressed.emit))
        else:
            self._stack.setCurrentWidget(self._setup)
            self._timer.start()  # the name that was free may be taken by now
        self._show_buttons()

    def _on_looked(self, place: Workplace) -> None:
        first = self._workplace is None
        self._workplace = place
        self.model.show_models(place.models)
        if first:
            self._on_model()
        self._show_needs()
        if self.run is None:
            self._show_setup()

    def _on_listed(self, _runs: object, _live: object) -> None:
        if self.sets_up:
            self._timer.start()

    def _on_model(self) -> None:
        """Values that suit the model, unless somebody chose a preset."""
        model = self.model.chosen_model
        if model is not None and not self._own_preset:
            self.form.show_start(model.start)
            self.model.show_start(model.start)

    def _on_preset(self, preset: str) -> None:
        model, place = self.model.chosen_model, self._workplace
        if place is None:
            return
        suits = model is not None and model.start.preset == preset
        self._own_preset = "" if suits else preset
        start = model.start if model is not None and suits else start_of_preset(preset, on=place.hardware)
        self.form.show_start(start)
        self.model.show_start(start)

    def _on_focus(self, _old: object, new: QWidget | None) -> None:
        """What is worked with the keys can be seen, from wherever the keys came."""
        body = self._area.widget()
        if new is not None and body is not None and body.isAncestorOf(new):
            self._area.ensureWidgetVisible(new, 0, theme.MARGIN)

    def _on_changed(self) -> None:
        self._show_needs()
        self._show_buttons()
        self._timer.start()

    def _show_needs(self) -> None:
        model, config, place = self.model.chosen_model, self.form.config, self._workplace
        if model is None or config is None or place is None:
            self.model.show_needs(Needs("", None))  # of what is not allowed nobody can tell
            return
        splits = (self._set.manifest.get("splits") or {}) if self._set is not None else {}
        clips = int(splits.get("train", 0))
        self.model.show_needs(needs(model.shape, config, on=place.hardware, clips=clips))

    def _show_buttons(self) -> None:
        ready = self.wish is not None and not self.desk.doing
        self.check_first.setEnabled(ready)
        self.at_once.setEnabled(ready)
        self.checking.start.setEnabled(not self.desk.doing)

    def _plan(self) -> None:
        wish = self.wish
        if wish is None:
            self.command.show_command("")
        else:
            self.desk.plan(wish)

    def _on_planned(self, plan: Plan) -> None:
        self.command.show_command(plan.command)
        said = sentences(str(plan.refused), plan.refused.hint) if plan.refused is not None else ""
        self.model.show_refusal(said)
        if plan.config is not None:
            self.form.show_fixed(plan.config.model_dump())

    # -- a run

    def _on_created(self, run: Run) -> None:
        self._instead_of = None
        self.show_run(run)

    def _on_started(self, run: Run) -> None:
        self.show_run(run)
        self.live.refresh()

    def _on_ended(self) -> None:
        self._show_buttons()
        if self.hasFocus():  # nothing came of it: the button can be pressed again
            hand_on(self, self.check_first, self.checking.start, self.live.resume)

    def _on_start(self, run: Run) -> None:
        hold(self)
        self.desk.start(run)
        self._show_buttons()

    def _on_change(self, run: Run) -> None:
        """Back to the form with this run's values; it was never trained and gives way to the next one."""
        self._instead_of = run
        self.model.choose_model(run.config.model_id)
        self.form.show_config(self.form.values.start, run.config)
        self.show_run(None)

    def _on_state(self, progress: RunProgress) -> None:
        if self.run is None:
            return
        if progress.state == "checked":
            self.checking.show_run(self.run, progress)
            self._stack.setCurrentWidget(self.checking)
            # A check ends when it ends: who reads or reviews elsewhere keeps the keys.
            hand_on(self, self.checking.start)
        self.run_changed.emit(progress)

    def _show_empty(self, state: QWidget) -> None:
        if self._empty is not None:
            self._stack.removeWidget(self._empty)
            self._empty.deleteLater()
        self._empty = state
        self._stack.addWidget(state)
        self._stack.setCurrentWidget(state)
