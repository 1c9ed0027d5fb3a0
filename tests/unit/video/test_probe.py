"""What examining says about clips that do not give what they promise."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.clips import ORIGIN, WHOLE, clip
from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.video import probe, scan
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.probe import ExamineProgress, examine, sha256_of, video_streams
from vvlm_desktop.video.reader import FrameReader


@pytest.mark.parametrize("name", [name for name in WHOLE if "jump" not in name])
def test_whole_clips_have_no_problem(name: str) -> None:
    index = examine(clip(name))
    assert index == read_index(clip(name))
    assert index.problem is None


def test_truncated_file_says_how_much_is_left() -> None:
    index = examine(clip("cut_faststart.mp4"))
    assert index.problem == f"cut off: {len(index)} of 90 frames can be shown"
    assert 30 < len(index) < 60


def test_last_picture_of_a_cut_fragment_is_dropped() -> None:
    read, shown = read_index(clip("cut_fragmented.mp4")), examine(clip("cut_fragmented.mp4"))
    assert shown.problem is not None
    assert shown.problem.startswith("cut off")
    assert shown.pts == read.pts[: len(shown)]


def test_missing_beginning_is_told() -> None:
    problem = examine(clip("cut_beginning.ts")).problem
    assert problem == "the beginning is cut off: its first 15 frames cannot be shown"


@pytest.mark.parametrize("name", ["zeroed.mp4", "zeroed.ts", "zeroed_hevc.mp4"])
def test_hole_in_the_middle_is_told_with_its_time(name: str) -> None:
    index = examine(clip(name))
    assert index.problem is not None
    assert index.problem.startswith("damaged at 1.")
    assert len(index) >= 60
    assert index.pts[-1] == read_index(clip(name)).pts[-1] or name == "zeroed_hevc.mp4"


@pytest.mark.parametrize(
    "name", ["cut_faststart.mp4", "cut_fragmented.mp4", "zeroed.mp4", "zeroed.ts", "zeroed_hevc.mp4"]
)
def test_every_frame_that_is_left_can_be_shown(name: str) -> None:
    index = examine(clip(name))
    with FrameReader(clip(name), index) as reader:
        for i in reversed(range(0, len(index), 3)):
            assert reader.frame(i).pts == index.pts[i]


def test_encrypted_pictures_are_called_that() -> None:
    index = examine(clip("encrypted.mp4"))
    assert (len(index), index.problem) == (0, "the pictures are encrypted")


@pytest.mark.parametrize("name", ["h264_jump.mp4", "h264_jump.ts"])
def test_jump_of_the_clock_is_told_but_nothing_is_lost(name: str) -> None:
    index = examine(clip(name))
    assert index.problem == "its clock jumps by 5000 s after frame 44"
    assert len(index) == 90


def test_header_that_promises_and_gives_nothing() -> None:
    """Samples overwritten with zeros: the index is whole, no picture is."""
    index = examine(clip("hollow.mp4"))
    assert (len(index), index.problem) == (0, "no picture can be decoded, although the file claims 3 s")


def test_decoding_all_of_a_suspicious_clip_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_PATIENCE_S", 0.0)
    index = examine(clip("zeroed.mp4"))
    assert len(index) == len(read_index(clip("zeroed.mp4")))  # the rest is believed


def test_examining_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(JobCancelledError):
        examine(clip("zeroed.mp4"), cancel=lambda: True)


def test_reading_a_healthy_clip_tells_how_much_of_the_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "_LOOK_EVERY", 16)
    told: list[ExamineProgress] = []
    examine(clip("h264_bframes.mp4"), progress=told.append)
    shares = [each.share for each in told]
    assert len(shares) == 90 // 16
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1
    assert not any(each.decoding for each in told)


def test_decoding_a_suspicious_clip_tells_how_many_of_its_frames_are_done() -> None:
    told: list[ExamineProgress] = []
    examine(clip("zeroed.mp4"), progress=told.append)
    shares = [each.share for each in told if each.decoding]
    assert shares[0] == 0
    assert len(shares) > 3
    assert shares == sorted(shares)
    assert shares[-1] < 1


def test_streams_are_counted_and_examined_apart() -> None:
    path = clip("two_streams.mp4")
    assert video_streams(path) == 2
    assert video_streams(clip("h264_late_video.mp4")) == 1
    assert [len(examine(path, stream_index=n)) for n in (0, 1)] == [90, 30]


def test_hash_is_of_the_whole_file_and_reports_progress(tmp_path: Path) -> None:
    file = tmp_path / "big"
    file.write_bytes(bytes(range(256)) * 10_000)
    heard: list[int] = []
    assert sha256_of(file, progress=heard.append) == hashlib.sha256(file.read_bytes()).hexdigest()
    assert heard == sorted(heard)
    assert heard[-1] == 2_560_000


def test_hashing_stops_when_the_listener_raises() -> None:
    def stop(_: int) -> None:
        raise JobCancelledError("stopped")

    with pytest.raises(JobCancelledError):
        sha256_of(clip("h264.ts"), progress=stop)


def test_missing_file_is_the_systems_own_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sha256_of(tmp_path / "gone.mp4")


def test_every_damaged_clip_is_covered_by_a_sentence() -> None:
    silent = {name for name in ORIGIN if examine(clip(name)).problem is None}
    assert silent <= {"cut_mid_packet.ts"}, "a transport stream promises no length"
