"""The history of runs, and runs side by side."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from tests.ui.builders import FakeShell
from tests.ui.training.run_folders import answers, beginning, claim, evaluate, event, run_in, step, tell
from vvlm_desktop.ui.training.history import RunHistory
from vvlm_desktop.ui.training.side_by_side import SideBySide


@pytest.fixture
def library(session):
    return session.library.folder


@pytest.fixture
def shell(qtbot, session):
    window = QWidget()
    qtbot.addWidget(window)
    return FakeShell(session, window)


@pytest.fixture
def every(library):
    """Three runs: finished and measured, failed, and one that trains."""
    done = run_in(
        library, "march-001", events=[*beginning(), *(step(n) for n in range(1, 101)), event("finished", step=100)]
    )
    evaluate(done)
    failed = run_in(
        library,
        "march-002",
        rank=8,
        events=[
            *beginning(),
            step(9),
            event("eval", step=9, loss=1.5, answers=answers(event_type=0.5)),
            event("failed", message="Full."),
        ],
    )
    live = run_in(library, "march-003", events=[*beginning(), step(4)])
    claim(live.folder)
    return [live, failed, done]


@pytest.fixture
def history(qtbot, look, shell):
    made = RunHistory(shell)
    qtbot.addWidget(made)
    made.resize(1200, 500)
    made.show()
    yield made
    made.close_history()


@pytest.fixture
def listed(history, qtbot, every):
    history.show_runs(every, every[2])
    qtbot.waitUntil(lambda: len(history.table.lines) == 3)
    return history


def words(history, row, column):
    return history.table.item(row, column).data(Qt.ItemDataRole.AccessibleTextRole)


def test_each_run_says_state_steps_and_what_it_reached(listed):
    found = [[words(listed, row, column) for column in (0, 1, 3, 4)] for row in range(3)]
    assert found[0] == ["march-003", "Training", "4 of 100", "loss 1.960"]
    assert found[1] == ["march-002", "Failed", "9 of 100", "mean 50.0 % on validation clips"]
    assert found[2][:3] == ["march-001", "Finished", "100 of 100"]
    assert found[2][3].startswith("mean 66.2 % on the test part, base 50.0 %")


def test_default_has_a_badge(history, qtbot, every, shell):
    shell.session.settings = shell.session.settings.model_copy(
        update={"backend": "local", "local_model": "tiny", "local_adapter": "march-001"}
    )
    history.show_runs(every)
    qtbot.waitUntil(lambda: len(history.table.lines) == 3)
    assert words(history, 2, 0) == "march-001, default"
    assert not history.table.grab().isNull()


def test_one_run_is_opened_by_key_or_button(listed, qtbot, every):
    for press in (listed.open.click, lambda: QTest.keyClick(listed.table, Qt.Key.Key_Return)):
        with qtbot.waitSignal(listed.chosen) as pressed:
            press()
        assert pressed.args == [every[2]]


def test_two_runs_go_side_by_side(listed, qtbot, every):
    assert not listed.compare.isEnabled()
    listed.table.choose([every[0], every[2]])
    assert not listed.open.isEnabled()
    with qtbot.waitSignal(listed.compare_chosen) as pressed:
        listed.compare.click()
    assert pressed.args == [[every[0], every[2]]]


def test_a_run_that_trains_cannot_be_removed(listed, qtbot, every):
    listed.table.choose([every[0]])
    assert not listed.remove.isEnabled()
    listed.table.choose([every[1]])
    with qtbot.waitSignal(listed.remove_pressed) as pressed:
        QTest.keyClick(listed.table, Qt.Key.Key_Delete)
    assert pressed.args == [every[1]]


def test_a_run_that_trains_is_read_again(listed, qtbot, every):
    tell(every[0].folder, step(5))
    qtbot.waitUntil(lambda: not listed._reader.busy)
    listed._read_live()
    qtbot.waitUntil(lambda: words(listed, 0, 3) == "5 of 100")


def test_selection_survives_a_new_list(listed, qtbot, every):
    listed.table.choose(every[:2])
    listed.show_runs(every)
    assert listed.table.chosen() == every[:2]


def test_removed_runs_are_forgotten(listed, every):
    listed.show_runs(every[1:])
    assert listed.table.rowCount() == 2
    assert set(listed.table.lines) == {run.folder for run in every[1:]}


def test_without_runs_the_first_is_offered(history, qtbot):
    history.show_runs([])
    assert history.nothing.isVisible()
    with qtbot.waitSignal(history.new_pressed):
        history.nothing.buttons[0].click()


def rows(table):
    return {
        table.item(row, 0).text(): [table.item(row, column).text() for column in range(1, table.columnCount())]
        for row in range(table.rowCount())
    }


def test_side_by_side_shows_what_differs_what_was_reached_and_both_curves(qtbot, look, shell, every):
    view = SideBySide(shell)
    qtbot.addWidget(view)
    view.show()
    view.show_runs([every[2], every[1]])
    qtbot.waitUntil(lambda: len(view._lines) == 2)
    view.close_view()
    assert rows(view.apart)["Rank"] == ["16", "8"]
    reached = rows(view.reached)
    assert reached["State"] == ["Finished", "Failed"]
    assert reached["Scores are of"] == ["test part", "validation"]
    assert reached["Event"] == ["82.5 %", "50.0 %"]
    assert [each.title for each in view.loss.curves.shown] == ["march-001", "march-002"]
    assert len(view.loss.curves.shown[0].xs) == 100


def test_same_configs_are_said_to_be_the_same(qtbot, look, shell, every):
    view = SideBySide(shell)
    qtbot.addWidget(view)
    view.show_runs([every[0], every[2]])
    assert list(rows(view.apart)) == ["Nothing: their configs are the same"]
    view.close_view()
