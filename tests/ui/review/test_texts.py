"""What is typed is never lost: stored first, or kept in its editor with the reason."""

from __future__ import annotations

import pytest
from PySide6.QtTest import QTest

from tests.ui.review.conftest import review_of
from vvlm_desktop.errors import StorageFullError
from vvlm_desktop.workflow import review

FOUR_SENTENCES = "A car cuts in. The ego brakes. The other drives on. Nobody touched."


@pytest.fixture
def two(add_clip, stage):
    """The page on the first of two clips."""
    add_clip()
    add_clip("h264_gop250.mp4")
    here = stage()
    here.open()
    other = here.page.queue.next_id(here.state.clip.id)
    return here, here.state.clip.id, other


def write_caption(here, text: str):
    here.press("C")
    field = here.page.form.texts["caption"]
    field.editor.setPlainText(text)
    return field


def write_note(here, text: str):
    here.press("V")
    here.page.form.note.editor.setPlainText(text)


@pytest.mark.parametrize("key", ["Return", "Ctrl+Return"])
def test_refused_description_stays_in_the_editor_and_the_clip_stays(two, key):
    here, first, _ = two
    field = write_caption(here, FOUR_SENTENCES)
    here.press(key)
    assert here.state.clip.id == first
    assert review_of(here, first).status == "needs_review"
    assert field.editing
    assert field.editor.toPlainText() == FOUR_SENTENCES
    assert not field.refused.isHidden()
    assert "sentences" in field.refused.text()
    field.editor.setPlainText("Nobody touched.")
    assert field.refused.isHidden()
    here.press(key)
    assert review_of(here, first).labels()["caption"] == "Nobody touched."


@pytest.mark.parametrize("leave", ["queue", "enter", "undo", "page"])
def test_note_that_is_being_typed_is_stored_before_the_page_goes_on(two, leave):
    here, first, other = two
    here.press("1")
    write_note(here, "driver was on the phone")
    if leave == "queue":
        here.page.queue_list.chosen.emit(other)
    elif leave == "enter":
        here.page.form.accept.click()
        assert review_of(here, first).status == "reviewed"
    elif leave == "undo":
        here.page.acts.undo()
        assert review_of(here, first).note == "", "typing was the last thing that was done"
        here.page.acts.redo()
    else:
        here.page.deactivate()
    assert review_of(here, first).note == "driver was on the phone"
    assert review_of(here, other).note == ""
    assert not here.page.form.note.editing


def test_text_that_cannot_be_stored_holds_the_clip(two):
    here, first, other = two
    field = write_caption(here, "x" * 241)
    for go in (lambda: here.page.open_clip(other), lambda: here.page.activate(other), here.page.acts.undo):
        go()
        assert here.state.clip.id == first
        assert field.editing
        assert len(field.editor.toPlainText()) == 241
    assert "Not stored" in here.toast
    toast = here.page.desk.toast
    here.qtbot.waitUntil(lambda: toast.words.height() >= toast.words.heightForWidth(toast.words.width()))
    here.page.deactivate()
    assert field.editing, "on another page it waits"


def test_both_editors_are_stored(two):
    here, first, other = two
    write_caption(here, "Nobody touched.")
    here.page.form.edit_note()
    here.page.form.note.editor.setPlainText("ask Bob")
    here.page.open_clip(other)
    assert review_of(here, first).labels()["caption"] == "Nobody touched."
    assert review_of(here, first).note == "ask Bob"


def test_closing_the_window_keeps_what_no_field_takes_with_the_note(two):
    here, first, _ = two
    write_note(here, "ask Bob")
    here.press("Return")
    write_caption(here, FOUR_SENTENCES)
    announced = len(here.shell.changes)
    here.page.close_page()
    assert "caption" not in review_of(here, first).verdicts
    assert review_of(here, first).note == f"ask Bob · Description: {FOUR_SENTENCES}"
    assert len(here.shell.changes) == announced, "pages that are being closed are told nothing"


def test_closing_the_window_stores_open_editors(two):
    here, first, _ = two
    write_caption(here, "Nobody touched.")
    here.page.close_page()
    assert review_of(here, first).labels()["caption"] == "Nobody touched."


def test_text_belongs_to_the_reviewer_who_typed_it(two):
    here, first, _ = two
    write_note(here, "ask Bob")
    session = here.shell.session
    session.reviewer = "Bea"
    here.page.on_settings(session.settings)
    assert review_of(here, first, "Ann").note == "ask Bob"
    assert review_of(here, first, "Bea").note == ""
    assert not here.page.form.note.editing


def test_other_settings_leave_the_editor_alone(two):
    here, _, _ = two
    write_note(here, "ask B")
    here.page.on_settings(here.shell.session.settings)
    assert here.page.form.note.editor.toPlainText() == "ask B"


def test_opening_an_open_editor_again_keeps_what_was_typed(two):
    here, _, _ = two
    write_note(here, "ask B")
    here.page.commands.edit_note()
    assert here.page.form.note.editor.toPlainText() == "ask B"


def test_full_disk_keeps_the_text_in_its_editor(two, monkeypatch):
    here, first, other = two
    write_note(here, "ask Bob")

    def full(*_args, **_kwargs):
        raise StorageFullError("The disk is full.", hint="Make room.")

    monkeypatch.setattr(here.shell.session.library, "append", full)
    here.page.open_clip(other)
    assert here.state.clip.id == first
    assert here.page.form.note.editor.toPlainText() == "ask Bob"
    assert [str(problem) for problem in here.shell.problems] == ["The disk is full."]


def test_text_is_stored_at_the_second_enter_where_the_clip_changed_meanwhile(two):
    here, first, _ = two
    write_caption(here, "Nobody touched.")
    review.set_value(here.shell.session, first, "event_type", "collision")
    here.press("Return")
    assert here.page.form.texts["caption"].editing
    assert here.state.labels["event_type"] == "collision", "the page shows what holds now"
    assert "caption" not in review_of(here, first).verdicts
    here.press("Return")
    assert review_of(here, first).labels()["caption"] == "Nobody touched."


def test_escape_throws_away_and_nothing_typed_is_nothing_stored(two):
    here, first, other = two
    write_note(here, "ask Bob")
    here.press("Esc")
    here.press("C")
    here.page.open_clip(other)
    assert review_of(here, first).status == "needs_review"
    assert review_of(here, first).verdicts == {}


def test_keys_go_into_the_editor_that_was_refused(two):
    here, _, _ = two
    field = write_caption(here, FOUR_SENTENCES)
    here.press("Return")
    assert field.editor.hasFocus()
    QTest.keyClicks(field.editor, "!")
    assert "!" in field.editor.toPlainText()


def test_writing_leaves_full_screen(two):
    here, _, _ = two
    here.press("F C")
    assert here.shell.surroundings is True
    assert here.page.form.texts["caption"].editor.isVisible()
