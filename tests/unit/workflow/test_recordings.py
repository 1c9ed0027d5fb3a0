"""Clips of one drive belong together, whatever the camera's maker calls them, and stay together."""

from __future__ import annotations

import pytest

from vvlm_desktop.workflow.recordings import Member, group, read_name


@pytest.mark.parametrize(
    ("name", "starts_at", "camera", "stem"),
    [
        ("20230204_163814_NF.mp4", "2023-02-04T16:38:14", "front", "20230204_163814"),
        ("20230204_163814_NR.mp4", "2023-02-04T16:38:14", "rear", "20230204_163814"),
        ("2023_0204_163814_001F.MP4", "2023-02-04T16:38:14", "front", "2023_0204_163814_001"),
        ("NO20230204-163814-001161F.MP4", "2023-02-04T16:38:14", "front", "NO20230204-163814-001161"),
        ("2023-02-04_16-38-14.mp4", "2023-02-04T16:38:14", None, "2023-02-04_16-38-14"),
        ("sample5_F.mp4", None, "front", "sample5"),
        ("trip rear.mp4", None, "rear", "trip"),
        ("holiday.mp4", None, None, "holiday"),
        ("20231345_993814.mp4", None, None, "20231345_993814"),
    ],
)
def test_name_tells_start_and_camera(name: str, starts_at: str | None, camera: str | None, stem: str) -> None:
    told = read_name(f"/drive/{name}")
    assert (told.starts_at.isoformat() if told.starts_at else None) == starts_at
    assert told.camera == camera
    assert told.stem == stem


def _minutes(*starts: str, duration_s: float = 60.0, folder: str = "/d", recording: str = "") -> list[Member]:
    return [Member(f"id{s}", f"{folder}/20230204_{s}_NF.mp4", duration_s, recording) for s in starts]


def test_clips_with_gaps_up_to_five_seconds_are_one_recording() -> None:
    found = group(_minutes("160000", "160105", "160211"))
    assert found["id160000"] == found["id160105"]
    # 16:02:11 is six seconds after the second clip's end at 16:02:05.
    assert found["id160211"] != found["id160000"]


def test_front_and_rear_of_one_moment_are_one_recording() -> None:
    front = Member("f", "/d/20230204_160000_NF.mp4", 60.0)
    rear = Member("r", "/d/20230204_160000_NR.mp4", 60.0)
    assert len(set(group([front, rear]).values())) == 1


def test_front_and_rear_without_a_clock_are_one_recording() -> None:
    members = [Member("f", "/d/run7_F.mp4", 8.0), Member("r", "/d/run7_R.mp4", 8.0), Member("x", "/d/run8_F.mp4", 8.0)]
    found = group(members)
    assert found["f"] == found["r"] != found["x"]


def test_the_same_times_in_another_folder_are_another_recording() -> None:
    found = group([*_minutes("160000"), Member("other", "/e/20230204_160000_NF.mp4", 60.0)])
    assert found["id160000"] != found["other"]


def test_an_earlier_clip_added_later_joins_without_renaming_the_recording() -> None:
    before = group(_minutes("160100"))
    known = _minutes("160100", recording=before["id160100"])
    after = group([*_minutes("160000"), *known])
    assert after == {"id160000": before["id160100"], "id160100": before["id160100"]}


def test_a_clip_that_claims_a_year_does_not_swallow_the_folder() -> None:
    liar = Member("liar", "/d/20230204_160000_NF.mp4", 3e7)
    next_week = Member("later", "/d/20230211_160000_NF.mp4", 60.0)
    found = group([liar, next_week])
    assert found["liar"] != found["later"]


def test_clip_that_belongs_to_two_recordings_makes_them_one() -> None:
    known = [*_minutes("160000", recording="one"), *_minutes("160200", recording="two")]
    found = group([*known, *_minutes("160100")])
    assert set(found.values()) == {"one"}


def test_copies_of_a_clip_connect_the_drives_that_they_lie_in() -> None:
    copies = [Member("same", f"/d/20230204_{start}_NF.mp4", 60.0) for start in ("160000", "180000")]
    found = group([*copies, *_minutes("160100"), *_minutes("180100"), *_minutes("200000")])
    assert found["id160100"] == found["id180100"] == found["same"] != found["id200000"]


def test_clips_of_one_recording_take_what_joins_them_along() -> None:
    """A chain whose clips already share a recording with another chain never gets a second name."""
    known = [*_minutes("160000", "180000", recording="one"), *_minutes("200000", recording="two")]
    found = group([*known, *_minutes("180100", "200100")])
    assert found["id180100"] == "one"
    assert found["id200100"] == "two"


def test_the_same_drive_in_another_folder_of_another_computer_is_the_same_recording() -> None:
    here, there = (group(_minutes("160000", "160105", folder=folder)) for folder in ("/home/ada/x", "/media/b/y z"))
    assert here == there
