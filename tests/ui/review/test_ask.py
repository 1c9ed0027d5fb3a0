"""The ask box: a free question about the clip or its marked part, while the review goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from tests.ui.review.conftest import an_analysis
from vvlm_desktop.ui.review.ask_view import entry_of_answer, entry_of_pending, range_words
from vvlm_desktop.workflow.frame_index import index_of


@pytest.fixture
def with_model(session):
    session.settings = session.settings.model_copy(update={"backend": "local", "local_model": "OpenGVLab/InternVL3-2B"})


@pytest.fixture
def opened(stage, add_clip, with_model):
    clip = add_clip()
    page = stage()
    page.open(clip.id)
    page.clip = clip
    return page


def box(page):
    return page.page.commands.ask_box


def panel(page):
    return page.page.side.ask


def answer(page, question: str = "Who?", said: str = "The car.", *, frames: int = 4, **settings):
    """Store an answer, as the worker's would be."""
    session = page.shell.session
    index = index_of(session, page.clip)
    base = an_analysis(session, page.clip, index, {}, confidence={})
    stored = replace(
        base,
        id=f"q-{question}",
        backend="local",
        model="OpenGVLab/InternVL3-2B",
        kind="question",
        question=question,
        raw_text=said,
        labels={},
        confidence={},
        confidence_kind=None,
        frames_pts=index.pts[:frames],
        settings=settings,
    )
    session.library.add_analysis(stored)
    return stored


def test_key_opens_the_line_and_escape_gives_the_keys_back(opened):
    assert not panel(opened).isVisibleTo(opened.page)
    opened.press("Shift+Q")
    assert panel(opened).isVisibleTo(opened.page)
    assert QApplication.focusWidget() is panel(opened).line
    assert "InternVL3-2B" in panel(opened).about.text()
    opened.press("Esc")
    assert not panel(opened).isVisibleTo(opened.page)
    assert opened.page.hasFocus()


def test_typed_text_is_not_taken_as_keys_of_the_page_and_survives_escape(opened):
    opened.press("Shift+Q")
    for key in ["N", "A", "1", "?"]:
        opened.press(key)
    opened.press("Esc")
    assert opened.stored().review.verdicts == {}
    opened.press("Shift+Q")
    assert panel(opened).line.text().lower() == "na1?"


def test_enter_asks_about_the_whole_clip_and_accepts_nothing(opened):
    opened.press("Shift+Q")
    panel(opened).line.setText("  Who had the right of way? ")
    opened.press("Return")
    (asked,) = opened.shell.questions.pending
    assert (asked.question, asked.range_ms, asked.clip.id) == ("Who had the right of way?", None, opened.clip.id)
    assert panel(opened).line.text() == ""
    assert opened.stored().review.verdicts == {}
    assert [view.entry.state for view in panel(opened).entries.values()] == ["asking"]


def test_empty_question_is_not_asked(opened):
    opened.press("Shift+Q")
    panel(opened).line.setText("   ")
    opened.press("Return")
    assert opened.shell.questions.pending == []


def test_marked_part_is_what_is_asked_about(opened):
    desk = opened.page.desk
    desk._marked = [10, 19]
    opened.press("Shift+Q")
    index = desk.index
    assert range_words((index.ms(10), index.ms(20))) in panel(opened).about.text()
    panel(opened).line.setText("What is this?")
    opened.press("Return")
    assert opened.shell.questions.pending[0].range_ms == (index.ms(10), index.ms(20))  # the last frame included


def test_last_frame_of_the_clip_can_be_asked_about(opened):
    desk = opened.page.desk
    last = len(desk.index) - 1
    desk._marked = [last, last]
    start_ms, end_ms = box(opened)._range_ms()
    assert start_ms == desk.index.ms(last)
    assert end_ms > start_ms


def test_several_questions_wait_at_once_and_can_be_given_up(opened):
    opened.press("Shift+Q")
    for text in ("One?", "Two?"):
        panel(opened).line.setText(text)
        opened.press("Return")
    one, _two = panel(opened).entries.values()
    assert one.forget.text() == "Give up"
    one.forget.click()
    assert [each.question for each in opened.shell.questions.pending] == ["Two?"]
    assert [view.entry.question for view in panel(opened).entries.values()] == ["Two?"]


def test_answer_is_shown_with_who_said_it(opened):
    opened.press("Shift+Q")
    panel(opened).line.setText("Who?")
    opened.press("Return")
    answer(opened, range_ms=[3200, 5100])
    opened.shell.questions.forget(opened.shell.questions.pending[0])
    (view,) = panel(opened).entries.values()
    assert view.answer.text() == "The car."
    assert "InternVL3-2B" in view.detail.text()
    assert range_words((3200, 5100)) in view.detail.text()
    assert "Who?" in view.accessibleName()


def test_answer_that_comes_while_the_box_is_closed_is_told(opened):
    answer(opened)
    opened.shell.questions.changed.emit(opened.clip.id)
    assert "answered" in opened.toast
    opened.page.desk.toast.hide()
    opened.shell.questions.changed.emit(opened.clip.id)
    assert opened.toast == ""  # once


def test_earlier_questions_are_there_oldest_first(opened):
    answer(opened, "First?")
    answer(opened, "Second?")
    opened.press("Shift+Q")
    assert [view.entry.question for view in panel(opened).entries.values()] == ["First?", "Second?"]


def test_frames_of_an_answer_are_shown_in_the_models_lane_and_taken_back(opened):
    stored = answer(opened, frames=3)
    desk = opened.page.desk
    own, own_seen = desk.timeline.model.seen_s, desk.seen_frames
    opened.press("Shift+Q")
    (view,) = panel(opened).entries.values()
    assert view.frames.text() == "Show 3 frames"
    view.frames.click()
    assert desk.seen_frames == (0, 1, 2)
    assert len(desk.timeline.model.seen_s) == 3
    assert "Who?" in desk.timeline.model.seen_name
    assert view.frames.text() == "Hide 3 frames"
    box(opened).toggle_frames(stored.id)
    assert (desk.timeline.model.seen_s, desk.seen_frames) == (own, own_seen)


def test_leaving_the_box_brings_the_clips_own_frames_back(opened):
    stored = answer(opened)
    desk = opened.page.desk
    own = desk.timeline.model.seen_s
    opened.press("Shift+Q")
    box(opened).toggle_frames(stored.id)
    opened.press("Esc")
    assert desk.timeline.model.seen_s == own


def test_other_clip_has_its_own_questions_and_its_own_typed_text(opened, add_clip):
    answer(opened)
    opened.press("Shift+Q")
    panel(opened).line.setText("half a ques")
    other = add_clip("h264_full_range.mp4")
    opened.page.open_clip(other.id)
    opened.press("Shift+Q")
    assert panel(opened).entries == {}
    assert panel(opened).line.text() == ""
    opened.page.open_clip(opened.clip.id)
    opened.press("Shift+Q")
    assert panel(opened).line.text() == "half a ques"
    assert len(panel(opened).entries) == 1


def test_built_in_measurements_answer_nothing_and_the_models_are_a_button_away(stage, add_clip):
    clip = add_clip()
    page = stage()
    page.open(clip.id)
    page.press("Shift+Q")
    assert "answer no questions" in panel(page).note.text()
    panel(page).line.setText("Who?")
    page.press("Return")
    assert page.shell.questions.pending == []
    assert panel(page).line.text() == "Who?"  # nothing typed is lost
    assert panel(page).models.hasFocus()
    panel(page).models.click()
    assert page.shell.places == [("models", None)]


def test_failed_question_says_why_and_can_be_asked_again(opened):
    opened.press("Shift+Q")
    panel(opened).line.setText("Who?")
    opened.press("Return")
    pending = opened.shell.questions.pending[0]
    pending.problem, pending.hint = "The model does not fit.", "Choose a smaller one."
    opened.shell.questions.changed.emit(opened.clip.id)
    (view,) = panel(opened).entries.values()
    assert "Choose a smaller one." in view.answer.text()
    assert view.forget.text() == "Remove"
    view.again.click()
    (again,) = opened.shell.questions.pending
    assert again is not pending
    assert not again.failed


def test_long_and_hostile_answers_widen_nothing(opened):
    answer(opened, "<b>" + "w" * 300, "<script>" + "y" * 2000 + "-" * 2000)
    opened.press("Shift+Q")
    QApplication.processEvents()
    (view,) = panel(opened).entries.values()
    assert view.answer.width() < opened.page.side.width()
    assert panel(opened).width() <= opened.page.side.width()
    assert view.answer.textFormat() == Qt.TextFormat.PlainText
    assert panel(opened).area.height() < opened.page.side.height() / 2


def test_entries_in_words(opened):
    stored = answer(opened, said="  ")
    assert entry_of_answer(stored).answer == "It said nothing."
    asked = opened.shell.questions.ask(opened.clip, "Who?", range_ms=(0, 1000))
    assert "Asking…" in entry_of_pending(asked).detail
    assert range_words(None) == ""
