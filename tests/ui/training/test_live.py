"""A run that is followed by its folder alone: state, numbers, trouble, what can be pressed."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from tests.ui.builders import FakeShell
from tests.ui.training.run_folders import answers, beginning, claim, event, run_in, step, tell
from vvlm_desktop.ui.training.live import LiveView
from vvlm_desktop.ui.training.live_watch import HIDDEN_MS, VISIBLE_MS, Watch
from vvlm_desktop.ui.training.live_words import TimeLeft, going_on, left_words, step_words
from vvlm_desktop.ui.training.log_fold import LogFold
from vvlm_desktop.workflow.run_progress import RunProgress


@pytest.fixture
def view(qtbot, look, session):
    window = QWidget()
    qtbot.addWidget(window)
    made = LiveView(FakeShell(session, window))
    qtbot.addWidget(made)
    made.resize(1200, 600)
    made.show()
    yield made
    made.close_view()


@pytest.fixture
def follow(view, qtbot):
    """Shows a run and waits until its folder was read."""

    def start(run):
        with qtbot.waitSignal(view.progressed):
            view.show_run(run)
        return view

    return start


@pytest.fixture
def library(session):
    return session.library.folder


def test_a_run_of_another_program_is_followed(follow, view, qtbot, library):
    run = run_in(library, events=[*beginning(), *(step(n) for n in range(1, 41))])
    claim(run.folder)
    follow(run)
    assert view.state.text() == "Training"
    assert view.facts.step.value.text() == "40 of 100"
    assert view.facts.epoch.value.text() == "0.40 of 3"
    assert view.facts.step_time.value.text() == "500 ms"
    assert view.bar.value() == 400
    assert view.stop.isVisible()
    assert not view.resume.isVisible()
    tell(run.folder, step(41))
    with qtbot.waitSignal(view.progressed, check_params_cb=lambda progress: progress.step == 41):
        view.refresh()
    assert view.facts.step.value.text() == "41 of 100"
    assert view.plots.rate.curves.whole == (1, 100), "the axis reaches to the run's end"


def test_what_is_read_is_drawn(follow, view, library):
    events = [*beginning(), *(step(n) for n in range(1, 21))]
    events.insert(14, event("eval", step=10, loss=1.7, answers=answers(event_type=0.5, light=0.75)))
    follow(run_in(library, events=events))
    loss = {each.key: each for each in view.plots.loss.curves.shown}
    assert set(loss) == {"loss", "raw", "validation"}
    assert loss["raw"].ys.tolist() == pytest.approx([2.0 - n / 100 for n in range(1, 21)])
    assert loss["validation"].xs.tolist() == [10]
    fields = {each.title: each.ys.tolist() for each in view.plots.fields.curves.shown}
    named = {"Mean of all fields": [0.625], "Event": [0.5], "light": [0.75]}
    assert fields == named, "a field that the schema does not know is named by its key"
    assert view.plots.rate.curves.whole == (1, 80), "the axis reaches further, and leaves what is done a quarter"


def test_one_cursor_and_one_range_for_all_plots(follow, view, library):
    follow(run_in(library, events=[*beginning(), *(step(n) for n in range(1, 41))]))
    view.plots.loss.curves.cursor_moved.emit(12)
    view.plots.rate.curves.range_changed.emit((5.0, 20.0))
    assert [card.curves.cursor_step for card in view.plots.cards] == [12] * 3
    assert [card.curves.range for card in view.plots.cards] == [(5.0, 20.0)] * 3
    assert view.plots.loss.whole.isVisible()


def test_gpu_memory_is_shown_only_where_there_is_a_gpu(follow, view, library):
    follow(run_in(library, "cpu-001", events=[*beginning(), step(1)]))
    assert not view.facts.memory.isVisible()
    memory = 18_000_000_000
    follow(run_in(library, "gpu-001", events=[*beginning(memory=memory), step(1, memory_bytes=memory)]))
    assert view.facts.memory.value.text() == "18.0 of 24.0 GB"
    assert view.facts.memory_bar.value() == 750


def test_failed_run_says_why_what_to_change_and_from_where_it_goes_on(follow, view, qtbot, library):
    failed = event("failed", message="The GPU's memory ran out.", hint="Fewer frames.", checkpoint="")
    events = [*beginning(), step(1), {**failed, "checkpoint": "checkpoints/checkpoint-80"}]
    run = run_in(library, events=events)
    follow(run)
    assert view.state.text() == "Failed"
    assert view.trouble.cause.text() == "The GPU's memory ran out."
    assert "Fewer frames." in view.trouble.hint.text()
    assert "step 80" in view.trouble.hint.text()
    assert not view.stop.isVisible()
    with qtbot.waitSignal(view.resume_pressed) as pressed:
        view.resume.click()
    assert pressed.args == [run]


def test_killed_run_is_interrupted_and_can_go_on(follow, view, library):
    follow(run_in(library, events=[*beginning(), step(7)]))
    assert view.state.text() == "Interrupted"
    assert "after step 7" in view.trouble.cause.text()
    assert view.resume.isVisible()


def test_stop_is_said_at_once_and_asked_for_once(follow, view, qtbot, library):
    run = run_in(library, events=[*beginning(), step(7)])
    claim(run.folder)
    follow(run)
    with qtbot.waitSignal(view.stop_pressed) as pressed:
        view.stop.click()
    assert pressed.args == [run]
    assert view.state.text() == "Stopping"
    with qtbot.waitSignal(view.progressed):
        view._watch.poll()
    assert view.state.text() == "Stopping"
    assert not view.stop.isEnabled()


def test_status_bar_says_what_runs_and_can_stop_it(follow, view, qtbot, library):
    run = run_in(library, events=[*beginning(), step(40)])
    claim(run.folder)
    follow(run)
    (task,) = view.shell.tasks.running
    assert (task.title, task.fraction) == ("Training: march-001", 0.4)
    with qtbot.waitSignal(view.stop_pressed):
        task.cancel()
    tell(run.folder, event("stopped", step=41))
    view._watch.poll()
    qtbot.waitUntil(lambda: not view.shell.tasks.running)


def test_after_resume_it_can_be_stopped_again(follow, view, qtbot, library):
    run = run_in(library, events=[*beginning(), step(7), event("stopped", step=7)])
    follow(run)
    assert "At step 7 of 100" in view.doing.text()
    claim(run.folder)
    tell(run.folder, *beginning(), step(8))
    view.refresh()
    qtbot.waitUntil(lambda: view.state.text() == "Training")
    assert view.stop.isEnabled()
    assert not view.resume.isVisible()


def test_resumed_run_stands_at_its_checkpoint_while_it_prepares(follow, view, library):
    saved = event("checkpoint", step=86, folder="checkpoints/checkpoint-86")
    run = run_in(library, events=[*beginning(steps=150), step(86, of=150), saved, event("stopped", step=86)])
    claim(run.folder)
    tell(run.folder, event("started", pid=1), event("preparing", done=3, clips=80, clip="van.mp4"))
    follow(run)
    assert view.state.text() == "Preparing clips"
    assert view.facts.step.value.text() == "86 of 150"
    assert (view.bar.maximum(), view.bar.value()) == (1000, round(1000 * 86 / 150))
    assert view.bar.accessibleName() == "Steps done: 57%"


def test_checked_run_is_started_not_resumed(follow, view, library):
    follow(run_in(library, events=[*beginning(), event("checked")]))
    assert view.state.text() == "Checked, not trained yet"
    assert view.resume.text() == "Start training"


def test_preparing_says_which_clip(follow, view, library):
    run = run_in(library, events=[event("started", pid=1), event("preparing", done=11, clips=80, clip="van\n12.mp4")])
    claim(run.folder)
    follow(run)
    assert view.doing.text() == "Clip 12 of 80: van 12.mp4"
    assert view.bar.value() == round(1000 * 11 / 80)


def test_notes_are_shown_the_newest_first_and_folded(follow, view, library):
    notes = [f"Note {number}." for number in range(5)]
    events = beginning()
    events[2] = event("preflight", left_out={}, unreadable={}, notes=notes)
    follow(run_in(library, events=events))
    assert [line.text() for line in view.notes.lines] == ["Note 4.", "Note 3.", "Note 2."]
    view.notes.more.click()
    assert len(view.notes.lines) == 5


def test_another_run_begins_with_nothing_of_the_one_before(follow, view, library):
    follow(run_in(library, "a-001", events=[*beginning(), *(step(n) for n in range(1, 30))]))
    view.plots.loss.curves.range_changed.emit((5.0, 20.0))
    follow(run_in(library, "b-001", events=[event("started", pid=1)]))
    assert view.name.text() == "b-001"
    assert view.plots.loss.curves.shown == ()
    assert view.plots.loss.curves.range is None


def test_no_run_says_so(view):
    view.show_run(None)
    assert view.nothing.isVisible()


def test_command_is_copied(follow, view, library, monkeypatch):
    monkeypatch.setattr("vvlm_desktop.workflow.runs.command_of", lambda run: f"python -m training {run.name}")
    follow(run_in(library, events=[*beginning()]))
    view.copy_command.click()
    assert QGuiApplication.clipboard().text() == "python -m training march-001"


def test_it_looks_often_only_while_somebody_sees_it(follow, view, library):
    follow(run_in(library, events=[*beginning()]))
    assert view._watch.interval_ms == VISIBLE_MS
    view.hide()
    assert view._watch.interval_ms == HIDDEN_MS


class _Counting:
    """A follower that notes in which thread it is read."""

    def __init__(self, folder) -> None:
        self.threads: list[str] = []
        self.progress = None

    def poll(self):
        self.threads.append(threading.current_thread().name)
        return len(self.threads)


def test_first_reading_is_in_a_thread_and_quick_ones_are_not(qtbot, tmp_path):
    made = []

    def make(folder):
        made.append(_Counting(folder))
        return made[0]

    watch = Watch(make)
    with qtbot.waitSignal(watch.told):
        watch.follow(tmp_path)
    with qtbot.waitSignal(watch.told):
        watch.poll()
    watch.close()
    assert made[0].threads == ["run-follower", threading.main_thread().name]


def test_slow_readings_stay_in_a_thread(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("vvlm_desktop.ui.training.live_watch._SLOW_S", -1.0)
    follower = _Counting(tmp_path)
    watch = Watch(lambda _folder: follower)
    with qtbot.waitSignal(watch.told):
        watch.follow(tmp_path)
    with qtbot.waitSignal(watch.told):
        watch.poll()
    watch.close()
    assert set(follower.threads) == {"run-follower"}


def test_time_left_runs_down_evenly_while_estimates_jump():
    left = TimeLeft()
    assert left.note(1, 100.0, now_s=0.0) == 100.0
    assert left.note(1, 100.0, now_s=3.0) == 97.0
    assert left.note(2, 120.0, now_s=4.0) == pytest.approx(96.0 + 0.08 * 24, abs=0.1)
    assert left.note(3, 1000.0, now_s=5.0) == 1000.0, "what is far off is told at once"
    assert left.note(3, None, now_s=6.0) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, "–"), (59.4, "00:59"), (601, "10 min"), (3600, "1 h 00 min"), (9999, "2 h 45 min")]
)
def test_time_left_is_coarser_the_more_it_is(seconds, words):
    assert left_words(seconds) == words


def test_step_time_in_words():
    assert [step_words(value) for value in (None, 0.0123, 12.34)] == ["–", "12 ms", "12.3 s"]


def test_without_a_checkpoint_resume_begins_anew():
    assert "first step" in going_on(RunProgress(state="failed"))


def test_log_is_read_only_when_it_is_unfolded(qtbot, look):
    read = []

    def tail() -> str:
        read.append(threading.current_thread().name)
        return "line 1\nline 2"

    log = LogFold()
    qtbot.addWidget(log)
    log.show()
    log.show_log(tail)
    assert read == []
    log.toggle.click()
    qtbot.waitUntil(lambda: log.text.toPlainText() == "line 1\nline 2")
    log.copy.click()
    assert QGuiApplication.clipboard().text() == "line 1\nline 2"
    assert set(read) == {"run-log"}
    log.close_log()
