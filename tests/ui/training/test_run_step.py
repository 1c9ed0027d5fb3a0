"""The second step: what it asks for, what it says where something is missing, and what its buttons do."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QPushButton

from tests.ui.training.run_folders import AT, run_in, tell
from tests.ui.training.setups import placed, put_model
from vvlm_desktop.backends.train_config import load_config
from vvlm_desktop.errors import JobError
from vvlm_desktop.ui.training import run_desk
from vvlm_desktop.ui.training.run_desk import RunDesk
from vvlm_desktop.ui.training.run_step import RunStep
from vvlm_desktop.ui.widgets.empty_state import EmptyState
from vvlm_desktop.workflow import run_planning, runs
from vvlm_desktop.workflow.gpu import Gpu, Hardware
from vvlm_desktop.workflow.training_shelf import TrainingSet

GIB = 1024**3


@pytest.fixture(autouse=True)
def computer(monkeypatch, tmp_path):
    """A computer without a GPU, with all packages; what is started is noted, never run."""
    found = {"gpus": ()}

    def hardware() -> Hardware:
        problem = "" if found["gpus"] else "No NVIDIA GPU or driver was found."
        return Hardware(found["gpus"], "", "", problem, "", 16 * GIB, 32 * GIB, 8)

    monkeypatch.setattr(run_desk, "hardware", hardware)
    monkeypatch.setattr(run_planning, "hardware", hardware)
    monkeypatch.setattr(run_desk, "missing_packages", lambda: found.get("missing", ()))
    found["started"] = []
    monkeypatch.setattr(runs, "start_run", lambda run, check_only=False: found["started"].append((run, check_only)))
    return found


@pytest.fixture(autouse=True)
def _models_here(session, tmp_path):
    session.settings = session.settings.model_copy(update={"models_dir": str(tmp_path / "models")})


@pytest.fixture
def training_set(tmp_path) -> TrainingSet:
    folder = tmp_path / "sets" / "fleet-003-0123456789ab"
    folder.mkdir(parents=True)
    manifest = {"splits": {"train": 18, "val": 2, "test": 2}, "clips": 22, "created_at": AT, "schemas": []}
    return TrainingSet(folder, "fleet", 3, "0123456789ab", manifest)


@pytest.fixture
def open_step(qtbot, look, session):
    made = []

    def make(training_set=None):
        shell, step = placed(qtbot, session, lambda shell: RunStep(shell, RunDesk(shell)))
        step.desk.failed.connect(shell.report)
        made.append(step)
        step.show_set(training_set)
        with qtbot.waitSignal(step.desk.looked):
            step.desk.look()
        return shell, step

    yield make
    for step in made:
        step.close_step()
        step.desk.close()


def empty(step) -> EmptyState:
    state = step._stack.currentWidget()
    assert isinstance(state, EmptyState)
    return state


def planned(qtbot, step) -> None:
    with qtbot.waitSignal(step.desk.planned):
        step._plan()


def test_without_a_model_it_leads_to_the_models(open_step, training_set):
    shell, step = open_step(training_set)
    assert empty(step).title.text() == "No model to train"
    empty(step).buttons[0].click()
    assert shell.navigated == [("models", None)]


def test_without_a_set_it_leads_to_the_first_step(open_step, session, qtbot):
    put_model(session)
    _, step = open_step(None)
    assert empty(step).title.text() == "No training set is chosen"
    with qtbot.waitSignal(step.data_pressed):
        empty(step).buttons[0].click()


def test_without_the_packages_it_names_them(open_step, session, training_set, computer):
    put_model(session)
    computer["missing"] = ("torch", "peft")
    _, step = open_step(training_set)
    assert "torch, peft" in empty(step).sentence.text()


def test_on_a_processor_it_says_so_and_can_be_started(open_step, session, training_set):
    put_model(session)
    _, step = open_step(training_set)
    assert step.sets_up
    assert "There is no GPU: it trains on the processor" in step.model.why.text()
    assert "On the processor at least" in step.model.fit.text()
    assert step.form.config.precision == "fp32"
    assert step.check_first.isEnabled()
    assert step.model.set_name.text() == "fleet-003 · 18 clips to learn from"


def test_preset_of_the_gpu_is_chosen_and_another_one_can_be(open_step, session, training_set, computer):
    computer["gpus"] = (Gpu(0, "Card", 24 * GIB, 23 * GIB),)
    put_model(session)
    _, step = open_step(training_set)
    assert step.model.preset.currentData() == "24gb"
    assert "23.0 GB of the GPU's memory are free" in step.model.why.text()
    step.model.preset.setCurrentIndex(step.model.preset.findData("8gb"))
    step.model.preset.activated.emit(step.model.preset.currentIndex())
    assert step.form.rows["rank"].editor.text() == "8"
    assert "Made for 8 GB" in step.model.why.text()


def test_exact_command_can_be_copied(open_step, session, training_set, qtbot):
    model = put_model(session)
    _, step = open_step(training_set)
    step.form.rows["rank"].editor.setText("64")
    step.form.rows["rank"].editor.textEdited.emit("64")
    planned(qtbot, step)
    command = step.command.text.toPlainText()
    assert "-m training train" in command
    assert str(model) in command
    assert "rank=64" in command
    step.command.copy.click()
    assert QGuiApplication.clipboard().text() == command
    assert step.command.copy.text() == "Copied"


def test_nothing_can_be_started_while_a_value_is_refused(open_step, session, training_set, qtbot):
    put_model(session)
    _, step = open_step(training_set)
    planned(qtbot, step)
    step.form.rows["rank"].editor.textEdited.emit("many")
    assert not step.check_first.isEnabled()
    assert not step.at_once.isEnabled()
    step._plan()
    assert step.command.text.toPlainText() == ""
    assert not step.command.copy.isEnabled()


def test_name_that_is_none_is_said_under_the_model(open_step, session, training_set, qtbot):
    put_model(session)
    _, step = open_step(training_set)
    step.model.name.setText("a/b")
    planned(qtbot, step)
    assert "cannot name a run" in step.model.refused.text()
    assert step.command.text.toPlainText() == ""


def test_check_first_makes_the_run_with_what_was_typed(open_step, session, training_set, qtbot, computer):
    put_model(session)
    _, step = open_step(training_set)
    step.form.rows["epochs"].editor.textEdited.emit("1.5")
    step.model.name.setText("night")
    with qtbot.waitSignal(step.desk.created):
        step.check()
    ((run, check_only),) = computer["started"]
    assert check_only
    assert run.name == "night-001"
    stored = load_config(run.folder / "run.toml")
    assert (stored.epochs, stored.frames) == (1.5, session.settings.frames)
    assert step.run == run
    assert step.live.isVisibleTo(step)


def test_checked_run_shows_its_batch_then_starts(open_step, session, training_set, qtbot, computer):
    put_model(session)
    _, step = open_step(training_set)
    run = run_in(session.library.folder, "fleet-001")
    step.show_run(run)
    told = {"kind": "first_step", "whole_s": 60.0, "step_s": 1.0, "steps": 60, "memory_bytes": None}
    tell(run.folder, {"kind": "started", "pid": 1}, told, {"kind": "checked", "folder": "check", "clips": 1})
    qtbot.waitUntil(step.checking.isVisible, timeout=10_000)
    assert step.checking.title.text() == "fleet-001 was checked"
    with qtbot.waitSignal(step.desk.started):
        step.checking.start.click()
    assert computer["started"] == [(run, False)]


def checked(qtbot, step, run) -> None:
    told = {"kind": "first_step", "whole_s": 60.0, "step_s": 1.0, "steps": 60, "memory_bytes": None}
    with qtbot.waitSignal(step.run_changed, check_params_cb=lambda progress: progress.state == "checked"):
        tell(run.folder, {"kind": "started", "pid": 1}, told, {"kind": "checked", "folder": "check", "clips": 1})
        step.live.refresh()


def test_check_that_ends_gives_the_keys_to_start_only_where_somebody_waits_for_it(
    open_step, session, training_set, qtbot, computer
):
    put_model(session)
    _, step = open_step(training_set)
    window = step.window()
    elsewhere = QLineEdit(window)
    window.layout().addWidget(elsewhere)
    run = run_in(session.library.folder, "fleet-001")
    step.show_run(run)
    elsewhere.setFocus()
    checked(qtbot, step, run)
    assert window.focusWidget() is elsewhere, "somebody types there"
    again = run_in(session.library.folder, "fleet-002")
    step.show_run(again)
    step.hide()
    step.setFocus()
    checked(qtbot, step, again)
    assert window.focusWidget() is not step.checking.start, "another page is shown"
    step.show()
    third = run_in(session.library.folder, "fleet-003")
    step.show_run(third)
    step.setFocus()
    checked(qtbot, step, third)
    assert window.focusWidget() is step.checking.start


def test_keys_stay_on_the_page_while_a_run_is_made(open_step, session, training_set, qtbot, computer):
    put_model(session)
    _, step = open_step(training_set)
    window = step.window()
    rail = QPushButton("Library", window)
    window.layout().addWidget(rail)
    step.check_first.setFocus()
    with qtbot.waitSignal(step.desk.ended):
        step.check_first.click()
    assert step.isAncestorOf(window.focusWidget()) or window.focusWidget() is step


def test_command_of_the_next_run_names_another_folder(open_step, session, training_set, qtbot, computer):
    put_model(session)
    _, step = open_step(training_set)
    planned(qtbot, step)
    first = step.command.text.toPlainText()
    with qtbot.waitSignal(step.desk.created):
        step.check()
    step._timer.stop()
    with qtbot.waitSignal(step.desk.planned):
        step.show_run(None)
    second = step.command.text.toPlainText()
    assert str(session.library.folder / "runs" / "fleet-001") in first
    assert str(session.library.folder / "runs" / "fleet-002") in second
    run_in(session.library.folder, "fleet-002")
    with qtbot.waitSignals([step.desk.listed, step.desk.planned]):
        step.desk.list_runs()
    assert str(session.library.folder / "runs" / "fleet-003") in step.command.text.toPlainText()


def test_changed_values_replace_the_run_that_was_only_checked(open_step, session, training_set, qtbot, computer):
    put_model(session)
    _, step = open_step(training_set)
    with qtbot.waitSignal(step.desk.created):
        step.check()
    first = step.run
    step.checking.change_pressed.emit(first)
    assert step.sets_up
    step.form.rows["rank"].editor.textEdited.emit("4")
    with qtbot.waitSignal(step.desk.created):
        step.check()
    assert not first.folder.exists()
    assert step.run.name != first.name
    assert load_config(step.run.folder / "run.toml").rank == 4


def test_start_that_fails_is_said_and_can_be_tried_again(open_step, session, training_set, qtbot, monkeypatch):
    def refuse(run, check_only=False):
        raise JobError("The trainer could not be started.")

    monkeypatch.setattr(runs, "start_run", refuse)
    put_model(session)
    shell, step = open_step(training_set)
    with qtbot.waitSignal(step.desk.ended):
        step.start_at_once()
    assert str(shell.problems[-1]) == "The trainer could not be started."
    assert step.check_first.isEnabled()
    assert runs.list_runs(session) == []


def test_start_that_meets_a_bug_can_be_tried_again(open_step, session, training_set, qtbot, monkeypatch, computer):
    def stumble(run, check_only=False):
        raise ZeroDivisionError

    works, reported = runs.start_run, []
    monkeypatch.setattr(threading, "excepthook", lambda bug: reported.append(bug.exc_type))
    monkeypatch.setattr(runs, "start_run", stumble)
    put_model(session)
    _, step = open_step(training_set)
    with qtbot.waitSignal(step.desk.ended):
        step.start_at_once()
    assert reported == [ZeroDivisionError]
    assert not step.desk.doing
    monkeypatch.setattr(runs, "start_run", works)
    with qtbot.waitSignal(step.desk.created):
        step.start_at_once()
    assert len(computer["started"]) == 1


def test_tab_goes_from_all_values_to_its_rows_and_they_scroll_into_view(open_step, session, training_set, qtbot):
    put_model(session)
    _, step = open_step(training_set)
    form, window = step.form, step.window()
    window.activateWindow()
    form.unfold()
    first = next(row for row in form.rows.values() if form._rest.isAncestorOf(row))
    form.more.setFocus()
    qtbot.keyClick(form.more, Qt.Key.Key_Tab)
    assert window.focusWidget() is first.editor
    last = list(form.rows.values())[-1]
    qtbot.waitUntil(lambda: step._area.verticalScrollBar().maximum() > 0)
    last.editor.setFocus()
    seen = last.editor.mapTo(step._area.viewport(), last.editor.rect().center())
    assert step._area.viewport().rect().contains(seen)


def test_it_fits_at_1280_by_720(open_step, session, training_set):
    put_model(session)
    _, step = open_step(training_set)
    step.form.unfold()
    assert step.minimumSizeHint().width() <= 1216
    assert step.form.width() + step.command.width() <= 1216
