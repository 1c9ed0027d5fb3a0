from __future__ import annotations

import json

import pytest

from tests.unit.formats.items import accepted, context, corrected, in_split, make_clip, reviewed
from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats.metadata import Metadata, MetadataTrainingCode


def lines(file) -> list[dict]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_row_is_as_in_the_recipes_sample(tmp_path):
    Metadata().write([reviewed(make_clip(tmp_path / "in"))], tmp_path / "out", context=context())

    (row,) = lines(tmp_path / "out" / "metadata.jsonl")
    assert row == {
        "video": "videos/a.mp4",
        "caption": "A car cuts in. Ego brakes.",
        "event_type": "near_miss",
        "rule_violations": ["failure_to_yield"],
        "intended_driving_action": "change_lanes",
        "traffic_density": "medium",
        "visibility": "good",
    }
    assert next(iter(row)) == "video"


def test_the_other_spelling_is_what_the_training_code_reads(tmp_path):
    MetadataTrainingCode().write([reviewed(make_clip(tmp_path / "in"))], tmp_path / "out", context=context())

    (row,) = lines(tmp_path / "out" / "metadata.jsonl")
    assert row["intended_action"] == "change_lanes"
    assert row["scene"] == "Sub-urban"
    assert set(row) == {
        "video",
        *("caption", "event_type", "rule_violations", "intended_action", "traffic_density", "scene", "visibility"),
    }


@pytest.mark.parametrize(
    ("actions", "one"),
    [
        (["go_straight"], "go_straight"),
        (["go_straight", "turn_right"], "turn_right"),
        (["turn_left", "stop"], "turn_left"),
        (["cannot_tell"], "cannot_tell"),
    ],
)
def test_of_several_actions_the_telling_one_is_kept(tmp_path, actions, one):
    item = reviewed(make_clip(tmp_path / "in"), {"intended_driving_action": corrected(actions)})

    Metadata().write([item], tmp_path / "out", context=context())

    assert lines(tmp_path / "out" / "metadata.jsonl")[0]["intended_driving_action"] == one


def test_no_violations_is_a_value_and_unjudged_is_not(tmp_path):
    item = reviewed(make_clip(tmp_path / "in"), {"presence_of_rule_violations": accepted([])})

    report = Metadata().write([item], tmp_path / "out", context=context())

    assert lines(tmp_path / "out" / "metadata.jsonl") == [{"video": "videos/a.mp4", "rule_violations": []}]
    assert any("0 of 1 rows have every key" in note for note in report.notes)


def test_held_out_rows_are_not_in_the_file_that_is_trained_on(tmp_path):
    clips = [make_clip(tmp_path / "in", f"{n}.mp4") for n in range(3)]
    items = [in_split(reviewed(clip), split) for clip, split in zip(clips, ("train", "val", "test"), strict=True)]

    Metadata().write(items, tmp_path / "out", context=context())

    assert [row["video"] for row in lines(tmp_path / "out" / "metadata.jsonl")] == ["videos/0.mp4"]
    assert [row["video"] for row in lines(tmp_path / "out" / "metadata_val.jsonl")] == ["videos/1.mp4"]
    assert [row["video"] for row in lines(tmp_path / "out" / "metadata_test.jsonl")] == ["videos/2.mp4"]


def test_the_card_makes_a_loader_read_the_training_part_whatever_clips_are_called(tmp_path):
    clips = [make_clip(tmp_path / "in", name) for name in ("d02_test_1.mp4", "my-val-drive.mp4")]
    items = [in_split(reviewed(clip), split) for clip, split in zip(clips, ("train", "val"), strict=True)]

    Metadata().write(items, tmp_path / "out", context=context())

    _, card, words = (tmp_path / "out" / "README.md").read_text(encoding="utf-8").split("---\n")
    assert card == ("configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: metadata.jsonl\n")
    assert "slash" in words


def test_a_review_of_other_fields_is_left_out(tmp_path):
    item = reviewed(make_clip(tmp_path / "in"), {"weather": accepted("fog")})

    with pytest.raises(FormatError, match="none of this format's fields"):
        Metadata().write([item], tmp_path / "out", context=context())
