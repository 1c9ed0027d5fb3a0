"""Each thing a reviewer does is one action, is stored at once, and can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.workflow.conftest import put_answer, put_clip
from vvlm_desktop.domain.review import PtsRange
from vvlm_desktop.errors import LabelError, ReviewChangedError, SchemaError, UsageError
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow import review as actions
from vvlm_desktop.workflow.session import Session, open_session

COLLISION = {
    "event_type": "collision",
    "event_time": {"start_ms": 1000, "end_ms": 2000},
    "ego_involved": "yes",
    "conflict_with": "car",
    "conflict_type": "rear_end",
    "initiated_by": "other",
    "cause_of_risk": ["following_too_close"],
    "weather": "clear",
    "road_surface": "dry",
    "caption": "A car brakes.",
}


@pytest.fixture
def clip_id(session: Session) -> str:
    clip = put_clip(session, "a.mp4")
    put_answer(session, clip, COLLISION)
    return clip.id


def test_first_verdict_begins_the_review_and_undo_takes_both_back(session: Session, clip_id: str) -> None:
    actions.set_value(session, clip_id, "event_type", "near_miss")
    state = actions.open_review(session, clip_id)
    assert state.review.status == "in_review"
    assert state.review.verdicts["event_type"].verdict == "corrected"
    assert actions.undo(session) is not None
    state = actions.open_review(session, clip_id)
    assert state.review.status == "needs_review"
    assert state.review.verdicts == {}


def test_the_same_value_is_an_acceptance(session: Session, clip_id: str) -> None:
    actions.set_value(session, clip_id, "weather", "clear")
    verdict = actions.open_review(session, clip_id).review.verdicts["weather"]
    assert (verdict.verdict, verdict.reason, verdict.how) == ("accepted", None, "explicit")


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("event_type", "no_incident", "false_alarm"),
        ("event_type", "near_miss", "wrong_value"),
        ("event_time", {"start_ms": 1500, "end_ms": 2000}, "wrong_time"),
    ],
)
def test_the_reason_of_a_correction_is_inferred(
    session: Session, clip_id: str, field: str, value: object, reason: str
) -> None:
    actions.set_value(session, clip_id, field, value)  # type: ignore[arg-type]
    assert actions.open_review(session, clip_id).review.verdicts[field].reason == reason


def test_a_field_that_nobody_had_answered_was_not_wrong(session: Session, clip_id: str) -> None:
    actions.set_value(session, clip_id, "traffic_density", "low")
    verdict = actions.open_review(session, clip_id).review.verdicts["traffic_density"]
    assert (verdict.verdict, verdict.model_answered, verdict.reason) == ("corrected", False, None)


def test_enter_accepts_what_was_not_touched_but_never_the_caption(session: Session, clip_id: str) -> None:
    actions.set_value(session, clip_id, "event_type", "near_miss")
    outcome = actions.accept_rest(session, clip_id, window_seen=True)
    review = actions.open_review(session, clip_id).review
    assert outcome.broken_rules == ()
    assert review.status == "reviewed"
    assert review.verdicts["event_type"].how == "explicit"
    assert review.verdicts["weather"].how == "bulk"
    assert review.verdicts["severity"].value == "high"
    assert "caption" not in review.verdicts
    assert "traffic_density" not in review.verdicts  # nobody answered it


def test_enter_without_having_seen_the_event_is_recorded_as_such(session: Session, clip_id: str) -> None:
    actions.accept_rest(session, clip_id, window_seen=False)
    verdicts = actions.open_review(session, clip_id).review.verdicts
    assert {v.how for v in verdicts.values()} == {"bulk_unseen"}


def test_a_false_alarm_does_not_keep_the_event_that_was_none(session: Session, clip_id: str) -> None:
    actions.set_value(session, clip_id, "event_type", "no_incident")
    outcome = actions.accept_rest(session, clip_id, window_seen=True)
    labels = actions.open_review(session, clip_id).review.labels()
    assert outcome.broken_rules == ()
    assert labels["event_time"] is None
    assert labels["conflict_with"] == "none"
    assert labels["cause_of_risk"] == []
    assert labels["ego_involved"] == "no"
    assert labels["severity"] == "low"


def test_what_a_person_set_wins_over_what_a_rule_implies(session: Session, clip_id: str) -> None:
    actions.set_value(session, clip_id, "conflict_with", "animal")
    actions.set_value(session, clip_id, "event_type", "no_incident")
    outcome = actions.accept_rest(session, clip_id, window_seen=True)
    stored = actions.open_review(session, clip_id).review
    assert stored.labels()["conflict_with"] == "animal"
    assert len(outcome.broken_rules) == 1
    assert stored.broken_rules == outcome.broken_rules


def test_enter_is_one_undo(session: Session, clip_id: str) -> None:
    actions.set_value(session, clip_id, "weather", "rain")
    actions.accept_rest(session, clip_id, window_seen=True)
    change = actions.undo(session)
    assert change is not None
    assert change.clip_ids == (clip_id,)
    review = actions.open_review(session, clip_id).review
    assert list(review.verdicts) == ["weather"]
    assert review.status == "in_review"
    assert actions.redo(session) is not None
    assert actions.open_review(session, clip_id).review.status == "reviewed"


def test_undo_reaches_back_over_a_restart_and_to_another_clip(session: Session, clip_id: str) -> None:
    other = put_clip(session, "b.mp4")
    put_answer(session, other, COLLISION)
    actions.set_value(session, clip_id, "weather", "rain")
    actions.set_value(session, other.id, "weather", "fog")
    with open_session(Settings(reviewer="Ada"), library_dir=session.library.folder) as again:
        first = actions.undo(again)
        second = actions.undo(again)
        assert first is not None
        assert second is not None
        assert (first.clip_ids, second.clip_ids) == ((other.id,), (clip_id,))
        assert actions.undo(again) is None


def test_undo_never_touches_another_reviewer(session: Session, clip_id: str) -> None:
    actions.set_value(session, clip_id, "weather", "rain")
    session.reviewer = "Grace"
    assert actions.undo(session) is None
    session.reviewer = "Ada"
    assert actions.open_review(session, clip_id).review.labels() == {"weather": "rain"}


def test_rejected_field_has_no_known_value(session: Session, clip_id: str) -> None:
    actions.reject_field(session, clip_id, "weather")
    state = actions.open_review(session, clip_id)
    assert state.review.verdicts["weather"].verdict == "rejected"
    assert "weather" not in state.labels
    actions.accept_rest(session, clip_id, window_seen=True)
    assert "weather" not in actions.open_review(session, clip_id).review.labels()


def test_rejecting_what_was_never_answered_is_refused_and_keeps_the_own_verdict(session: Session, clip_id: str) -> None:
    actions.set_value(session, clip_id, "traffic_density", "low")
    with pytest.raises(LabelError, match="no answer"):
        actions.reject_field(session, clip_id, "traffic_density")
    assert actions.open_review(session, clip_id).review.labels() == {"traffic_density": "low"}


def test_second_reviewer_is_told_who_settled_the_clip_and_not_what(session: Session, clip_id: str) -> None:
    actions.accept_rest(session, clip_id, window_seen=True)
    assert actions.open_review(session, clip_id).others == ()
    session.reviewer = "Grace"
    state = actions.open_review(session, clip_id)
    assert (state.others, dict(state.review.verdicts)) == (("Ada",), {})


def test_toggling_a_list_keeps_schema_order_and_cannot_tell_alone(session: Session, clip_id: str) -> None:
    actions.toggle_value(session, clip_id, "cause_of_risk", "speeding")
    assert actions.open_review(session, clip_id).labels["cause_of_risk"] == ["speeding", "following_too_close"]
    actions.toggle_value(session, clip_id, "cause_of_risk", "cannot_tell")
    assert actions.open_review(session, clip_id).labels["cause_of_risk"] == ["cannot_tell"]
    actions.toggle_value(session, clip_id, "cause_of_risk", "speeding")
    actions.toggle_value(session, clip_id, "cause_of_risk", "speeding")
    assert actions.open_review(session, clip_id).labels["cause_of_risk"] == []


def test_evidence_belongs_to_the_value_and_is_not_stored_twice(session: Session, clip_id: str) -> None:
    span = PtsRange(512, 1024)
    actions.set_evidence(session, clip_id, "cause_of_risk", "following_too_close", span)
    again = actions.set_evidence(session, clip_id, "cause_of_risk", "following_too_close", span)
    assert again.action_id is None
    evidence = actions.open_review(session, clip_id).review.evidence
    assert evidence == {"cause_of_risk": {"following_too_close": (span,)}}


def test_removing_one_of_several_is_one_undo(session: Session, clip_id: str) -> None:
    spans = (PtsRange(0, 512), PtsRange(1024, 1024))
    for span in spans:
        actions.set_evidence(session, clip_id, "event_type", None, span)
    actions.remove_evidence(session, clip_id, "event_type", None, spans[0])
    assert actions.open_review(session, clip_id).review.evidence == {"event_type": {None: (spans[1],)}}
    assert actions.remove_evidence(session, clip_id, "event_type", None, spans[0]).action_id is None
    actions.undo(session)
    assert actions.open_review(session, clip_id).review.evidence == {"event_type": {None: spans}}


def test_accepting_a_field_without_an_answer_is_refused(session: Session, clip_id: str) -> None:
    with pytest.raises(LabelError, match="no answer"):
        actions.accept_field(session, clip_id, "traffic_density")


def test_dismissal_asks_for_a_reason(session: Session, clip_id: str) -> None:
    with pytest.raises(LabelError, match="reason"):
        actions.set_status(session, clip_id, "dismissed")
    actions.set_status(session, clip_id, "dismissed", reason="false_trigger")
    assert session.library.clip(clip_id).status == "dismissed"


def test_a_measurement_never_hides_a_models_answer(session: Session, clip_id: str) -> None:
    put_answer(
        session,
        session.library.clip(clip_id),
        {"time_of_day": "day"},
        provenance="measurement",
        created_at="2026-02-01T00:00:00.000Z",
    )
    state = actions.open_review(session, clip_id)
    assert state.analysis is not None
    assert state.analysis.provenance == "model"
    assert len(state.analyses) == 2


def test_settling_from_the_command_line_accepts_nothing_else(session: Session, clip_id: str) -> None:
    outcome = actions.settle(session, clip_id, {"event_type": "no_incident", "conflict_with": "car"})
    review = actions.open_review(session, clip_id).review
    assert review.status == "reviewed"
    assert set(review.verdicts) == {"event_type", "conflict_with"}
    assert len(outcome.broken_rules) == 1


def test_unknown_value_is_refused_and_nothing_is_stored(session: Session, clip_id: str) -> None:
    with pytest.raises(LabelError):
        actions.set_value(session, clip_id, "weather", "hail")
    assert session.library.history(clip_id) == []


def test_library_folder_is_remembered_by_nothing_but_its_content(
    session: Session, clip_id: str, tmp_path: Path
) -> None:
    actions.set_value(session, clip_id, "weather", "rain")
    session.close()
    moved = tmp_path / "elsewhere"
    session.library.folder.rename(moved)
    with open_session(Settings(reviewer="Ada"), library_dir=moved) as again:
        assert actions.open_review(again, clip_id).review.labels() == {"weather": "rain"}


def test_enter_accepts_what_was_shown_and_not_what_came_since(session: Session, clip_id: str) -> None:
    shown = actions.open_review(session, clip_id)
    later = {**COLLISION, "event_type": "near_miss"}
    put_answer(session, session.library.clip(clip_id), later, created_at="2026-03-01T00:00:00.000Z")
    actions.accept_rest(session, clip_id, window_seen=True, shown=shown)
    verdict = actions.open_review(session, clip_id).review.verdicts["event_type"]
    assert shown.analysis is not None
    assert (verdict.verdict, verdict.value, verdict.analysis_id) == ("accepted", "collision", shown.analysis.id)


def test_nothing_is_stored_on_a_review_that_changed_since_it_was_shown(session: Session, clip_id: str) -> None:
    shown = actions.open_review(session, clip_id)
    actions.set_value(session, clip_id, "event_type", "near_miss")
    before = session.library.history(clip_id)
    for act in (
        lambda: actions.accept_rest(session, clip_id, window_seen=True, shown=shown),
        lambda: actions.set_value(session, clip_id, "weather", "rain", shown=shown),
        lambda: actions.reject_field(session, clip_id, "weather", shown=shown),
        lambda: actions.set_evidence(session, clip_id, "weather", None, PtsRange(0, 0), shown=shown),
        lambda: actions.set_note(session, clip_id, "mine", shown=shown),
        lambda: actions.set_status(session, clip_id, "escalated", shown=shown),
    ):
        with pytest.raises(ReviewChangedError, match=r"a\.mp4"):
            act()
    assert session.library.history(clip_id) == before


def test_what_was_shown_to_another_reviewer_is_refused(session: Session, clip_id: str) -> None:
    shown = actions.open_review(session, clip_id)
    session.reviewer = "Grace"
    with pytest.raises(ReviewChangedError):
        actions.accept_rest(session, clip_id, window_seen=True, shown=shown)


def test_correction_after_enter_takes_what_depended_on_it_along(session: Session, clip_id: str) -> None:
    actions.set_value(session, clip_id, "weather", "rain")
    actions.accept_rest(session, clip_id, window_seen=True)
    change = actions.set_value(session, clip_id, "event_type", "no_incident")
    review = actions.open_review(session, clip_id).review
    labels = review.labels()
    assert review.status == "reviewed"
    assert (labels["event_time"], labels["conflict_with"], labels["cause_of_risk"]) == (None, "none", [])
    assert (labels["severity"], labels["weather"]) == ("low", "rain")
    assert review.verdicts["event_time"].how == "bulk"
    actions.set_value(session, clip_id, "event_type", "collision")
    assert actions.open_review(session, clip_id).review.labels()["event_time"] == COLLISION["event_time"]
    assert change.action_id is not None
    actions.undo(session)
    actions.undo(session)
    assert actions.open_review(session, clip_id).review.labels()["event_time"] == COLLISION["event_time"]


def test_correction_by_hand_after_enter_that_breaks_a_rule_is_flagged(session: Session, clip_id: str) -> None:
    actions.accept_rest(session, clip_id, window_seen=True)
    actions.set_value(session, clip_id, "conflict_with", "animal")
    assert actions.open_review(session, clip_id).review.broken_rules == ()
    actions.set_value(session, clip_id, "event_type", "no_incident")
    review = actions.open_review(session, clip_id).review
    assert review.labels()["conflict_with"] == "animal"
    assert len(review.broken_rules) == 1
    actions.set_value(session, clip_id, "conflict_with", "none")
    assert actions.open_review(session, clip_id).review.broken_rules == ()


@pytest.mark.parametrize("how", ["rejected", "cannot tell"])
def test_where_the_event_is_open_nothing_that_depends_on_it_is_accepted(
    session: Session, clip_id: str, how: str
) -> None:
    if how == "rejected":
        actions.reject_field(session, clip_id, "event_type")
    else:
        actions.set_value(session, clip_id, "event_type", "cannot_tell")
    actions.accept_rest(session, clip_id, window_seen=True)
    verdicts = actions.open_review(session, clip_id).review.verdicts
    assert {"event_time", "conflict_with", "severity", "cause_of_risk"} & set(verdicts) == set()
    assert verdicts["weather"].value == "clear"


def test_enter_with_the_window_seen_makes_an_unseen_enter_good(session: Session, clip_id: str) -> None:
    actions.accept_rest(session, clip_id, window_seen=False)
    actions.accept_rest(session, clip_id, window_seen=True)
    assert {v.how for v in actions.open_review(session, clip_id).review.verdicts.values()} == {"bulk"}
    actions.accept_rest(session, clip_id, window_seen=False)
    assert {v.how for v in actions.open_review(session, clip_id).review.verdicts.values()} == {"bulk"}


def test_a_value_that_the_schema_does_not_have_is_never_accepted(session: Session) -> None:
    clip = put_clip(session, "foreign.mp4")
    put_answer(session, clip, {"weather": "hail", "colour": "red", "event_type": "no_incident"})
    actions.accept_rest(session, clip.id, window_seen=True)
    labels = actions.open_review(session, clip.id).review.labels()
    assert labels["event_type"] == "no_incident"
    assert not {"weather", "colour"} & set(labels)


def _edited(session: Session, tmp_path: Path, *changes: tuple[str, str]) -> Path:
    document = session.schema.document
    for old, new in changes:
        assert old in document
        document = document.replace(old, new, 1)
    file = tmp_path / "mine.toml"
    file.write_text(document, encoding="utf-8")
    return file


def test_undo_does_not_reach_into_another_schema(session: Session, clip_id: str, tmp_path: Path) -> None:
    actions.set_value(session, clip_id, "weather", "rain")
    mine = _edited(session, tmp_path, ('name = "dashcam"', 'name = "mine"'))
    folder = session.library.folder
    other = open_session(Settings(reviewer="Ada"), library_dir=folder, schema_file=mine)
    with other, pytest.raises(UsageError, match="dashcam-1"):
        actions.undo(other)
    assert actions.open_review(session, clip_id).review.labels() == {"weather": "rain"}


def test_schema_with_other_values_under_the_same_name_and_version_is_refused(session: Session, tmp_path: Path) -> None:
    renamed = _edited(session, tmp_path, ('key = "near_miss"', 'key = "close_call"'), ('"near_miss"]', '"close_call"]'))
    text = renamed.read_text(encoding="utf-8").replace('"near_miss"', '"close_call"').replace(', "close_call"]', "]")
    renamed.write_text(text, encoding="utf-8")
    with pytest.raises(SchemaError, match="version"):
        open_session(Settings(), library_dir=session.library.folder, schema_file=renamed)


def test_schema_with_other_wording_under_the_same_name_and_version_is_welcome(session: Session, tmp_path: Path) -> None:
    worded = _edited(session, tmp_path, ('label = "Near miss"', 'label = "Close call"'))
    with open_session(Settings(), library_dir=session.library.folder, schema_file=worded) as again:
        assert again.schema.labels_sha == session.schema.labels_sha
