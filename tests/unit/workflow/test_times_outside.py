"""A time that the clip does not have: refused from people, kept raw and unused from machines, flagged from imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clips import make_clip
from tests.unit.workflow.conftest import put_answer, put_clip
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.clip_times import lies_within
from vvlm_desktop.errors import LabelError
from vvlm_desktop.formats.foreign import ForeignRow, ForeignSet, Place
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.exporting import export, gather
from vvlm_desktop.workflow.import_rows import take_rows
from vvlm_desktop.workflow.importing import import_file
from vvlm_desktop.workflow.review_state import open_review
from vvlm_desktop.workflow.session import Session, open_session

BEYOND = {"start_ms": 40_000, "end_ms": 41_000}


@pytest.fixture
def clip(session: Session) -> Clip:
    return put_clip(session, "a.mp4")  # 10 s


def test_person_is_refused_with_the_clips_length_and_nothing_is_stored(session: Session, clip: Clip) -> None:
    for give in (
        lambda: review.set_value(session, clip.id, "event_time", BEYOND),
        lambda: review.settle(session, clip.id, {"event_type": "collision", "event_time": BEYOND}),
        lambda: review.set_value(session, clip.id, "event_time", {"start_ms": 9_000, "end_ms": 10_001}),
    ):
        with pytest.raises(LabelError, match="not within the clip") as refused:
            give()
        assert refused.value.hint == "It lasts from 0 to 10.00 s."
    assert session.library.history(clip.id) == []


def test_last_moment_of_the_clip_is_within_it(session: Session, clip: Clip) -> None:
    review.set_value(session, clip.id, "event_time", {"start_ms": 0, "end_ms": 10_000})
    assert lies_within({"start_ms": 0, "end_ms": 9968}, 9.9676)
    assert not lies_within({"start_ms": 0, "end_ms": 9969}, 9.9676)


def test_clip_of_unknown_length_refuses_no_time(session: Session) -> None:
    unknown = put_clip(session, "unmeasured.mp4", duration_s=0.0)
    review.set_value(session, unknown.id, "event_time", BEYOND)


def test_models_time_stays_as_it_was_said_and_enter_does_not_make_it_true(session: Session, clip: Clip) -> None:
    put_answer(session, clip, {"event_type": "collision", "event_time": BEYOND})
    state = open_review(session, clip.id)
    assert state.said("event_time") == (True, BEYOND)
    assert "event_time" not in state.labels
    review.accept_rest(session, clip.id, window_seen=True)
    held = session.library.review(clip.id, reviewer="Ada", schema_key=session.schema.key).labels()
    assert held["event_type"] == "collision"
    assert "event_time" not in held


def test_unreviewed_export_has_it_only_as_what_the_model_said(session: Session, clip: Clip) -> None:
    put_answer(session, clip, {"event_type": "collision", "event_time": BEYOND})
    item = gather(session, clip)
    assert item.labels == {"event_type": "collision"}
    assert item.analysis is not None
    assert item.analysis.labels["event_time"] == BEYOND


def test_imported_time_is_kept_and_flagged(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_paths(session, [make_clip(tmp_path / "b.mp4", frames=10, fps=10)])
    (clip,) = session.library.all_clips()
    monkeypatch.setattr(review, "require_within", lambda _schema, _key, value, **_: value)
    review.settle(session, clip.id, {"event_type": "collision", "event_time": BEYOND})
    export(session, "ours", tmp_path / "out", copy=True)
    with open_session(Settings(reviewer="Bo"), library_dir=tmp_path / "other") as there:
        report = import_file(there, tmp_path / "out")
        assert report.imported == 1
        assert any("b.mp4" in note and "beyond the end" in note for note in report.notes)
        (held,) = there.library.reviews(clip.id)
        assert held.labels()["event_time"] == BEYOND


def test_label_list_of_another_program_is_told_of(session: Session, tmp_path: Path) -> None:
    make_clip(tmp_path / "c.mp4", frames=10, fps=10)
    row = ForeignRow("row 1", (Place("beside", "c.mp4"),), {"event_type": "collision", "event_time": BEYOND})
    taken = take_rows(session, ForeignSet("x", tmp_path, "f" * 16, (row,)))
    assert any("beyond the end" in problem for problem in taken.problems)
    assert taken.reviews[0].labels()["event_time"] == BEYOND
