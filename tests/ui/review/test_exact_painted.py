"""What is on the screen is the frame that is named there: read from the widget's pixels, in every way of looking."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import pytest

from tests import clips
from tests.clips_awkward import AWKWARD, awkward
from tests.ui.review.players import Player, pixels, player
from vvlm_desktop.ui.review.picture_look import Look
from vvlm_desktop.ui.review.playback import RATES
from vvlm_desktop.video import small_frames
from vvlm_desktop.video.deinterlace import deinterlaced
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.proxy import SmallPictures, copy_of
from vvlm_desktop.video.reader import FrameReader
from vvlm_desktop.video.small_frames import SmallFrames

__all__ = ["player"]

MakePlayer = Callable[..., Player]
PLACES = (41, 3, 88, 40, 42, 0, 89, 30, 29, 17)


def fit(_here: Player) -> None:
    """As it opens."""


def one_to_one(here: Player) -> None:
    zoom(here, 1, times=1)


def two_to_one(here: Player) -> None:
    zoom(here, 2, times=2)


def zoom(here: Player, scale: int, *, times: int) -> None:
    """All of the picture in a window of its own size; from smaller, as all of it larger than that would be "fit"."""
    here.view.resize(here.index.width * scale, here.index.height * scale)
    for _ in range(times):
        here.view.hand.zoom.turn(20, here.view.hand.room, (here.index.width, here.index.height), (0, 0))
    here.view.hand.zoom.turn(-40, here.view.hand.room, (here.index.width, here.index.height), (0, 0))
    here.view.update()


def dark(here: Player) -> None:
    here.view.set_look(Look(brightness=-10, contrast=20, gamma=0.8))


def wide_pixels(here: Player) -> None:
    here.view.set_shape(rotation=0, sample_aspect=Fraction(4, 3))


def narrow_window(here: Player) -> None:
    here.view.resize(241, 136)


def shown(here: Player) -> int:
    """The number in the picture's own part of the widget, without what is written over it."""
    here.view.badges.hide()
    grabbed = pixels(here.view.grab().toImage())
    size = here.index.width, here.index.height
    place, _ = here.view._place(size[::-1] if here.index.rotation in {90, 270} else size)
    left, top = max(0, round(place.left())), max(0, round(place.top()))
    return clips.read_code(grabbed[top : round(place.bottom()), left : round(place.right())])


@pytest.mark.parametrize("way", [fit, one_to_one, two_to_one, dark, wide_pixels, narrow_window])
def test_every_way_of_looking_shows_the_named_frame(player: MakePlayer, way: Callable[[Player], None]) -> None:
    here = player("h264_bframes.mp4")
    way(here)
    for i in PLACES:
        here.play.seek(i)
        here.wait_for(i)
        assert here.view.on_screen is not None
        assert (shown(here), here.view.on_screen.frame_index, here.painted[-1]) == (i, i, i)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_clip_shows_the_named_frame(player: MakePlayer, degrees: int) -> None:
    here = player(f"h264_rotated_{degrees}.mp4")
    here.view.resize(400, 320)
    for i in (11, 0, 6, 5):
        here.play.seek(i)
        here.wait_for(i)
        assert shown(here) == i


def test_interlaced_frames_keep_their_numbers_where_fields_become_one_picture(player: MakePlayer) -> None:
    here = player("mpeg2_interlaced.ts")
    for i in PLACES:
        here.play.seek(i)
        here.wait_for(i)
        assert shown(here) == i


def test_a_frame_without_its_comb_is_the_frame_itself_and_no_neighbour() -> None:
    index = read_index(awkward("mbaff.mp4"))
    with FrameReader(awkward("mbaff.mp4"), index) as reader:
        frames = [frame for _, frame in reader.walk()]
    for i in range(1, len(frames) - 1):
        for before, after in ((frames[i - 1], frames[i + 1]), (None, frames[i + 1]), (frames[i - 1], None)):
            picture = deinterlaced(frames[i], before=before, after=after)
            assert clips.read_code(picture.to_ndarray(format="rgb24")) == i


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("rate", RATES)
def test_all_pictures_while_playing_carry_the_numbers_that_are_named(
    player: MakePlayer, rate: float, backward: bool
) -> None:
    here = player("h264_bframes.mp4", at=60 if backward else 20)
    here.wait_for(60 if backward else 20)
    pairs = every_picture(here)
    here.play.play(rate, backward=backward)
    here.run(0.4 if rate < 1 else 0.25, step_s=1 / 60)
    assert len(pairs) >= (1 if rate < 0.3 else 4)
    assert [named for named, _ in pairs] == [code for _, code in pairs]
    assert all((b - a) * (-1 if backward else 1) > 0 for (a, _), (b, _) in pairwise(pairs))


def every_picture(here: Player) -> list[tuple[int, int]]:
    """(what the view says that it painted, what can be read there), filled at each change of the picture."""
    pairs: list[tuple[int, int]] = []

    def look(_picture: object) -> None:
        code = here.code()  # paints
        pairs.append((here.painted[-1], code))

    here.play.picture_changed.connect(look)
    return pairs


def test_all_pictures_of_a_loop_carry_the_numbers_that_are_named(player: MakePlayer) -> None:
    here = player("h264_open_gop.mp4", at=25)
    here.wait_for(25)
    pairs = every_picture(here)
    here.play.play_span(26, 34, rest=None)
    here.run(1.0, step_s=1 / 30)
    assert [named for named, _ in pairs] == [code for _, code in pairs]
    assert {named for named, _ in pairs} == set(range(26, 35))
    assert sum(b < a for (a, _), (b, _) in pairwise(pairs)) >= 2


@pytest.mark.parametrize("name", ["hevc_open.mp4", "vp9_hidden.webm", "mpeg4_packed.avi", "h264_10bit.mp4", "mbaff.ts"])
def test_copies_for_dragging_and_for_other_cameras_are_of_the_frames_that_they_name(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small_frames, "_yield_to_others", lambda: None)  # this is the tests' own thread
    index = read_index(awkward(name))
    numbers = tuple(AWKWARD[name].codes)
    copies = SmallPictures()
    with FrameReader(awkward(name), index) as reader:
        for i, frame in reader.walk():
            copies.put(i, copy_of(frame))
    small = SmallFrames(awkward(name), index)
    for i in (17, 3, 46, 47, 0, 24, 23):
        copy = copies.frame(i)
        assert copy is not None
        assert clips.read_code(copy.to_ndarray(format="rgb24")) == numbers[i]
        assert clips.read_code(small.frame(i).to_ndarray(format="rgb24")) == numbers[i]
    small.close()
