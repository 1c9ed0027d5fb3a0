"""What a check found: the measured step, one batch as the model sees it, and words that are learnt."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor

from tests.ui.training.run_folders import run_in
from tests.ui.training.setups import placed, write_batch
from vvlm_desktop.ui.training.check_batch import Piece, measured_words, preflight_words, read_batch
from vvlm_desktop.ui.training.check_text import AnswerText
from vvlm_desktop.ui.training.check_view import CheckView
from vvlm_desktop.workflow.run_progress import RunProgress

GIB = 1024**3
MEASURED = {"whole_s": 7800.0, "step_s": 10.0, "memory_bytes": int(14.2 * GIB), "memory_of_bytes": 24 * GIB}


@pytest.fixture
def view(qtbot, look, session):
    shell, made = placed(qtbot, session, CheckView)
    made.shell_for_test = shell
    yield made
    made.close_view()


def show(qtbot, view, run, **progress) -> None:
    view.show_run(run, RunProgress(state="checked", **progress))
    qtbot.waitUntil(lambda: not view._line.busy)


def test_measured_step_in_words():
    assert measured_words(RunProgress(first_step=MEASURED)) == (
        "About 2 h 10 min for the whole run; 14.2 of 24.0 GB of memory at the peak"
    )
    on_processor = {"whole_s": 166.0, "memory_bytes": None, "memory_of_bytes": None}
    assert measured_words(RunProgress(first_step=on_processor)) == "About 3 min for the whole run"
    assert measured_words(RunProgress()) == ""


def test_what_was_found_before():
    told = {"train": 18, "val": 2, "test": 0, "longest": {"clip": "van.mp4", "tokens": 4124}}
    assert preflight_words(RunProgress(preflight=told, notes=["Left out, a demo script: a.mp4."])) == [
        (True, "18 clips to learn from, 2 for validation, 0 for the test."),
        (True, "The longest clip is van.mp4 (4,124 tokens)."),
        (False, "Left out, a demo script: a.mp4."),
    ]


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), "abc", [1], None])
def test_numbers_that_make_no_sense_are_no_numbers(odd):
    step = {"whole_s": odd, "memory_bytes": odd, "memory_of_bytes": odd}
    assert measured_words(RunProgress(first_step=step)) == ""
    assert preflight_words(RunProgress(preflight={"train": odd}))[0] == (
        False,
        "0 clips to learn from, 0 for validation, 0 for the test.",
    )


@pytest.mark.parametrize("frame", ['"pts": Infinity, "time_s": 1', '"pts": 1, "time_s": Infinity'])
def test_frames_without_a_time_are_said(tmp_path, frame):
    folder = tmp_path / "check"
    folder.mkdir(parents=True, exist_ok=True)
    clip = f'{{"clip": "a", "prompt": "", "answer": [], "frames": [{{"file": "a", {frame}}}]}}'
    for text in (f'{{"clips": [{clip}]}}', "[" * 100_000):
        (folder / "batch.json").write_text(text)
        assert "cannot be read" in read_batch(tmp_path).problem


def test_batch_is_shown_letter_for_letter(view, session, qtbot):
    run = run_in(session.library.folder)
    write_batch(run.folder)
    show(qtbot, view, run, first_step=MEASURED)
    assert view.measured.text().startswith("About 2 h 10 min")
    assert len(view.frames.buttons) == 3
    assert view.frames.buttons[1].accessibleName() == "Frame 2, 00:00.50 · PTS 512"
    assert view.clip.currentText() == "van <b>0</b>.mp4"
    assert view.numbers.text() == "3 frames · prompt 3,869 tokens · answer 20 tokens, 7 learnt"
    assert view.prompt.toPlainText().startswith("… x")
    assert view.prompt.toPlainText().endswith("What happens? <b>Say</b>")
    assert view.answer.toPlainText() == '{"event_type":"<i>near_miss</i>"}'


def test_learnt_words_are_underlined_not_only_coloured(qtbot, look):
    text = AnswerText()
    qtbot.addWidget(text)
    text.show_pieces([Piece('{"a":', learnt=False), Piece('"<u>x"', learnt=True)])

    def underlined(place: int) -> bool:
        cursor = QTextCursor(text.document())
        cursor.setPosition(place + 1)
        return cursor.charFormat().fontUnderline()

    assert [underlined(place) for place in range(11)] == [False] * 5 + [True] * 6
    assert text.accessibleDescription() == 'Learnt from: "<u>x"'
    look.choose("light")
    assert text.toPlainText() == '{"a":"<u>x"'
    assert underlined(7)


def test_frame_is_enlarged_by_keyboard_and_left_again(view, session, qtbot):
    run = run_in(session.library.folder)
    write_batch(run.folder)
    show(qtbot, view, run)
    button = view.frames.buttons[1]
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert view.large.isVisible()
    assert view.large.geometry() == view.rect()
    assert view.large.accessibleName() == "Frame 2 of 3 · 00:00.50 · PTS 512 · 28 × 28"
    qtbot.keyClick(view.large, Qt.Key.Key_Right)
    qtbot.keyClick(view.large, Qt.Key.Key_Right)  # the last one
    assert view.large.place == 2
    qtbot.keyClick(view.large, Qt.Key.Key_Left)
    assert view.large.place == 1
    qtbot.keyClick(view.large, Qt.Key.Key_Escape)
    assert not view.large.isVisible()


def test_start_and_change_say_which_run(view, session, qtbot):
    run = run_in(session.library.folder)
    show(qtbot, view, run)
    pressed = []
    view.start_pressed.connect(lambda each: pressed.append(("start", each)))
    view.change_pressed.connect(lambda each: pressed.append(("change", each)))
    view.start.click()
    view.change.click()
    assert pressed == [("start", run), ("change", run)]


def test_batch_that_is_not_there_or_cannot_be_read_is_said(view, session, qtbot):
    run = run_in(session.library.folder)
    show(qtbot, view, run)
    assert view.problem.text() == "The check has left no pictures."
    assert view.problem.isVisibleTo(view)
    (run.folder / "check").mkdir()
    (run.folder / "check" / "batch.json").write_text('{"clips": [{"clip": 1}]}')
    assert "cannot be read" in read_batch(run.folder).problem


def test_pictures_outside_the_folder_are_not_opened(session):
    run = run_in(session.library.folder)
    write_batch(run.folder, frames=1)
    file = run.folder / "check" / "batch.json"
    file.write_text(file.read_text().replace("frame-00.png", "../../secret.png"))
    (frame,) = read_batch(run.folder).clips[0].frames
    assert frame.file == run.folder / "check" / "secret.png"


def test_clips_of_a_batch_can_be_chosen(view, session, qtbot):
    run = run_in(session.library.folder)
    write_batch(run.folder, clips=2)
    show(qtbot, view, run)
    assert view.clip.isEnabled()
    view.clip.setCurrentIndex(1)
    view.clip.activated.emit(1)
    assert view.seen.clip == "van <b>1</b>.mp4"
