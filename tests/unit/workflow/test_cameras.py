"""Clips of one moment: found by the makers' names, by time, and as a person says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import clips
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.camera_links import CameraLink, CameraLinks
from vvlm_desktop.workflow.cameras import candidates, find_cameras, other_cameras, read_camera
from vvlm_desktop.workflow.session import open_session


def a_clip(path: str, *, duration_s: float = 60.0, recording: str = "drive") -> Clip:
    shape = (0, 1, 100, duration_s, 30.0, 640, 360, "h264", False, 4)
    return Clip(path, path, path, *shape, "needs_review", None, recording, "now")


@pytest.mark.parametrize(
    ("name", "camera"),
    [
        ("2023_0204_163814_000123F.MP4", "front"),  # Viofo
        ("2023_0204_163814_000124R.MP4", "rear"),
        ("2023_0204_163814_000124PR.MP4", "rear"),
        ("2023_0204_163814_000125I.MP4", "cabin"),
        ("20230204_163814_NF.mp4", "front"),  # BlackVue
        ("20230204_163814_ER.mp4", "rear"),
        ("20230204_163814_PI.mp4", "cabin"),
        ("NO20230204-163814-000123F.MP4", "front"),  # 70mai
        ("NO20230204-163814-000123B.MP4", "rear"),
        ("230204_163814_001_FH.MP4", "front"),  # Nextbase
        ("230204_163814_001_RH.MP4", "rear"),
        ("230204_163814_001_CL.MP4", "cabin"),
        ("FILE230204-163814R.MP4", "rear"),  # Mio
        ("2023-02-04_16-38-14-left_repeater.mp4", "left"),  # Tesla
        ("2023-02-04_16-38-14-back.mp4", "rear"),
        ("2023-02-04_16-38-14-right_pillar.mp4", "right pillar"),
        ("REC_2023_02_04_16_38_14_F.MP4", "front"),  # Thinkware
        ("2023_0412_111213_0042EF.MP4", "front"),  # Viofo, of an event
        ("2023_0412_111213_0042ER.MP4", "rear"),
        ("20240614_125501_00080_N_A.MP4", "front"),  # Vantrue
        ("20240614_125501_00080_N_B.MP4", "cabin"),
        ("20240614_125501_00080_E_C.MP4", "rear"),
        ("230204_163814_001_BH.MP4", "cabin"),  # Nextbase, with three cameras
        ("REC_20210101_120000_R.mp4", "rear"),  # Thinkware
        ("2026_03_15_173951_02_I.MP4", "cabin"),  # Wolfbox
        ("20190719161640_0060_A.mp4", "rear"),  # DDPai
        ("20190719161640_0060.mp4", None),
        ("2026-06-14_16_16_18_f.ts", "front"),  # Ford
        ("CH2-20260618-130336.TS", "channel 2"),
        ("Van 12 - driver-facing - 2024-05-06 07.08.09.mp4", "cabin"),  # fleets' web pages
        ("harsh_brake_Road Facing.mp4", "front"),
        ("forward_facing_123.mp4", "front"),
        ("surfacing.mp4", None),
        ("CH2.mp4", None),
        ("rear_norm/2026_03_15_173951.MP4", "rear"),
        ("Front/GRMN0012.MP4", "front"),  # a folder for each camera
        ("trip_rear.mp4", "rear"),
        ("2023_0204_163814.mp4", None),
        ("clip1a.mp4", None),  # letters of the alphabet are no cameras
        ("clip1b.mp4", None),
        ("van-feedback.mp4", None),
    ],
)
def test_the_makers_names_tell_the_camera(name, camera):
    assert read_camera(f"/drive/{name}").camera == camera


@pytest.mark.parametrize(
    "name", ["230204_163814_001_FH.MP4", "REC_2023_02_04_16_38_14_F.MP4", "EV20230204-163814-1B.MP4"]
)
def test_the_makers_names_tell_the_time(name):
    assert str(read_camera(name).starts_at) == "2023-02-04 16:38:14"


def found(clip: Clip, *others: Clip) -> dict[str, tuple[str, int]]:
    return {each.name: (each.clip.path, each.offset_ms) for each in find_cameras(clip, others)}


def test_a_rear_camera_that_begins_a_second_later_is_the_same_moment():
    front = a_clip("/d/2023_0204_163814_000123F.MP4")
    rear = a_clip("/d/2023_0204_163815_000124R.MP4")
    assert found(front, rear) == {"rear": (rear.path, -1000)}
    assert found(rear, front) == {"front": (front.path, 1000)}


def test_the_clip_before_and_after_are_not_the_same_moment():
    front = a_clip("/d/2023_0204_163814_000123F.MP4")
    before, after = a_clip("/d/2023_0204_163716_000122R.MP4"), a_clip("/d/2023_0204_163912_000124R.MP4")
    assert found(front, before, after) == {}
    at_once = a_clip("/d/2023_0204_163813_000123R.MP4")
    assert found(front, before, at_once, after) == {"rear": (at_once.path, 1000)}


def test_the_same_camera_and_another_folder_are_nothing():
    front = a_clip("/d/20230204_163814_NF.mp4")
    assert found(front, a_clip("/d/20230204_163814_EF.mp4"), a_clip("/van2/20230204_163814_NR.mp4")) == {}


def test_folders_of_one_drive_belong_together():
    front = a_clip("/d/Front/NO20230204-163814-000123F.MP4")
    rear = a_clip("/d/Back/NO20230204-163814-000123B.MP4")
    assert found(front, rear) == {"rear": (rear.path, 0)}


def test_all_of_a_teslas_cameras_are_found():
    names = ("front", "back", "left_repeater", "right_repeater")
    front, *others = (a_clip(f"/t/2023-02-04_16-38-14-{name}.mp4") for name in names)
    assert set(found(front, *others)) == {"rear", "left", "right"}


@pytest.mark.parametrize(
    ("front", "others"),
    [
        ("Normal/Front/NO20260716-162456-000635F.MP4", {"rear": "Normal/Rear/NO20260716-162456-000635R.MP4"}),
        ("F/FILE260819-071804F.mp4", {"rear": "R/FILE260819-071804R.mp4"}),  # MiVue
        (
            "front_emer/2026_03_15_173951_02_F.MP4",
            {"rear": "rear_emer/2026_03_15_173951_02_R.MP4", "cabin": "extra_emer/2026_03_15_173951_02_I.MP4"},
        ),
        ("20190719161640_0060.mp4", {"rear": "20190719161640_0060_A.mp4"}),
        ("CH1/CH1-20260618-130336.TS", {"channel 2": "CH2/CH2-20260618-130336.TS"}),
        ("2026-04-29_18-30-15/front.mp4", {"rear": "2026-04-29_18-30-15/back.mp4"}),
        ("REC20250607-180617-527-A.mp4", {"rear": "REC20250607-180617-527-B.mp4"}),
        ("stop-sign road-facing.mp4", {"cabin": "stop-sign driver-facing.mp4"}),
    ],
)
def test_whatever_the_maker_the_others_are_found(front, others):
    assert found(a_clip(f"/d/{front}"), *(a_clip(f"/d/{path}") for path in others.values())) == {
        name: (f"/d/{path}", 0) for name, path in others.items()
    }


def test_unmarked_files_of_one_folder_are_not_each_others_cameras():
    assert found(a_clip("/d/a.mp4"), a_clip("/d/front.mp4"), a_clip("/d/b.mp4")) == {}
    assert found(a_clip("/F/x_rear.mp4"), a_clip("/R/x_front.mp4")) == {}


def test_names_without_a_time_go_by_the_rest_of_the_name():
    front, rear = a_clip("/d/trip 7_front.mp4"), a_clip("/d/trip 7_rear.mp4")
    assert found(front, rear, a_clip("/d/trip 8_rear.mp4")) == {"rear": (rear.path, 0)}


def test_without_a_camera_in_the_name_times_of_one_recording_tell():
    first, second = a_clip("/d/20230204_163814.mp4"), a_clip("/d/20230204_163816.mp4")
    assert found(first, second) == {"camera 2": (second.path, -2000)}
    assert found(first, a_clip("/d/20230204_163816.mp4", recording="another")) == {}
    assert found(first, a_clip("/d/20230204_163900.mp4")) == {}


# --- as a person says -----------------------------------------------------------------------------------------------


@pytest.fixture
def session(tmp_path):
    with open_session(Settings(), library_dir=tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def pair(session, tmp_path, camera_files):
    """A front and a rear clip, and one of another moment, in one library."""
    folder = tmp_path / "drive"
    folder.mkdir()
    added = []
    for name, file in camera_files.items():
        (folder / name).write_bytes(file.read_bytes())
        added.append(add_paths(session, [folder / name]).items[0].clip)
    return added


@pytest.fixture(scope="module")
def camera_files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("cameras")
    names = ("2023_0204_163814_000123F.mp4", "2023_0204_163815_000124R.mp4", "2023_0204_190000_000200R.mp4")
    return {
        name: clips.make_clip(folder / name, frames=60, numbers=range(number * 100, number * 100 + 60), size=(160, 90))
        for number, name in enumerate(names)
    }


def links_of(session, clip):
    return {each.clip.id: (each.name, each.offset_ms, each.found_by) for each in other_cameras(session, clip)}


def test_what_lies_beside_it_in_the_library_is_found(session, pair):
    front, rear, _later = pair
    assert links_of(session, front) == {rear.id: ("rear", -1000, "time")}
    assert links_of(session, rear) == {front.id: ("front", 1000, "time")}


def test_an_offset_is_kept_for_both_directions(session, pair):
    front, rear, _later = pair
    CameraLinks(session.library.folder).keep(front.id, rear.id, CameraLink(offset_ms=-760))
    assert links_of(session, front) == {rear.id: ("rear", -760, "person")}
    assert links_of(session, rear) == {front.id: ("front", 760, "person")}


def test_a_wrong_match_can_be_undone_and_another_made(session, pair):
    front, rear, later = pair
    links = CameraLinks(session.library.folder)
    links.keep(rear.id, front.id, CameraLink(linked=False))
    assert links_of(session, front) == {}
    links.keep(front.id, later.id, CameraLink(linked=True, offset_ms=40))
    assert links_of(session, front) == {later.id: ("rear", 40, "person")}
    assert [each.id for each in candidates(session, front)] == [rear.id, later.id]


def test_a_damaged_file_is_no_link_and_no_error(session, pair, caplog):
    front, rear, _later = pair
    file = session.library.folder / "cameras.json"
    absurd = {"first": front.id, "second": rear.id, "linked": True, "offset_ms": 1e99}
    for text in ("{", json.dumps({"links": [absurd]})):
        file.write_text(text, encoding="utf-8")
        assert links_of(session, front) == {rear.id: ("rear", -1000, "time")}
    assert "cannot be read" in caplog.text
    CameraLinks(session.library.folder).keep(front.id, rear.id, CameraLink(offset_ms=5))
    assert json.loads(file.with_name("cameras.json.broken").read_text())["links"] == [absurd]
    assert links_of(session, front) == {rear.id: ("rear", 5, "person")}


def test_a_link_to_a_clip_that_is_gone_is_left_out(session, pair):
    front, rear, _later = pair
    CameraLinks(session.library.folder).keep(front.id, "0" * 16, CameraLink(offset_ms=0))
    assert set(links_of(session, front)) == {rear.id}
