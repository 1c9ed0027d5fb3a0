"""What every export format must keep to, run over all that are registered."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.formats.items import (
    CREATED_AT,
    REVIEWER,
    accepted,
    context,
    corrected,
    dashcam,
    in_split,
    make_analysis,
    make_clip,
    make_review,
    rejected,
    reviewed,
    tree,
    unreviewed,
)
from vvlm_desktop.errors import FormatError, StorageFullError
from vvlm_desktop.formats.base import ExportItem
from vvlm_desktop.formats.registry import FORMATS

every_format = pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
training_format = pytest.mark.parametrize(
    "fmt", [fmt for name, fmt in FORMATS.items() if name != "ours"], ids=[name for name in FORMATS if name != "ours"]
)


def reasons(report) -> dict[str, str]:
    return {row.name: row.reason for row in report.left_out}


ROW_FILES = {
    *("metadata.jsonl", "metadata_val.jsonl", "metadata_test.jsonl", "corrections.jsonl"),
    *("train.jsonl", "val.jsonl", "test.jsonl", "fleet.jsonl", "fleet_val.jsonl", "fleet_test.jsonl"),
    *(f"{who}_{part}.jsonl" for who in ("swift", "qwen") for part in ("train", "val", "test")),
}
#: The one format whose reader finds no relative paths.
ABSOLUTE = {"ms-swift"}


def rows_of(out: Path) -> list[dict]:
    """Every training row or record of an export; `_file` is its clip's path in the folder."""
    found: list[dict] = []
    for file in sorted(out.rglob("*.json*")):
        if file.name in ROW_FILES:
            rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        elif file.name in ("data.json", "data_val.json", "data_test.json"):
            rows = json.loads(file.read_text(encoding="utf-8"))
        else:
            continue
        found += [{**row, "_file": _file_of(row, file, out)} for row in rows]
    return found


def _file_of(row: dict, file: Path, out: Path) -> str:
    if "file_name" in row:
        return (file.parent / row["file_name"]).relative_to(out).as_posix()
    if file.name.startswith("fleet"):
        (meta,) = json.loads((out / file.name.replace("fleet", "meta").replace("jsonl", "json")).read_text()).values()
        assert meta["annotation"] == file.name
        return meta["root"] + row["video"]
    name = row.get("video") or row.get("file") or row.get("video_path") or row["videos"][0]
    return Path(name).relative_to(out).as_posix() if Path(name).is_absolute() else name


def said_in(row: dict) -> str:
    """What a row teaches, as text: the answer where it is a conversation."""
    for key in ("completion", "messages", "conversations"):
        if key in row:
            return json.dumps(row[key][-1], ensure_ascii=False)
    if "text" in row:
        return row["text"].split("ASSISTANT: ")[1]
    return json.dumps({key: value for key, value in row.items() if key != "_file"}, ensure_ascii=False)


@every_format
def test_equal_input_gives_equal_bytes_in_whatever_order(fmt, tmp_path):
    clips = [make_clip(tmp_path / "in", f"{n}.mp4") for n in range(5)]
    items = [in_split(reviewed(clip), split) for clip, split in zip(clips, ("train", "val", "test") * 2, strict=False)]

    fmt.write(items, tmp_path / "out", context=context())
    (tmp_path / "out").rename(tmp_path / "first")
    fmt.write(items[::-1], tmp_path / "out", context=context())

    assert tree(tmp_path / "first") == tree(tmp_path / "out")
    assert CREATED_AT in (tmp_path / "out" / "LOSSES.md").read_text(encoding="utf-8")


@every_format
def test_files_are_utf8_with_unix_lines_and_no_trace_of_this_computer(fmt, tmp_path):
    items = [reviewed(make_clip(tmp_path / "in", "drive 🚗 #1.mp4"))]

    fmt.write(items, tmp_path / "out", context=context())

    for name, raw in tree(tmp_path / "out").items():
        text = raw.decode("utf-8")
        assert not raw.startswith(b"\xef\xbb\xbf"), name
        assert "\r" not in text, name
        assert REVIEWER not in text, name
        assert "Zo\\u00eb" not in text, name
        assert fmt.name in ABSOLUTE or str(tmp_path) not in text, name
        assert str(tmp_path / "in") not in text, name


@every_format
def test_losses_say_what_is_lost_and_what_was_left_out(fmt, tmp_path):
    kept = reviewed(make_clip(tmp_path / "in", "kept.mp4"))
    waiting = unreviewed(make_clip(tmp_path / "in", "wait_*ing*.mp4"))

    report = fmt.write([kept, waiting], tmp_path / "out", context=context())

    text = (tmp_path / "out" / "LOSSES.md").read_text(encoding="utf-8")
    assert all(loss in text for loss in fmt.losses)
    assert len(fmt.losses) >= 3
    assert "not reviewed yet" in text
    assert r"wait\_\_ing\_.mp4" in text
    assert [row.name for row in report.left_out] == ["wait__ing_.mp4"]


@every_format
def test_clips_are_named_relative_to_the_folder_and_are_there(fmt, tmp_path):
    clips = [
        make_clip(tmp_path / "in", "drive 🚗 #1.mp4"),
        make_clip(tmp_path / "one", "same.mp4", content=b"1"),
        make_clip(tmp_path / "two", "same.mp4", content=b"2"),
    ]

    report = fmt.write([reviewed(clip) for clip in clips], tmp_path / "out", context=context(copy=True))

    assert (report.clips, report.copied, report.linked) == (3, 3, 0)
    named = [row["_file"] for row in rows_of(tmp_path / "out")]
    assert len(set(named)) == 3
    for name in named:
        assert "\\" not in name
        assert not Path(name).is_absolute()
        assert (tmp_path / "out" / name).is_file()
    assert any("drive 🚗 #1.mp4" in name for name in named)


@every_format
def test_splits_are_by_recording_and_counted(fmt, tmp_path):
    clips = [make_clip(tmp_path / "in", f"{n}.mp4") for n in range(4)]
    items = [
        in_split(reviewed(clip), split) for clip, split in zip(clips, ("train", "train", "val", "test"), strict=True)
    ]

    report = fmt.write(items, tmp_path / "out", context=context())

    assert report.splits == {"train": 2, "val": 1, "test": 1}
    assert report.records == 4


@every_format
def test_a_missing_file_is_named_and_the_others_are_exported(fmt, tmp_path):
    gone = make_clip(tmp_path / "in", "gone.mp4")
    items = [reviewed(gone), reviewed(make_clip(tmp_path / "in", "here.mp4"))]
    Path(gone.path).unlink()

    report = fmt.write(items, tmp_path / "out", context=context())

    assert [row.name for row in report.failed] == ["gone.mp4"]
    assert "no longer at" in report.failed[0].reason
    assert report.clips == 1
    assert report.to_json()["failed"][0]["clip_id"] == gone.id
    assert "gone.mp4" in (tmp_path / "out" / "LOSSES.md").read_text(encoding="utf-8")


@training_format
def test_when_no_file_is_left_nothing_is_written_and_the_clips_are_named(fmt, tmp_path):
    gone = make_clip(tmp_path / "in", "gone.mp4")
    Path(gone.path).unlink()

    with pytest.raises(FormatError, match=r"gone\.mp4"):
        fmt.write([reviewed(gone)], tmp_path / "out", context=context())

    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@every_format
def test_nothing_reviewed_means_nothing_written_and_a_hint(fmt, tmp_path):
    with pytest.raises(FormatError, match="not reviewed yet") as caught:
        fmt.write([unreviewed(make_clip(tmp_path / "in"))], tmp_path / "out", context=context())

    assert "--unreviewed" in caught.value.hint
    assert not (tmp_path / "out").exists()


@every_format
def test_a_full_folder_is_refused_before_anything_is_read(fmt, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")

    with pytest.raises(FormatError, match="not empty"):
        fmt.write([reviewed(make_clip(tmp_path / "in"))], tmp_path / "out", context=context())

    assert tree(tmp_path / "out") == {"mine.txt": b"mine"}


@every_format
def test_a_disk_that_fills_up_leaves_nothing(fmt, tmp_path, monkeypatch):
    items = [reviewed(make_clip(tmp_path / "in"))]
    calls = []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(StorageFullError, match="disk is full"):
        fmt.write(items, tmp_path / "out", context=context())

    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@every_format
def test_analyses_are_exported_only_on_request_and_say_so_in_each_row(fmt, tmp_path):
    items = [
        reviewed(make_clip(tmp_path / "in", "seen.mp4")),
        unreviewed(make_clip(tmp_path / "in", "unseen.mp4")),
    ]

    report = fmt.write(items, tmp_path / "out", context=context(unreviewed=True))

    assert report.records == 2
    sources = {row["_file"].split("/")[1]: row["source"] for row in rows_of(tmp_path / "out")}
    assert sources == {"seen.mp4": "review", "unseen.mp4": "analysis"}
    assert "unreviewed" in (tmp_path / "out" / "LOSSES.md").read_text(encoding="utf-8")


@training_format
@pytest.mark.parametrize("provenance", ["demo_script", "teacher_draft"])
def test_scripts_and_drafts_never_train_not_even_on_request(fmt, tmp_path, provenance):
    items = [
        reviewed(make_clip(tmp_path / "in", "seen.mp4")),
        unreviewed(make_clip(tmp_path / "in", "script.mp4"), provenance=provenance),
    ]

    report = fmt.write(items, tmp_path / "out", context=context(unreviewed=True))

    assert "never trains" in reasons(report)["script.mp4"]
    assert len(rows_of(tmp_path / "out")) == 1


@training_format
def test_sample_clips_stay_out_of_training_sets_unless_asked(fmt, tmp_path):
    sample = reviewed(make_clip(tmp_path / "in", "sample.mp4", is_sample=True))
    real = reviewed(make_clip(tmp_path / "in", "real.mp4"))

    report = fmt.write([sample, real], tmp_path / "out", context=context())
    assert reasons(report) == {"sample.mp4": "sample clips train nobody unless they are let in"}

    report = fmt.write([sample, real], tmp_path / "with", context=context(include_samples=True))
    assert report.left_out == ()
    assert sorted(row["is_sample"] for row in rows_of(tmp_path / "with")) == [False, True]
    assert "Sample clips are in this export" in (tmp_path / "with" / "LOSSES.md").read_text(encoding="utf-8")


@training_format
def test_clips_that_cannot_train_are_left_out_with_the_reason(fmt, tmp_path):
    def clip(name, **changes):
        return make_clip(tmp_path / "in", name, **changes)

    dismissed = clip("dismissed.mp4")
    unseen = clip("unseen.mp4")
    other = replace(dashcam(), name="fleet", labels_sha="0" * 64)
    items = [
        reviewed(clip("good.mp4")),
        reviewed(clip("dark.mp4", frames=0, problem="no pictures")),
        reviewed(clip("rear.mp4", stream_index=1)),
        reviewed(unseen, {"event_type": accepted("collision", how="bulk_unseen")}),
        ExportItem(
            dismissed,
            dashcam(),
            reviews=(make_review(dismissed, status="dismissed", dismiss_reason="not_our_vehicle"),),
            analysis=make_analysis(dismissed),
        ),
        replace(reviewed(clip("foreign.mp4")), schema=other),
    ]

    report = fmt.write(items, tmp_path / "out", context=context(unreviewed=True))

    assert reasons(report) == {
        "dark.mp4": "gives no pictures",
        "dismissed.mp4": "dismissed (not our vehicle)",
        "foreign.mp4": "described by another label schema (fleet-1)",
        "rear.mp4": "a later video stream of its file, which this format cannot name",
        "unseen.mp4": "nobody has judged any field with the clip in view",
    }


@training_format
def test_rejected_and_unseen_values_appear_nowhere(fmt, tmp_path):
    verdicts = {
        "event_type": accepted("near_miss"),
        "visibility": accepted("bad", how="bulk_unseen"),
        "caption": accepted("Nobody edited this sentence.", how="bulk"),
    }

    fmt.write([reviewed(make_clip(tmp_path / "in"), verdicts)], tmp_path / "out", context=context())

    (row,) = rows_of(tmp_path / "out")
    said = said_in(row)
    assert "near_miss" in said
    assert "Nobody edited" not in json.dumps(row)
    assert "visibility" not in said


@every_format
def test_the_frames_of_our_sampler_and_of_the_analysis_lie_beside(fmt, tmp_path):
    items = [
        replace(reviewed(make_clip(tmp_path / "in", "a.mp4")), sampled_pts=(256, 768)),
        reviewed(make_clip(tmp_path / "in", "b.mp4")),
    ]

    fmt.write(items, tmp_path / "out", context=context(sampler={"name": "uniform", "frames": 2}))

    document = json.loads((tmp_path / "out" / "sampling.json").read_text(encoding="utf-8"))
    assert document["sampler"] == {"frames": 2, "name": "uniform"}
    first, second = document["clips"]
    assert (first["frames_pts"], second["frames_pts"]) == ([256, 768], [])
    assert first["analysis"] == {"frames_pts": [0, 512, 1024], "settings": {"frames": 16}}
    assert {clip["file"] for clip in document["clips"]} == {row["_file"] for row in rows_of(tmp_path / "out")}


@every_format
def test_the_same_clip_twice_is_our_own_mistake(fmt, tmp_path):
    item = reviewed(make_clip(tmp_path / "in"))

    with pytest.raises(ValueError, match="given twice"):
        fmt.write([item, item], tmp_path / "out", context=context())


def test_an_unfinished_review_already_overrules_the_analysis(tmp_path):
    clip = make_clip(tmp_path)
    begun = make_review(
        clip,
        {"event_type": corrected("no_incident", "collision"), "time_of_day": rejected("night")},
        status="in_review",
    )

    item = ExportItem(clip, dashcam(), reviews=(begun,), analysis=make_analysis(clip))

    assert item.source == "analysis"
    assert item.labels == {"event_type": "no_incident"}
