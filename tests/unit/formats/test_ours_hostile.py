"""An import may come from anyone: it is taken whole and right, or refused with the place and the reason."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.formats.items import context, dashcam, make_clip, reviewed
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats.ours import Ours


@pytest.fixture
def out(tmp_path: Path) -> Path:
    items = [reviewed(make_clip(tmp_path / "in", name)) for name in ("a.mp4", "b.mp4")]
    Ours().write(items, tmp_path / "out", context=context())
    return tmp_path / "out"


def edited(out: Path, change) -> Path:
    """The records with one of them changed, as a file by itself."""
    file = out / "corrections.jsonl"
    first, *rest = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    first = change(first) or first
    file.write_text("".join(json.dumps(record) + "\n" for record in (first, *rest)), encoding="utf-8")
    return file


def setter(path: str, value):
    def change(record):
        *parents, last = path.split(".")
        for key in parents:
            record = record[key]
        record[last] = value

    return change


FIELD = "review.fields.event_type"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("format", "other", "format"),
        ("version", 2, "version"),
        ("clip.sha256", "abc", "clip.sha256"),
        ("clip.sha256", "0" * 64, "id does not belong"),
        ("clip.sha256", "0" * 64 + "\n", "clip.sha256"),
        ("clip.id", "../../etc", "id does not belong"),
        ("clip.name", "../../etc/passwd", "plain name"),
        ("clip.name", "a\x00b", "plain name"),
        ("clip.name", "..", "plain name"),
        ("clip.size_bytes", "12", "clip.size_bytes"),
        ("clip.size_bytes", True, "clip.size_bytes"),
        ("clip.size_bytes", -1, "clip.size_bytes"),
        ("clip.frames", 10**30, "clip.frames"),
        ("clip.duration_s", None, "clip.duration_s"),
        ("file", "../a.mp4", "inside the export"),
        ("file", "/etc/passwd", "inside the export"),
        ("file", "clips/../../a.mp4", "inside the export"),
        ("file", "C:\\a.mp4", "inside the export"),
        ("file", "C:/a.mp4", "inside the export"),
        ("file", "", "inside the export"),
        ("split", "training", "split"),
        ("reviewer", "Zoë", "reviewer"),
        ("reviewer", None, "needs a reviewer"),
        ("review", None, "needs a reviewer"),
        ("review.status", "done", "not one of"),
        ("review.status", "in_review", "not settled"),
        ("review.updated_at", "yesterday", "not a time"),
        ("review.note", 5, "review.note"),
        ("review.note", "x" * 200_001, "review.note"),
        ("review.dismiss_reason", "bored", "not one of"),
        (f"{FIELD}.verdict", "maybe", "verdict"),
        (f"{FIELD}.verdict", "rejected", "is rejected and has a value"),
        (f"{FIELD}.how", None, "how its verdict came about"),
        (f"{FIELD}.how", "guessed", "how"),
        (f"{FIELD}.value", "explosion", "line 1: Event"),
        (f"{FIELD}.value", ["near_miss"], "line 1: Event"),
        (f"{FIELD}.value", None, "line 1: Event"),
        (f"{FIELD}.value", {"near_miss": 1}, "line 1: Event"),
        (f"{FIELD}.value", 3, "value"),
        (f"{FIELD}.reason", "because", "not one of"),
        (f"{FIELD}.reviewer", "R2", "by R2"),
        (f"{FIELD}.evidence", [{"value": None, "ranges": [[5, 4]]}], "ends before it starts"),
        (f"{FIELD}.evidence", [{"value": None, "ranges": [[5]]}], "ranges"),
        (f"{FIELD}.evidence", [{"value": None, "ranges": [[0.5, 1]]}], "ranges"),
        (f"{FIELD}.evidence", [{"value": None, "ranges": [[1, 2]]}] * 2, "given twice"),
        ("review.fields.event_time.value", {"start_ms": 5, "end_ms": 4}, "the end comes before"),
        ("review.fields.event_time.value", {"start_ms": 5, "end_ms": 10**12}, "reaches beyond"),
        ("review.fields.event_time.value", {"start_ms": True, "end_ms": 4}, "start_ms"),
        ("analysis.provenance", "oracle", "not one of"),
        ("analysis.kind", "oracle", "not one of"),
        ("analysis.question", "x" * 2001, "analysis.question"),
        ("analysis.legal_mass", {"event_type": 1.5}, "analysis.legal_mass"),
        ("analysis.value_confidence", {"event_type": {"collision": "high"}}, "analysis.value_confidence"),
        ("analysis.rounds", [{"purpose": "clue", "frames_pts": [0], "spans_ms": [[1, 2, 3]]}], "spans_ms"),
        ("analysis.rounds", [{"purpose": "clue"}], "frames_pts"),
        ("analysis.frames_pts", [1.5], "frames_pts"),
        ("analysis.confidence", {"event_type": 7}, "confidence"),
        ("schema.labels_sha", "nonsense", "schema.labels_sha"),
    ],
)
def test_a_record_that_is_not_right_is_refused_with_line_and_reason(out, path, value, reason):
    file = edited(out, setter(path, value))

    with pytest.raises(FormatError, match=reason) as caught:
        Ours().read(file, schemas=[dashcam()])

    assert str(caught.value).startswith("corrections.jsonl, line 1: ")


@pytest.mark.parametrize("key", ["clip", "review", "analysis", "schema", "truth", "file"])
def test_a_missing_part_is_named(out, key):
    file = edited(out, lambda record: {name: part for name, part in record.items() if name != key})

    with pytest.raises(FormatError, match=f"{key}: Field required"):
        Ours().read(file, schemas=[dashcam()])


@pytest.mark.parametrize("line", ["null", "[]", "7", '"x"', "{}", "{", "[" * 100_000])
def test_a_line_that_is_no_record_is_refused(out, line):
    file = out / "corrections.jsonl"
    file.write_text(file.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")

    with pytest.raises(FormatError, match="line 3"):
        Ours().read(file, schemas=[dashcam()])


def test_two_records_of_one_reviewer_are_refused(out):
    file = out / "corrections.jsonl"
    file.write_bytes(file.read_bytes() * 2)

    with pytest.raises(FormatError, match=r"line 3: a second record of a\.mp4 by R1"):
        Ours().read(file, schemas=[dashcam()])


def test_two_truths_of_one_clip_are_refused(out):
    file = out / "corrections.jsonl"
    text = file.read_text(encoding="utf-8")
    file.write_text(text + text.splitlines()[0].replace('"R1"', '"R2"') + "\n", encoding="utf-8")

    with pytest.raises(FormatError, match="a second review"):
        Ours().read(file, schemas=[dashcam()])


def test_an_export_that_was_cut_short_or_changed_is_refused(out):
    file = out / "corrections.jsonl"
    whole = file.read_bytes()

    for damaged in (whole[: whole.index(b"\n") + 1], whole.replace(b"near_miss", b"collision"), b""):
        file.write_bytes(damaged)
        with pytest.raises(FormatError, match="cut short or changed"):
            Ours().read(out, schemas=[dashcam()])
        with pytest.raises(FormatError, match="cut short or changed"):
            Ours().read(out / "manifest.json", schemas=[dashcam()])


def test_an_edited_file_can_be_taken_by_naming_it(out):
    file = edited(out, setter(f"{FIELD}.value", "no_incident"))

    read = Ours().read(file, schemas=[dashcam()])

    assert read.records[0].review.labels()["event_type"] == "no_incident"
    assert read.flags == ("line 1: “labels” disagrees with the verdicts; the verdicts were taken.",)


def test_changed_chains_are_refused(tmp_path):
    item = reviewed(make_clip(tmp_path / "in"))
    Ours().write([item], tmp_path / "out", context=context(events=[{"seq": 1}]))
    (tmp_path / "out" / "events.jsonl").write_text('{"seq":2}\n')

    with pytest.raises(FormatError, match=r"events\.jsonl is not what"):
        Ours().read(tmp_path / "out", schemas=[dashcam()])


def test_a_folder_without_manifest_is_taken_and_flagged(out):
    (out / "manifest.json").unlink()

    read = Ours().read(out, schemas=[dashcam()])

    assert len(read.records) == 2
    assert "nothing shows whether" in read.flags[0]


def test_a_manifest_that_is_not_right_is_refused(out):
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))

    for change, reason in (
        ({"records": 5}, "holds 2 records"),
        ({"files": {}}, "cut short or changed"),
        ({"schemas": [{**manifest["schemas"][0], "labels_sha": "0" * 64}]}, "does not match its fingerprint"),
        ({"schemas": [{**manifest["schemas"][0], "wording_sha": "0" * 64, "document": "x ="}]}, "line 1"),
        ({"heads": "none"}, "heads"),
    ):
        (out / "manifest.json").write_text(json.dumps(manifest | change))
        with pytest.raises(FormatError, match=reason):
            Ours().read(out, schemas=[dashcam()])


def test_an_unknown_schema_is_named_with_what_to_do(out):
    file = edited(out, setter("schema.key", "fleet-3"))
    (out / "manifest.json").unlink()

    with pytest.raises(FormatError, match=r"“fleet-3” .* is not in this library") as caught:
        Ours().read(file, schemas=[dashcam()])

    assert "manifest.json" in caught.value.hint


def test_renamed_values_are_found_by_their_old_names_and_flagged(out):
    def change(record):
        setter(f"{FIELD}.value", "near_crash")(record)
        setter("schema.labels_sha", "0" * 64)(record)

    read = Ours().read(edited(out, change), schemas=[dashcam()])

    assert read.records[0].review.labels()["event_type"] == "near_miss"
    assert any("“near_crash” of “event_type” was read as “near_miss”" in flag for flag in read.flags)
    assert any("another dashcam-1" in flag for flag in read.flags)


def test_unknown_fields_and_keys_are_flagged_and_the_rest_is_taken(out):
    def change(record):
        record["review"]["fields"]["mood"] = record["review"]["fields"]["event_type"]
        record["review"]["fields"]["event_type"] = {**record["review"]["fields"]["event_type"], "stars": 5}
        record["future"] = {"a": 1}

    read = Ours().read(edited(out, change), schemas=[dashcam()])

    assert "mood" not in read.records[0].review.verdicts
    assert read.records[0].review.verdicts["event_type"].value == "near_miss"
    assert [flag for word in ("mood", "stars", "future") for flag in read.flags if word in flag] != []
    assert len(read.flags) == 3


def test_a_model_value_that_the_schema_lacks_is_dropped_and_the_verdict_stays(out):
    def change(record):
        setter(f"{FIELD}.model_value", "explosion")(record)
        setter("analysis.labels", {"event_type": "explosion", "weather": "fog"})(record)

    record = Ours().read(edited(out, change), schemas=[dashcam()]).records[0]

    assert record.review.verdicts["event_type"].value == "near_miss"
    assert not record.review.verdicts["event_type"].model_answered
    assert record.analysis.labels == {"weather": "fog"}


def test_a_caption_that_is_too_long_is_kept_on_one_line_and_flagged(out):
    text = "One. Two. Three.\n" + "x" * 300

    read = Ours().read(edited(out, setter("review.fields.caption.value", text)), schemas=[dashcam()])

    assert read.records[0].review.labels()["caption"] == text.replace("\n", " ")
    assert any("caption" in flag for flag in read.flags)


def test_flags_stay_few_whatever_the_file_holds(out):
    def change(record):
        record.update({f"key{n}": n for n in range(5000)})

    read = Ours().read(edited(out, change), schemas=[dashcam()])

    assert len(read.flags) == 501
    assert read.flags[-1] == "And 4500 more."


def test_a_switched_off_field_is_left_out_and_flagged(tmp_path):
    text = dashcam().document.replace("enabled = false", "enabled = true")
    other = parse_schema(text, source="fleet.toml")
    clip = make_clip(tmp_path / "in")
    item = reviewed(clip)
    verdict = replace(item.truth.verdicts["scene"], value="preventable")
    review = replace(item.truth, verdicts={**item.truth.verdicts, "preventability": verdict})
    item = replace(item, schema=other, reviews=(review,), truth=review)
    Ours().write([item], tmp_path / "out", context=context(schema=other))

    whole = Ours().read(tmp_path / "out", schemas=[dashcam()])
    assert whole.records[0].review.verdicts["preventability"].value == "preventable"

    (tmp_path / "out" / "manifest.json").unlink()
    alone = Ours().read(tmp_path / "out" / "corrections.jsonl", schemas=[dashcam()])
    assert "preventability" not in alone.records[0].review.verdicts
    assert any("preventability" in flag for flag in alone.flags)


def test_devices_and_missing_files_are_refused(tmp_path):
    os.mkfifo(tmp_path / "corrections.jsonl")

    for path in (tmp_path, tmp_path / "corrections.jsonl", tmp_path / "gone.jsonl", Path(os.devnull)):
        with pytest.raises(FormatError):
            Ours().read(path, schemas=[dashcam()])
