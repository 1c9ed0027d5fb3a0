from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.formats.items import (
    accepted,
    context,
    corrected,
    dashcam,
    in_split,
    make_analysis,
    make_clip,
    reviewed,
)
from vvlm_desktop.domain.prompt import build_prompt
from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats.llamafactory import LlamaFactory

MARKS = {"<video>": "videos", "<image>": "images", "<audio>": "audios"}


def load(folder: Path, dataset: str) -> list[dict[str, Any]]:
    """Rows as LLaMA-Factory's loader would take them, or an assertion where it would drop or refuse one.

    Written from its documentation, not from our writer: tags and columns by `dataset_info.json`; users and assistants
    in turn; an even number of messages, or an odd one with two answers in a ranking set; as many marks as files; media
    below the dataset folder.
    """
    info = json.loads((folder / "dataset_info.json").read_text(encoding="ascii"))[dataset]
    assert info["formatting"] == "sharegpt"
    columns, tags = info["columns"], info["tags"]
    ranking = info.get("ranking", False)
    role, content = tags["role_tag"], tags["content_tag"]
    turns = (tags["user_tag"], tags["assistant_tag"])
    found = []
    for row in json.loads((folder / info["file_name"]).read_text(encoding="utf-8")):
        messages = row[columns["messages"]]
        assert [message[role] for message in messages] == [turns[n % 2] for n in range(len(messages))]
        assert len(messages) % 2 == (1 if ranking else 0)
        answers = [row[columns["chosen"]], row[columns["rejected"]]] if ranking else [messages[-1]]
        assert all(answer[role] == turns[1] for answer in answers)
        for spoken in ([*messages, answer] for answer in answers) if ranking else [messages]:
            for mark, column in MARKS.items():
                files = row[columns[column]] if column in columns else []
                assert sum(message[content].count(mark) for message in spoken) == len(files)
        for video in row[columns["videos"]]:
            assert not Path(video).is_absolute()
            assert (folder / video).is_file()
        found.append({"question": messages[0][content], "answers": [json.loads(answer[content]) for answer in answers]})
    return found


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_the_loader_takes_every_split_and_every_pair(tmp_path, out):
    clips = [make_clip(tmp_path / "in", f"{n} 🚗 #.mp4") for n in range(6)]
    items = [in_split(reviewed(clip), split) for clip, split in zip(clips, ("train", "val", "test") * 2, strict=True)]

    LlamaFactory().write(items, out, context=context())

    assert [len(load(out, name)) for name in ("fleet", "fleet_val", "fleet_test", "fleet_ranking")] == [2, 2, 2, 2]


def test_question_and_answer_are_the_prompt_and_the_review(tmp_path, out):
    LlamaFactory().write([reviewed(make_clip(tmp_path / "in"))], out, context=context())

    (row,) = load(out, "fleet")
    assert row["question"] == "<video>" + build_prompt(dashcam())
    (answer,) = row["answers"]
    assert answer["event_type"] == "near_miss"
    assert answer["event_time"] == {"start_ms": 7840, "end_ms": 8310}
    assert list(answer) == [field.key for field in dashcam().model_fields if field.key in answer]


def test_a_correction_is_a_pair_of_the_review_and_what_the_model_said(tmp_path, out):
    LlamaFactory().write([reviewed(make_clip(tmp_path / "in"))], out, context=context())

    (row,) = load(out, "fleet_ranking")
    assert row["answers"] == [
        {"event_type": "near_miss", "time_of_day": "night"},
        {"event_type": "collision", "time_of_day": "night"},
    ]


@pytest.mark.parametrize("split", ["val", "test"])
def test_held_out_recordings_are_in_no_training_file(tmp_path, out, split):
    item = in_split(reviewed(make_clip(tmp_path / "in")), split)

    report = LlamaFactory().write([item], out, context=context())

    assert load(out, "fleet") == []
    assert load(out, "fleet_ranking") == []
    assert len(load(out, f"fleet_{split}")) == 1
    assert any("data.json is empty" in note for note in report.notes)


def test_what_a_demo_script_said_is_never_the_rejected_answer(tmp_path, out):
    item = reviewed(make_clip(tmp_path / "in", is_sample=True))
    item = replace(item, analysis=make_analysis(item.clip, provenance="demo_script"))

    LlamaFactory().write([item], out, context=context(include_samples=True))

    assert len(load(out, "fleet")) == 1
    assert load(out, "fleet_ranking") == []


def test_a_caption_that_says_video_is_not_counted_as_one(tmp_path, out):
    words = "The sign reads <video> & <image>."
    item = reviewed(make_clip(tmp_path / "in"), {"caption": corrected(words, "A <video>."), "weather": accepted("fog")})

    LlamaFactory().write([item], out, context=context())

    assert load(out, "fleet")[0]["answers"][0]["caption"] == words
    assert load(out, "fleet_ranking")[0]["answers"][1]["caption"] == "A <video>."


def test_a_prompt_that_says_video_is_refused(tmp_path, out):
    with pytest.raises(FormatError, match="prompt contains"):
        LlamaFactory().write([reviewed(make_clip(tmp_path / "in"))], out, context=context(prompt="Look at <video>."))

    assert not out.exists()


def test_the_shape_is_the_documented_one(tmp_path, out):
    LlamaFactory().write([reviewed(make_clip(tmp_path / "in"))], out, context=context())

    info = json.loads((out / "dataset_info.json").read_text(encoding="utf-8"))
    assert info["fleet"] == {
        "file_name": "data.json",
        "formatting": "sharegpt",
        "columns": {"messages": "messages", "videos": "videos"},
        "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"},
    }
    (row,) = json.loads((out / "data.json").read_text(encoding="utf-8"))
    assert list(row) == ["messages", "videos"]
    assert row["videos"] == ["clips/a.mp4"]
