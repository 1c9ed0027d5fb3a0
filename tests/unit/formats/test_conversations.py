"""The shapes that trainers read, written down from their loaders and not from our writers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.formats.items import accepted, context, corrected, in_split, make_analysis, make_clip, reviewed
from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats.registry import FORMATS

NAMES = ["prompt-text", "ms-swift", "internvl", "qwen-vl", "videofolder", "videofolder-completion"]
MARKS = re.compile("<video>|<image>|<audio>")
SPLITS = ("train", "val", "test")


def lines(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def write(tmp_path):
    def run(name, items=None, **changes):
        if items is None:
            clips = [make_clip(tmp_path / "in", f"{n} 🚗.mp4") for n in range(3)]
            items = [in_split(reviewed(clip), split) for clip, split in zip(clips, SPLITS, strict=True)]
        out = tmp_path / f"out-{name}"
        return out, FORMATS[name].write(items, out, context=context(**changes))

    return run


def test_prompt_text_is_cut_once_at_the_answer(write):
    out, _ = write("prompt-text")

    for number, split in enumerate(SPLITS):
        (row,) = lines(out / f"{split}.jsonl")
        assert list(row) == ["video_path", "text"]
        assert row["video_path"] == f"videos/{number} 🚗.mp4"
        question, answer = row["text"].split("ASSISTANT:")
        assert question.startswith("USER: ")
        assert question.endswith("\n")
        assert json.loads(answer)["event_type"] == "near_miss"


def test_an_answer_that_the_recipe_would_cut_is_refused_and_named(write, tmp_path):
    bad = reviewed(make_clip(tmp_path / "in", "bad.mp4"), {"caption": corrected("The screen says ASSISTANT: on.")})
    good = reviewed(make_clip(tmp_path / "in", "good.mp4"))

    out, report = write("prompt-text", [bad, good])

    assert [(row.name, "ASSISTANT:" in row.reason) for row in report.failed] == [("bad.mp4", True)]
    assert [row["video_path"] for row in lines(out / "train.jsonl")] == ["videos/good.mp4"]
    assert report.records == 1
    assert "bad.mp4" in (out / "LOSSES.md").read_text(encoding="utf-8")


def test_a_prompt_that_the_recipe_would_cut_is_refused(write, tmp_path):
    with pytest.raises(FormatError, match="ASSISTANT:"):
        write("prompt-text", prompt="You are the ASSISTANT: answer.")
    assert not (tmp_path / "out-prompt-text").exists()


def test_ms_swift_names_videos_where_they_will_lie(write):
    out, _ = write("ms-swift")

    for split in SPLITS:
        (row,) = lines(out / f"swift_{split}.jsonl")
        assert [message["role"] for message in row["messages"]] == ["user", "assistant"]
        assert [MARKS.findall(message["content"]) for message in row["messages"]] == [["<video>"], []]
        (video,) = row["videos"]
        assert Path(video).is_absolute()
        assert Path(video).parent == out / "clips"
        assert Path(video).is_file()
        assert "rejected_response" not in row


def test_ms_swift_pairs_are_of_training_clips_and_of_what_a_model_really_said(write, tmp_path):
    clips = [make_clip(tmp_path / "in", f"{n}.mp4") for n in range(4)]
    agreed = reviewed(clips[2], {"event_type": accepted("collision")})
    scripted = reviewed(clips[3])
    scripted = replace(scripted, analysis=make_analysis(scripted.clip, provenance="teacher_draft"))
    out, report = write("ms-swift", [reviewed(clips[0]), in_split(reviewed(clips[1]), "test"), agreed, scripted])

    (row,) = lines(out / "swift_preference.jsonl")
    assert row["videos"] == [str(out / "clips" / "0.mp4")]
    chosen, rejected = json.loads(row["messages"][1]["content"]), json.loads(row["rejected_response"])
    assert (chosen["event_type"], rejected["event_type"]) == ("near_miss", "collision")
    assert chosen.keys() == rejected.keys()
    assert any(note.startswith("1 corrections") for note in report.notes)


def test_internvl_trains_on_what_its_meta_file_names_and_on_nothing_held_out(write):
    out, _ = write("internvl")

    seen = {}
    for split, name in zip(SPLITS, ("meta.json", "meta_val.json", "meta_test.json"), strict=True):
        ((dataset, meta),) = json.loads((out / name).read_text(encoding="ascii")).items()
        assert set(meta) == {"root", "annotation", "data_augment", "max_dynamic_patch", "repeat_time", "length"}
        assert meta["annotation"].endswith("jsonl")
        rows = lines(out / meta["annotation"])
        assert meta["length"] == len(rows) == 1
        assert [row["id"] for row in rows] == [0]
        human, gpt = rows[0]["conversations"]
        assert (human["from"], gpt["from"]) == ("human", "gpt")
        assert human["value"].startswith("<video>\n")
        assert MARKS.findall(human["value"] + gpt["value"]) == ["<video>"]
        assert (out / meta["root"] / rows[0]["video"]).is_file()
        seen[dataset] = split
    assert seen == {"fleet": "train", "fleet_val": "val", "fleet_test": "test"}


def test_qwen_vl_rows_are_conversations_in_ascii(write):
    out, _ = write("qwen-vl")

    for split in SPLITS:
        (out / f"qwen_{split}.jsonl").read_text(encoding="ascii")
        (row,) = lines(out / f"qwen_{split}.jsonl")
        assert list(row) == ["video", "conversations"]
        assert (out / row["video"]).is_file()
        assert [turn["from"] for turn in row["conversations"]] == ["human", "gpt"]
        assert MARKS.findall(row["conversations"][0]["value"]) == ["<video>"]


@pytest.mark.parametrize("name", ["videofolder", "videofolder-completion"])
def test_videofolder_parts_are_folders_and_the_column_is_the_librarys_own(write, name):
    out, _ = write(name)

    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == ["test", "train", "validation"]
    for part in ("train", "validation", "test"):
        (row,) = lines(out / part / "metadata.jsonl")
        assert "video" not in row
        assert (out / part / row["file_name"]).is_file()
        turns = row["messages"] if name == "videofolder" else [*row["prompt"], *row["completion"]]
        assert [turn["role"] for turn in turns] == ["user", "assistant"]
        assert [piece["type"] for piece in turns[0]["content"]] == ["video", "text"]
        assert json.loads(turns[1]["content"][0]["text"])["event_type"] == "near_miss"


@pytest.mark.parametrize(
    ("file", "kept"),
    [
        *(("d02_test_1.mp4", False), ("Train.mp4", False), ("x-val2.mp4", False), ("dev.mp4", False)),
        *(("testing ground.mp4", False), ("latest.mp4", True), ("validity.mp4", True), ("trainstation.mp4", True)),
    ],
)
def test_a_clips_name_cannot_make_a_part(write, tmp_path, file, kept):
    out, _ = write("videofolder", [reviewed(make_clip(tmp_path / "in", file))])

    (row,) = lines(out / "train" / "metadata.jsonl")
    assert (row["file_name"] == file) == kept
    assert kept or re.fullmatch(r"clip-[0-9a-f]{16}\.mp4", row["file_name"])


@pytest.mark.parametrize("name", NAMES)
def test_captions_never_look_like_a_file(write, tmp_path, name):
    words = "The sign reads <video> & <image>."
    item = reviewed(make_clip(tmp_path / "in"), {"caption": corrected(words)})

    out, _ = write(name, [item])

    (file,) = [file for file in out.rglob("*.jsonl") if file.stat().st_size and "preference" not in file.name]
    (row,) = lines(file)
    if name == "prompt-text":
        answer = row["text"].split("ASSISTANT: ")[1]
    else:
        last = (row.get("messages") or row.get("completion") or row["conversations"])[-1]
        said = last.get("content") or last["value"]
        answer = said if isinstance(said, str) else said[0]["text"]
    assert not MARKS.search(answer)
    assert json.loads(answer)["caption"] == words


@pytest.mark.parametrize("name", [name for name in NAMES if name != "prompt-text"])
def test_a_prompt_with_a_mark_is_refused_and_nothing_written(write, tmp_path, name):
    with pytest.raises(FormatError, match="<video>"):
        write(name, prompt="Look at <video>.")
    assert not (tmp_path / f"out-{name}").exists()
