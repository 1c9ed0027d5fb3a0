"""Labels of other programs in the library: nothing is downloaded, nothing private is drawn in, nobody is overruled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.clips import make_clip
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import PtsRange, Review
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.exporting import export
from vvlm_desktop.workflow.importing import import_file
from vvlm_desktop.workflow.session import Session, open_session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    return tmp_path / "set"


def film(folder: Path, name: str, *, frames: int = 20) -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    return make_clip(folder / name, frames=frames, fps=10, size=(160, 90))


def written(folder: Path, text: str, name: str = "labels.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def only_review(session: Session, clip: Clip) -> Review:
    (found,) = session.library.reviews(clip.id)
    return found


def test_nexars_two_times_become_the_events_time_and_evidence(session, folder):
    film(folder, "train/00822.mp4")
    file = written(folder, "id,time_of_event,time_of_alert,target\n822,1.4,0.6,1\n")

    report = import_file(session, file)

    assert (report.imported, report.problems) == (1, ())
    assert any("collision from a near miss" in note for note in report.notes)
    (clip,) = session.library.all_clips()
    found = only_review(session, clip)
    assert found.reviewer.startswith("nexar ")
    assert found.labels() == {"event_time": {"start_ms": 600, "end_ms": 1400}}
    (span,) = found.evidence["event_time"][None]
    assert isinstance(span, PtsRange)
    assert found.evidence["event_type"][None] == (span,)
    index = json.loads(session.library.index_file(clip).read_text())
    assert (index["pts"].index(span.start_pts), index["pts"].index(span.end_pts)) == (6, 14)
    assert found.settled


def test_times_beyond_the_clip_are_told_and_not_marked(session, folder):
    film(folder, "00001.mp4")
    file = written(folder, "id,time_of_event,time_of_alert,target\n1,20,19,1\n")

    report = import_file(session, file)

    (said,) = report.problems
    assert "beyond the end" in said
    (clip,) = session.library.all_clips()
    assert not any(only_review(session, clip).evidence.values())


def test_importing_twice_changes_nothing(session, folder):
    film(folder, "a.mp4")
    file = written(folder, "url,weather\na.mp4,fog\n")

    first = import_file(session, file)
    events = len(session.library.history())
    second = import_file(session, file)

    assert (first.imported, second.imported, second.known) == (1, 0, 1)
    assert len(session.library.history()) == events


def test_a_person_here_is_not_overruled(session, folder):
    (item,) = add_paths(session, [film(folder, "a.mp4")]).items
    review.settle(session, item.clip.id, {"weather": "rain"})
    file = written(folder, "url,weather\na.mp4,fog\n")

    report = import_file(session, file)

    assert report.imported == 1
    assert any("does not hold" in note for note in report.notes)
    truth = session.library.truth(item.clip.id, schema_key=session.schema.key)
    assert truth.reviewer == "Ada"
    assert truth.labels()["weather"] == "rain"


def test_a_review_made_after_the_import_stays_true_when_it_is_imported_again(session, folder):
    film(folder, "a.mp4")
    file = written(folder, "url,weather\na.mp4,fog\n")
    import_file(session, file)
    (clip,) = session.library.all_clips()
    review.settle(session, clip.id, {"weather": "rain"})

    assert import_file(session, file).known == 1
    assert session.library.truth(clip.id, schema_key=session.schema.key).labels()["weather"] == "rain"


def test_nothing_is_downloaded_and_addresses_are_named(session, folder):
    film(folder, "a.mp4")
    lines = ["a.mp4,fog", "https://example.org/b.mp4,fog", "//host/share/c.mp4,fog", "s3://bucket/d.mp4,fog"]

    report = import_file(session, written(folder, "url,weather\n" + "\n".join(lines) + "\n"))

    assert report.imported == 1
    assert len(report.problems) == 3
    assert all("nothing is downloaded unasked" in problem for problem in report.problems)


def test_a_list_draws_no_other_file_of_this_computer_into_the_library(session, folder, tmp_path):
    private, other = film(tmp_path, "private.mp4"), film(tmp_path, "other.mp4", frames=21)
    (folder / "link.mp4").symlink_to(private)
    lines = [f"{private},fog", "../private.mp4,fog", "link.mp4,fog", f"{other.as_uri()},fog", "missing.mp4,fog"]

    report = import_file(session, written(folder, "url,weather\n" + "\n".join(lines) + "\n"))

    assert report.imported == 0
    assert len(report.problems) == 5
    assert session.library.all_clips() == []


def test_a_file_elsewhere_is_taken_when_the_library_has_it(session, folder, tmp_path):
    (item,) = add_paths(session, [film(tmp_path, "known.mp4")]).items

    report = import_file(session, written(folder, f"url,weather\n{item.clip.path},fog\n"))

    assert (report.imported, report.problems) == (1, ())
    assert only_review(session, item.clip).labels() == {"weather": "fog"}


def test_two_names_of_one_clip_are_both_refused(session, folder):
    raw = film(folder, "a.mp4").read_bytes()
    (folder / "b.mp4").write_bytes(raw)

    report = import_file(session, written(folder, "url,weather\na.mp4,fog\nb.mp4,rain\n"))

    assert report.imported == 0
    assert sum("same clip" in problem for problem in report.problems) == 2


def test_a_file_that_is_no_video_is_told(session, folder):
    (folder / "a.mp4").write_text("not a video")

    report = import_file(session, written(folder, "url,weather\na.mp4,fog\n"))

    assert report.imported == 0
    assert "a.mp4" in report.problems[0]
    assert all(session.library.reviews(clip.id) == [] for clip in session.library.all_clips())


@pytest.mark.parametrize("name", ["metadata", "metadata-training-code", "prompt-text"])
@pytest.mark.parametrize("copy", [True, False])
def test_an_export_is_read_back_into_another_library(session, folder, tmp_path, name, copy):
    (item,) = add_paths(session, [film(folder, "a.mp4")]).items
    said = {"event_type": "near_miss", "visibility": "good", "traffic_density": "medium"}
    review.settle(session, item.clip.id, {**said, "caption": "A car cuts in."})
    export(session, name, tmp_path / "out", copy=copy)

    with open_session(Settings(reviewer="Ben"), library_dir=tmp_path / "there") as there:
        if not copy:  # linked clips lie elsewhere, and only what is known there is taken
            assert import_file(there, tmp_path / "out").imported == 0
            add_paths(there, [folder])
        report = import_file(there, tmp_path / "out")
        assert (report.imported, report.problems) == (1, ())
        labels = only_review(there, item.clip).labels()
    assert {key: labels[key] for key in said} == said
    assert labels["caption"] == "A car cuts in."
