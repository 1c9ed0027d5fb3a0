from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from vvlm_desktop.errors import ClipMissingError, LibraryDamagedError
from vvlm_desktop.ui.errors_view import (
    BugReporter,
    Problem,
    ProblemBar,
    ProblemItem,
    ProblemSheet,
    problem_from,
    problem_of_bug,
)


@pytest.fixture
def bar(look, qtbot):
    made = ProblemBar()
    qtbot.addWidget(made)
    return made


def a_bug() -> tuple:
    try:
        {}["missing"]
    except KeyError:
        return sys.exc_info()


def test_expected_error_is_a_sentence_with_a_hint(bar):
    bar.show_problem(problem_from(ClipMissingError(Path("/clips/a.mp4"))))
    assert bar.sentence.text() == "a.mp4 is no longer at /clips."
    assert "recognised by its content" in bar.hint.text()
    assert bar.isVisibleTo(None)
    assert not bar.toggle.isVisibleTo(bar)


def test_cause_of_an_expected_error_is_in_the_details():
    error = LibraryDamagedError("The library cannot be read.")
    error.__cause__ = OSError("disk I/O error")
    problem = problem_from(error)
    assert problem.details == "OSError: disk I/O error"
    assert "OSError" not in problem.sentence


def test_bug_is_told_without_a_stack_trace_and_details_fold_out(bar):
    bar.show_problem(problem_of_bug(*a_bug()))
    assert "Traceback" not in bar.sentence.text() + bar.hint.text()
    assert "Nothing that was saved is lost" in bar.sentence.text()
    assert not bar.details.isVisibleTo(bar)
    bar.toggle.setChecked(True)
    assert bar.details.isVisibleTo(bar)
    assert "KeyError" in bar.details.toPlainText()


def test_everything_can_be_copied(bar):
    bar.show_problem(
        Problem("Two failed.", hint="Look.", details="trace", items=(ProblemItem("a.mp4", "Cut off.", "Repair it."),))
    )
    bar.copy.click()
    text = QGuiApplication.clipboard().text()
    assert text.splitlines() == ["Two failed.", "Look.", "a.mp4: Cut off. Repair it.", "", "trace"]


def test_earlier_problem_comes_back_when_the_newer_is_dismissed(bar):
    bar.show_problem(Problem("first"))
    bar.show_problem(Problem("second"))
    bar.show_problem(Problem("second"))
    bar.close_button.click()
    assert bar.sentence.text() == "first"
    bar.close_button.click()
    assert bar.problem is None
    assert bar.isHidden()


def test_offer_is_done_and_the_bar_goes(bar):
    done: list[int] = []
    bar.show_problem(Problem("Clips were removed.", offer="Undo", do=lambda: done.append(1), tone="good"))
    bar.offer.click()
    assert done == [1]
    assert bar.isHidden()


def test_news_that_offers_something_stays_until_it_is_closed(bar):
    offered = Problem("march-001 is finished.", offer="Show the result", do=lambda: None, tone="good")
    bar.show_problem(offered)
    assert not bar._timer.isActive()
    bar.show_problem(Problem("Copied.", tone="good"))
    assert bar._timer.isActive()
    bar.dismiss()
    assert bar.problem == offered


def test_sheet_names_every_item(bar, qtbot):
    items = tuple(ProblemItem(f"clip_{n}.mp4", "No picture can be decoded.", "Copy it again.") for n in range(3))
    bar.show_problem(Problem("3 files have a problem.", items=items))
    bar.list_items.click()
    (sheet,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, ProblemSheet) and w.isVisible()]
    assert not sheet.isModal()
    assert [sheet.table.item(line, 0).text() for line in range(3)] == ["clip_0.mp4", "clip_1.mp4", "clip_2.mp4"]
    assert sheet.table.item(0, 1).text() == "No picture can be decoded. Copy it again."
    with qtbot.waitSignal(sheet.destroyed):
        sheet.close()


def test_bug_in_a_thread_is_shown_in_the_window_thread(qtbot):
    shown: list[tuple[Problem, bool]] = []
    reporter = BugReporter(lambda p: shown.append((p, threading.current_thread() is threading.main_thread())))
    thread = threading.Thread(target=lambda: reporter.hook(*a_bug()), name="buggy")
    thread.start()
    thread.join()
    assert shown == []
    qtbot.waitUntil(lambda: bool(shown))
    assert shown[0][1]
    assert "KeyError" in shown[0][0].details
