"""Reviewing with the page: what the keys do, what is stored, what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests import clips
from tests.ui.review.conftest import watch
from vvlm_desktop.domain.review import PtsRange
from vvlm_desktop.ui.review.clip_source import ClipSource
from vvlm_desktop.workflow import review

CALM = {"event_type": "no_incident", "event_time": None, "weather": "rain", "road_surface": "wet"}


def test_opens_at_the_moment_of_the_event_and_paints_exactly_that_frame(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    desk = here.page.desk
    wanted = desk.index.at_time(1.5)
    assert desk.playback.position == wanted
    assert desk.view.picture.frame.pts == desk.index.pts[wanted]
    assert desk.transport.frame_number.text() == str(wanted)
    assert desk.transport.pts.text() == f"PTS {desk.index.pts[wanted]}"


def test_digit_corrects_the_open_field_and_is_stored_at_once(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.press("1")
    verdict = here.stored().review.verdicts["event_type"]
    assert (verdict.verdict, verdict.value, verdict.model_value) == ("corrected", "collision", "near_miss")
    assert here.page.form.open_key == "event_type", "the field stays open"
    assert here.page.desk.headline.title.text() == "Collision"


def test_digit_of_the_same_value_accepts_it(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.press("2")
    assert here.stored().review.verdicts["event_type"].verdict == "accepted"
    assert here.stored().review.verdicts["event_type"].how == "explicit"


def test_digit_toggles_in_a_list_and_zero_empties_it(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.page.form.open_field("cause_of_risk")
    here.press("1")
    assert here.stored().labels["cause_of_risk"] == ["speeding", "risky_maneuver"]
    here.press("4")
    assert here.stored().labels["cause_of_risk"] == ["speeding"]
    here.press("0")
    assert here.stored().labels["cause_of_risk"] == []
    here.press("U")
    assert here.stored().labels["cause_of_risk"] == ["cannot_tell"]


def test_digit_beyond_the_values_says_so_and_stores_nothing(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.press("7")
    assert "7" in here.toast
    assert here.stored().review.verdicts == {}


def test_evidence_is_the_painted_frame_and_a_click_goes_back_there(add_clip, stage, qtbot):
    add_clip()
    here = stage()
    here.open()
    desk = here.page.desk
    here.press("1 Right Right E")
    pts = desk.index.pts[desk.playback.position]
    assert here.stored().review.evidence == {"event_type": {None: (PtsRange(pts, pts),)}}
    where = desk.playback.position
    here.press("Home")
    assert desk.playback.position == 0
    here.page.form.cards["event_type"].span_pressed.emit(PtsRange(pts, pts))
    assert desk.playback.position == where


def test_evidence_of_a_marked_stretch_clears_the_mark(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    desk = here.page.desk
    here.press("1 I Right Right Right O E")
    (span,) = here.stored().review.evidence["event_type"][None]
    assert desk.index.number(span.end_pts) - desk.index.number(span.start_pts) == 3
    assert desk.marked_frames() is None


def test_evidence_in_a_list_belongs_to_the_value_just_set(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.page.form.open_field("cause_of_risk")
    here.press("1 E")
    assert list(here.stored().review.evidence["cause_of_risk"]) == ["speeding"]


def test_in_and_out_set_the_event_time_while_its_field_is_open(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    desk = here.page.desk
    here.page.form.open_field("event_time")
    watch(here, desk.index.seconds(20))
    here.press("I")
    watch(here, desk.index.seconds(50))
    here.press("O")
    assert here.stored().labels["event_time"] == {"start_ms": desk.index.ms(20), "end_ms": desk.index.ms(50)}
    assert here.stored().review.verdicts["event_time"].reason == "wrong_time"


def test_enter_accepts_the_rest_and_opens_the_next_clip(add_clip, stage):
    add_clip()
    add_clip("h264_gop250.mp4")
    here = stage()
    here.open()
    first = here.state.clip.id
    here.press("Return")
    assert here.state.clip.id != first
    review = here.shell.session.library.review(first, reviewer="Ann", schema_key=here.shell.session.schema.key)
    assert review.status == "reviewed"
    assert review.verdicts["conflict_with"].verdict == "accepted"
    assert "caption" not in review.verdicts, "a description nobody touched stays unjudged"


def test_enter_says_honestly_that_the_event_window_was_not_seen(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    clip_id = here.state.clip.id
    here.press("Return")
    review = here.shell.session.library.review(clip_id, reviewer="Ann", schema_key=here.shell.session.schema.key)
    assert review.verdicts["conflict_with"].how == "bulk_unseen"


def test_enter_after_going_through_the_event_counts_as_seen(add_clip, stage, qtbot):
    add_clip()
    here = stage()
    here.open()
    clip_id, desk = here.state.clip.id, here.page.desk
    for seconds in (1.0, 1.2, 1.5):
        desk.seek(desk.index.at_time(seconds))
        wanted = desk.playback.position
        qtbot.waitUntil(lambda wanted=wanted: desk.view.picture.frame_index == wanted)
        desk.view.repaint()
    assert desk.attention.window_seen
    here.press("Return")
    review = here.shell.session.library.review(clip_id, reviewer="Ann", schema_key=here.shell.session.schema.key)
    assert review.verdicts["conflict_with"].how == "bulk"


def test_enter_is_inert_before_the_event_frame_was_looked_at(add_clip, stage, monkeypatch):
    monkeypatch.setattr("vvlm_desktop.ui.review.seen.LOOK_S", 0.3)
    add_clip()
    here = stage()
    here.open(ready=False)
    assert not here.page.form.accept.isEnabled()
    here.press("Return")
    assert here.stored().review.status == "needs_review"
    here.wait_ready()
    here.press("Return")
    assert here.shell.changes, "and works afterwards"


def test_a_held_enter_settles_one_clip_only(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    action = here.shell.registry.action("review.accept")
    assert action.keys == ("Return", "Enter")
    assert not action.auto_repeat
    here.press("C")
    editor = here.page.form.texts["caption"].editor
    repeat = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "\r", True, 1)
    QApplication.sendEvent(editor, repeat)
    assert here.page.form.texts["caption"].editing, "an Enter still held from before does not end the text"


def test_broken_rule_asks_in_the_form_before_it_is_stored(add_clip, stage):
    add_clip(labels={**CALM, "road_surface": "dry"})
    here = stage()
    here.open()
    here.press("Return")
    bar = here.page.form.rule_bar
    assert not bar.isHidden()
    assert "dry" in bar.sentence.text()
    assert here.stored().review.status == "needs_review"
    here.press("Esc")
    assert bar.isHidden()
    here.press("Return Return")
    assert here.shell.session.library.clip(here.shell.changes[-1].clip_ids[0]).status == "reviewed"


def test_changing_what_broke_the_rule_takes_the_question_back(add_clip, stage):
    add_clip(labels={**CALM, "road_surface": "dry"})
    here = stage()
    here.open()
    here.press("Return")
    here.page.form.open_field("road_surface")
    here.press("2")
    assert here.page.form.rule_bar.isHidden()


def test_a_clip_without_an_event_is_asked_about(add_clip, stage):
    add_clip(labels={"weather": "clear"})
    here = stage()
    here.open()
    here.press("Return")
    assert here.page.form.rule_bar.sentence.text() == "Event is not answered."
    assert here.stored().review.status == "needs_review"
    here.press("Return")
    assert here.shell.session.library.clip(here.shell.changes[-1].clip_ids[0]).status == "reviewed"


def test_undo_returns_to_the_clip_it_concerns(add_clip, stage):
    add_clip()
    add_clip("h264_gop250.mp4")
    here = stage()
    here.open()
    first = here.state.clip.id
    here.press("1 Return")
    assert here.state.clip.id != first
    here.press("Backspace")
    assert here.state.clip.id == first
    assert here.stored().review.status == "in_review", "Enter was taken back"
    assert here.stored().labels["event_type"] == "collision", "and only Enter"
    here.press("Ctrl+Z")
    assert here.stored().review.verdicts == {}
    here.press("Ctrl+Shift+Z")
    assert here.stored().labels["event_type"] == "collision"


def test_nothing_to_undo_is_said(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.press("Backspace")
    assert "nothing" in here.toast


def test_accept_and_reject_one_field(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.press("A Down Down Down X")
    verdicts = here.stored().review.verdicts
    assert verdicts["event_type"].verdict == "accepted"
    assert verdicts["ego_involved"].verdict == "rejected"
    assert len(verdicts) == 2
    assert here.page.form.model.view("ego_involved").text == "wrong, not known"


def test_w_goes_through_the_doubtful_fields(add_clip, stage):
    add_clip(confidence={"event_type": 0.9, "initiated_by": 0.5, "weather": 0.3})
    here = stage()
    here.open()
    here.press("W")
    assert here.page.form.open_key == "initiated_by"
    here.press("W")
    assert here.page.form.open_key == "weather"
    assert here.page.form.cards["weather"].isVisible(), "a context field opens as a card"
    here.press("W")
    assert here.page.form.open_key == "initiated_by"


def test_alt_and_digit_open_a_field_by_its_place(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.press("Alt+2")
    assert here.page.form.open_key == here.page.form.model.order[1]
    assert here.stored().review.verdicts == {}


def test_text_field_takes_all_keys_and_escape_leaves_it(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.press("C")
    editor = here.page.form.texts["caption"].editor
    assert editor.hasFocus()
    before = here.page.desk.playback.position
    QTest.keyClicks(editor, "1 new ejk, words.")
    assert editor.toPlainText() == "1 new ejk, words."
    assert here.page.desk.playback.position == before
    assert here.stored().review.verdicts == {}
    here.press("Esc")
    assert not here.page.form.texts["caption"].editing
    assert here.page.hasFocus()
    assert here.stored().review.verdicts == {}


def test_enter_in_the_description_is_done_and_shows_what_changed(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.press("C")
    editor = here.page.form.texts["caption"].editor
    editor.setPlainText("A car cuts in. Ego brakes hard.")
    here.press("Return")
    assert here.stored().labels["caption"] == "A car cuts in. Ego brakes hard."
    assert here.stored().review.status == "in_review", "Enter in the text did not settle the clip"
    shown = here.page.form.texts["caption"].shown.text()
    assert "<s" in shown
    assert "slightly." in shown


def test_ctrl_enter_in_the_description_is_done_and_next(add_clip, stage):
    add_clip()
    add_clip("h264_gop250.mp4")
    here = stage()
    here.open()
    first = here.state.clip.id
    here.press("C")
    here.page.form.texts["caption"].editor.setPlainText("Another text.")
    here.press("Ctrl+Return")
    assert here.state.clip.id != first
    assert here.shell.session.library.clip(first).status == "reviewed"


def test_too_long_a_description_stays_in_the_editor(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.press("C")
    text = here.page.form.texts["caption"]
    text.editor.setPlainText("x" * 241)
    assert text.counter.text() == "241/240"
    here.press("Return")
    assert text.editing


def test_note_is_stored(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.press("V")
    QTest.keyClicks(here.page.form.note.editor, "ask Bob")
    here.press("Return")
    assert here.stored().review.note == "ask Bob"


def test_no_incident_hides_the_fields_of_an_event_and_undo_brings_them_back(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.press("3")
    assert here.page.form.cards["conflict_with"].isHidden()
    assert here.stored().labels["severity"] == "low"
    here.press("Backspace")
    assert not here.page.form.cards["conflict_with"].isHidden()


def test_status_keys(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    for key, status in (("T", "needs_coaching"), ("Y", "needs_recognition"), ("Shift+N", "escalated")):
        here.press(key)
        assert here.stored().review.status == status


def test_dismissal_asks_why_and_goes_on(add_clip, stage, qtbot):
    add_clip()
    add_clip("h264_gop250.mp4")
    here = stage()
    here.open()
    first = here.state.clip.id
    here.press("D")
    menu = QApplication.activePopupWidget()
    assert len(menu.actions()) == 6
    QTest.keyClick(menu, Qt.Key.Key_2)
    qtbot.waitUntil(lambda: here.state.clip.id != first)
    review = here.shell.session.library.review(first, reviewer="Ann", schema_key=here.shell.session.schema.key)
    assert (review.status, review.dismiss_reason) == ("dismissed", "duplicate")


def test_reason_of_a_correction_can_be_said(add_clip, stage, qtbot):
    add_clip()
    here = stage()
    here.open()
    here.press("1 R")
    menu = QApplication.activePopupWidget()
    next(a for a in menu.actions() if "ambiguous" in a.text()).trigger()
    menu.close()
    assert here.stored().review.verdicts["event_type"].reason == "ambiguous"


def test_each_question_offers_its_own_answers_and_no_others(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.press("1 R")
    reasons = [action.text() for action in QApplication.activePopupWidget().actions()]
    QApplication.activePopupWidget().close()
    here.press("D")
    dismissals = [action.text() for action in QApplication.activePopupWidget().actions()]
    QApplication.activePopupWidget().close()
    assert len(dismissals) == 6
    assert not set(reasons) & set(dismissals)
    here.press("R")
    assert [action.text() for action in QApplication.activePopupWidget().actions()] == reasons
    QApplication.activePopupWidget().close()


def test_next_and_previous_unfinished_and_the_one_just_finished(add_clip, stage):
    ids = {add_clip(name).id for name in ("h264_bframes.mp4", "h264_gop250.mp4", "h264_vfr.mp4")}
    here = stage()
    here.open()
    first = here.state.clip.id
    here.press("N")
    second = here.state.clip.id
    here.press("P")
    assert here.state.clip.id == first
    here.wait_ready()
    here.press("Return")
    assert here.state.clip.id == second
    here.press("H")
    assert here.state.clip.id == first
    assert {first, second} < ids


def test_next_clip_is_ready_before_it_is_asked_for(add_clip, stage, qtbot):
    add_clip()
    other = add_clip("h264_gop250.mp4")
    here = stage()
    here.open()
    if here.state.clip.id == other.id:
        here.press("N")
        here.wait_ready()
    qtbot.waitUntil(lambda: here.page.opener.ready_id == other.id)
    source = here.page.opener._ready.source
    assert source.wait_idle(5)
    assert source.cached(here.page.opener._ready.index.at_time(1.5)) is not None
    here.press("N")
    assert here.page.desk.playback.source is source


@pytest.mark.parametrize("frame", [31, 44, 61])  # 1033.3, 1466.7 and 2033.3 ms; whole ones are stored
@pytest.mark.parametrize("frame_cache_mb", [64, 1])  # 1: a quarter of it holds three of these frames
def test_next_clips_first_painted_frame_is_its_events_and_was_decoded_before(
    a_and_b, stage, session, monkeypatch, frame, frame_cache_mb
):
    session.settings = session.settings.model_copy(update={"frame_cache_mb": frame_cache_mb})
    a, b = a_and_b
    here = stage()
    here.open(a.id)
    end_ms = round(frame * 1000 / 30)
    review.set_value(session, b.id, "event_time", {"start_ms": end_ms - 500, "end_ms": end_ms})
    asked, request = [], ClipSource.request
    monkeypatch.setattr(ClipSource, "request", lambda self, i: (asked.append((self.clip_id, i)), request(self, i)))
    here.page._make_next_ready()
    source = here.page.opener._ready.source
    assert asked == [(b.id, frame)]
    assert source.wait_idle(5)
    source.request = lambda _frame: None  # what is not decoded by now will never be
    painted = []
    here.page.desk.view.painted.connect(lambda clip_id, i: painted.append((clip_id, i)))
    here.press("Return")
    assert here.state.clip.id == b.id
    picture = here.page.desk.view.picture
    assert (picture.clip_id, picture.frame_index, picture.exact) == (b.id, frame, True)
    assert picture.frame is not None
    here.page.desk.view.repaint()
    assert [i for clip_id, i in painted if clip_id == b.id] == [frame]


def test_queue_done_and_then_undo(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.press("Return")
    assert here.page.state is None
    assert here.page._empty.title.text() == "The queue is done"
    here.press("Backspace")
    assert here.state.review.status == "needs_review"


def test_empty_library_offers_what_to_do_first(stage):
    here = stage()
    here.open(ready=False)
    assert here.page._empty.title.text() == "Nothing to review yet"
    here.page._empty.buttons[0].click()
    assert here.shell.samples == 1


def test_clip_that_was_not_analysed_can_be_analysed_or_judged_from_nothing(add_clip, stage):
    add_clip(labels=None)
    here = stage()
    here.open()
    assert not here.page.side.banner.isHidden()
    here.page.side.analyse.click()
    assert here.shell.analysed == [here.state.clip.id]
    assert here.page.form.cards["event_type"].header.accessibleName().count("not answered") == 1
    here.press("3 Return")
    stored = here.shell.session.library.clips_in_folder(clips.clip("h264_bframes.mp4").parent)
    assert [clip.status for clip in stored] == ["reviewed"]


def test_clip_that_is_being_analysed_says_how_far_that_is(add_clip, stage):
    clip = add_clip(labels=None)
    here = stage()
    here.open()
    side, tasks = here.page.side, here.shell.tasks
    task = tasks.begin("Analysing")
    task.clip_ids, task.clips_in_all = frozenset({clip.id}), 1
    task.update("Analysing", fraction=0.42)
    assert side.banner_words.text() == "Being analysed, 42 %"
    assert side.analyse.isHidden()
    task.clips_in_all = 3
    task.update("Analysing", fraction=0.5)
    assert side.banner_words.text() == "Being analysed, with 2 other clips: 50 % done"
    task.clip_ids = frozenset({"another"})
    task.update("Analysing", fraction=0.6)
    assert not side.analyse.isHidden()
    task.finish()
    assert side.banner_words.text().startswith("Not analysed yet")


def test_unreadable_clip_says_why_in_place_of_the_picture(add_clip, stage):
    broken = add_clip("cut_no_moov.mp4", labels=None)
    here = stage()
    here.open(broken.id, ready=False)
    message, _ = here.page.desk.view._message
    assert message
    assert here.page.desk.transport.frame_number.text() == ""
    assert here.page.desk.headline.problem.text() == "No picture"


def test_clip_whose_file_is_gone_says_so(add_clip, stage, tmp_path):
    path = tmp_path / "moved.mp4"
    path.write_bytes(clips.clip("h264_bframes.mp4").read_bytes())
    gone = add_clip(path=path)
    path.unlink()
    here = stage()
    here.open(gone.id, ready=False)
    assert "moved.mp4" in here.page.desk.view._message[0]


@pytest.mark.parametrize("keys", ["3", "U", "A", "X", "Return", "T", "Y"])
def test_clip_whose_file_is_gone_is_not_judged(add_clip, stage, tmp_path, keys):
    path = tmp_path / "moved.mp4"
    path.write_bytes(clips.clip("h264_bframes.mp4").read_bytes())
    gone = add_clip(path=path)
    path.unlink()
    here = stage()
    here.open(gone.id, ready=False)
    here.press(keys)
    assert here.shell.session.library.history(gone.id) == []
    assert here.toast.startswith("No picture of this clip can be shown")


@pytest.mark.parametrize("keys", ["3", "Return", "T"])
def test_clip_without_a_picture_is_not_judged(add_clip, stage, keys):
    broken = add_clip("cut_no_moov.mp4", labels=None)
    here = stage()
    here.open(broken.id, ready=False)
    here.press(keys)
    assert here.shell.session.library.history(broken.id) == []
    assert here.toast.startswith("No picture of this clip can be shown")


def test_description_of_a_clip_that_is_gone_stays_in_its_editor(add_clip, stage, tmp_path):
    path = tmp_path / "moved.mp4"
    path.write_bytes(clips.clip("h264_bframes.mp4").read_bytes())
    gone = add_clip(path=path)
    path.unlink()
    here = stage()
    here.open(gone.id, ready=False)
    here.page.commands.edit_caption()
    QTest.keyClicks(QApplication.focusWidget(), "Unseen.")
    here.page.acts.drafts.commit()
    assert here.shell.session.library.history(gone.id) == []
    assert here.page.acts.drafts.open


def test_clip_that_nobody_can_see_can_be_left_for_later(add_clip, stage):
    broken = add_clip("cut_no_moov.mp4", labels=None)
    here = stage()
    here.open(broken.id, ready=False)
    here.press("Shift+N")
    assert here.stored().review.status == "escalated"


def test_raw_json_and_history_tabs(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.press("1")
    here.page.side.tabs.setCurrentIndex(1)
    assert '"near_miss"' in here.page.side.raw.text.toPlainText()
    here.page.side.raw.copy.click()
    assert '"near_miss"' in QApplication.clipboard().text()
    here.page.side.tabs.setCurrentIndex(2)
    history = here.page.side.history.list
    assert any("Near miss → Collision" in history.item(i).text() for i in range(history.count()))
    here.press("Backspace")
    assert "Taken back" in history.item(0).text()


def test_arrows_and_space_are_the_pages_whatever_was_clicked(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    QTest.mouseClick(here.page.form.cards["event_type"].rows["collision"], Qt.MouseButton.LeftButton)
    assert here.stored().labels["event_type"] == "collision"
    before = here.page.desk.playback.position
    here.press("Right")
    assert here.page.desk.playback.position == before + 1
    here.press("Space")
    assert here.page.desk.playback.playing
    here.press("Space")
    assert not here.page.desk.playback.playing


def test_changing_the_opened_field_clears_the_marked_stretch(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.press("I Right O")
    assert here.page.desk.marked_frames() is not None
    here.press("Down")
    assert here.page.desk.marked_frames() is None


def test_everything_that_can_be_pressed_has_a_name(add_clip, stage):
    from PySide6.QtWidgets import QAbstractButton

    add_clip()
    here = stage()
    here.open()
    nameless = [
        button
        for button in here.page.findChildren(QAbstractButton)
        if button.isVisible() and not (button.accessibleName() or button.text())
    ]
    assert nameless == []


def test_nothing_takes_the_focus_by_a_click(add_clip, stage):
    from PySide6.QtWidgets import QAbstractButton, QAbstractItemView

    add_clip()
    here = stage()
    here.open()
    clicked = Qt.FocusPolicy.ClickFocus
    greedy = [
        widget
        for kind in (QAbstractButton, QAbstractItemView)
        for widget in here.page.findChildren(kind)
        if widget.isVisible() and widget.focusPolicy() & clicked == clicked
    ]
    assert greedy == []


@pytest.mark.parametrize(("width", "compact"), [(1400, False), (1218, True)])
def test_queue_is_a_drawer_where_there_is_little_room(add_clip, stage, width, compact):
    add_clip()
    here = stage()
    here.open()
    here.window.resize(width, 690)
    here.page.setGeometry(0, 0, width, 690)
    assert here.page.queue_list.isHidden() == compact
    assert here.page.side.width() == (320 if compact else 348)
    if compact:
        here.page.desk.headline.queue_button.click()
        assert here.page.arrangement.drawer_open
        here.press("Esc")
        assert not here.page.arrangement.drawer_open


def test_full_screen_leaves_the_picture_alone_and_escape_brings_the_rest_back(add_clip, stage):
    here = stage()
    here.open(add_clip().id)
    here.press("F")
    assert here.shell.surroundings is False
    here.press("Escape")
    assert here.shell.surroundings is True


def test_leaving_the_go_to_box_gives_the_keys_back_to_the_page(add_clip, stage):
    here = stage()
    here.open(add_clip().id)
    before = here.page.desk.playback.position
    here.press("G")
    here.press("Escape")
    here.press("Right")
    assert here.page.desk.playback.position == before + 1
    here.press("G")
    QTest.keyClicks(here.page.desk.go_to_box, "999999")
    QTest.keyClick(here.page.desk.go_to_box, Qt.Key.Key_Return)
    assert here.page.desk.go_to_box.isVisible()
    assert "frames 0 to" in here.toast
    here.press("Escape")
    here.press("Left")
    assert here.page.desk.playback.position == before


def test_second_reviewer_is_told_that_the_clip_is_settled(add_clip, stage, session):
    clip = add_clip()
    review.accept_rest(session, clip.id, window_seen=True)
    session.reviewer = "Bea"
    here = stage()
    here.open(clip.id)
    assert "settled by Ann" in here.page.desk.headline.rest.text()


def test_queue_keeps_its_order_until_it_is_told_to_sort_again(a_and_b, stage):
    here = stage()
    here.open(a_and_b[0].id)
    queue, side, library = here.page.queue, here.page.queue_side, here.shell.session.library
    before = [item.clip_id for item in queue.items(0, 9)]
    assert sorted(before) == sorted(clip.id for clip in a_and_b)
    assert here.page.queue_list.sort.isHidden()
    answer = library.analyses(before[1])[0]
    library.add_analysis(replace(answer, id="urgent", created_at="2026-11-22T12:00:00.000Z", attention=1.0))
    for jump in reversed(before):
        here.page.open_clip(jump)
        side.refresh()
        assert [item.clip_id for item in queue.items(0, 9)] == before
    here.page.queue_list.sort.click()
    assert [item.clip_id for item in queue.items(0, 9)] == before[::-1]
    assert here.page.queue_list.sort.isHidden()
    assert here.page.queue_list.view.currentIndex().row() == queue.row_of(here.state.clip.id)
