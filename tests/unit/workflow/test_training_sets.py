"""Training sets: immutable, named after what they hold, checked before use, and nothing in them that must not train."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.unit.workflow.conftest import put_answer
from tests.unit.workflow.test_near_duplicates import film, scenery
from vvlm_desktop.backends.gpu_slot import GpuSlot
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import FormatError, JobCancelledError, UsageError
from vvlm_desktop.formats.ours_read import read_ours
from vvlm_desktop.formats.split import assign_split
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.exporting import export
from vvlm_desktop.workflow.session import Session, open_session
from vvlm_desktop.workflow.training_check import check_training_set
from vvlm_desktop.workflow.training_sets import (
    SetOptions,
    find_training_set,
    list_training_sets,
    make_training_set,
    placements_of,
    withdrawn_since,
)
from vvlm_desktop.workflow.training_splits import BOOK_FILE, SETS_FOLDER
from vvlm_desktop.workflow.training_withdrawn import told_withdrawn, withdrawn_before

EVENTS = ("collision", "near_miss", "no_incident")


@pytest.fixture(scope="session")
def films(tmp_path_factory) -> list[Path]:
    """Six short clips of different sceneries, and the first one encoded anew."""
    folder = tmp_path_factory.mktemp("films")
    made = [
        film(folder / f"film {n}.mp4", picture=lambda t, n=n: scenery(n, t), seconds=1.5, size=(160, 90))
        for n in range(6)
    ]
    copy = film(folder / "film 0 again.mp4", picture=lambda t: scenery(0, t), seconds=1.5, size=(144, 80), crf=33)
    return [*made, copy]


@pytest.fixture
def clips(session, films) -> list[Clip]:
    return reviewed_clips(session, films)


def reviewed_clips(session: Session, films: list[Path]) -> list[Clip]:
    """Clips of six recordings; all but the copy are reviewed."""
    added = [item.clip for item in add_paths(session, films).items]
    ordered = sorted(added, key=lambda clip: films.index(Path(clip.path)))
    for n, clip in enumerate(ordered[:6]):
        settle(session, clip, event_type=EVENTS[n % 3])
    return ordered


def settle(session, clip, **labels) -> None:
    review.settle(session, clip.id, {"weather": "clear", **labels})


def records(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "corrections.jsonl").read_text().splitlines()]


def test_a_set_holds_what_was_settled_with_the_frames_that_are_shown(session, clips):
    made = make_training_set(session, "fleet", options=SetOptions(frames=4))

    folder = made.training_set.folder
    assert made.is_new
    assert folder.parent == session.library.folder / SETS_FOLDER
    assert folder.name == f"fleet-001-{made.training_set.id}"
    found = records(folder)
    assert {record["clip"]["id"] for record in found} == {clip.id for clip in clips[:6]}
    for record in found:
        assert record["sampling"]["frames"] == 4
        assert len(record["sampling"]["frames_pts"]) == 4
        assert record["truth"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["sampler"] == {"frames": 4, "name": "uniform"}
    assert (folder / "schema-dashcam-1.toml").read_text() == session.schema.document
    assert manifest["training_set"]["class_counts"]["event_type"]
    assert {row.reason for row in made.report.left_out} == {"not reviewed yet"}


def test_the_same_reviews_give_the_same_set_and_a_change_the_next_version(session, clips):
    first = make_training_set(session, "fleet")
    again = make_training_set(session, "fleet")
    assert not again.is_new
    assert again.training_set.folder == first.training_set.folder

    review.set_value(session, clips[0].id, "weather", "fog")
    second = make_training_set(session, "fleet")

    assert second.is_new
    assert second.training_set.number == 2
    assert second.training_set.id != first.training_set.id
    assert [each.number for each in list_training_sets(session)] == [1, 2]
    assert sorted(path.name for path in (session.library.folder / SETS_FOLDER).glob("[!.]*")) == [
        "current.json",
        *sorted((first.training_set.folder.name, second.training_set.folder.name)),
        BOOK_FILE,
    ]


def test_a_set_can_be_read_as_an_export_of_ours(session, clips):
    made = make_training_set(session, "fleet", options=SetOptions(balance="event_type"))

    imported = read_ours(made.training_set.folder, schemas=())

    assert imported.flags == ()
    assert all(len(record.sampling["frames_pts"]) > 1 for record in imported.records)
    assert all(record.group for record in imported.records)
    train = [record for record in imported.records if record.split == "train"]
    assert all(record.weight for record in train)


def test_rare_values_are_drawn_more_often(session, clips):
    for clip in clips[:5]:
        review.set_value(session, clip.id, "weather", "rain")
    (session.library.folder / SETS_FOLDER).mkdir()
    book = {clip.id: "train" for clip in clips}
    (session.library.folder / SETS_FOLDER / BOOK_FILE).write_text(json.dumps({"version": 1, "clips": book}))

    made = make_training_set(session, "fleet", options=SetOptions(balance="weather"))

    weights = {record["clip"]["id"]: record["weight"] for record in records(made.training_set.folder)}
    assert [weights[clip.id] for clip in clips[:6]] == [1.0] * 5 + [5.0]
    with pytest.raises(UsageError, match="no values to balance"):
        make_training_set(session, "fleet", options=SetOptions(balance="caption"))


def test_once_in_the_test_part_always_there_also_in_other_exports(session, clips, tmp_path):
    first = make_training_set(session, "fleet").training_set
    tested = [clip_id for clip_id, split in placements_of(first).items() if split == "test"]
    assert tested

    settle(session, clips[6])
    second = make_training_set(session, "fleet").training_set
    assert {clip_id: placements_of(second)[clip_id] for clip_id in placements_of(first)} == placements_of(first)

    (session.library.folder / SETS_FOLDER / BOOK_FILE).unlink()  # the sets themselves remember
    review.set_value(session, clips[0].id, "weather", "fog")
    third = make_training_set(session, "fleet").training_set
    assert all(placements_of(third)[clip_id] == "test" for clip_id in tested)

    export(session, "ours", tmp_path / "out")
    said = {record["clip"]["id"]: record["split"] for record in records(tmp_path / "out")}
    assert said == placements_of(third)
    sampling = json.loads((tmp_path / "out" / "sampling.json").read_text())
    assert [len(clip["frames_pts"]) for clip in sampling["clips"] if clip["file"]] == [15] * len(said)  # all there are


def test_a_copy_that_was_encoded_anew_goes_where_the_original_is(session, clips, tmp_path):
    original = clips[0]
    session.library.set_recording(clips[6].id, _recording_elsewhere(session, original))
    make_training_set(session, "fleet")
    settle(session, clips[6])

    made = make_training_set(session, "fleet")

    found = placements_of(made.training_set)
    assert found[clips[6].id] == found[original.id]
    export(session, "ours", tmp_path / "out")
    assert {record["clip"]["id"]: record["split"] for record in records(tmp_path / "out")} == found
    assert len({record["group"] for record in records(made.training_set.folder)}) == 6


def _recording_elsewhere(session, clip) -> str:
    own = assign_split(session.library.clip(clip.id).recording)
    return next(f"drive-{n}" for n in range(1000) if assign_split(f"drive-{n}") not in (own, "val"))


def test_what_must_not_train_is_in_no_set(session, clips):
    make_training_set(session, "fleet")
    put_answer(session, clips[6], {"event_type": "collision"}, provenance="demo_script")
    review.set_status(session, clips[5].id, "dismissed", reason="no_picture")

    made = make_training_set(session, "fleet")

    ids = set(placements_of(made.training_set))
    assert clips[5].id not in ids
    assert clips[6].id not in ids
    (first, second) = list_training_sets(session)
    assert (withdrawn_since(session, first), withdrawn_since(session, second)) == ([clips[5].id], [])
    (told,) = withdrawn_before(session, second)
    assert (told.clip_id, told.name) == (clips[5].id, "film 5.mp4")
    assert "; was in fleet-001" in told.reason
    assert "dismissed" in told.reason
    (gone,) = made.training_set.about["withdrawn"]
    assert gone["clip"] == clips[5].id
    assert gone["first_in"].startswith("fleet-001-")
    here, erased = told_withdrawn(session, [clips[0].id, "c0ffee" * 5], include_samples=True)
    assert here.reason.startswith("it may train again")
    assert erased.reason == "erased from the library"


def test_several_reviewers_are_counted(session, clips):
    session.reviewer = "Ben"
    review.settle(session, clips[0].id, {"event_type": "collision", "weather": "clear"})
    review.settle(session, clips[1].id, {"event_type": "collision", "weather": "clear"})

    about = make_training_set(session, "fleet").training_set.about["agreement"]

    assert about["clips_with_several_reviewers"] == 2
    assert about["fields"]["event_type"]["agreed"] == 1
    assert about["fields"]["event_type"]["kappa"] < 0.5
    assert about["fields"]["weather"] == {"clips": 2, "agreed": 2, "kappa": None}
    assert (about["gold"], about["disagreed"]) == ([clips[0].id], [clips[1].id])


def test_sets_are_found_by_name_number_id_and_folder(session, clips):
    first = make_training_set(session, "fleet").training_set
    review.set_value(session, clips[0].id, "weather", "fog")
    second = make_training_set(session, "fleet").training_set

    assert find_training_set(session, "fleet").number == 2
    assert find_training_set(session, "fleet-001").id == first.id
    assert find_training_set(session, second.id[:6]).number == 2
    assert find_training_set(session, str(first.folder)).number == 1
    with pytest.raises(UsageError, match="no training set") as caught:
        find_training_set(session, "other")
    assert "fleet-002" in caught.value.hint


def test_a_name_stands_for_the_version_that_was_made_last_also_an_older_one(session, clips):
    first = make_training_set(session, "fleet").training_set
    second = make_training_set(session, "fleet", options=SetOptions(frames=4)).training_set
    assert second.is_current
    assert find_training_set(session, "fleet").id == second.id
    again = make_training_set(session, "fleet")

    assert (again.is_new, again.training_set.id) == (False, first.id)
    assert again.training_set.is_current
    assert find_training_set(session, "fleet").id == first.id
    assert [each.is_current for each in list_training_sets(session)] == [True, False]
    assert find_training_set(session, "fleet-002").id == second.id

    shutil.rmtree(first.folder)
    assert find_training_set(session, "fleet").id == second.id
    (session.library.folder / SETS_FOLDER / "current.json").write_text("[]")
    assert find_training_set(session, "fleet").id == second.id


def test_numbers_need_no_zeros_and_no_name_where_one_set_has_them(session, clips):
    fleet = make_training_set(session, "fleet").training_set
    assert {find_training_set(session, text).id for text in ("1", "fleet-1", "fleet-0001", "fleet-001")} == {fleet.id}

    make_training_set(session, "night")
    with pytest.raises(UsageError, match="fits several") as caught:
        find_training_set(session, "1")
    assert "fleet-001, night-001" in caught.value.hint


def test_two_cannot_make_sets_at_once(session, clips):
    with GpuSlot(session.library.folder / SETS_FOLDER / ".lock") as other:
        assert other.acquire("somebody else")
        with pytest.raises(UsageError, match="Another window or command"):
            make_training_set(session, "fleet")
    assert make_training_set(session, "fleet").is_new


def test_stopping_or_failing_leaves_nothing(session, clips):
    with pytest.raises(JobCancelledError):
        make_training_set(session, "fleet", cancelled=lambda: True)
    with pytest.raises(UsageError):
        make_training_set(session, "../evil")
    with pytest.raises(FormatError, match="nothing to export"):
        make_training_set(session, "fleet", clips=[clips[6]])

    parent = session.library.folder / SETS_FOLDER
    assert not parent.is_dir() or not [path for path in parent.iterdir() if path.is_dir()]


# --- the check ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def finished(tmp_path_factory, films) -> Path:
    """A set of six clips, copied; no test changes it."""
    with open_session(Settings(reviewer="Ada"), library_dir=tmp_path_factory.mktemp("finished")) as session:
        reviewed_clips(session, films)
        return make_training_set(session, "fleet", options=SetOptions(frames=3, copy=True)).training_set.folder


@pytest.fixture
def made(finished, tmp_path) -> Path:
    """A set to change, without the library that it is from."""
    return shutil.copytree(finished, tmp_path / "elsewhere" / finished.name)


def sentences(report, level="error") -> str:
    return "\n".join(finding.sentence for finding in report.findings if finding.level == level)


def rewrite(folder: Path, change) -> None:
    """Change records and make the manifest fit them, as somebody would who edits a set by hand."""
    import hashlib

    file, manifest_file = folder / "corrections.jsonl", folder / "manifest.json"
    changed = [change(record) or record for record in records(folder)]
    file.chmod(0o644)
    manifest_file.chmod(0o644)
    file.write_text("".join(json.dumps(record) + "\n" for record in changed))
    manifest = json.loads(manifest_file.read_text())
    manifest["files"]["corrections.jsonl"]["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    manifest_file.write_text(json.dumps(manifest))


def test_a_good_set_has_nothing_to_mend(made):
    report = check_training_set(made)

    assert report.ok, report.findings
    assert (report.clips, report.decoded) == (6, 6)
    assert report.frames == 6 * 5  # three chosen, first and last
    assert report.longest[1] > 100
    assert not report.exact_tokens
    assert sum(report.splits.values()) == 6
    assert report.to_json()["ok"]


def test_a_missing_a_changed_and_a_damaged_clip_are_named(made):
    files = sorted((made / "clips").iterdir())
    files[0].unlink()
    files[1].write_bytes(files[2].read_bytes())

    report = check_training_set(made)

    assert f"{files[0].name}: its file is not in the set" in sentences(report)
    assert f"{files[1].name}: its content has changed" in sentences(report)
    assert report.decoded == 4


def test_a_frame_that_is_not_in_the_clip_and_a_wrong_count_are_errors(made):
    def change(record):
        if record["clip"]["name"] == "film 1.mp4":
            record["sampling"]["frames_pts"][0] += 1
        if record["clip"]["name"] == "film 2.mp4":
            record["clip"]["frames"] += 7

    rewrite(made, change)
    report = check_training_set(made)

    assert "film 1.mp4: no frame has the PTS" in sentences(report)
    assert "film 2.mp4: 15 frames come out, 22 were counted" in sentences(report)
    assert "was renamed or changed" in sentences(report, "warning")


def test_leaks_between_parts_are_errors(session, clips, tmp_path):
    settle(session, clips[6])
    session.library.set_recording(clips[6].id, "another drive")
    folder = make_training_set(
        session, "fleet", options=SetOptions(near_duplicates=False, copy=True)
    ).training_set.folder
    other = next(r["split"] for r in records(folder) if r["clip"]["id"] == clips[0].id)

    def part(record):
        if record["clip"]["id"] == clips[6].id:
            record["split"] = "test" if other != "test" else "train"

    rewrite(folder, part)
    report = check_training_set(folder)
    assert "look the same" in sentences(report)
    assert "film 0 again.mp4" in sentences(report)

    def recording(record):
        record["clip"]["recording"] = "one drive"

    rewrite(folder, recording)
    assert "same recording are in several parts" in sentences(check_training_set(folder))


def test_long_answers_are_named_and_exactly_counted_where_a_tokenizer_is_given(made):
    bounded = check_training_set(made, answer_tokens=50)
    assert bounded.ok
    assert "may have more than 50 tokens" in sentences(bounded, "warning")

    exact = check_training_set(made, answer_tokens=50, count_tokens=lambda text: 51 if "near_miss" in text else 9)
    assert "Answers of more than 50 tokens" in sentences(exact)
    assert exact.longest[1] == 52
    assert exact.exact_tokens


def test_one_sided_and_empty_parts_are_told(session, clips):
    made = make_training_set(session, "few", clips=clips[:2])

    report = check_training_set(made.training_set.folder)

    told = sentences(report, "warning")
    assert "Weather: all training clips say “clear”" in told


def test_a_set_whose_records_were_changed_is_refused(made):
    file = made / "corrections.jsonl"
    file.chmod(0o644)
    file.write_text(file.read_text().replace("near_miss", "collision"))
    with pytest.raises(FormatError, match="cut short or changed"):
        check_training_set(made)
    with pytest.raises(FormatError):
        check_training_set(made.parent)


def test_a_changed_schema_file_is_found(made):
    file = made / "schema-dashcam-1.toml"
    file.chmod(0o644)
    file.write_text("# other")
    assert "schema-dashcam-1.toml is missing, or was changed" in sentences(check_training_set(made))
