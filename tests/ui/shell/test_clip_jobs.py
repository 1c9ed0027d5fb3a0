"""Adding and analysing from the window, with real files and the real worker."""

from __future__ import annotations

import threading
from pathlib import Path

import psutil
import pytest
from PySide6.QtWidgets import QWidget

from tests.clips import make_clip
from tests.ui.builders import FakeShell
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import JobCancelledError, StorageFullError, WorkerCrashedError
from vvlm_desktop.jobs.child import Child
from vvlm_desktop.ui import analysis_line
from vvlm_desktop.ui.analysis_line import failed_problem
from vvlm_desktop.ui.clip_jobs import ClipJobs, added_problem, adding_words
from vvlm_desktop.ui.errors_view import ProblemItem
from vvlm_desktop.workflow import sample_clips
from vvlm_desktop.workflow.add import AddedItem, AddReport, add_paths
from vvlm_desktop.workflow.add_progress import AddProgress


class Desk:
    def __init__(self, qtbot, session) -> None:
        self.holder = QWidget()
        qtbot.addWidget(self.holder)
        self.session = session
        self.shell = FakeShell(session, self.holder)
        self.jobs = ClipJobs(self.shell, self.holder)
        self.shell.analyse = self.jobs.analyse

    def idle(self) -> bool:
        return not self.shell.tasks.running and not self.jobs.busy


@pytest.fixture
def desk(qtbot, session):
    made = Desk(qtbot, session)
    yield made
    made.jobs.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    clips = tmp_path / "clips #1"
    clips.mkdir()
    make_clip(clips / "good.mp4", frames=20, fps=10)
    (clips / "broken.mp4").write_bytes(b"not a video")
    return clips


def test_folder_is_added_and_analysed_in_the_background(desk, folder, qtbot):
    desk.jobs.add([folder])
    assert len(desk.shell.tasks.running) == 1
    qtbot.waitUntil(lambda: desk.session.library.count_clips() == 2, timeout=20_000)
    qtbot.waitUntil(desk.idle, timeout=30_000)
    (added, *_) = desk.shell.problems
    assert "2 clips added" in added.sentence
    assert "broken.mp4" in added.hint
    good = desk.session.library.clip_by_path(folder / "good.mp4")
    assert desk.session.library.latest_analysis(good.id).backend == "signals"
    assert any("analyses" in change.what for change in desk.shell.announced)


def test_nothing_is_analysed_when_the_settings_say_so(desk, folder, qtbot):
    desk.session.settings = desk.session.settings.model_copy(update={"analyse_on_add": False})
    desk.jobs.add([folder])
    qtbot.waitUntil(desk.idle, timeout=20_000)
    assert desk.session.library.count_clips() == 2
    assert desk.session.library.analyses(desk.session.library.clip_by_path(folder / "good.mp4").id) == []


def test_additions_wait_in_line(desk, folder, qtbot, tmp_path: Path):
    desk.session.settings = desk.session.settings.model_copy(update={"analyse_on_add": False})
    desk.jobs.add([folder / "good.mp4"])
    desk.jobs.add([folder / "broken.mp4"])
    assert len(desk.shell.tasks.running) == 1
    qtbot.waitUntil(lambda: len(desk.shell.problems) == 2, timeout=20_000)
    qtbot.waitUntil(desk.idle)
    assert desk.session.library.count_clips() == 2


def test_empty_folder_is_told(desk, tmp_path: Path, qtbot):
    (tmp_path / "empty").mkdir()
    desk.jobs.add([tmp_path / "empty"])
    qtbot.waitUntil(lambda: bool(desk.shell.problems), timeout=20_000)
    assert desk.shell.problems[0].sentence == "No video files were found there."
    qtbot.waitUntil(desk.idle)


def test_cancelled_analysis_ends_and_nothing_is_left(desk, folder, qtbot):
    desk.session.settings = desk.session.settings.model_copy(update={"analyse_on_add": False})
    desk.jobs.add([folder])
    qtbot.waitUntil(desk.idle, timeout=20_000)
    clips = [desk.session.library.clip_by_path(folder / "good.mp4")]
    desk.jobs.analyse(clips)
    desk.shell.tasks.running[0].cancel()
    qtbot.waitUntil(desk.idle, timeout=20_000)
    assert desk.session.library.unfinished_batches() == []


def test_closing_in_the_middle_leaves_the_batch_to_go_on(desk, folder, qtbot, session):
    desk.session.settings = desk.session.settings.model_copy(update={"analyse_on_add": False})
    desk.jobs.add([folder])
    qtbot.waitUntil(desk.idle, timeout=20_000)
    desk.jobs.analyse([desk.session.library.clip_by_path(folder / "good.mp4")])
    desk.jobs.close()
    assert len(session.library.unfinished_batches()) == 1


def clips_in(session, folder: Path, count: int) -> list[Clip]:
    folder.mkdir()
    for number in range(count):
        make_clip(folder / f"{number}.mp4", frames=10 + number, fps=10)
    return [item.clip for item in add_paths(session, [folder]).items]


def test_closed_in_the_middle_another_window_of_this_program_goes_on(desk, qtbot, session, tmp_path: Path):
    """As when another label schema is chosen in Settings: the jobs are closed, new ones resume."""
    clips = clips_in(session, tmp_path / "in", 3)
    desk.jobs.analyse(clips[:2])
    desk.jobs.analyse(clips[2:])  # waits in line, and is in the library all the same
    desk.jobs.close()
    assert len(session.library.unfinished_batches()) == 2
    after = ClipJobs(desk.shell, desk.holder)
    try:
        after.resume()
        qtbot.waitUntil(lambda: not session.library.unfinished_batches(), timeout=30_000)
    finally:
        after.close()
    assert [len(session.library.analyses(clip.id)) for clip in clips] == [1, 1, 1]


def test_batch_with_other_labels_is_given_up_and_that_is_said(desk, qtbot, session, tmp_path: Path):
    (clip,) = clips_in(session, tmp_path / "in", 1)
    session.library.open_batch("signals", [clip.id], options={"schema_key": "fleet-3", "labels_sha": "x"})
    desk.jobs.resume()
    qtbot.waitUntil(lambda: bool(desk.shell.problems), timeout=10_000)
    qtbot.waitUntil(desk.idle, timeout=10_000)
    assert "1 clip was given up" in desk.shell.problems[0].sentence
    assert "fleet-3" in desk.shell.problems[0].sentence
    assert session.library.unfinished_batches() == []
    assert session.library.analyses(clip.id) == []


def test_new_clips_are_analysed_once_however_often_that_is_asked(desk, qtbot, session, tmp_path: Path):
    clips = clips_in(session, tmp_path / "in", 3)
    desk.jobs.analyse_new()
    desk.jobs.analyse_new()
    qtbot.waitUntil(lambda: bool(session.library.unfinished_batches()), timeout=10_000)
    desk.jobs.analyse_new()
    desk.jobs.analyse(clips)
    qtbot.waitUntil(desk.idle, timeout=30_000)
    assert [len(session.library.analyses(clip.id)) for clip in clips] == [1, 1, 1]
    assert any("being analysed already" in problem.sentence for problem in desk.shell.problems)
    desk.jobs.analyse_new()
    qtbot.waitUntil(desk.idle, timeout=10_000)
    assert desk.shell.problems[-1].sentence == "Every clip that can be read has been analysed."


def test_clips_that_another_program_is_going_to_analyse_are_left_to_it(desk, qtbot, session, tmp_path: Path):
    first, second = clips_in(session, tmp_path / "in", 2)
    parent = psutil.Process().parent()
    owner = {"pid": parent.pid, "created": parent.create_time(), "token": "another's"}
    session.library.open_batch("signals", [first.id], options={"owner": owner})
    desk.jobs.analyse_new()
    qtbot.waitUntil(lambda: bool(session.library.analyses(second.id)), timeout=30_000)
    qtbot.waitUntil(desk.idle, timeout=10_000)
    assert session.library.analyses(first.id) == []
    assert len(session.library.unfinished_batches()) == 1


def test_large_batch_is_noted_in_a_thread_and_done_all_the_same(desk, qtbot, session, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(analysis_line, "_NOTED_AT_ONCE", 1)
    clips = clips_in(session, tmp_path / "in", 2)
    desk.jobs.analyse(clips)
    assert desk.jobs.busy
    assert desk.shell.tasks.running == ()
    qtbot.waitUntil(desk.idle, timeout=30_000)
    assert [len(session.library.analyses(clip.id)) for clip in clips] == [1, 1]


def test_full_disk_is_told_when_a_batch_cannot_be_noted(desk, qtbot, session, tmp_path: Path, monkeypatch):
    clips = clips_in(session, tmp_path / "in", 2)

    def full(*_arguments, **_named):
        raise StorageFullError("The disk is full.")

    for at_once in (0, 10):
        monkeypatch.setattr(analysis_line, "_NOTED_AT_ONCE", at_once)
        monkeypatch.setattr(type(session.library), "open_batch", full)
        desk.jobs.analyse(clips)
        qtbot.waitUntil(desk.idle, timeout=10_000)
    assert [str(problem) for problem in desk.shell.problems] == ["The disk is full."] * 2


def test_analysed_clips_are_announced_together_and_all_of_them(desk, qtbot, session, tmp_path: Path):
    clips = clips_in(session, tmp_path / "in", 4)
    desk.jobs.analyse(clips)
    qtbot.waitUntil(desk.idle, timeout=30_000)
    told = [change.clip_ids for change in desk.shell.announced if "analyses" in change.what]
    assert [clip_id for ids in told for clip_id in ids] == [clip.id for clip in clips]
    assert len(told) < len(clips)


@pytest.fixture
def drawn(monkeypatch, tmp_path: Path):
    """Samples that are drawn quickly: one clip, ready when the test lets it."""
    gate = threading.Event()
    file = make_clip(tmp_path / "sample.mp4", frames=10, fps=10)

    def add_samples(session, *, progress, first_ready, cancelled):
        while not gate.wait(0.01):
            if cancelled():
                raise JobCancelledError("stopped")
        (item,) = add_paths(session, [file], is_sample=True).items
        first_ready(item.clip)
        progress(1.0, "done")
        return [item.clip]

    monkeypatch.setattr(sample_clips, "add_samples", add_samples)
    return gate


@pytest.mark.parametrize(
    ("before", "after", "opens"),
    [
        (("review", None), ("review", None), True),
        (("review", None), ("library", None), False),
        (("review", None), ("review", "other"), False),
        (("review", "other"), ("review", "other"), True),
    ],
)
def test_first_sample_opens_unless_the_user_has_gone_elsewhere(
    desk, qtbot, session, drawn, tmp_path: Path, before, after, opens
):
    (other,) = clips_in(session, tmp_path / "in", 1)
    place = {"other": other.id}
    desk.shell.place = (before[0], place.get(before[1]))
    desk.jobs.add_samples()
    desk.jobs.add_samples()
    desk.shell.place = (after[0], place.get(after[1]))
    drawn.set()
    qtbot.waitUntil(desk.idle, timeout=30_000)
    assert [page for page, _ in desk.shell.navigated] == (["review"] if opens else [])


def test_drawing_samples_can_be_stopped_and_asked_for_again(desk, qtbot, session, drawn):
    desk.jobs.add_samples()
    (task,) = desk.shell.tasks.running
    assert task.can_cancel
    task.cancel()
    qtbot.waitUntil(desk.idle, timeout=10_000)
    assert session.library.count_clips() == 0
    assert "stopped" in desk.shell.problems[-1].sentence
    drawn.set()
    desk.jobs.add_samples()
    qtbot.waitUntil(desk.idle, timeout=30_000)
    assert session.library.count_clips() == 1


def test_closing_ends_the_drawing_of_samples(desk, qtbot, drawn):
    desk.jobs.add_samples()
    qtbot.wait(20)
    desk.jobs.close()
    assert not any(thread.name == "make-samples" and thread.is_alive() for thread in threading.enumerate())


def item(name: str, outcome: str = "added", problem: str | None = None) -> AddedItem:
    return AddedItem(Path("/clips") / name, None, outcome, problem)


@pytest.mark.parametrize(
    ("how", "words", "share"),
    [
        ({}, "", 0.5),
        ({"read_bytes": 1_234_000_000, "size_bytes": 4_936_000_000}, ", 1,234 of 4,936 MB", 0.625),
        ({"read_bytes": 8, "size_bytes": 8, "checked": 0.25}, ", looking for what is damaged: 25 %", 1.0),
    ],
)
def test_addition_says_which_file_and_how_far_it_is(how, words, share):
    progress = AddProgress(1, 2, Path("/drive/a.mp4"), **how)
    assert adding_words(progress) == f"Adding 2 of 2: a.mp4{words}"
    assert progress.share == share


def test_report_of_an_addition_counts_and_names():
    good = added_problem(AddReport((item("a.mp4"), item("b.mp4", "known"))))
    assert (good.sentence, good.tone) == ("1 clip added, 1 already known.", "good")
    one = added_problem(AddReport((item("a.mp4"), item("b.mp4", "failed", "Zero bytes."))))
    assert (one.hint, one.tone, one.items) == ("b.mp4: Zero bytes.", "doubtful", ())
    many = added_problem(AddReport(tuple(item(f"{n}.mp4", "added", "Cut off.") for n in range(3)), cancelled=True))
    assert "3 files have a problem" in many.sentence
    assert "stopped before the end" in many.sentence
    assert [i.name for i in many.items] == ["0.mp4", "1.mp4", "2.mp4"]


def test_report_of_failed_analyses_names_each():
    one = failed_problem((ProblemItem("a.mp4", "Gone.", "Add it again."),), total=5)
    assert (one.sentence, one.hint) == ("a.mp4 could not be analysed: Gone.", "Add it again.")
    two = failed_problem((ProblemItem("a.mp4", "Gone."), ProblemItem("b.mp4", "Gone.")), total=5)
    assert two.sentence == "2 of 5 clips could not be analysed."
    assert len(two.items) == 2


def test_what_concerns_every_clip_is_said_once_and_the_clips_wait(desk, qtbot, session, tmp_path: Path, monkeypatch):
    clips = clips_in(session, tmp_path / "in", 3)

    def refuse(_child: Child) -> None:
        raise WorkerCrashedError("The worker cannot be started.", hint="Install it again.")

    monkeypatch.setattr(Child, "start", refuse)
    desk.jobs.analyse(clips)
    qtbot.waitUntil(lambda: desk.idle() and bool(desk.shell.problems), timeout=20_000)
    (problem,) = desk.shell.problems
    assert problem.sentence == "The worker cannot be started."
    assert "3 clips wait" in problem.hint
    (left,) = session.library.unfinished_batches()
    assert left.pending == 3


def test_clip_in_work_is_named_until_the_pages_have_heard_of_its_answer(desk, qtbot, session, tmp_path):
    clips = clips_in(session, tmp_path / "in", 2)
    tasks = desk.shell.tasks
    seen: list[tuple[frozenset[str], frozenset[str]]] = []

    def note() -> None:
        told = {clip_id for change in desk.shell.announced for clip_id in change.clip_ids}
        seen.extend((task.clip_ids, frozenset(told)) for task in tasks.running if task.clips_in_all)

    tasks.changed.connect(note)
    desk.jobs.analyse(clips)
    qtbot.waitUntil(desk.idle, timeout=30_000)
    assert seen
    assert all(named | told == {clip.id for clip in clips} for named, told in seen)
    assert tasks.running == ()
