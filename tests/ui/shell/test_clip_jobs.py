"""Adding and analysing from the window, with real files and the real worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget

from tests.clips import make_clip
from tests.ui.builders import FakeShell
from vvlm_desktop.ui.clip_jobs import ClipJobs, added_problem, failed_problem
from vvlm_desktop.ui.errors_view import ProblemItem
from vvlm_desktop.workflow.add import AddedItem, AddReport


class Desk:
    def __init__(self, qtbot, session) -> None:
        self.holder = QWidget()
        qtbot.addWidget(self.holder)
        self.session = session
        self.shell = FakeShell(session, self.holder)
        self.jobs = ClipJobs(self.shell, self.holder)
        self.shell.analyse = self.jobs.analyse

    def idle(self) -> bool:
        return not self.shell.tasks.running and self.jobs._batch is None and self.jobs._adding is None


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
    assert desk.jobs._workers is None


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


def item(name: str, outcome: str = "added", problem: str | None = None) -> AddedItem:
    return AddedItem(Path("/clips") / name, None, outcome, problem)


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
