"""The small picture at the pointer: the frame it names, a copy that says so, or why there is none."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from tests import clips
from tests.ui.review.conftest import watch
from vvlm_desktop.ui.review.go_to import GoToBox
from vvlm_desktop.ui.review.player_view import Picture
from vvlm_desktop.ui.review.timeline_cells import shown_shape
from vvlm_desktop.ui.review.timeline_peek import _Shown
from vvlm_desktop.video import proxy
from vvlm_desktop.video.index import FrameIndex, read_index


@pytest.fixture
def here(stage):
    return stage()


@pytest.fixture
def nothing_decoded(monkeypatch):
    """What the timeline wants decoded never comes, as in a clip that takes seconds; and what was wanted."""
    wanted: list[tuple[int, ...]] = []
    monkeypatch.setattr(
        "vvlm_desktop.ui.review.filmstrip.FilmstripLoader.load",
        lambda _self, _clip, _path, _index, frames, **_: wanted.append(tuple(frames)),
    )
    return wanted


def code(image: QImage) -> int:
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return clips.read_code(rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3))


def point_at(here, i: int):
    timeline = here.page.desk.timeline
    QTest.mouseMove(timeline, QPoint(2, 2))  # a pointer that stands still tells nothing
    QTest.mouseMove(timeline, QPoint(round(timeline.x_of_frame(i)) + 1, 40))
    peek = here.page.desk.peek._peek
    assert f"frame {i} " in peek.accessibleName()
    return peek


def test_frame_that_the_player_has_is_shown_at_once_and_is_not_decoded_again(here, add_clip, nothing_decoded):
    here.open(add_clip().id)
    watch(here, 1.0)
    peek = point_at(here, 30)
    assert peek.shown[0].image_of == 30
    assert peek.shown[0].words == ""
    assert code(peek.shown[0].image) == 30
    assert nothing_decoded[-1] == ()


def long_clip(here, add_clip, monkeypatch):
    monkeypatch.setattr(proxy, "LONG_GOP_FRAMES", 60)
    here.open(add_clip("h264_one_key_30s.mp4", labels={"event_type": "no_incident"}).id)
    source = here.page.desk.playback.source
    assert source._proxy.wait(10)
    monkeypatch.setattr(source, "cached", lambda i: None)
    return source


def test_in_a_long_group_a_small_copy_stands_for_the_frame_and_says_so(here, add_clip, nothing_decoded, monkeypatch):
    source = long_clip(here, add_clip, monkeypatch)
    copied = source._proxy.pictures.nearest(70)
    peek = point_at(here, copied)
    assert peek.shown[0].words == "small copy"
    assert code(peek.shown[0].image) == copied
    assert "small copy" in peek.accessibleName()
    assert nothing_decoded[-1] == (copied,)  # the frame itself is wanted all the same


def test_copy_of_a_neighbour_names_the_neighbour(here, add_clip, nothing_decoded, monkeypatch):
    source = long_clip(here, add_clip, monkeypatch)
    monkeypatch.setattr(source._proxy.pictures, "nearest", lambda _i: 68)
    peek = point_at(here, 70)
    assert peek.shown[0].words == "still frame 68, small copy"
    assert code(peek.shown[0].image) == 68


def test_exact_frame_takes_the_place_of_the_copy(here, add_clip, monkeypatch, qtbot):
    long_clip(here, add_clip, monkeypatch)
    peek = point_at(here, 70)
    qtbot.waitUntil(lambda: peek.shown[0].words == "" and peek.shown[0].image_of == 70)
    assert code(peek.shown[0].image) == 70


def test_frame_that_cannot_be_read_says_so_and_shows_no_neighbour(here, add_clip):
    here.open(add_clip().id)
    peek = point_at(here, 62)
    here.page.desk.peek._on_unreadable(62)
    assert peek.shown[0].words == "cannot be read"
    assert peek.shown[0].image is None
    assert "cannot be read" in peek.accessibleName()


def test_frame_of_which_the_player_knows_that_it_cannot_be_read_is_not_tried_again(
    here, add_clip, nothing_decoded, monkeypatch
):
    here.open(add_clip().id)
    source = here.page.desk.playback.source
    monkeypatch.setattr(source, "cached", lambda i: Picture(source.clip_id, i, None, problem="damaged"))
    peek = point_at(here, 62)
    assert peek.shown[0].words == "cannot be read"
    assert peek.shown[0].image is None
    assert nothing_decoded[-1] == ()


@pytest.mark.parametrize(
    ("name", "shape"),
    [("h264_bframes.mp4", 320 / 180), ("h264_rotated_90.mp4", 180 / 320), ("h264_wide_pixels.mp4", 4 / 3 * 320 / 180)],
)
def test_small_pictures_have_the_shape_of_the_large_one(here, add_clip, name, shape):
    assert shown_shape(read_index(clips.clip(name))) == pytest.approx(shape)
    here.open(add_clip(name, labels={"event_type": "no_incident"}).id)
    watch(here, 0.0)
    image = point_at(here, 0).shown[0].image
    assert image.width() / image.height() == pytest.approx(shape, rel=0.02)


def test_frame_numbers_are_spelt_as_under_the_picture_however_long_the_clip_is():
    shown = _Shown(50949, image=QImage(2, 2, QImage.Format.Format_RGB888), image_of=50925)
    assert shown.words == "still frame 50925"


def test_what_can_be_gone_to_is_spelt_in_the_same_way(qtbot):
    on = QWidget()
    qtbot.addWidget(on)
    box = GoToBox(on)
    refused: list[str] = []
    box.refused.connect(refused.append)
    pts = tuple(range(0, 40 * 60_000, 40))
    size = (640, 360, 0, Fraction(1))
    box.ask(FrameIndex(0, "mov", "h264", *size, Fraction(1, 1000), pts, ((0, 0),), has_audio=False))
    box.setText("nonsense")
    box.returnPressed.emit()
    assert refused == ["The clip has frames 0 to 59999, that is up to 2399.96 s."]
