"""Four answers beside each other, the truth, times that cannot be, and the numbers as text."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from vvlm_desktop.ui.compare.field_rows import is_beyond
from vvlm_desktop.ui.compare.frame_lanes import lane_model
from vvlm_desktop.ui.compare.narrowing import Narrowing
from vvlm_desktop.ui.compare.numbers import numbers_text
from vvlm_desktop.ui.scope import Scope
from vvlm_desktop.workflow.answerers import Source, tally_of

BASE, TUNED, OTHER = Source("local", "M"), Source("local", "M", "fleet"), Source("local", "M", "march")
GEMINI = Source("gemini", "gemini-x")


@pytest.fixture
def four(three, answer):
    """The three clips, with an answer of a third adapter about two and of Gemini about one of them."""
    same, weather, event = three
    answer(event, adapter="march", labels={"conflict_with": "truck"})
    answer(weather, adapter="march")
    answer(event, backend="gemini", model="gemini-x", labels={"event_type": "collision"}, frames_pts=(0, 9))
    return same, weather, event


def waited(page, qtbot):
    qtbot.waitUntil(lambda: not page.reader.busy)
    return page


def names(page):
    return [line.name for line in page.clips.lines]


def test_third_and_fourth_answer_stand_beside_the_two(open_page, four, qtbot):
    page = open_page()
    assert page.head.sources == (BASE, TUNED)
    page.head.add.click()
    page.head.add.click()
    waited(page, qtbot)
    assert page.head.more.sources == (OTHER, GEMINI)
    assert not page.head.add.isVisible()
    page.open_clip(four[2].id)
    event = page.fields.rows[0]
    assert [side.text for side in event.sides] == ["Near miss", "Collision", "Near miss", "Collision"]
    assert [side.right for side in event.sides] == [False, True, False, True]
    assert [row.label for row in page.fields.rows[:3]] == ["Event", "Weather", "Conflict with"]
    assert page.viewer.words.text().endswith("A and D: They did not see the same frames: 3 and 2.")
    page.open_clip(four[1].id)
    assert [side.text for side in page.fields.rows[0].sides] == ["Clear", "Rain", "Clear", "not answered"]


def test_table_says_how_often_those_beside_agree_with_a(open_page, four, qtbot):
    page = open_page()
    page.head.more.choose([OTHER, GEMINI])
    waited(page, qtbot)
    table = page.agreement.table
    heads = [table.horizontalHeaderItem(column).text() for column in range(table.columnCount())]
    assert heads[1] == "A and B answered"
    assert "3 clips that A and B have answered" in page.agreement.summary.text()
    assert heads[5:] == ["C as A", "C right", "D as A", "D right"]
    cells = {table.item(line, 0).text(): [table.item(line, n).text() for n in (5, 6, 7)] for line in range(3)}
    assert cells["Event"] == ["100 % of 2", "0 % of 1", "–"], "Gemini saw other frames: not counted"
    page.head.more.choose([])
    waited(page, qtbot)
    assert table.columnCount() == 5
    assert page.head.add.isVisible()


@pytest.mark.parametrize("width", [1280, 1440])
def test_table_of_four_is_not_cut(open_page, four, qtbot, width):
    page = open_page()
    page.window().resize(width, 800)
    page.head.more.choose([OTHER, GEMINI])
    waited(page, qtbot)
    QApplication.processEvents()
    table, matrix = page.agreement.table, page.agreement.matrix
    assert table.horizontalScrollBar().maximum() == 0
    assert matrix.width() >= matrix.minimumSizeHint().width()
    page.window().resize(900, 800)
    QApplication.processEvents()
    assert table.horizontalScrollBar().isVisible() == (table.horizontalScrollBar().maximum() > 0)


def test_one_beside_goes_when_it_becomes_a_or_is_taken_away(open_page, four, qtbot):
    page = open_page()
    page.head.more.choose([OTHER, GEMINI])
    waited(page, qtbot)
    page.head.choose(OTHER, TUNED)
    waited(page, qtbot)
    assert page.head.more.sources == (GEMINI,)
    box = page.head.more.boxes[0]
    box.setCurrentIndex([box.itemData(n) for n in range(box.count())].index(BASE))
    waited(page, qtbot)
    assert page.head.more.sources == (BASE,)


def test_matrix_against_the_truth_lists_the_clips_of_a_cell(open_page, three, qtbot):
    page = open_page()
    matrix, against = page.agreement.matrix, page.agreement.against
    against.setCurrentIndex(against.findData(0))
    assert matrix.names == ("Truth", "A")
    assert matrix.accessibleDescription() == "Truth Collision, A Near miss: 1"
    row, column = matrix._values.index("collision"), matrix._values.index("near_miss")
    qtbot.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=matrix.cell_rect(row, column).center().toPoint())
    assert names(page) == ["event.mp4"]
    assert page.clips.narrowing.text() == "Truth collision, A near miss"
    against.setCurrentIndex(against.findData(1))
    assert matrix.accessibleDescription() == "Truth Collision, B Collision: 1"


def test_truth_that_is_not_known_is_in_no_matrix(session, three, settle, put_clip, answer):
    unseen, unreviewed = put_clip("unseen.mp4"), put_clip("unreviewed.mp4")
    for clip in (unseen, unreviewed):
        answer(clip)
        answer(clip, adapter="fleet")
    settle(unseen, event_type=("accepted", "near_miss", "bulk_unseen"))
    tally = tally_of(session, (BASE, TUNED), wanted=session.library.clip_rowids())
    assert tally.against_truth("event_type", 0) == {("collision", "near_miss"): 1}
    assert {line.name for line in tally.lines if Narrowing(truth=(1, "collision", "collision")).fits(line)} == {
        "event.mp4"
    }


def test_who_settled_the_clip_is_always_said(open_page, three):
    page = open_page(clip_id=three[2].id)
    assert page.fields.truth.text() == "Reviewed by Ann: 2 fields settled."
    page.open_clip(three[0].id)
    assert page.fields.truth.text() == "Not reviewed yet: nobody has said what is true."


def test_truth_stands_beside_fields_that_do_not_differ(open_page, put_clip, answer, settle):
    clip = put_clip("a.mp4")
    answer(clip)
    answer(clip, adapter="fleet", labels={"weather": "rain"})
    settle(clip, event_type=("accepted", "near_miss", "explicit"))
    page = open_page()
    page.fields.unfold()
    assert next(row for row in page.fields.rows if row.key == "event_type").truth == "reviewed: Near miss"


def test_time_after_the_end_of_the_clip_is_told_as_such(open_page, put_clip, answer):
    clip = put_clip("a.mp4")  # 10 s long
    answer(clip)
    answer(clip, adapter="fleet", labels={"event_time": {"start_ms": 61000, "end_ms": 62000}})
    page = open_page()
    row = next(row for row in page.fields.rows if row.key == "event_time")
    assert [side.flaw for side in row.sides] == ["", "after the clip’s end"]
    assert "after the clip’s end" in row.spoken()
    assert not is_beyond(10.2, 10.0)  # a model rounds


def test_lane_says_that_a_time_is_not_in_the_clip(session, playable, answer):
    clip, index = playable
    late = answer(clip, labels={"event_time": {"start_ms": 900_000, "end_ms": 901_000}})
    assert "after the end of the clip" in lane_model(late, index, name="B").help
    assert lane_model(None, index, name="C, X").help.startswith("C, X, which has not answered")


def test_scope_can_say_whose_answers_are_wanted(open_page, four, session, qtbot):
    page = open_page()
    page.show_scope(Scope("2 clips", chosen=tuple(session.library.clip_rowids())[1:], sources=(BASE, OTHER)))
    waited(page, qtbot)
    qtbot.waitUntil(lambda: page.head.sources == (BASE, OTHER))
    assert page.head.scope.currentText() == "2 clips"


def test_numbers_are_copied_for_a_spreadsheet(open_page, four, qtbot):
    page = open_page()
    page.head.more.choose([OTHER])
    waited(page, qtbot)
    page.agreement.copy.click()
    lines = [line.split("\t") for line in QGuiApplication.clipboard().text().splitlines()]
    assert lines[:4] == [["A", "M"], ["B", "M + fleet"], ["C", "M + march"], ["clips", "3"]]
    by_field = {line[0]: line[1:] for line in lines}
    assert by_field["Weather"] == ["3", "1", "1", "1", "0", "1", "0", "1.0000", "2 of 2", "1 of 1"]
    assert ["Event: truth in rows, B in columns", "Collision"] in lines
    assert len(lines[7]) == len(by_field["Weather"]) + 1


def test_no_name_becomes_a_formula(session, three):
    tally = tally_of(session, (BASE, TUNED), wanted=session.library.clip_rowids())
    text = numbers_text(tally, [Source("local", "=HYPERLINK(1)"), TUNED])
    assert text.startswith("A\t'=HYPERLINK(1)\n")
