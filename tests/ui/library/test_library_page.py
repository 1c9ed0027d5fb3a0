from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMainWindow

from tests.ui.builders import FakeShell, analysis, broken_clip, clip
from vvlm_desktop.domain.review import Change, NewEvent
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.library import page as page_module
from vvlm_desktop.ui.library import row_words
from vvlm_desktop.ui.library.columns import INDEX
from vvlm_desktop.ui.library.page import LibraryPage
from vvlm_desktop.ui.review.queue import QueueDesk
from vvlm_desktop.ui.widgets.chip import Chip
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.session import open_session


class Desk:
    def __init__(self, qtbot, session) -> None:
        self.session = session
        self.window = QMainWindow()
        qtbot.addWidget(self.window)
        self.shell = FakeShell(session, self.window)
        self.done: list[str] = []
        names = ("clips.add_files", "clips.add_folder", "clips.export", "clips.samples", "clips.analyse_new")
        self.shell.registry.add([Action(name, name, lambda n=name: self.done.append(n)) for name in names])
        self.page = LibraryPage(self.shell)
        self.shell.registry.add(self.page.actions_here())
        self.shell.registry.show_page("library")
        self.window.setCentralWidget(self.page)
        self.window.resize(1280, 720)
        self.window.show()

    def names(self) -> list[str]:
        model = self.page._clips
        return [model.text(model.row(line), "name") for line in range(model.rowCount())]


@pytest.fixture
def desk(qtbot, look, session):
    made: list[Desk] = []

    def make() -> Desk:
        made.append(Desk(qtbot, session))
        return made[-1]

    yield make
    for one in made:
        one.page.close_page()


@pytest.fixture
def filled(session):
    """Four clips: a near miss in the rain, one at night, one not analysed, one broken."""
    for number in (1, 2, 3):
        session.library.add_clip(clip(number))
    session.library.add_clip(broken_clip(4))
    session.library.add_analysis(analysis(session, clip(1), {"event_type": "near_miss", "weather": "rain"}))
    session.library.add_analysis(analysis(session, clip(2), {"event_type": "no_incident", "time_of_day": "night"}))
    return session


def test_empty_library_says_what_to_do_first(desk):
    opened = desk()
    assert opened.page.body.currentWidget() is opened.page.nothing_yet
    assert not opened.page.filters.isVisibleTo(opened.page)
    for button in opened.page.nothing_yet.buttons:
        button.click()
    assert opened.done == ["clips.add_folder", "clips.samples"]


def test_newest_clips_come_first(desk, filled):
    opened = desk()
    assert opened.names() == ["clip_0004.mp4", "clip_0003.mp4", "clip_0002.mp4", "clip_0001.mp4"]
    assert opened.page.head.counted.text() == "4 clips"


def test_header_click_sorts_and_second_click_turns_round(desk, filled, qtbot):
    opened = desk()
    header = opened.page.table.horizontalHeader()

    def click(column: str) -> None:
        x = header.sectionViewportPosition(INDEX[column]) + 20
        qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, 10))

    click("name")
    assert opened.names()[0] == "clip_0001.mp4"
    click("name")
    assert opened.names()[0] == "clip_0004.mp4"
    click("labels")
    assert header.sortIndicatorSection() == INDEX["name"]
    assert header.sortIndicatorOrder() == Qt.SortOrder.DescendingOrder


def test_search_narrows_while_typing(desk, filled, qtbot):
    opened = desk()
    qtbot.keyClicks(opened.page.filters.search, "clip_0002")
    qtbot.waitUntil(lambda: opened.names() == ["clip_0002.mp4"])
    assert opened.page.head.counted.text() == "1 of 4 clips"


def test_no_hits_offers_to_clear_the_filters(desk, filled, qtbot):
    opened = desk()
    opened.page.filters.search.setText("zebra")
    qtbot.waitUntil(lambda: opened.page.body.currentWidget() is opened.page.no_hits)
    opened.page.no_hits.buttons[0].click()
    assert len(opened.names()) == 4
    assert opened.page.filters.search.text() == ""


def test_filters_by_event_problem_and_status(desk, filled):
    opened = desk()
    filters = opened.page.filters
    filters.event_choice._actions["near_miss"].trigger()
    assert opened.names() == ["clip_0001.mp4"]
    assert filters.event_choice.text() == "Event: Near miss"
    filters.clear_all()
    filters.problem_choice._actions["yes"].trigger()
    assert opened.names() == ["clip_0004.mp4"]
    filters.problem_choice._actions["no"].trigger()
    assert len(opened.names()) == 4
    filters.clear_all()
    filters.status_choice._actions["reviewed"].trigger()
    assert opened.names() == []


def test_any_label_field_can_be_a_filter_and_its_chip_removes_it(desk, filled, qtbot):
    opened = desk()
    filters = opened.page.filters
    filters._more_actions["weather", "rain"].trigger()
    assert opened.names() == ["clip_0001.mp4"]
    (chip,) = [c for c in filters.findChildren(Chip) if c.isVisibleTo(filters)]
    assert chip.text() == "Weather: Rain"
    chip.click()
    assert len(opened.names()) == 4
    assert not [c for c in filters.findChildren(Chip) if c.isVisibleTo(filters)]


def test_two_values_of_one_field_are_alternatives_two_fields_must_both_hold(desk, filled):
    opened = desk()
    actions = opened.page.filters._more_actions
    actions["weather", "rain"].trigger()
    actions["weather", "fog"].trigger()
    assert opened.names() == ["clip_0001.mp4"]
    actions["time_of_day", "night"].trigger()
    assert opened.names() == []


def test_double_click_and_enter_open_review(desk, filled, qtbot):
    opened = desk()
    table = opened.page.table
    place = table.visualRect(table.model().index(1, INDEX["name"])).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert opened.shell.navigated == [("review", clip(3).id)] * 2


def test_broken_clip_tells_its_reason_instead_of_opening(desk, filled):
    opened = desk()
    opened.page.table.opened.emit(0)
    assert opened.shell.navigated == []
    assert "no video" in opened.shell.problems[0].hint


def test_details_show_the_whole_of_the_selected_line(desk, filled):
    opened = desk()
    assert not opened.page.details.isVisibleTo(opened.page)
    opened.page.table.show_line(0)
    assert opened.page.details.problem.text() == "There is no video in this file."
    assert opened.page.details.path.text().endswith("clip_0004.mp4")
    opened.page.details.copy.click()
    assert "no video" in QGuiApplication.clipboard().text()
    opened.page.table.show_line(1)
    assert not opened.page.details.problem.isVisibleTo(opened.page)


def test_selected_clips_are_analysed_unreadable_ones_left_out(desk, filled):
    opened = desk()
    opened.page.table.selectAll()
    opened.shell.registry.action("library.analyse").trigger()
    assert {c.id for c in opened.shell.analysed[0]} == {clip(n).id for n in (1, 2, 3)}


def test_only_unreadable_selected_is_told(desk, filled):
    opened = desk()
    opened.page.table.show_line(0)
    opened.shell.registry.action("library.analyse").trigger()
    assert opened.shell.analysed == []
    assert "None of the selected clips" in opened.shell.problems[0].sentence


def test_analyse_new_is_offered_only_while_there_are_some(desk, filled, qtbot):
    opened = desk()
    qtbot.waitUntil(lambda: opened.page.head.analyse_new.isVisibleTo(opened.page))
    opened.page.head.analyse_new.click()
    assert opened.done == ["clips.analyse_new"]
    filled.library.add_analysis(analysis(filled, clip(3), {}))
    opened.page.reload()
    qtbot.waitUntil(lambda: not opened.page.head.analyse_new.isVisibleTo(opened.page))


def test_menu_offers_what_can_be_done(desk, filled, monkeypatch):
    opened = desk()
    urls: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: urls.append(url.toLocalFile()))
    opened.page.table.show_line(1)
    menu = opened.page.menu()
    items = {action.text().split("\t")[0]: action for action in menu.actions() if not action.isSeparator()}
    assert list(items) == [
        "Open the clip in Review",
        "Analyse selected clips",
        "Analyse selected clips with…",
        "Compare answers about these clips…",
        "Make a training set of selected clips…",
        "Show in folder",
        "Copy path",
        "Copy id",
    ]
    items["Show in folder"].trigger()
    assert urls == ["/clips/van"]
    items["Copy path"].trigger()
    assert QGuiApplication.clipboard().text() == clip(3).path
    items["Copy id"].trigger()
    assert QGuiApplication.clipboard().text() == clip(3).id
    items["Open the clip in Review"].trigger()
    assert opened.shell.navigated == [("review", clip(3).id)]
    menu.deleteLater()


def test_reload_keeps_the_selection(desk, filled):
    opened = desk()
    opened.page.table.show_line(2)
    filled.library.add_clip(clip(7))
    opened.page.reload()
    assert opened.page.table.lines() == [3]
    assert opened.names()[3] == "clip_0002.mp4"


def test_selected_lines_stay_selected_and_in_sight_while_clips_are_added(desk, session, qtbot):
    for number in range(1, 61):
        session.library.add_clip(clip(number))
    opened = desk()
    table = opened.page.table
    table.show_line(30)
    table.select_lines([10, 11, 30, 40], current=30)
    selected = [opened.page._clips.rowid(line) for line in table.lines()]
    at = table.rowViewportPosition(30)
    session.library.add_clip(clip(77))
    opened.page.reload()
    assert [opened.page._clips.rowid(line) for line in table.lines()] == selected
    assert table.currentIndex().row() == 31
    assert table.rowViewportPosition(31) == at


def test_selection_follows_its_clips_into_another_order(desk, filled):
    opened = desk()
    opened.page.table.select_lines([0, 2], current=2)
    names = {opened.names()[line] for line in (0, 2)}
    opened.page._clips.sort(INDEX["name"], Qt.SortOrder.AscendingOrder)
    opened.page.table.select_lines([1, 3], current=3)
    filled.library.add_clip(clip(6, path="/clips/clip_0000.mp4"))
    opened.page.filters.problem_choice.choose(())
    opened.page.reload()
    assert {opened.names()[line] for line in opened.page.table.lines()} == names
    assert opened.page.table.currentIndex().row() == 4


def reads_of(library, monkeypatch) -> list[str]:
    """What is asked of the library from now on, by name."""
    asked: list[str] = []
    for name in ("clip_rowids", "clip_rows", "count_clips", "problem_files"):
        real = getattr(library, name)
        monkeypatch.setattr(library, name, lambda *a, _n=name, _r=real, **k: (asked.append(_n), _r(*a, **k))[1])
    return asked


def test_hidden_page_reads_nothing_until_it_is_shown(desk, filled, qtbot, monkeypatch):
    opened = desk()
    qtbot.waitUntil(lambda: not opened.page._look_for_waiting.isActive())
    opened.page.hide()
    asked = reads_of(filled.library, monkeypatch)
    filled.library.add_clip(clip(8))
    for what in ("clips", "analyses", "review"):
        opened.page.on_change(Change(clip_ids=(clip(8).id,), what=frozenset({what})))
    assert not opened.page._refresh.isActive()
    opened.page._on_refresh()
    opened.page._on_look_for_waiting()
    assert asked == []
    monkeypatch.setattr(page_module, "_RELOAD_S", 0.0)
    opened.page.show()
    qtbot.waitUntil(lambda: "clip_0008.mp4" in opened.names())


def test_batch_reads_only_lines_of_the_clips_it_finished(desk, filled, qtbot, monkeypatch):
    opened = desk()
    opened.page.grab()
    qtbot.waitUntil(lambda: not opened.page._look_for_waiting.isActive())
    asked = reads_of(filled.library, monkeypatch)
    resets: list[int] = []
    opened.page._clips.modelReset.connect(lambda: resets.append(1))
    for number in (1, 2, 3):
        opened.page.on_change(Change(clip_ids=(clip(number).id,), what=frozenset({"analyses"})))
    opened.page._on_refresh()
    assert asked == ["clip_rows"]
    assert resets == []


def test_list_is_read_at_most_once_a_second(desk, filled, qtbot, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(page_module.time, "monotonic", lambda: now[0])
    opened = desk()
    asked = reads_of(filled.library, monkeypatch)
    change = Change(what=frozenset({"clips"}))
    for _ in range(5):
        opened.page.on_change(change)
        opened.page._on_refresh()
        now[0] += 0.1
    assert "clip_rowids" not in asked
    assert opened.page._refresh.isActive()
    now[0] += 0.6
    opened.page._on_refresh()
    opened.page._on_refresh()
    assert asked.count("clip_rowids") == 1


def test_review_elsewhere_moves_no_line_unless_the_list_depends_on_it(desk, filled, monkeypatch):
    monkeypatch.setattr(page_module, "_RELOAD_S", 0.0)
    opened = desk()
    asked = reads_of(filled.library, monkeypatch)
    change = Change(clip_ids=(clip(1).id,), what=frozenset({"review"}))
    opened.page.on_change(change)
    opened.page._on_refresh()
    assert "clip_rowids" not in asked
    opened.page._clips.sort(INDEX["status"])
    asked.clear()
    opened.page.on_change(change)
    opened.page._on_refresh()
    assert "clip_rowids" in asked


def test_what_waits_is_said_with_the_way_to_it(desk, filled, qtbot):
    opened = desk()
    head = opened.page.head
    qtbot.waitUntil(lambda: head.go_on.isVisibleTo(opened.page))
    assert head.waiting.text() == "· 3 to review · 1 cannot be read"
    assert head.go_on.property("kind") == "primary"
    assert head.analyse_new.property("kind") == "normal"
    head.go_on.click()
    assert opened.shell.navigated == [("review", None)]


def test_nothing_waits_in_an_empty_library(desk, qtbot):
    opened = desk()
    qtbot.waitUntil(lambda: not opened.page._look_for_waiting.isActive())
    assert opened.page.head.waiting.text() == ""
    assert not opened.page.head.go_on.isVisibleTo(opened.page)


@pytest.mark.parametrize("width", [960, 1280])
def test_head_fits_into_a_small_window(desk, filled, qtbot, width):
    for number in range(100, 130):
        filled.library.add_problem_file(f"/locked/{number}", "No permission.")
    opened = desk()
    opened.window.resize(width, 720)
    head = opened.page.head
    qtbot.waitUntil(lambda: head.go_on.isVisibleTo(opened.page))
    opened.page.grab()
    assert opened.page.width() <= width
    assert head.go_on.geometry().right() <= head.width()
    assert head.go_on.width() >= head.go_on.sizeHint().width()
    if width == 1280:
        assert head.waiting.width() >= head.waiting.sizeHint().width()
    assert head.unopened.isVisibleTo(opened.page)


def test_empty_page_says_that_sample_clips_are_drawn(desk, qtbot):
    opened = desk()
    empty = opened.page.nothing_yet
    assert "open a folder" in empty.sentence.text()
    task = opened.shell.tasks.begin("Making the sample clips")
    assert empty.sentence.text() == "Drawing the sample clips: the first opens in a few seconds."
    assert not any(item.isEnabled() for item in empty.buttons)
    task.update("Sample clips: rear-end near miss", fraction=0.2)
    assert not any(item.isEnabled() for item in empty.buttons)
    task.finish()
    assert "open a folder" in empty.sentence.text()
    assert all(item.isEnabled() for item in empty.buttons)


def test_finished_analysis_shows_without_a_new_order(desk, filled, qtbot):
    opened = desk()
    opened.page.table.show_line(1)
    filled.library.add_analysis(analysis(filled, clip(3), {"event_type": "collision"}))
    opened.page.on_change(Change(clip_ids=(clip(3).id,), what=frozenset({"analyses"})))
    model = opened.page._clips
    qtbot.waitUntil(lambda: model.text(model.row(1), "event") == "Collision")
    assert opened.page.table.lines() == [1]


def test_reviewed_clip_leaves_a_filter_for_unreviewed_ones(desk, filled, qtbot):
    opened = desk()
    opened.page.filters.status_choice._actions["needs_review"].trigger()
    payload = {"before": "needs_review", "after": "reviewed", "reason": None, "words": None, "broken_rules": []}
    change = filled.library.append([NewEvent("status", clip(1).id, "Ada", filled.schema.key, payload)])
    opened.page.on_change(change)
    qtbot.waitUntil(lambda: "clip_0001.mp4" not in opened.names())


def test_asked_for_a_clip_the_page_selects_it(desk, filled):
    opened = desk()
    opened.page.activate(clip(2).id)
    assert [opened.page._clips.row(line).clip.id for line in opened.page.table.lines()] == [clip(2).id]


def test_files_that_could_not_be_opened_are_listed(desk, filled):
    filled.library.add_problem_file("/locked/folder", "No permission to read this folder.")
    opened = desk()
    assert opened.page.head.unopened.text() == "1 file could not be opened"
    opened.page.head.unopened.click()
    (item,) = opened.shell.problems[0].items
    assert (item.name, item.sentence) == ("/locked/folder", "No permission to read this folder.")


def test_problem_column_is_there_only_while_something_has_one(desk, session):
    session.library.add_clip(clip(1))
    opened = desk()
    assert opened.page.table.isColumnHidden(INDEX["problem"])
    session.library.add_clip(broken_clip(2))
    opened.page.reload()
    assert not opened.page.table.isColumnHidden(INDEX["problem"])


@pytest.mark.parametrize("choice", ["dark", "light"])
@pytest.mark.parametrize("width", [960, 1280, 1920])
def test_page_paints_at_every_size_in_both_themes(desk, filled, look, choice, width):
    look.choose(choice)
    opened = desk()
    opened.window.resize(width, 720)
    opened.page.table.show_line(0)
    assert opened.page.table.horizontalScrollBar().maximum() == 0 or width == 960
    assert not opened.page.grab().isNull()


def test_path_with_bytes_that_are_no_text_breaks_nothing(desk, session):
    session.library.add_clip(clip(1, path="/clips/caf\udce9.mp4"))
    opened = desk()
    opened.page.table.show_line(0)
    opened.shell.registry.action("library.copy_path").trigger()
    assert QGuiApplication.clipboard().text() == "/clips/caf?.mp4"
    assert not opened.page.grab().isNull()
    assert Path(session.library.clip(clip(1).id).path).name == "caf\udce9.mp4"


def test_selected_clips_are_compared_or_all_that_the_filters_leave(desk, filled):
    opened = desk()
    opened.page.table.selectAll()
    opened.page._on_compare()
    assert len(opened.shell.compared.chosen) == 4
    assert opened.shell.compared.title == "4 clips from the library"
    opened.page.table.show_line(1)
    opened.page._on_compare()
    assert opened.shell.compared.chosen is None, "one line and no filter: all clips, on that one"
    assert opened.shell.navigated[-1][0] == "compare"
    opened.page.filters.search.setText(opened.names()[0])
    opened.page.filters.changed.emit(opened.page.filters.clip_filter())
    opened.page._on_compare()
    assert len(opened.shell.compared.rowids(opened.session)) == opened.page._clips.rowCount() == 1


def test_enter_in_the_search_opens_the_only_hit(desk, filled, qtbot):
    opened = desk()
    qtbot.keyClicks(opened.page.filters.search, "clip_0002")
    qtbot.keyClick(opened.page.filters.search, Qt.Key.Key_Return)
    assert opened.shell.navigated[-1:] == [("review", clip(2).id)]


def test_enter_in_the_search_goes_to_the_first_of_several_hits(desk, filled, qtbot):
    opened = desk()
    opened.window.activateWindow()
    qtbot.keyClicks(opened.page.filters.search, "clip_000")
    qtbot.keyClick(opened.page.filters.search, Qt.Key.Key_Return)
    assert opened.shell.navigated == []
    assert opened.page.table.lines() == [0]
    assert opened.window.focusWidget() is opened.page.table


def test_clip_that_is_being_reviewed_shows_what_its_reviewer_said_so_far(desk, filled):
    review.set_value(filled, clip(3).id, "event_type", "collision")
    review.set_value(filled, clip(1).id, "event_type", "no_incident")
    review.set_value(replace(filled, reviewer="Ben"), clip(2).id, "event_type", "collision")
    opened = desk()
    model = opened.page._clips
    said = {model.text(row, "name"): model.text(row, "event") for row in map(model.row, range(4))}
    assert said["clip_0003.mp4"] == "Collision"
    assert said["clip_0001.mp4"] == "No incident"
    assert said["clip_0002.mp4"] == "No incident", "another reviewer's draft is not shown"
    assert row_words.source_words(model.row(model.rowCount() - 1)) == "Ada, not finished"


def test_queue_shows_what_its_reviewer_said_so_far(filled):
    review.set_value(filled, clip(3).id, "event_type", "near_miss")
    reasons = {item.clip_id: (item.reason, item.mark) for item in QueueDesk(filled).items(0, 9)}
    assert reasons[clip(3).id] == ("Near miss", "half")


def test_clip_that_another_program_added_is_listed(desk, filled, qtbot):
    opened = desk()
    with open_session(Settings(), library_dir=filled.library.folder, reviewer="Ada") as other:
        other.library.add_clip(clip(9))
    opened.page._elsewhere.look()
    qtbot.waitUntil(lambda: "clip_0009.mp4" in opened.names())
    assert opened.page.head.counted.text() == "5 clips"


def test_who_comes_back_to_the_window_sees_what_another_program_wrote(desk, filled, qtbot):
    opened = desk()
    model = opened.page._clips
    line = opened.names().index("clip_0003.mp4")
    assert model.text(model.row(line), "event") == "not analysed"
    filled.library.add_analysis(analysis(filled, clip(3), {"event_type": "collision"}))
    for kind in (QEvent.Type.WindowDeactivate, QEvent.Type.WindowActivate):
        QCoreApplication.sendEvent(opened.page, QEvent(kind))
    qtbot.waitUntil(lambda: model.text(model.row(line), "event") == "Collision")
