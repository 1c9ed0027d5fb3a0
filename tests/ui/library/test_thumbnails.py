from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.clips import make_clip
from tests.ui.builders import broken_clip, clip, row
from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.ui.library.thumbnails import Thumbnails
from vvlm_desktop.workflow import frame_index
from vvlm_desktop.workflow.add import add_paths


@pytest.fixture
def added(session, tmp_path: Path):
    file = tmp_path / "a #1.mp4"
    make_clip(file, frames=12, fps=10)
    return row(1, of=add_paths(session, [file]).items[0].clip)


@pytest.fixture
def thumbnails(session, qapp):
    made = Thumbnails(session)
    yield made
    made.close()


def test_picture_is_made_beside_the_window_and_kept(thumbnails, added, session, qtbot):
    assert thumbnails.picture(added) is None
    with qtbot.waitSignal(thumbnails.made) as caught:
        pass
    assert caught.args == [added.rowid]
    picture = thumbnails.picture(added)
    assert picture.width() == 160
    assert session.library.thumbnail_file(added.clip).is_file()


def test_kept_picture_is_used_without_the_clip(thumbnails, added, session, qtbot):
    with qtbot.waitSignal(thumbnails.made):
        thumbnails.picture(added)
    Path(added.clip.path).unlink()
    again = Thumbnails(session)
    try:
        with qtbot.waitSignal(again.made):
            again.picture(added)
        assert again.picture(added) is not None
    finally:
        again.close()


def test_missing_file_gives_no_picture_and_is_not_asked_for_again(thumbnails, qtbot):
    gone = row(5, of=clip(5, path="/nowhere/gone.mp4"))
    with qtbot.waitSignal(thumbnails.made):
        thumbnails.picture(gone)
    with qtbot.assertNotEmitted(thumbnails.made, wait=30):
        assert thumbnails.picture(gone) is None


def test_damaged_picture_file_is_made_again_at_the_next_look(thumbnails, added, session, qtbot):
    session.library.thumbnail_file(added.clip).write_bytes(b"no jpeg")
    with qtbot.waitSignal(thumbnails.made):
        thumbnails.picture(added)
    assert thumbnails.picture(added) is None
    again = Thumbnails(session)
    try:
        with qtbot.waitSignal(again.made):
            again.picture(added)
        assert again.picture(added) is not None
    finally:
        again.close()


def test_unreadable_clip_is_never_decoded(thumbnails):
    assert thumbnails.picture(row(9, of=broken_clip())) is None
    assert thumbnails._thread is None


def test_closing_ends_the_thread(thumbnails, added):
    thumbnails.picture(added)
    thumbnails.close()
    assert not thumbnails._thread.is_alive()
    assert thumbnails.picture(row(7, of=clip(7))) is None


def test_closing_stops_reading_a_clip_whose_frames_are_not_known(session, added, qapp, monkeypatch):
    session.library.index_file(added.clip).unlink()
    begun, stopped = threading.Event(), threading.Event()

    def examine(_path, *, cancel, **_how):
        begun.set()
        while not cancel():
            stopped.wait(0.005)
        stopped.set()
        raise JobCancelledError("stopped")

    monkeypatch.setattr(frame_index, "examine", examine)
    thumbnails = Thumbnails(session)
    thumbnails.picture(added)
    assert begun.wait(10)
    thumbnails.close()
    assert stopped.is_set()
    assert not session.library.thumbnail_file(added.clip).exists()
