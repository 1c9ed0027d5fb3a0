"""A teacher's draft helps a person and is nothing else: no truth, no training, no test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.formats.items import recording_in
from tests.unit.workflow.conftest import put_answer, put_clip
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import FormatError, UsageError
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.drafts import awaiting_a_draft, drafted_recordings, teacher_options
from vvlm_desktop.workflow.exporting import export
from vvlm_desktop.workflow.session import Session

LABELS = {"event_type": "no_incident", "weather": "rain"}


def put(session: Session, folder: Path, name: str, *, split: str = "test") -> Clip:
    file = folder / name
    file.write_text(name)
    return put_clip(session, name, path=str(file), size_bytes=len(name), recording=recording_in(split))


def put_draft(session: Session, clip: Clip, labels: dict[str, Any] = LABELS) -> None:
    put_answer(session, clip, labels, backend="gemini", provenance="teacher_draft")


def records(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "corrections.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_review_starts_from_the_draft_and_nothing_is_settled_by_it(session: Session, tmp_path: Path) -> None:
    clip = put(session, tmp_path, "a.mp4")
    put_answer(session, clip, {"time_of_day": "day"}, provenance="measurement")
    put_draft(session, clip)
    state = review.open_review(session, clip.id)
    assert state.analysis is not None
    assert state.analysis.provenance == "teacher_draft"
    assert state.labels["weather"] == "rain"
    assert (state.review.status, session.library.truth(clip.id, schema_key=session.schema.key)) == (
        "needs_review",
        None,
    )


def test_draft_alone_trains_nobody_even_on_request(session: Session, tmp_path: Path) -> None:
    put_draft(session, put(session, tmp_path, "a.mp4"))
    with pytest.raises(FormatError, match="never trains"):
        export(session, "llamafactory", tmp_path / "out", unreviewed=True)


def test_review_that_began_from_a_draft_takes_its_whole_recording_out_of_the_test_part(
    session: Session, tmp_path: Path
) -> None:
    drafted, beside = put(session, tmp_path, "a.mp4"), put(session, tmp_path, "b.mp4")
    put_draft(session, drafted)
    put_answer(session, beside, LABELS)
    for clip in (drafted, beside):
        review.accept_rest(session, clip.id, window_seen=True)
    export(session, "ours", tmp_path / "out")
    assert [record["split"] for record in records(tmp_path / "out")] == ["val", "val"]
    assert "teacher's draft is never in the test part" in (tmp_path / "out" / "LOSSES.md").read_text(encoding="utf-8")
    export(session, "ours", tmp_path / "part", clips=[beside])  # the same part, whatever is exported beside it
    assert [record["split"] for record in records(tmp_path / "part")] == ["val"]


def test_correction_of_a_draft_counts_as_having_begun_from_it(session: Session, tmp_path: Path) -> None:
    clip = put(session, tmp_path, "a.mp4")
    put_draft(session, clip)
    review.set_value(session, clip.id, "weather", "fog")
    review.accept_rest(session, clip.id, window_seen=True)
    put_answer(session, clip, LABELS, backend="local")  # a later model does not undo that
    assert drafted_recordings(session) == {clip.recording}


def test_review_that_was_settled_before_the_draft_came_stays_in_the_test_part(session: Session, tmp_path: Path) -> None:
    clip = put(session, tmp_path, "a.mp4")
    put_answer(session, clip, LABELS)
    review.accept_rest(session, clip.id, window_seen=True)
    put_draft(session, clip)
    assert drafted_recordings(session) == frozenset()
    export(session, "ours", tmp_path / "out")
    assert [record["split"] for record in records(tmp_path / "out")] == ["test"]


@pytest.mark.parametrize("with_log", [True, False])
def test_imported_review_that_began_from_a_draft_is_known_as_one(
    session: Session, tmp_path: Path, with_log: bool
) -> None:
    from vvlm_desktop.settings import Settings
    from vvlm_desktop.workflow.importing import import_file
    from vvlm_desktop.workflow.session import open_session

    clip = put(session, tmp_path, "a.mp4")
    put_draft(session, clip)
    review.accept_rest(session, clip.id, window_seen=True)
    export(session, "ours", tmp_path / "out", with_log=with_log)
    with open_session(Settings(reviewer="Bo"), library_dir=tmp_path / "other") as other:
        other.library.add_clip(session.library.clip(clip.id))
        import_file(other, tmp_path / "out")
        assert len(drafted_recordings(other)) == 1
        assert import_file(other, tmp_path / "out").imported == 0
        assert other.library.verify().ok


def test_what_only_measures_is_no_teacher() -> None:
    assert teacher_options("gemini", {"model": "m"}) == {"model": "m", "teacher": True}
    with pytest.raises(UsageError, match="cannot be a teacher"):
        teacher_options("signals", {})


def test_clips_that_a_person_has_finished_need_no_draft(session: Session, tmp_path: Path) -> None:
    done, begun, new = (put(session, tmp_path, name) for name in ("a.mp4", "b.mp4", "c.mp4"))
    review.set_status(session, done.id, "reviewed")
    review.set_value(session, begun.id, "weather", "fog")
    clips = [session.library.clip(clip.id) for clip in (done, begun, new)]
    assert [clip.id for clip in awaiting_a_draft(clips)] == [begun.id, new.id]
