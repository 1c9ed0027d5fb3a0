"""The reader beyond exactness: orientation, colours, sizes, walking, and what happens when the file changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from tests.clips import clip, codes, read_code
from vvlm_desktop.errors import ClipMissingError, ClipUnreadableError, FrameUnreadableError
from vvlm_desktop.video.index import FrameIndex, read_index
from vvlm_desktop.video.reader import FrameReader
from vvlm_desktop.video.rgb import RgbConverter


def opened(name: str) -> FrameReader:
    return FrameReader(clip(name), read_index(clip(name)))


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_equals_a_plain_turn_of_the_coded_picture(degrees: int) -> None:
    with opened(f"h264_rotated_{degrees}.mp4") as reader:
        upright = reader.rgb(5)
        coded = RgbConverter(replace(reader.index, rotation=0)).upright(reader.frame(5), width=320, height=180)
    assert np.array_equal(upright, np.rot90(coded, -degrees // 90))
    assert read_code(upright) == 5
    assert read_code(coded) == -1


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_requested_size_is_that_of_the_upright_picture(degrees: int) -> None:
    with opened(f"h264_rotated_{degrees}.mp4") as reader:
        picture = reader.rgb(3, width=120, height=200)
        assert picture.shape == (200, 120, 3)
        assert picture.flags.c_contiguous


def test_one_side_gives_the_other_in_proportion() -> None:
    with opened("h264_odd_444.mp4") as reader:
        assert reader.rgb(0).shape == (181, 321, 3)
        assert reader.rgb(0, width=107).shape == (60, 107, 3)
        assert reader.rgb(0, height=362).shape == (362, 642, 3)
        assert [read_code(reader.rgb(i, width=160)) for i in (0, 40, 89)] == [0, 40, 89]


def plain(
    *, size: tuple[int, int], pix_fmt: str, yuv: tuple[int, int, int], space: int = 2, full: bool = False
) -> av.VideoFrame:
    frame = av.VideoFrame(*size, pix_fmt)
    for plane, value in zip(frame.planes, yuv, strict=True):
        wide = "10le" in pix_fmt
        plane.update(np.full(plane.buffer_size // (2 if wide else 1), value, np.uint16 if wide else np.uint8).tobytes())
    frame.colorspace = space
    frame.color_range = 2 if full else 0
    return frame


def expected_rgb(yuv: tuple[int, int, int], *, kr: float, kb: float, full: bool) -> list[float]:
    """The definition of the colour matrix, in floating point."""
    luma, blue, red = ((yuv[0] - 16) / 219, (yuv[1] - 128) / 224, (yuv[2] - 128) / 224)
    if full:
        luma, blue, red = yuv[0] / 255, (yuv[1] - 128) / 255, (yuv[2] - 128) / 255
    r, b = luma + 2 * (1 - kr) * red, luma + 2 * (1 - kb) * blue
    g = (luma - kr * r - kb * b) / (1 - kr - kb)
    return [255 * min(1, max(0, value)) for value in (r, g, b)]


BT601, BT709, BT2020 = {"kr": 0.299, "kb": 0.114}, {"kr": 0.2126, "kb": 0.0722}, {"kr": 0.2627, "kb": 0.0593}
BRICK = (110, 100, 180)


@pytest.mark.parametrize(
    ("size", "space", "matrix"),
    [
        ((640, 480), 2, BT601),
        ((1280, 720), 2, BT709),
        ((1920, 1080), 2, BT709),
        ((1280, 720), 5, BT601),
        ((640, 480), 1, BT709),
        ((640, 480), 6, BT601),
        ((3840, 2160), 9, BT2020),
    ],
)
@pytest.mark.parametrize("full", [False, True])
def test_colours_follow_the_tag_and_hd_without_one_is_bt709(
    size: tuple[int, int], space: int, matrix: dict[str, float], full: bool
) -> None:
    converter = RgbConverter(make_index(*size))
    frame = plain(size=size, pix_fmt="yuv420p", yuv=BRICK, space=space, full=full)
    picture = converter.upright(frame, width=32, height=32)
    assert picture[16, 16] == pytest.approx(expected_rgb(BRICK, **matrix, full=full), abs=2.5)


def test_full_range_format_needs_no_tag() -> None:
    frame = plain(size=(320, 180), pix_fmt="yuvj420p", yuv=BRICK)
    picture = RgbConverter(make_index(320, 180)).upright(frame)
    assert picture[90, 160] == pytest.approx(expected_rgb(BRICK, **BT601, full=True), abs=2.5)


def test_ten_bits_give_the_same_colours_as_eight() -> None:
    frame = plain(size=(320, 180), pix_fmt="yuv420p10le", yuv=tuple(4 * value for value in BRICK))
    picture = RgbConverter(make_index(320, 180)).upright(frame)
    assert picture[90, 160] == pytest.approx(expected_rgb(BRICK, **BT601, full=False), abs=2.5)


@pytest.mark.parametrize("name", ["h264_full_range.mp4", "h264_bframes.mp4", "hevc_10bit.mp4", "mjpeg.avi"])
def test_black_and_white_blocks_come_out_as_they_were_painted(name: str) -> None:
    with opened(name) as reader:
        picture = reader.rgb(0)  # number 0: the first row of blocks is black
    assert np.median(picture[5:30, 10:310]) == pytest.approx(20, abs=6)
    white = picture[40:70].reshape(-1, 3)
    assert np.percentile(white, 95) == pytest.approx(235, abs=6)


def make_index(width: int, height: int) -> FrameIndex:
    return replace(read_index(clip("one_frame.mp4")), width=width, height=height)


def test_walk_starts_anywhere_and_survives_other_requests() -> None:
    with opened("h264_bframes.mp4") as reader:
        seen = []
        for i, frame in reader.walk(25):
            assert frame.pts == reader.index.pts[i]
            seen.append(i)
            if i % 10 == 0:
                assert reader.frame((i * 7) % 90).pts == reader.index.pts[(i * 7) % 90]
        assert seen == list(range(25, 90))


def test_frames_keeps_the_order_asked_for() -> None:
    with opened("h264_bframes.mp4") as reader:
        assert [i for i, _ in reader.frames([3, 50, 50, 2])] == [3, 50, 50, 2]


def test_frames_stay_valid_after_closing() -> None:
    with opened("h264_bframes.mp4") as reader:
        frame = reader.frame(40)
    assert read_code(frame.to_ndarray(format="gray")) == 40


@pytest.mark.parametrize("i", [-1, 90])
def test_number_outside_the_clip_is_misuse(i: int) -> None:
    with opened("h264_bframes.mp4") as reader, pytest.raises(IndexError, match=f"frame {i} of 90"):
        reader.frame(i)


def test_missing_file_is_told_apart_from_a_broken_one(tmp_path: Path) -> None:
    index = read_index(clip("h264_bframes.mp4"))
    with pytest.raises(ClipMissingError):
        FrameReader(tmp_path / "gone.mp4", index)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    with pytest.raises(ClipUnreadableError):
        FrameReader(tmp_path / "broken.mp4", index)


def test_file_cut_off_after_indexing_gives_errors_for_what_is_gone(tmp_path: Path) -> None:
    whole = clip("h264_bframes.mp4")
    index = read_index(whole)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with FrameReader(cut, index) as reader:
        assert read_code(reader.rgb(10)) == 10
        for _ in range(2):
            with pytest.raises(FrameUnreadableError) as caught:
                reader.frame(80)
            assert caught.value.frame_index == 80
            assert caught.value.hint
        assert read_code(reader.rgb(11)) == 11


def test_threads_do_not_change_the_pictures() -> None:
    path = clip("h264_bframes.mp4")
    index = read_index(path)
    for threads in (("SLICE", 0), ("FRAME", 2), ("AUTO", 2)):
        with FrameReader(path, index, threads=threads) as reader:
            assert [read_code(reader.rgb(i)) for i in (0, 44, 12, 89)] == [0, 44, 12, 89]


def test_sample_aspect_does_not_stretch_the_picture() -> None:
    with opened("h264_wide_pixels.mp4") as reader:
        assert reader.rgb(0).shape == (180, 320, 3)
        assert [read_code(reader.rgb(i)) for i in range(6)] == list(codes("h264_wide_pixels.mp4"))


def test_file_deleted_while_open_still_gives_its_frames_or_an_error(tmp_path: Path) -> None:
    file = tmp_path / "clip.mpg"
    file.write_bytes(clip("mpeg2_interlaced.mpg").read_bytes())
    with FrameReader(file, read_index(file)) as reader:
        assert read_code(reader.rgb(60)) == 60
        file.unlink()
        assert read_code(reader.rgb(80)) == 80  # further on: no need to open it again
        for _ in range(2):
            with pytest.raises(ClipUnreadableError, match="no such file"):
                reader.frame(3)


@pytest.mark.parametrize("name", ["h264_bframes.mp4", "h264_open_gop.ts", "hevc_open_gop.mkv", "mpeg4.mp4"])
def test_the_shortest_way_leads_to_the_frame_and_says_of_all_others_which_they_are(name: str) -> None:
    numbers = codes(name)
    with opened(name) as reader:
        for i in (77, 3, 59, 60, 88, 31):
            way = list(reader.approach(i))
            assert way[-1][0] == i
            assert [passing for passing, _ in way] == sorted({passing for passing, _ in way})
            for passing, frame in way:
                assert read_code(reader._converter.upright(frame)) == numbers[passing]
            assert read_code(reader.rgb(i + 1)) == numbers[i + 1], "what comes next is sought again"


def test_the_shortest_way_leaves_pictures_out_until_damage_is_met() -> None:
    with opened("h264_bframes.mp4") as reader:
        assert reader.has_short_ways
        assert len(list(reader.approach(29))) < 29
        reader._be_careful()
        assert not reader.has_short_ways
        assert [i for i, _ in reader.approach(29)] == list(range(30))


def test_an_approach_is_led_further_but_not_back_nor_into_another_group() -> None:
    with opened("h264_bframes.mp4") as reader:
        way = reader.approach(20)
        first = next(way)[0]
        assert not reader.redirect(first)
        assert not reader.redirect(40)
        assert reader.redirect(28)
        assert [i for i, _ in way][-1] == 28
        assert not reader.redirect(29), "it has ended"


def test_several_frames_are_those_asked_for_in_the_order_asked_for() -> None:
    with opened("h264_open_gop.ts") as reader:
        for wanted in ([0, 5, 6, 29, 30, 89], [80, 10, 11, 3], [7, 7, 31], []):
            assert [i for i, _ in reader.frames(wanted)] == wanted
            shown = [read_code(reader._converter.upright(frame)) for _, frame in reader.frames(wanted)]
            assert shown == [codes("h264_open_gop.ts")[i] for i in wanted]
        for i, _ in reader.frames([10, 20, 25]):
            assert read_code(reader.rgb(i + 40)) == codes("h264_open_gop.ts")[i + 40], "other calls in between"
        with pytest.raises(IndexError):
            list(reader.frames([3, len(reader.index)]))


def test_damage_met_after_the_file_was_taken_away_is_a_plain_error_each_time(tmp_path: Path) -> None:
    file = tmp_path / "clip.mp4"
    file.write_bytes(clip("zeroed.mp4").read_bytes())
    index = replace(read_index(file), breaks=())  # nothing of it is known beforehand
    with FrameReader(file, index, threads=("FRAME", 2)) as reader:
        reader.frame(0)
        file.unlink()
        for _ in range(2):
            with pytest.raises(ClipUnreadableError, match="no such file"):
                list(reader.frames(range(len(index))))


def test_several_frames_at_once_are_not_decoded_where_faults_would_go_untold() -> None:
    mpeg2 = clip("mpeg2_interlaced.ts")
    with FrameReader(mpeg2, read_index(mpeg2), threads=("FRAME", 3)) as reader:
        assert not reader.has_short_ways
