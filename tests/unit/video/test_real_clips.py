"""The real clips of the developers' shared folder: what each is known to hold, and exact frames of those that play."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.clips_reading import open_reader
from tests.unit.video.test_exactness import decode_everything, digest, some_frames
from vvlm_desktop.errors import ClipUnreadableError
from vvlm_desktop.video.probe import examine, video_streams

ROOT = Path(os.environ.get("VVLM_TEST_CLIPS") or Path(__file__).parents[3] / ".." / "shared" / "clips").resolve()
pytestmark = pytest.mark.skipif(not ROOT.is_dir(), reason=f"no real clips at {ROOT} (VVLM_TEST_CLIPS names the folder)")

PLAYS = {  # name → frames, width, height, problem
    "driving/d01_solidWhiteRight.mp4": (221, 960, 540, None),
    "driving/d02_test_small1.mp4": (88, 1280, 720, None),
    "driving/d03_custom_me_night_1.mp4": (157, 1920, 1080, None),
    "telemetry/t01_gopro_max-heromode.mp4": (315, 848, 480, None),
    "awkward/n01_decord_corrupted.mp4": (29, 1280, 720, "29 of 50 frames can be shown"),
    "awkward/n02_rot_90.mov": (3, 320, 568, None),
    "awkward/n02_rot_270.mov": (3, 320, 568, None),
    "awkward/n03_unordered.mov": (4, 50, 50, None),
    "awkward/n15_av1.mkv": (125, 640, 360, None),
    "awkward/n16_var_fps.mp4": (300, 128, 128, None),
    "awkward/n17_hevc10.mp4": (30, 200, 200, None),
    "awkward/n20_multistream_nasa.mp4": (325, 320, 180, None),
}
GIVES_NOTHING = {
    "awkward/n06_invalid_userdata_231s_no_data.mp4": "no picture can be decoded, although the file claims 231 s",
    "awkward/n07_zero_empty_stsc.mp4": "no picture can be decoded, although the file claims 42 s",
    "awkward/n11_cenc_encrypted.mp4": "the pictures are encrypted",
    "awkward/n13_audio_only_xheaac.mp4": "there is no video in this file",
    "awkward/n25_48byte_header_only.mp4": "the recording was interrupted",
    "awkward/n26_70mai_fuzz_NO20191130-120556-000125.MP4": "there is no video in this file",
}


@pytest.mark.parametrize("name", PLAYS)
def test_clip_is_what_the_manifest_says(name: str) -> None:
    frames, width, height, problem = PLAYS[name]
    index = examine(ROOT / name)
    assert (len(index), index.width, index.height) == (frames, width, height)
    assert problem is None if index.problem is None else problem is not None and problem in index.problem


@pytest.mark.parametrize("name", GIVES_NOTHING)
def test_clip_without_pictures_says_why(name: str) -> None:
    assert GIVES_NOTHING[name] in problem_of(ROOT / name)


def problem_of(path: Path) -> str:
    try:
        index = examine(path)
    except ClipUnreadableError as error:
        return error.reason if error.hint else "no hint"
    return index.problem or "" if not len(index) else "there are frames"


def test_every_file_of_the_folders_is_covered() -> None:
    found = {f"{folder}/{file.name}" for folder in ("driving", "awkward") for file in (ROOT / folder).iterdir()}
    assert found <= {*PLAYS, *GIVES_NOTHING}


@pytest.mark.parametrize("stream_index", [0, 1])
def test_both_streams_of_one_file_are_exact(stream_index: int) -> None:
    path = ROOT / "awkward/n20_multistream_nasa.mp4"
    assert video_streams(path) == 2
    index = examine(path, stream_index=stream_index)
    assert (len(index), index.width) == ((325, 320), (390, 480))[stream_index]
    reference = dict(decode_everything(path, stream_index=stream_index))
    with open_reader(path, index) as reader:
        for i in some_frames(index, 10, seed="both"):
            assert digest(reader.frame(i)) == reference[index.pts[i]]


def check(name: str, count: int) -> None:
    path = ROOT / name
    index = examine(path)
    reference = dict(reversed(decode_everything(path)))
    with open_reader(path, index) as reader:
        for i in some_frames(index, count, seed=name):
            frame = reader.frame(i)
            assert frame.pts == index.pts[i]
            assert digest(frame) == reference[frame.pts], f"frame {i} differs from the full decode"


@pytest.mark.parametrize("name", [name for name in PLAYS if "d03" not in name and "d02" not in name])
def test_some_frames_equal_the_full_decode(name: str) -> None:
    check(name, 4)


@pytest.mark.slow
@pytest.mark.parametrize("name", PLAYS)
def test_a_hundred_frames_equal_the_full_decode(name: str) -> None:
    check(name, 100)
