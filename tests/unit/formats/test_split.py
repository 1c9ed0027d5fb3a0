from __future__ import annotations

from collections import Counter
from dataclasses import replace

from tests.unit.formats.items import in_split, make_clip, reviewed
from vvlm_desktop.formats.split import assign_split


def test_a_recording_stays_where_it_is_for_ever():
    # Written down once, from sha256sum: another rule would move clips of existing test sets into training.
    expected = {"drive-1": "test", "drive-2": "train", "drive-3": "train", "": "val", "größe": "val"}

    assert {name: assign_split(name) for name in expected} == expected


def test_drafted_recording_is_never_in_the_test_part_and_otherwise_stays_where_it_is():
    for name in (f"recording {n}" for n in range(200)):
        split = assign_split(name)
        assert assign_split(name, drafted=True) == ("val" if split == "test" else split)


def test_drafted_item_is_not_in_the_test_part(tmp_path):
    item = in_split(reviewed(make_clip(tmp_path)), "test")

    assert (item.split, replace(item, drafted=True).split) == ("test", "val")


def test_shares_are_eighty_ten_ten():
    counts = Counter(assign_split(f"recording {n}") for n in range(20_000))

    assert abs(counts["train"] - 16_000) < 300
    assert abs(counts["val"] - 2_000) < 200
    assert abs(counts["test"] - 2_000) < 200


def test_clips_of_one_recording_share_a_split_whatever_their_content(tmp_path):
    one, other = (in_split(reviewed(make_clip(tmp_path, name)), "val") for name in ("a.mp4", "b.mp4"))

    assert one.clip.id != other.clip.id
    assert one.split == other.split == "val"


def test_a_clip_without_recording_is_split_by_itself(tmp_path):
    clip = make_clip(tmp_path, recording="")

    assert reviewed(clip).split == assign_split(clip.id)
