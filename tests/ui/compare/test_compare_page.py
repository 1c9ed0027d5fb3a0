"""The page: what it shows, what its keys do, what it says where there is nothing to compare."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from vvlm_desktop.domain.review import Change
from vvlm_desktop.ui.compare.frame_lanes import lane_model
from vvlm_desktop.ui.review import reading
from vvlm_desktop.ui.review.player_view import NO_FRAME
from vvlm_desktop.ui.scope import Scope
from vvlm_desktop.ui.widgets.empty_state import EmptyState
from vvlm_desktop.video.probe import ExamineProgress
from vvlm_desktop.workflow.answerers import Source

Key = Qt.Key


def names(page):
    return [line.name for line in page.clips.lines]


def press(qtbot, page, key):
    page.setFocus()
    qtbot.keyClick(page, key)


def empty_state(page) -> EmptyState:
    state = page._body.currentWidget()
    assert isinstance(state, EmptyState)
    return state


def test_first_differing_clip_is_open_with_its_differences_on_top(open_page, three):
    page = open_page()
    assert names(page) == ["event.mp4", "weather.mp4", "same.mp4"]
    assert page.shown_clip_id == three[2].id
    assert [row.label for row in page.fields.rows] == ["Event", "Weather", "Show 4 fields: 4 the same"]
    event = page.fields.rows[0]
    assert [side.text for side in event.sides] == ["Near miss", "Collision"]
    assert [side.right for side in event.sides] == [False, True]
    assert event.truth == "reviewed: Collision"
    assert page.viewer.words.text() == "Same frames, same prompt, same settings."


def test_clip_without_a_difference_says_so(open_page, three):
    page = open_page(clip_id=three[0].id)
    assert page.shown_clip_id == three[0].id
    assert [row.label for row in page.fields.rows] == ["No field differs", "Show 6 fields: 6 the same"]


def test_n_and_p_go_through_the_list(open_page, three, qtbot):
    page = open_page()
    press(qtbot, page, Key.Key_N)
    assert page.shown_clip_id == three[1].id
    press(qtbot, page, Key.Key_N)
    press(qtbot, page, Key.Key_N)  # the last one
    assert page.shown_clip_id == three[0].id
    press(qtbot, page, Key.Key_P)
    assert page.shown_clip_id == three[1].id
    assert page.clips.view.currentIndex().row() == 1


def test_arrows_mark_fields_and_f_unfolds(open_page, three, qtbot):
    page = open_page()
    press(qtbot, page, Key.Key_Down)
    assert page.fields.view.currentIndex().row() == 1
    press(qtbot, page, Key.Key_F)
    assert len(page.fields.rows) == 7
    assert page.fields.rows[-1].label == "Description"
    press(qtbot, page, Key.Key_F)
    press(qtbot, page, Key.Key_Up)
    assert page.fields.view.currentIndex().row() == 0


def test_enter_opens_the_clip_in_review(open_page, three, qtbot):
    page = open_page()
    press(qtbot, page, Key.Key_Return)
    assert page.shell.navigated == [("review", three[2].id)]


def test_click_on_a_field_lists_the_clips_in_which_it_differs(open_page, three, qtbot):
    page = open_page()
    table = page.agreement.table
    assert [table.item(0, column).text() for column in range(5)] == [
        "Weather",
        "3",
        "33 % of 3",
        "100 % of 1",
        "0 % of 1",
    ]
    table.cellClicked.emit(0, 0)
    assert names(page) == ["event.mp4", "weather.mp4"]
    assert page.fields.rows[page.fields.view.currentIndex().row()].key == "weather"
    assert page.clips.narrowing.text() == "Weather differs"
    page.clips.clear.click()
    assert len(names(page)) == 3
    assert not page.clips.clear.isVisible()


def test_click_on_the_matrix_lists_those_clips(open_page, three, qtbot):
    page = open_page()
    matrix = page.agreement.matrix
    values = matrix._values
    assert values == ["collision", "near_miss"]
    assert [[matrix.count_at(r, c) for c in (0, 1)] for r in (0, 1)] == [[0, 0], [1, 2]]
    inside = matrix.cell_rect(1, 0).center().toPoint()
    qtbot.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=inside)
    assert names(page) == ["event.mp4"]
    assert page.clips.narrowing.text() == "A near miss, B collision"
    assert page.fields.view.currentIndex().row() == 0, "the event, on top, and not the fold at the end"
    qtbot.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=matrix.cell_rect(0, 0).center().toPoint())
    assert names(page) == ["event.mp4"]  # an empty cell has no clips to show


def test_matrix_works_by_keyboard_and_keeps_its_keys(open_page, three, qtbot):
    page = open_page()
    matrix = page.agreement.matrix
    matrix.setFocus()
    qtbot.keyClick(matrix, Key.Key_Down)
    qtbot.keyClick(matrix, Key.Key_Right)
    qtbot.keyClick(matrix, Key.Key_Return)
    assert names(page) == ["weather.mp4", "same.mp4"]
    assert page.shell.navigated == []


def test_swap_turns_the_sides_round(open_page, three, qtbot):
    page = open_page()
    page.head.swap.click()
    qtbot.waitUntil(lambda: not page.reader.busy)
    assert [side.text for side in page.fields.rows[0].sides] == ["Collision", "Near miss"]
    assert [source.adapter for source in page.head.sources] == ["fleet", None]


def test_older_answer_of_the_same_model_can_be_chosen(open_page, put_clip, answer, qtbot):
    clip = put_clip("a.mp4")
    answer(clip, labels={"event_type": "collision"})
    answer(clip)
    page = open_page()
    assert [source.title for source in page.head.sources] == ["M, the answer before", "M"]
    assert [side.text for side in page.fields.rows[0].sides] == ["Collision", "Near miss"]


def test_other_scope_shows_other_clips_or_says_that_there_are_none(open_page, put_clip, answer, qtbot):
    clip = put_clip("a.mp4")
    answer(clip)
    answer(clip, adapter="fleet")
    page = open_page()
    page.head.scope.setCurrentIndex(1)
    qtbot.waitUntil(lambda: not page.reader.busy)
    state = empty_state(page)
    assert state.title.text() == "None of these clips has both answers"
    state.buttons[0].click()
    qtbot.waitUntil(lambda: not page.reader.busy)
    assert names(page) == ["a.mp4"]


def test_empty_library_offers_clips(open_page):
    page = open_page()
    state = empty_state(page)
    assert state.title.text() == "No clips yet"
    assert not any(choice.isVisible() for choice in (*page.head.choices, page.head.scope))
    for button in state.buttons:
        button.click()
    assert page.shell.triggered == ["clips.add_folder"]
    assert page.shell.calls.samples == 1


def test_unanalysed_clips_and_single_answers_say_what_to_do(open_page, put_clip, answer, qtbot):
    clip = put_clip("a.mp4")
    page = open_page()
    assert empty_state(page).title.text() == "No clip has been analysed"
    answer(clip)
    page.on_change(Change(clip_ids=(clip.id,), what=frozenset({"analyses"})))
    page.reload()
    qtbot.waitUntil(lambda: not page.reader.busy)
    state = empty_state(page)
    assert state.title.text() == "Nothing to compare yet"
    assert "M" in state.sentence.text()
    assert page.shown_clip_id is None


def test_new_answers_appear_and_the_open_clip_stays_open(open_page, three, put_clip, answer, qtbot):
    page = open_page(clip_id=three[1].id)
    late = put_clip("late.mp4")
    answer(late)
    answer(late, adapter="fleet", labels={"event_type": "no_incident"})
    page.on_change(Change(clip_ids=(late.id,), what=frozenset({"clips", "analyses"})))
    assert page._refresh.isActive()
    page.reload()
    qtbot.waitUntil(lambda: not page.reader.busy)
    assert len(names(page)) == 4
    assert page.shown_clip_id == three[1].id


def test_hidden_page_reads_nothing_until_it_is_shown(open_page, three):
    page = open_page()
    page.window().hide()
    page.on_change(Change(what=frozenset({"analyses"})))
    assert not page._refresh.isActive()
    assert not page.reader.busy
    page.activate()
    assert page.reader.busy


# -- the player


def test_one_and_two_switch_whose_frames_are_played(open_page, playable, qtbot):
    _, index = playable
    page = open_page()
    viewer = page.viewer
    qtbot.waitUntil(lambda: viewer.view.on_screen is not None)
    press(qtbot, page, Key.Key_2)
    assert viewer.playback.only == tuple(range(5, len(index), 25))
    press(qtbot, page, Key.Key_1)
    assert viewer.playback.only == tuple(range(0, len(index), 20))
    assert viewer.transport.seen.isChecked()
    press(qtbot, page, Key.Key_1)
    assert viewer.playback.only == ()
    assert viewer.side is None


def test_player_starts_a_little_before_the_event(open_page, playable):
    _, index = playable
    page = open_page()
    assert index.seconds(page.viewer.playback.position) == pytest.approx(0.0, abs=0.1)  # the event is at one second
    assert page.viewer.fair.mark == "warning"
    assert "frames" in page.viewer.words.text()


def test_first_picture_stands_while_the_frames_are_found(open_page, playable, session, qtbot, monkeypatch):
    clip, index = playable
    session.library.index_file(clip).unlink()
    found = threading.Event()

    def find(_session, _clip, *, progress, **_):
        progress(ExamineProgress(0.42))
        assert found.wait(10)
        return index

    monkeypatch.setattr(reading, "index_of", find)
    page = open_page()
    view = page.viewer.view
    try:
        qtbot.waitUntil(lambda: view.badges.texts == ("First picture, finding the frames… 42 %",))
        assert (view.picture.clip_id, view.picture.frame_index) == (clip.id, NO_FRAME)
        assert page.viewer.transport.caption() == ""
    finally:
        found.set()
    qtbot.waitUntil(lambda: view.on_screen is not None)
    assert view.on_screen.frame_index == page.viewer.playback.position
    assert view.badges.texts == ()


def test_space_plays_and_another_page_pauses(open_page, playable, qtbot):
    page = open_page()
    press(qtbot, page, Key.Key_Space)
    assert page.viewer.playback.playing
    page.deactivate()
    assert not page.viewer.playback.playing


def test_click_on_the_lanes_goes_there(open_page, playable, qtbot):
    _, index = playable
    page = open_page()
    lanes = page.viewer.lanes
    x = round(lanes._view().x(index.seconds(60)) + 1)
    qtbot.mouseClick(lanes, Qt.MouseButton.LeftButton, pos=QPoint(x, lanes.height() // 2))
    assert page.viewer.playback.position == pytest.approx(60, abs=1)
    qtbot.mouseClick(lanes, Qt.MouseButton.LeftButton, pos=QPoint(20, round(lanes._top(1)) + 4))
    assert page.viewer.side == 1


def test_lane_says_what_was_seen(playable, session):
    clip, index = playable
    tuned = session.library.analyses(clip.id)[0]
    lane = lane_model(tuned, index, name="B, M + fleet")
    assert lane.frames == tuple(range(5, len(index), 25))
    assert lane.event_s == (1.0, 1.5)
    assert lane.help.splitlines()[0] == f"B, M + fleet: {len(lane.frames)} frames"


def test_clip_whose_file_is_gone_is_told_in_the_picture(open_page, three, qtbot):
    page = open_page()
    qtbot.waitUntil(lambda: bool(page.viewer.view._message[0]) and "Reading" not in page.viewer.view._message[0])
    assert page.viewer.pair is not None
    assert page.fields.rows[0].label == "Event"


@pytest.mark.parametrize("theme_name", ["dark", "light"])
@pytest.mark.parametrize("size", [(1440, 900), (1216, 640), (896, 560)])
def test_everything_fits(open_page, three, look, qtbot, theme_name, size):
    look.choose(theme_name)
    page = open_page()
    page.window().resize(*size)
    QApplication.processEvents()
    assert page.width() <= size[0]
    sides = (page.clips, page.viewer, page.fields)
    assert sum(side.width() for side in sides) <= page.width()
    assert all(side.width() >= side.minimumSizeHint().width() for side in sides)
    assert page.viewer.view.width() >= 240
    assert not page.grab().isNull()


def test_pages_load_nothing_heavy():
    code = (
        "import sys, vvlm_desktop.ui.compare.page, vvlm_desktop.ui.review.page;"
        "print(sorted({n.split('.')[0] for n in sys.modules} & {'sklearn', 'scipy', 'torch', 'transformers'}))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_pair_that_was_run_is_shown_once_both_have_answered(open_page, put_clip, answer, qtbot):
    clip = put_clip("a.mp4")
    answer(clip, backend="signals", model="signals-1", provenance="measurement")
    answer(clip)
    page = open_page()
    wanted = (Source("local", "M"), Source("local", "M", "fleet"))
    page.run_both.chosen.emit(wanted)
    qtbot.waitUntil(lambda: not page.reader.busy)
    assert page.head.sources != wanted, "the second has not answered yet"
    answer(clip, adapter="fleet")
    page.reload()
    qtbot.waitUntil(lambda: page.head.sources == wanted)


def test_pairs_that_do_not_count_leave_no_empty_table(open_page, put_clip, answer, qtbot):
    clip = put_clip("a.mp4")
    answer(clip)
    answer(clip, adapter="fleet", prompt_sha="other")
    page = open_page()
    qtbot.waitUntil(lambda: bool(page.clips.lines))
    assert page.agreement.table.isHidden()
    assert "on equal terms" in page.agreement.nothing.text()
    assert not page.agreement.nothing.isHidden()


def test_scope_from_the_library_counts_those_clips_only(open_page, three, session, qtbot):
    same, weather, _event = three
    page = open_page()
    scope = Scope(
        "2 clips from the library", chosen=tuple(session.library.rowid_of(each.id) for each in (same, weather))
    )
    page.show_scope(scope)
    qtbot.waitUntil(lambda: {line.clip_id for line in page.clips.lines} == {same.id, weather.id})
    assert page.head.scope.currentText() == "2 clips from the library"
    page.head.scope.setCurrentIndex(0)
    qtbot.waitUntil(lambda: len(page.clips.lines) == 3)
