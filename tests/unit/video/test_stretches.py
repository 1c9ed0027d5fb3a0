"""Recordings joined in one file: what belongs together, and which of two pictures with one time is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.clips import NO_CODE
from tests.clips_awkward import AWKWARD, awkward
from tests.clips_bytes import with_times
from tests.clips_reading import REFUSED, codes_by_pts, open_reader, shuffled, walked
from vvlm_desktop.errors import FrameUnreadableError, JobCancelledError
from vvlm_desktop.video.index import FrameIndex, read_index
from vvlm_desktop.video.stretches import read_stretches

#: The clips whose clock goes back for good.
JOINED = (
    "jump_back_a_little.ts",
    "restarted.ts",
    "restarted_between.ts",
    "three_days.ts",
    "joined.vob",
    "joined.mkv",
)


@pytest.mark.parametrize("name", [*JOINED, "several_edits.mp4"])
def test_its_sidecar_leads_to_the_same_frames(name: str) -> None:
    index = read_index(awkward(name))
    kept = FrameIndex.from_json(json.loads(json.dumps(index.to_json())))
    assert kept == index
    assert index.recordings or index.strangers


@pytest.mark.parametrize(
    "name", ["plain.ts", "plain.mp4", "open_gop.mp4", "wrap.ts", "jump_forward.ts", "times_twice.ts"]
)
def test_an_ordinary_file_is_one_recording(name: str) -> None:
    index = read_index(awkward(name))
    assert (index.recordings, index.key_places, index.strangers) == ((), (), ())


@pytest.mark.parametrize("name", JOINED)
def test_a_walk_from_anywhere_leaves_no_recording_out(name: str) -> None:
    index = read_index(awkward(name))
    with open_reader(awkward(name), index) as reader:
        everything = [i for i, _ in reader.walk()]
        for start in (1, len(index) // 3, len(index) // 2, len(index) - 5):
            assert [i for i, _ in reader.walk(start)] == [i for i in everything if i >= start]


@pytest.mark.parametrize("name", JOINED)
def test_frames_asked_for_together_are_those_asked_for_alone(name: str) -> None:
    index = read_index(awkward(name))
    with open_reader(awkward(name), index) as reader:
        given = sorted(i for i, _ in reader.walk())
        chosen = given[::3] + given[1::7]
        assert [i for i, _ in reader.frames(chosen)] == chosen
    alone = codes_by_pts(awkward(name), index, chosen)
    assert [alone[index.pts[i]] for i in given[::3]] == [AWKWARD[name].codes[i] for i in given[::3]]


@pytest.mark.parametrize("name", JOINED)
def test_the_way_to_a_frame_leads_through_its_own_recording(name: str) -> None:
    index = read_index(awkward(name))
    with open_reader(awkward(name), index) as reader:
        for i in (40, 5, 23, 24, 45):
            if AWKWARD[name].codes[i] not in AWKWARD[name].doubtful:
                assert [step[0] for step in reader.approach(i)][-1] == i


def moved(by_ticks: Sequence[int], number: int, time: int) -> int:
    return time + by_ticks[number]


def test_one_damaged_time_makes_no_recording_of_its_own(tmp_path: Path) -> None:
    stray = tmp_path / "stray.ts"
    data = awkward("plain.ts").read_bytes()
    for shift_s in (300, -300, 20):
        by_ticks = [(400 + shift_s * (n == 20)) * 90_000 for n in range(48)]
        stray.write_bytes(with_times(data, partial(moved, by_ticks)))
        index = read_index(stray)
        assert index.recordings == ()
        assert sorted(walked(stray, index).values()) == list(range(48))


def test_a_damaged_time_before_the_clock_goes_back_covers_nothing(tmp_path: Path) -> None:
    file = tmp_path / "both.ts"
    data = awkward("jump_back_a_little.ts").read_bytes()
    file.write_bytes(with_times(data, lambda n, time: time + (40 * 90_000 if n == 10 else 0)))
    index = read_index(file)
    assert len(index.recordings) == 2
    assert len(index) == 48
    assert sorted(walked(file, index).values())[:24] == list(range(24))


def test_of_two_damaged_recordings_none_shows_the_others_pictures(tmp_path: Path) -> None:
    for seed in range(6):
        file = tmp_path / f"{seed}.ts"
        content = bytearray(awkward("restarted_between.ts").read_bytes())
        start = len(content) // 9 * (seed + 1)
        content[start : start + 3000] = bytes(3000)
        file.write_bytes(content)
        whole = read_index(awkward("restarted_between.ts"))
        recorded = dict(zip(whole.pts, AWKWARD["restarted_between.ts"].codes, strict=True))
        index = read_index(file)
        shown = codes_by_pts(file, index, shuffled(index, seed=seed))
        another = {pts: code for pts, code in shown.items() if code not in {REFUSED, recorded.get(pts, code)}}
        assert NO_CODE not in shown.values()
        assert another == {}


def test_a_file_that_is_another_by_now_gives_errors_not_its_frames() -> None:
    index = read_index(awkward("restarted.ts"))
    with open_reader(awkward("plain.mkv"), index) as reader:
        for i in (3, 20, 45):
            with pytest.raises(FrameUnreadableError):
                reader.frame(i)


def test_reading_what_belongs_together_can_be_cancelled() -> None:
    with pytest.raises(JobCancelledError):
        read_stretches(awkward("restarted.ts"), stream_index=0, cancel=lambda: True)
