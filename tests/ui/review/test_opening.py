"""A clip whose frames are not known yet: its first picture at once, which proves nothing, then the exact frame."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from tests.clips import clip, read_code
from tests.ui.review.conftest import FIRST_OF_B, review_of
from tests.ui.review.test_honest import forget_next
from vvlm_desktop.errors import ClipUnreadableError, JobCancelledError
from vvlm_desktop.ui.review import reading
from vvlm_desktop.ui.review.early_picture import progress_words
from vvlm_desktop.ui.review.player_view import NO_FRAME, Picture, VideoView
from vvlm_desktop.video.first_picture import first_picture
from vvlm_desktop.video.probe import ExamineProgress
from vvlm_desktop.workflow.frame_index import index_of


@dataclass
class SlowDisk:
    """Reads an index when it is told to, unless reading is cancelled before."""

    arrived: threading.Event = field(default_factory=threading.Event)
    told: ExamineProgress | None = None
    error: Exception | None = None
    begun: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    given_up: bool = False

    def index_of(self, session, wanted, *, cancelled, progress):
        self.begun.append(wanted.id)
        if self.told is not None:
            progress(self.told)
        while not self.arrived.wait(0.002):
            if cancelled() or self.given_up:
                self.stopped.append(wanted.id)
                raise JobCancelledError("stopped")
        if self.error is not None:
            raise self.error
        return index_of(session, wanted, cancelled=cancelled, progress=progress)


@pytest.fixture
def disk(monkeypatch):
    slow = SlowDisk()
    monkeypatch.setattr(reading, "index_of", slow.index_of)
    yield slow
    slow.given_up = True


@pytest.fixture
def here(a_and_b, stage):
    """Clip A is open, the index of clip B is gone."""
    a, b = a_and_b
    here = stage()
    here.open(a.id)
    forget_next(here)
    here.shell.session.library.index_file(b).unlink()
    return here


def picture_of(here) -> Picture | None:
    return here.page.desk.view.picture


def wait_for_first(here) -> Picture:
    here.qtbot.waitUntil(lambda: picture_of(here) is not None)
    picture = picture_of(here)
    assert picture.frame_index == NO_FRAME
    return picture


def badge(here) -> str:
    return ", ".join(here.page.desk.view.badges.texts)


def test_first_picture_stands_until_the_exact_frame_can_take_its_place(here, a_and_b, disk):
    disk.told = ExamineProgress(0.42)
    here.page.open_clip(a_and_b[1].id)
    first = wait_for_first(here)
    assert first.clip_id == a_and_b[1].id
    assert read_code(first.frame.to_ndarray(format="rgb24")) == FIRST_OF_B
    here.qtbot.waitUntil(lambda: badge(here) == "First picture, finding the frames… 42 %")
    assert badge(here) == here.page.desk.view.badges.accessibleName()
    disk.arrived.set()
    here.qtbot.waitUntil(lambda: here.page.desk.view.on_screen is not None)
    shown = here.page.desk.view.on_screen
    at = here.page.desk.looking.look_at
    assert at > 0
    assert (shown.clip_id, shown.frame_index, shown.exact) == (a_and_b[1].id, at, True)
    assert read_code(shown.frame.to_ndarray(format="rgb24")) == FIRST_OF_B + at
    assert badge(here) == ""
    assert here.page.desk.transport.frame_number.text() == str(at)


def test_first_picture_proves_nothing_and_names_no_frame(here, a_and_b, disk, qtbot):
    b = a_and_b[1]
    here.page.open_clip(b.id)
    wait_for_first(here)
    desk = here.page.desk
    painted: list[tuple[str, int]] = []
    desk.view.painted.connect(lambda clip_id, i: painted.append((clip_id, i)))
    desk.view.repaint()
    assert painted == [(b.id, -1)]
    assert desk.view.on_screen is None
    assert desk.attention is None
    assert desk.frame_on_screen() is None
    assert desk.transport.caption() == ""
    assert (desk.transport.frame_number.text(), desk.transport.pts.text()) == ("", "")
    assert not here.page.form.accept.isEnabled()
    here.press("E I Return")
    review = review_of(here, b.id)
    assert (review.status, review.evidence, review.verdicts) == ("needs_review", {}, {})
    assert here.state.clip.id == b.id


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (None, "finding the frames…"),
        (ExamineProgress(0.0), "finding the frames… 0 %"),
        (ExamineProgress(0.426), "finding the frames… 43 %"),
        (ExamineProgress(0.5, decoding=True), "looking for what is damaged… 50 %"),
    ],
)
def test_words_say_what_is_done_and_how_far_it_is(told, words):
    assert progress_words(told) == words


def test_without_a_certain_first_picture_words_stand_alone(here, a_and_b, disk, monkeypatch):
    monkeypatch.setattr(reading, "first_picture", lambda *_, **__: None)
    disk.told = ExamineProgress(0.42)
    here.page.open_clip(a_and_b[1].id)
    view = here.page.desk.view
    here.qtbot.waitUntil(lambda: view._message == ("Reading the clip…", "Finding the frames… 42 %"))
    assert view.picture is None


def test_another_clip_opened_meanwhile_stops_the_reading(here, a_and_b, disk):
    a, b = a_and_b
    here.page.open_clip(b.id)
    wait_for_first(here)
    here.page.open_clip(a.id)
    here.qtbot.waitUntil(lambda: disk.stopped == [b.id])
    here.wait_ready()
    assert picture_of(here).clip_id == a.id
    assert badge(here) == ""
    disk.arrived.set()
    here.page.open_clip(b.id)
    here.qtbot.waitUntil(lambda: here.page.desk.view.on_screen is not None)
    assert here.page.desk.view.on_screen.clip_id == b.id, "asked for again, it is read again"


def test_first_picture_of_a_clip_that_was_left_is_never_painted(here, a_and_b, disk, monkeypatch):
    a, b = a_and_b
    gate, find = threading.Event(), reading.first_picture
    monkeypatch.setattr(reading, "first_picture", lambda *at, **how: gate.wait(10) and find(*at, stream_index=0))
    here.page.open_clip(b.id)
    here.page.open_clip(a.id)
    gate.set()
    here.qtbot.waitUntil(lambda: disk.stopped == [b.id])
    here.wait_ready()
    assert picture_of(here).clip_id == a.id


def test_next_clip_is_read_unseen_and_goes_on_when_it_is_opened(here, a_and_b, disk):
    a, b = a_and_b
    here.page._make_next_ready()
    opener = here.page.opener
    here.qtbot.waitUntil(lambda: (s := opener._reading.so_far(b.id)) is not None and s.first is not None)
    assert picture_of(here).clip_id == a.id
    assert badge(here) == ""
    here.page.open_clip(b.id)
    assert picture_of(here).clip_id == b.id, "what is known of it is there at once"
    disk.arrived.set()
    here.qtbot.waitUntil(lambda: here.page.desk.view.on_screen is not None)
    assert disk.begun == [b.id]


def test_clip_that_turns_out_unreadable_loses_its_first_picture(here, a_and_b, disk):
    b = a_and_b[1]
    disk.error = ClipUnreadableError(here.shell.session.library.folder, "the disk went away", hint="Plug it in.")
    here.page.open_clip(b.id)
    wait_for_first(here)
    disk.arrived.set()
    here.qtbot.waitUntil(lambda: picture_of(here) is None)
    assert here.page.desk.view._message == ("the disk went away", "Plug it in.")
    assert badge(here) == ""
    assert here.page.desk.attention is None


def test_keys_and_page_go_on_meanwhile(here, a_and_b, disk):
    a, b = a_and_b
    here.page.open_clip(b.id)
    wait_for_first(here)
    here.press("Space Right J K L Home End")
    assert picture_of(here).clip_id == b.id
    here.press("P")
    here.qtbot.waitUntil(lambda: here.state.clip.id == a.id)
    here.wait_ready()


def test_closing_the_page_stops_the_reading(here, a_and_b, disk):
    here.page.open_clip(a_and_b[1].id)
    wait_for_first(here)
    here.page.opener.close()
    assert disk.stopped == [a_and_b[1].id]


def test_first_picture_stays_until_an_exact_one_comes_and_no_longer_than_its_clip(qtbot):
    found = first_picture(clip("h264_bframes.mp4"))
    assert found is not None
    first = Picture("a", NO_FRAME, found.frame, exact=False)
    view = VideoView()
    qtbot.addWidget(view)
    view.show_picture(first)
    view.badges.mark("early", "First picture")
    view.keep_only("a")
    assert view.picture is first
    assert view.badges.texts == ("First picture",)
    view.keep_only("another")
    assert view.picture is None
    assert view.badges.texts == ()
