"""Other cameras show the moment of the judged clip: after seeks, steps and shifts; what is judged stays the judged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests import clips
from vvlm_desktop.ui.review.camera_stage import cells
from vvlm_desktop.ui.review.cameras import begins_words

FRONT, REAR = "2023_0204_163814_000123F.mp4", "2023_0204_163815_000124R.mp4"


@pytest.fixture(scope="session")
def camera_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cameras")
    front = clips.make_clip(folder / FRONT, frames=120, options={"g": "30"})
    rear = clips.make_clip(folder / REAR, frames=60, fps=30, options={"g": "15"}, size=(800, 450))
    return front, rear


@pytest.fixture
def pair(add_clip, tmp_path, camera_files):
    """A front clip of 4 s, and a rear one that begins a second later and ends a second earlier."""
    return tuple(add_clip(path=tmp_path / file.name, labels=None) for file in map(_copied(tmp_path), camera_files))


def _copied(folder):
    return lambda file: shutil.copyfile(file, folder / file.name)


@pytest.fixture
def here(stage, pair):
    front, _rear = pair
    here = stage()
    here.page.activate(front.id)
    here.page.setFocus()
    here.qtbot.waitUntil(lambda: bool(here.page.desk.cameras.tiles), timeout=5000)
    return here


def shown(here, place: int = 0) -> int | str:
    """The frame that another camera shows, by the number in its pixels; or the word for its absence."""
    picture = here.page.desk.cameras.tiles[place].picture
    if picture is None or picture.frame is None:
        return picture.word if picture is not None else ""
    code = clips.read_code(picture.frame.to_ndarray(format="rgb24"))
    assert code == picture.frame_index  # the caption names what is painted
    return code


def wait_for(here, frame_index: int) -> None:
    here.qtbot.waitUntil(lambda: shown(here) == frame_index, timeout=5000)


def test_seeks_and_steps_show_the_same_moment(here):
    desk = here.page.desk
    desk.seek(75)
    wait_for(here, 45)
    here.press("Right Right")
    wait_for(here, 47)
    here.press("Left")
    wait_for(here, 46)
    tile = desk.cameras.tiles[0]
    assert tile.caption() == f"Rear · frame 46 · PTS {tile.source.index.pts[46]} · 00:01.53"
    here.qtbot.waitUntil(lambda: "Rear camera. Rear · frame 46" in tile.accessibleName())
    assert desk.playback.position == 76


def test_before_it_begins_and_after_it_ends_it_is_black_with_a_word(here):
    desk = here.page.desk
    desk.seek(15)
    here.qtbot.waitUntil(lambda: shown(here) == "not recording yet, begins in 0.5 s")
    desk.seek(115)
    here.qtbot.waitUntil(lambda: shown(here) == "recording has ended")
    desk.seek(89)
    wait_for(here, 59)


def test_playing_and_dragging_take_it_along(here):
    desk = here.page.desk
    for i in (40, 50, 60):
        desk.timeline.scrubbed.emit(i, True)
    desk.timeline.scrubbed.emit(62, False)
    wait_for(here, 32)
    desk.playback.play()
    here.qtbot.waitUntil(lambda: desk.playback.position >= 70)
    desk.playback.pause()
    wait_for(here, desk.playback.position - 30)


def test_evidence_and_verdicts_are_the_judged_clips(here, pair):
    front, _rear = pair
    desk = here.page.desk
    desk.seek(75)
    wait_for(here, 45)
    assert desk.frame_on_screen() == 75
    assert desk.evidence_span().start_pts == desk.index.pts[75]
    assert here.state.clip.id == front.id


def test_q_goes_through_the_layouts_and_back(here):
    desk = here.page.desk
    view, tile = desk.view, desk.cameras.tiles[0]
    assert view.width() > 2 * tile.width()  # in the corner
    here.press("Q")
    assert abs(view.width() * view.height() - tile.width() * tile.height()) < 0.05 * view.width() * view.height()
    assert not view.geometry().intersects(tile.geometry())
    here.press("Q")
    assert tile.width() > 2 * view.width()
    here.press("Q")
    assert not desk.cameras.tiles
    assert view.size() == desk.stage.size()
    here.press("Q")
    assert len(desk.cameras.tiles) == 1


def test_the_button_is_there_where_there_are_other_cameras(here):
    desk = here.page.desk
    button = desk.transport.cameras
    assert not button.isHidden()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert here.toast == "Cameras side by side."
    desk.show_nothing()
    assert button.isHidden()


def test_what_is_painted_small_beside_another_camera_is_not_looked_at(here):
    desk = here.page.desk
    desk.cameras.tiles[0].pressed.emit()
    assert desk.attention is not None
    desk.looking.begin(desk._open.clip.id, desk.index, None)
    desk.seek(0)
    here.qtbot.waitUntil(lambda: desk.view.on_screen is not None and desk.view.on_screen.frame_index == 0)
    desk.view.repaint()
    assert not desk.attention._looked_s
    desk.cameras.tiles[0].pressed.emit()
    here.wait_ready()


def test_a_shift_is_by_frames_and_kept_with_the_library(here, pair, stage):
    front, rear = pair
    desk = here.page.desk
    desk.seek(75)
    wait_for(here, 45)
    here.press("Shift+PgDown Shift+PgDown")
    wait_for(here, 47)
    assert here.toast == "Rear: begins 0.933 s later."
    here.page.open_clip(rear.id)
    here.qtbot.waitUntil(lambda: bool(desk.cameras.known) and desk.cameras.known[0].clip.id == front.id, timeout=5000)
    assert desk.cameras.known[0].offset_ms == 933


def test_people_unlink_and_link(here, pair):
    _front, rear = pair
    cameras = here.page.desk.cameras
    title, entry, *_rest = cameras.menu().actions()
    assert not title.isEnabled()
    assert entry.isChecked()
    assert REAR in entry.text()
    entry.setChecked(False)
    here.qtbot.waitUntil(lambda: not cameras.known, timeout=5000)
    assert not cameras.tiles
    here.press("Q")
    assert "Alt+Q" in here.toast
    cameras.menu().actions()[1].setChecked(True)
    here.qtbot.waitUntil(lambda: bool(cameras.tiles), timeout=5000)
    assert cameras.known[0].clip.id == rear.id


def test_all_cameras_together_stay_within_the_cache_that_is_set(here):
    desk = here.page.desk
    budget_bytes = here.shell.session.settings.frame_cache_mb << 20
    desk.seek(75)
    wait_for(here, 45)
    source = desk._open.source
    others_bytes = sum(tile.source._cache.budget_bytes for tile in desk.cameras.tiles)
    assert source.budget_bytes + others_bytes <= budget_bytes
    assert 0 < desk.cameras.tiles[0].source.used_bytes <= others_bytes
    before_bytes = source.budget_bytes
    here.press("Q Q Q")
    assert source.budget_bytes == before_bytes + others_bytes


def test_another_cache_size_is_kept_to_by_all_of_them_at_once(here, session):
    desk = here.page.desk
    desk.seek(75)
    wait_for(here, 45)
    session.settings = session.settings.model_copy(update={"frame_cache_mb": 8})
    here.page.on_settings(session.settings)
    tile = desk.cameras.tiles[0].source
    assert desk._open.source.budget_bytes + tile._cache.budget_bytes <= 8 << 20
    assert tile.used_bytes <= 2 << 20
    before_bytes, lent_bytes = desk._open.source.budget_bytes, tile._cache.budget_bytes
    here.press("Q Q Q")
    assert not desk.cameras.tiles
    assert desk._open.source.budget_bytes == before_bytes + lent_bytes


def test_the_judged_picture_is_named_as_long_as_others_are_beside_it(here):
    badges = here.page.desk.view.badges
    assert badges.texts == ("Front, judged",)
    here.press("Q Q Q")
    assert badges.texts == ()


def test_a_camera_whose_file_is_gone_says_so_in_its_place_and_the_judged_clip_plays(stage, pair, tmp_path):
    front, _rear = pair
    (tmp_path / REAR).unlink()
    here = stage()
    here.page.activate(front.id)
    here.page.setFocus()
    cameras = here.page.desk.cameras
    here.qtbot.waitUntil(lambda: cameras.searched_id == front.id, timeout=5000)
    (tile,) = cameras.tiles
    here.qtbot.waitUntil(lambda: shown_word(tile).endswith(f"is no longer at {tmp_path}."), timeout=5000)
    assert tile.caption() == f"Rear: {REAR} is no longer at {tmp_path}."
    assert here.page.desk.view.badges.texts == ("Front, judged",)
    here.press("Shift+PgDown")
    assert here.toast == tile.caption()
    here.page.desk.seek(30)
    assert tile.caption() == here.toast, "at every moment"
    here.wait_ready()


def test_a_camera_that_is_gone_takes_no_memory_from_the_judged_clip(stage, pair, tmp_path, session):
    front, _rear = pair
    (tmp_path / REAR).unlink()
    here = stage()
    here.page.activate(front.id)
    here.qtbot.waitUntil(lambda: bool(here.page.desk.cameras.tiles), timeout=5000)
    session.settings = session.settings.model_copy(update={"frame_cache_mb": 64})
    here.page.on_settings(session.settings)
    assert here.page.desk._open.source.budget_bytes == 64 << 20


def test_with_the_judged_clip_alone_a_camera_that_is_gone_is_told(stage, pair, tmp_path):
    front, _rear = pair
    (tmp_path / REAR).unlink()
    here = stage()
    here.page.desk.cameras._set_layout("alone")
    here.page.activate(front.id)
    here.qtbot.waitUntil(lambda: here.page.desk.cameras.searched_id == front.id, timeout=5000)
    assert here.toast == f"Rear: {REAR} is no longer at {tmp_path}."


@pytest.mark.parametrize(
    ("offset_ms", "words"),
    [(-1080, "begins 1.080 s later"), (33, "begins 0.033 s earlier"), (0, "begins at the same time")],
)
def test_a_difference_of_clocks_is_told_by_which_camera_began_first(offset_ms, words):
    assert begins_words(offset_ms) == words


def test_where_a_camera_is_damaged_no_other_picture_stands_for_the_moment(stage, add_clip, tmp_path, camera_files):
    front_file, _rear_file = camera_files
    front = add_clip(path=_copied(tmp_path)(front_file), labels=None)
    add_clip(path=Path(shutil.copyfile(clips.clip("zeroed_hevc.mp4"), tmp_path / REAR)), labels=None)
    here = stage()
    here.page.activate(front.id)
    here.page.setFocus()
    here.qtbot.waitUntil(lambda: bool(here.page.desk.cameras.tiles), timeout=5000)
    tile = here.page.desk.cameras.tiles[0]
    here.page.desk.seek(80)
    here.qtbot.waitUntil(lambda: shown_word(tile) == "no picture of this moment in its file", timeout=5000)
    for i, code in ((58, 28), (92, 62)):  # before and behind the hole
        here.page.desk.seek(i)
        here.qtbot.waitUntil(lambda code=code: shown_code(tile) == code, timeout=5000)


def shown_word(tile) -> str:
    return tile.picture.word if tile.picture is not None else ""


def shown_code(tile) -> int | None:
    frame = tile.picture.frame if tile.picture is not None else None
    return clips.read_code(frame.to_ndarray(format="rgb24")) if frame is not None else None


def test_a_clip_alone_has_no_other_cameras(stage, add_clip):
    clip = add_clip()
    here = stage()
    here.open()
    here.qtbot.waitUntil(lambda: here.page.desk.cameras.searched_id == clip.id, timeout=5000)
    assert here.page.desk.transport.cameras.isHidden()
    assert not here.page.desk.cameras.tiles
    assert here.page.desk.view.size() == here.page.desk.stage.size()


@pytest.mark.parametrize(("size", "count", "columns"), [((1600, 450), 2, 2), ((800, 900), 2, 1), ((1600, 900), 4, 2)])
def test_pictures_lie_where_they_are_largest(size, count, columns):
    from PySide6.QtCore import QRect

    places = cells(QRect(0, 0, *size), count)
    assert len({place.left() for place in places}) == columns
    assert not any(a.intersects(b) for i, a in enumerate(places) for b in places[:i])
