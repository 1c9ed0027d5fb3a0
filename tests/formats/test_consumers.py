"""Each format read by the loader of the program that it is for, in an environment of its own.

`pytest -m formats -s tests/formats`; installing takes minutes and some GB.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.formats.environments import consume

pytestmark = [pytest.mark.formats, pytest.mark.timeout(2400)]


def test_llamafactory_tokenizes_every_row_and_decodes_its_video(exported, tiny_qwen):
    out = exported("llamafactory")
    for dataset, rows in (("fleet", 2), ("fleet_val", 1), ("fleet_test", 1)):
        found = consume("llamafactory", "llamafactory_rows.py", out, tiny_qwen, dataset, "sft")
        assert found["rows"] == rows
        assert all(count > 0 for count in found["video_tokens"])
        assert all(json.loads(answer)["event_type"] == "near_miss" for answer in found["answers"])


def test_llamafactory_takes_corrections_as_preference_pairs(exported, tiny_qwen):
    found = consume("llamafactory", "llamafactory_rows.py", exported("llamafactory"), tiny_qwen, "fleet_ranking", "rm")

    assert found["rows"] == 2
    said = [json.loads(answer)["event_type"] for answer in found["answers"]]
    assert said == ["near_miss", "collision"] * 2  # chosen, rejected
    assert all(count > 0 for count in found["video_tokens"])


def test_ms_swift_loads_rows_from_wherever_it_is_started(exported, tmp_path):
    out = exported("ms-swift")
    for part, rows in (("train", 2), ("val", 1), ("test", 1)):
        found = consume("swift", "swift_rows.py", out / f"swift_{part}.jsonl", cwd=tmp_path)
        assert len(found) == rows
        for row in found:
            assert row["roles"] == ["user", "assistant"]
            assert row["question"].count("<video>") == 1
            assert json.loads(row["answer"])["event_type"] == "near_miss"
            assert row["video_bytes"] > 1000


def test_ms_swift_loads_rejected_answers(exported):
    found = consume("swift", "swift_rows.py", exported("ms-swift") / "swift_preference.jsonl")

    assert len(found) == 2
    assert all(json.loads(row["answer"])["event_type"] == "near_miss" for row in found)
    assert all("collision" in json.dumps(row["rejected"]) for row in found)


@pytest.mark.parametrize("name", ["videofolder", "videofolder-completion"])
def test_datasets_sees_each_clip_in_its_own_part_and_no_other(exported, tmp_path, name):
    found = consume("hf", "videofolder_rows.py", exported(name), tmp_path / "cache")

    assert {part: len(rows) for part, rows in found.items()} == {"train": 2, "validation": 1, "test": 1}
    names = sorted(row["video"]["name"] for row in found["train"])
    assert names[1] == "drive 🚗 #2.mp4"
    assert names[0].startswith("clip-")  # d02_test_1.mp4 would be a part of its own
    (held_out,) = found["validation"]
    said = (held_out["messages"] if name == "videofolder" else held_out["completion"])[-1]["content"][0]["text"]
    assert json.loads(said)["caption"] == "The sign reads <video> & <image>."


@pytest.mark.parametrize("name", ["metadata", "metadata-training-code"])
def test_datasets_reads_the_recipes_folder_without_what_is_held_out(exported, tmp_path, name):
    out = exported(name)
    found = consume("hf", "json_rows.py", out, tmp_path / "cache")

    assert {part: len(rows) for part, rows in found.items()} == {"train": 2}
    assert all((out / row["video"]).is_file() and row["event_type"] == "near_miss" for row in found["train"])


def test_datasets_reads_prompt_and_text(exported, tmp_path):
    out = exported("prompt-text")
    found = consume("hf", "json_rows.py", out / "train.jsonl", tmp_path / "cache")

    assert len(found["train"]) == 2
    for row in found["train"]:
        assert (out / row["video_path"]).is_file()
        assert json.loads(row["text"].split("ASSISTANT: ")[1])["event_type"] == "near_miss"


@pytest.mark.parametrize("name", ["videofolder", "videofolder-completion"])
def test_trl_takes_the_rows_for_conversations(exported, tiny_qwen, tmp_path, name):
    found = consume("trl", "trl_rows.py", exported(name), tiny_qwen, tmp_path / "cache")

    assert len(found) == 2
    for row in found:
        assert row["conversational"]
        text = row["text"] if name == "videofolder" else row["prompt"] + row["completion"]
        assert text.count("<|video_pad|>") == 1
        assert '"event_type":"near_miss"' in text
        if name != "videofolder":
            assert "near_miss" not in row["prompt"].split("Answer form")[-1]
            assert "video_pad" not in row["completion"]


def test_qwen_vl_utils_decodes_every_video_of_a_row(exported):
    out = exported("qwen-vl")
    for part, rows in (("train", 2), ("val", 1), ("test", 1)):
        file: Path = out / f"qwen_{part}.jsonl"
        found = consume("llamafactory", "qwen_rows.py", file, FORCE_QWENVL_VIDEO_READER="decord")
        assert len(found) == rows
        for row in found:
            assert row["roles"] == ["user", "assistant"]
            assert len(row["frames"]) == 1
            assert row["frames"][0][0] >= 2
            assert json.loads(row["answer"])["event_type"] == "near_miss"
