from __future__ import annotations

import json

import pytest

from tests.unit.formats.items import accepted, corrected, dashcam, make_clip, make_review, rejected
from vvlm_desktop.domain.schema_json import json_schema
from vvlm_desktop.formats.target import preference_pair, supervised_labels, target_json

WHOLE = {
    "caption": "Ärger. Nothing else.",
    "weather": "rain",
    "event_time": {"end_ms": 9, "start_ms": 4},
    "event_type": "near_miss",
    "cause_of_risk": ["poor_visibility", "speeding"],
}


@pytest.fixture
def clip(tmp_path):
    return make_clip(tmp_path)


def test_the_answer_is_compact_and_in_the_order_of_constrained_decoding():
    answer = target_json(dashcam(), WHOLE)

    assert answer == (
        '{"event_type":"near_miss","event_time":{"start_ms":4,"end_ms":9},"cause_of_risk":["speeding","poor_visibility"],'
        '"weather":"rain","caption":"Ärger. Nothing else."}'
    )
    allowed = list(json_schema(dashcam())["properties"])
    assert [key for key in allowed if key in WHOLE] == list(json.loads(answer))


def test_an_absent_event_is_null_and_an_unknown_one_is_not_there():
    assert target_json(dashcam(), {"event_time": None}) == '{"event_time":null}'
    assert target_json(dashcam(), {}) == "{}"


def test_fields_for_people_only_are_not_taught():
    assert not dashcam().field("severity").ask_model

    assert target_json(dashcam(), {"severity": "high", "weather": "fog"}) == '{"weather":"fog"}'


def test_only_what_a_person_stands_behind_is_taught(clip):
    verdicts = {
        "event_type": corrected("near_miss", "collision"),
        "event_time": accepted(None),
        "weather": accepted("fog", how="bulk"),
        "scene": accepted("urban", how="bulk_unseen"),
        "time_of_day": rejected("night"),
        "cause_of_risk": accepted([]),
        "severity": accepted("high"),
    }

    assert supervised_labels(dashcam(), make_review(clip, verdicts)) == {
        "event_type": "near_miss",
        "event_time": None,
        "cause_of_risk": [],
        "weather": "fog",
    }


@pytest.mark.parametrize(("verdict", "taught"), [("bulk", False), ("bulk_unseen", False), ("explicit", True)])
def test_a_caption_that_nobody_touched_is_not_taught(clip, verdict, taught):
    review = make_review(clip, {"caption": accepted("All quiet.", how=verdict)})

    assert ("caption" in supervised_labels(dashcam(), review)) is taught


@pytest.mark.parametrize("status", ["needs_review", "in_review", "dismissed"])
def test_an_unsettled_review_teaches_nothing(clip, status):
    assert supervised_labels(dashcam(), make_review(clip, status=status)) == {}


def test_a_pair_differs_only_in_what_was_corrected(clip):
    verdicts = {
        "event_type": corrected("near_miss", "collision"),
        "weather": accepted("fog"),
        "scene": corrected("urban"),  # the model had said nothing
        "time_of_day": rejected("night"),
        "road_surface": accepted("wet", how="bulk_unseen"),
    }

    chosen, rejected_answer = preference_pair(dashcam(), make_review(clip, verdicts)) or ("", "")

    assert chosen == '{"event_type":"near_miss","weather":"fog"}'
    assert rejected_answer == '{"event_type":"collision","weather":"fog"}'


def test_agreement_makes_no_pair(clip):
    assert preference_pair(dashcam(), make_review(clip, {"weather": accepted("fog")})) is None
    assert preference_pair(dashcam(), make_review(clip, {"weather": corrected("fog")})) is None
