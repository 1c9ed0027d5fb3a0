"""Copied and saved frames are exact, whole and as recorded, and say where they come from."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from tests import clips
from tests.ui.review.players import pixels
from vvlm_desktop.errors import StorageFullError
from vvlm_desktop.ui.review.save_frame import frame_file_name
from vvlm_desktop.ui.review.transport import TransportBar
from vvlm_desktop.video.index import FrameIndex, read_index
from vvlm_desktop.video.reader import FrameReader
from vvlm_desktop.video.wall_clock import WallClock, clock_of_name

AT = 37


@pytest.fixture
def here(add_clip, stage, session, tmp_path):
    """The page on frame 37 of a clip whose name tells its time, with a folder for frames."""
    path = Path(shutil.copyfile(clips.clip("h264_bframes.mp4"), tmp_path / "2024-05-06_07-08-09.mp4"))
    session.settings = session.settings.model_copy(update={"frames_dir": str(tmp_path)})
    add_clip(path=path)
    made = stage()
    made.open()
    made.page.desk.seek(AT)
    made.qtbot.waitUntil(lambda: made.page.desk.view.on_screen.frame_index == AT)
    return made


def truth(here, i: int = AT) -> np.ndarray:
    opened = here.page.opener.open(here.state.clip)
    with FrameReader(opened.path, opened.index) as reader:
        return reader.rgb(i)


def saved(here, folder: Path) -> list[Path]:
    here.page.commands.saver.close()
    here.qtbot.waitUntil(lambda: here.toast.startswith("Saved") or bool(here.shell.problems))
    return sorted(folder.glob("*.png"))


def test_saved_frame_is_exact_and_names_its_origin(here, tmp_path):
    here.press("Ctrl+S")
    (file,) = saved(here, tmp_path)
    index = here.page.desk.index
    assert file.name == f"2024-05-06_07-08-09_pts{index.pts[AT]}_00m01s233.png"
    assert here.toast.replace("\u200b", "").startswith(f"Saved {file.name} in ")
    with Image.open(file) as picture:
        assert (np.asarray(picture) == truth(here)).all()
        assert picture.text["pts"] == str(index.pts[AT])
        assert picture.text["frame_index"] == str(AT)
        assert float(picture.text["time_s"]) == pytest.approx(index.seconds(AT), abs=1e-6)
        assert picture.text["source_sha256"] == here.state.clip.sha256


def test_zoom_and_brightness_are_not_in_saved_and_copied_frames(here, tmp_path):
    here.press("Z Shift+B")
    here.page.desk.picture.panel.brightness.setValue(80)
    here.press("Ctrl+S")
    (file,) = saved(here, tmp_path)
    with Image.open(file) as picture:
        assert (np.asarray(picture) == truth(here)).all()
    here.press("Ctrl+Shift+C")
    assert (pixels(QGuiApplication.clipboard().image()) == truth(here)).all()


def test_a_second_frame_of_that_name_does_not_replace_the_first(here, tmp_path):
    here.press("Ctrl+S")
    saved(here, tmp_path)
    here.press("Ctrl+S")
    here.page.commands.saver.close()
    here.qtbot.waitUntil(lambda: len(list(tmp_path.glob("*-2.png"))) == 1)


def test_the_folder_is_asked_for_once_and_remembered(here, tmp_path, monkeypatch, session):
    session.settings = session.settings.model_copy(update={"frames_dir": ""})
    folder = tmp_path / "frames"
    folder.mkdir()
    asked = []
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: asked.append(a) or str(folder))
    changed = []
    monkeypatch.setattr(here.shell, "change_settings", lambda settings: changed.append(settings.frames_dir) or True)
    here.press("Ctrl+S")
    assert len(saved(here, folder)) == 1
    assert changed == [str(folder)]
    assert len(asked) == 1


def test_leaving_the_question_for_the_folder_saves_nothing(here, tmp_path, monkeypatch, session):
    session.settings = session.settings.model_copy(update={"frames_dir": str(tmp_path / "gone")})
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: "")
    here.press("Ctrl+S")
    assert list(tmp_path.glob("*.png")) == []


def test_save_as_goes_where_it_is_told(here, tmp_path, monkeypatch):
    offered = []
    wanted = tmp_path / "proof"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (offered.append(a[2]) or str(wanted), ""))
    here.press("Ctrl+Shift+S")
    assert [file.name for file in saved(here, tmp_path)] == ["proof.png"]
    assert Path(offered[0]).parent == tmp_path


def test_a_folder_that_takes_no_file_is_reported(here, tmp_path, monkeypatch):
    def refuse(*_args, **_keywords):
        raise StorageFullError("frame.png cannot be written: no space left.", hint="Make room.")

    monkeypatch.setattr("vvlm_desktop.video.thumbnails.write_png", refuse)
    here.press("Ctrl+S")
    here.page.commands.saver.close()
    here.qtbot.waitUntil(lambda: len(here.shell.problems) == 1)


def test_a_frame_that_is_not_on_screen_yet_is_not_saved(here, tmp_path):
    here.page.desk.playback.seek(2)
    here.page.desk.playback._wanted = 80
    here.press("Ctrl+S")
    assert "not on screen" in here.toast
    assert list(tmp_path.glob("*.png")) == []


# -- the caption


def test_each_part_of_the_caption_is_copied_by_a_click(here):
    bar, index = here.page.desk.transport, here.page.desk.index
    clipboard = QGuiApplication.clipboard()
    for part, copied in (
        (bar.frame_number, str(AT)),
        (bar.pts, str(index.pts[AT])),
        (bar.time, "00:01.23"),
        (bar.wall, "2024-05-06 07:08:10.233 camera's clock"),
    ):
        assert part.isVisible()
        part.click()
        assert clipboard.text() == copied
        assert copied in part.accessibleName()
    assert bar.wall.text() in {"07:08:10 camera's clock", "07:08:10 camera"}  # by the width of the font


def test_the_whole_caption_is_copied_by_its_key(here):
    here.press("Alt+C")
    pts = here.page.desk.index.pts[AT]
    wanted = f"frame {AT}, PTS {pts}, 00:01.23, 2024-05-06 07:08:10.233 camera's clock"
    assert QGuiApplication.clipboard().text() == wanted


def test_a_clip_without_a_time_shows_none(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    assert here.page.desk.transport.wall.text() == ""
    assert not here.page.desk.transport.wall.isEnabled()


@pytest.fixture
def bar(qtbot) -> TransportBar:
    made = TransportBar()
    qtbot.addWidget(made)
    made.resize(1200, 40)
    return made


@pytest.mark.parametrize("source", ["header", "name"])
def test_recording_time_by_the_cameras_clock_is_not_called_utc(bar, source):
    bar.set_clock(WallClock(datetime(2024, 5, 6, 7, 8, 9), source))
    bar.show_frame(read_index(clips.clip("h264_bframes.mp4")), 0)
    assert bar.wall.text() == "07:08:09 camera's clock"
    assert bar.wall.copied == "2024-05-06 07:08:09.000 camera's clock"
    assert source in bar.wall.toolTip()


def test_recording_time_of_the_satellites_is_utc_and_both_are_copied_with_the_frame(bar):
    bar.set_clock(WallClock(datetime(2019, 11, 18, 15, 45, 32), "header"))
    bar.show_frame(read_index(clips.clip("h264_bframes.mp4")), 15)
    bar.set_satellites(WallClock(datetime(2019, 11, 18, 23, 45, 15), "satellites", "GoPro GPMF"))
    assert bar.wall.text() == "23:45:15 UTC"
    assert bar.wall.copied == "2019-11-18 23:45:15.500 UTC"
    assert "GoPro GPMF" in bar.wall.toolTip()
    assert bar.caption().endswith(", 2019-11-18 23:45:15.500 UTC, 2019-11-18 15:45:32.500 camera's clock")
    bar.set_satellites(None)
    assert bar.wall.text() == "15:45:32 camera's clock"


def test_number_says_that_it_counts_only_what_can_be_shown_where_frames_were_lost(bar):
    whole = read_index(clips.clip("h264_bframes.mp4"))
    bar.show_frame(whole, 37)
    assert bar.frame_number.text() == "37"
    bar.show_frame(replace(whole, problem="damaged at 1.2 s: 60 of 90 frames can be shown"), 37)
    assert (bar.frame_number.text(), bar.frame_number.copied) == ("37 of those shown", "37")
    assert "60 of 90 frames" in bar.frame_number.toolTip()
    bar.show_frame(replace(whole, problem="its clock jumps by 5000 s after frame 30"), 38)
    assert (bar.frame_number.text(), bar.frame_number.toolTip()) == ("38", "Copy the frame number")


def test_names_of_files_sort_by_time_and_have_hours_where_needed():
    made = read_index(clips.clip("h264_bframes.mp4"))
    long = FrameIndex.from_json({**made.to_json(), "pts": [0, 90_000 * 3661]})
    assert frame_file_name("/a b/clip 1.mp4", long, 1) == "clip 1_pts329490000_1h01m01s000.png"
    assert frame_file_name("clip.mp4", long, 0) == "clip_pts0_00m00s000.png"


def test_a_narrow_bar_leaves_parts_out_instead_of_cutting_them_off(qtbot):
    window = QWidget()  # as a window of its own, the bar would not become narrower than its parts
    qtbot.addWidget(window)
    bar = TransportBar(window)
    bar.set_clock(clock_of_name(Path("20240506_070809.mp4")))
    bar.show_frame(read_index(clips.clip("h264_bframes.mp4")), 37)
    bar.resize(1000, 40)
    window.show()
    parts = (bar.time, bar.duration, bar.frame_number, bar.pts, bar.wall)
    assert all(part.isVisible() for part in parts)
    assert bar.wall.text() == "07:08:10 camera's clock"
    short = False
    for width in range(990, 550, -20):
        bar.resize(width, 40)
        bar.layout().activate()
        shown = [part for part in parts if part.isVisible()]
        assert bar.time in shown
        assert bar.frame_number in shown
        cut = [part.text() for part in shown if part.width() < part.sizeHint().width()]
        assert not cut, bar.width()
        short |= bar.duration.isVisible() and bar.wall.text() == "07:08:10 camera"
    assert short, "shortened before anything is left out"
    assert bar.wall.copied.endswith("camera's clock")
    assert not bar.wall.isVisible()
    bar.resize(1000, 40)
    assert all(part.isVisible() for part in parts)
