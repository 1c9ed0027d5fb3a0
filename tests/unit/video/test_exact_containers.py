"""Each wanted frame is right in every container, codec and kind of clock that the other collection does not have.

What is looked at; `clips` is `tests/clips.py` with test_exactness.py, `awkward` is `tests/clips_awkward.py`:

container   MP4 (faststart, fragments three ways, with and without edit list, negative offsets), MOV, 3GP, Matroska,
            WebM, TS, M2TS, FLV, NUT, AVI, WMV, VOB: awkward; MPG, a Matroska named .mp4, bare H.264: clips
H.264       B-pyramid (normal: all, strict: awkward), open groups, no B, intra only, MBAFF, field pairs (PAFF, also
            mixed with whole pictures; test_fields.py), slices, 10 bit, one long group: awkward; intra refresh, 4:4:4 in
            odd sizes, full range: clips
HEVC        closed, open groups (CRA, RASL), temporal layers, 10 bit: awkward
others      AV1, VP8 and VP9 with hidden frames, MPEG-4 part 2 with B-frames (AVI: plain and packed), H.263, MPEG-2
            open and closed, MJPEG, ProRes, FFV1, Huffyuv, Sorenson, WMV2: awkward; interlaced MPEG-2: clips
clocks      several edits, backward, twice, empty first, starting late; a clock that wraps, jumps forward and back,
            is missing, comes twice, begins below zero: awkward; variable rate, 5,000 s jump, video after sound: clips
on the way  another size, other parameter sets, recordings joined, the same times again: awkward
damage      test_exact_damage.py; cut files and files that are no videos: clips and test_refusals.py
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.clips_awkward import AWKWARD, awkward
from tests.clips_reading import REFUSED, codes_by_pts, shuffled, walked
from vvlm_desktop.video.index import FrameIndex, read_index
from vvlm_desktop.video.probe import examine

#: Files in which the clock goes back.
RESTARTED = ("restarted.ts", "restarted_between.ts", "three_days.ts")


def check(name: str, index: FrameIndex, found: Mapping[int, int]) -> None:
    """Every frame that must come has come, and shows its own number."""
    clip = AWKWARD[name]
    assert len(index) == len(clip.codes)
    for pts, code in zip(index.pts, clip.codes, strict=True):
        shown = found.get(pts, REFUSED)
        assert shown == code or (shown == REFUSED and code in clip.doubtful), f"{code} shows {shown}"


@pytest.mark.parametrize("name", list(AWKWARD))
def test_frames_in_any_order_show_their_own_numbers(name: str) -> None:
    path = awkward(name)
    index = read_index(path)
    order = shuffled(index, seed=name)
    first = order[:10]
    found = codes_by_pts(path, index, first)
    wanted = dict(zip(index.pts, AWKWARD[name].codes, strict=True))
    for i in first:
        code, shown = wanted[index.pts[i]], found[index.pts[i]]
        assert shown == code or (shown == REFUSED and code in AWKWARD[name].doubtful), f"{code} shows {shown}"


@pytest.mark.slow
@pytest.mark.parametrize("name", list(AWKWARD))
def test_all_frames_in_three_orders_show_their_own_numbers(name: str) -> None:
    path = awkward(name)
    index = read_index(path)
    for order in (shuffled(index, seed=name), shuffled(index, seed=name[::-1]), range(len(index) - 1, -1, -1)):
        check(name, index, codes_by_pts(path, index, order))


@pytest.mark.parametrize(
    "name", ["several_edits.mp4", "edits_backward.mp4", "times_twice.ts", "jump_back_a_little.ts", *RESTARTED]
)
def test_a_frame_is_the_same_one_with_nothing_decoded_before_it(name: str) -> None:
    path = awkward(name)
    index = read_index(path)
    found: dict[int, int] = {}
    for i in range(len(index)):
        found |= codes_by_pts(path, index, [i])
    check(name, index, found)


@pytest.mark.parametrize("name", list(AWKWARD))
def test_a_walk_shows_all_of_them_in_the_order_of_their_times(name: str) -> None:
    path = awkward(name)
    index = read_index(path)
    found = walked(path, index)
    assert list(found) == sorted(found)
    check(name, index, found)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("plain.m2ts", None),
        ("vp8_hidden.webm", None),
        ("mpeg4_packed.avi", None),
        ("wrap.ts", None),
        ("empty_edit.mp4", None),
        ("jump_forward.ts", "its clock jumps by 400 s after frame 23"),
        ("times_twice.ts", "4 frames with the time of another left out"),
        ("jump_back_a_little.ts", "2 recordings in one file, whose clock goes back"),
        ("three_days.ts", "2 recordings in one file, whose clock goes back"),
        ("restarted.ts", "46 frames of a later recording left out, which have the times of an earlier one"),
        ("continued.ts", "94 of 96 frames can be shown"),
    ],
)
def test_what_is_awkward_about_a_clip_is_said(name: str, problem: str | None) -> None:
    said = examine(awkward(name)).problem
    assert said is None if problem is None else problem in (said or "")
