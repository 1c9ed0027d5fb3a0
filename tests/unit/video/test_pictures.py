"""Frames for a model, read by several readers at once: each the right one, in its place, or one plain error."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from tests.clips import clip, codes, read_code
from vvlm_desktop.errors import FrameUnreadableError, JobCancelledError
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.pictures import read_pictures, shares
from vvlm_desktop.video.reader import FrameReader

SIZE = (320, 180)


@pytest.mark.parametrize("name", ["h264_bframes.mp4", "h264_open_gop.ts", "hevc_open_gop.mkv", "mpeg4.mp4"])
@pytest.mark.parametrize("cores", [1, 2, 16])
def test_each_frame_is_in_its_place(name: str, cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    index = read_index(clip(name))
    wanted = (2, 20, 29, 30, 31, 45, 59, 62, 88)
    pictures = read_pictures(clip(name), index, wanted, size=SIZE)
    assert pictures.shape == (9, 180, 320, 3)
    assert [read_code(picture) for picture in pictures] == [codes(name)[i] for i in wanted]
    with FrameReader(clip(name), index) as reader:
        assert np.array_equal(pictures[3], reader.rgb(30, width=320, height=180))


def test_shares_are_cut_between_groups_and_about_equal() -> None:
    index = read_index(clip("h264_bframes.mp4"))  # groups of thirty
    wanted = [5, 25, 29, 40, 58, 62, 80, 89]
    assert shares(index, wanted, readers=2) in ([[0, 1, 2], [3, 4, 5, 6, 7]], [[0, 1, 2, 3, 4], [5, 6, 7]])
    assert shares(index, wanted, readers=3) == [[0, 1, 2], [3, 4], [5, 6, 7]]
    assert shares(index, [3, 4, 5], readers=4) == [[0, 1, 2]], "not worth a second reader"
    assert shares(index, [29, 30, 89], readers=1) == [[0, 1, 2]]


def test_an_unreadable_frame_is_named_whoever_meets_it() -> None:
    path = clip("zeroed.mp4")
    index = read_index(path)
    with FrameReader(path, index) as reader:
        readable = [i for i, _ in reader.walk()]
    lost = sorted(set(range(len(index))) - set(readable))[0]
    wanted = sorted([0, 20, lost, 88])
    with pytest.raises(FrameUnreadableError) as caught:
        read_pictures(path, index, wanted, size=SIZE)
    assert caught.value.frame_index == lost


def test_cancelling_stops_every_reader() -> None:
    path = clip("h264_bframes.mp4")
    index = read_index(path)
    asked = threading.Event()

    def cancelled() -> bool:
        was, _ = asked.is_set(), asked.set()
        return was

    with pytest.raises(JobCancelledError):
        read_pictures(path, index, range(0, 90, 5), size=SIZE, cancelled=cancelled)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read_")]


def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    index = read_index(clip("h264_bframes.mp4"))
    with pytest.raises(Exception, match=r"gone\.mp4"):
        read_pictures(tmp_path / "gone.mp4", index, [1, 50], size=SIZE)
