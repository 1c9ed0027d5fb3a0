"""What a training set lets through to training, and what it does not."""

import json
from dataclasses import replace

import pytest

from tests.unit.training.sets import LIGHT, export, item, paint, truth, verdicts
from training.training_set import class_counts, read_training_set
from vvlm_desktop.domain.prompt import build_prompt
from vvlm_desktop.domain.review import Verdict
from vvlm_desktop.errors import FormatError


@pytest.fixture
def clips(tmp_path):
    """Paints the next clip."""
    numbers = iter(range(100))

    def make(**changes):
        number = next(numbers)
        path = paint(tmp_path / f"clip-{number}.mp4", bright=True, seed=number, frames=2)
        said = changes.pop("said", verdicts(truth(bright=True)))
        return item(path, said, split=changes.pop("split", "train"), number=number, **changes)

    return make


def test_prompt_is_the_one_of_analyses(clips, tmp_path):
    assert read_training_set(export(tmp_path / "set", [clips()])).prompt == build_prompt(LIGHT)


def test_only_values_that_somebody_looked_at_are_known(clips, tmp_path):
    said = verdicts(truth(bright=True), light="bulk_unseen")
    said["seen"] = Verdict("rejected", None, "explicit", model_value=["sun"], model_answered=True)
    (example,) = read_training_set(export(tmp_path / "set", [clips(said=said)])).examples
    assert dict(example.known) == {"event_time": {"start_ms": 500, "end_ms": 900}}


def test_clip_without_a_known_value_is_left_out(clips, tmp_path):
    unseen = clips(said=verdicts(truth(bright=True), light="bulk_unseen", event_time="bulk_unseen", seen="bulk_unseen"))
    training_set = read_training_set(export(tmp_path / "set", [unseen, clips()]))
    assert len(training_set.examples) == 1
    assert training_set.left_out == {"nobody has judged any field with the clip in view": ("clip-0.mp4",)}


def test_samples_train_only_where_they_are_let_in(clips, tmp_path):
    folder = export(tmp_path / "set", [clips(is_sample=True), clips()])
    assert read_training_set(folder).left_out == {"a sample clip": ("clip-0.mp4",)}
    assert len(read_training_set(folder, include_samples=True).examples) == 2


@pytest.mark.parametrize(("damage", "reason"), [("gone", "its file is gone"), ("longer", "its file was changed")])
def test_file_that_is_not_as_exported_is_left_out(clips, tmp_path, damage, reason):
    folder = export(tmp_path / "set", [clips(), clips()])
    file = next((folder / "clips").glob("clip-0*"))
    raw = file.read_bytes()
    file.unlink()
    if damage == "longer":
        file.write_bytes(raw + b"x")
    assert read_training_set(folder).left_out == {reason: ("clip-0.mp4",)}


def test_recording_in_two_parts_is_refused(clips, tmp_path):
    folder = export(tmp_path / "set", [clips(), clips()])
    lines = [json.loads(line) for line in (folder / "corrections.jsonl").read_text(encoding="utf-8").splitlines()]
    lines[1]["split"] = "val"
    lines[1]["clip"]["recording"] = lines[0]["clip"]["recording"]
    rewrite(folder, lines)
    with pytest.raises(FormatError, match=r"same recording is in two splits: clip-0\.mp4, clip-1\.mp4"):
        read_training_set(folder)


def rewrite(folder, lines):
    """Records and a manifest that fits them."""
    import hashlib

    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "corrections.jsonl").write_text(text, encoding="utf-8")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    raw = text.encode()
    manifest["files"]["corrections.jsonl"] = {"sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw)}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def test_set_that_was_changed_after_it_was_written_is_refused(clips, tmp_path):
    folder = export(tmp_path / "set", [clips()])
    with (folder / "corrections.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(FormatError, match="changed after it was written"):
        read_training_set(folder)


def test_folder_that_is_not_there(tmp_path):
    with pytest.raises(FormatError, match="no training set"):
        read_training_set(tmp_path / "none")


def test_schema_that_the_set_does_not_have(clips, tmp_path):
    folder = export(tmp_path / "set", [clips()])
    with pytest.raises(FormatError, match="labelled by dashcam-1") as caught:
        read_training_set(folder, schema_key="dashcam-1")
    assert LIGHT.key in caught.value.hint


def test_classes_are_counted_by_part(clips, tmp_path):
    partly = {key: each for key, each in verdicts(truth(bright=True)).items() if key != "seen"}
    counts = class_counts(read_training_set(export(tmp_path / "set", [clips(), clips(split="val", said=partly)])))
    assert counts["light"] == {"bright": {"train": 1, "val": 1, "test": 0}}
    assert counts["seen"]["(unknown)"] == {"train": 0, "val": 1, "test": 0}
    assert counts["event_time"] == {"(a time)": {"train": 1, "val": 1, "test": 0}}


def test_reviews_that_began_from_a_teachers_draft_measure_nobody(clips, tmp_path):
    from vvlm_desktop.domain.analysis import Analysis

    made = clips(split="test")
    draft = Analysis(
        id="draft",
        clip_id=made.clip.id,
        backend="local",
        model="teacher",
        adapter=None,
        created_at="2026-11-21T10:00:00.000Z",
        schema_key=LIGHT.key,
        schema_labels_sha=LIGHT.labels_sha,
        schema_wording_sha=LIGHT.wording_sha,
        prompt_sha=None,
        provenance="teacher_draft",
        labels={},
        confidence={},
        confidence_kind=None,
        frames_pts=(),
        raw_text="",
        timings={},
        settings={},
    )
    review = replace(made.reviews[0], analysis_id="draft")
    drafted = replace(made, reviews=(review,), truth=review, analysis=draft)
    training_set = read_training_set(export(tmp_path / "set", [drafted, clips()]))
    assert list(training_set.left_out) == ["its review began from a teacher's draft, so it measures nobody"]
