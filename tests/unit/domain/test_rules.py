"""Rules between fields, severity, and what the form hides."""

import pytest

from tests.unit.domain.schemas import dashcam, dashcam_text
from vvlm_desktop.domain.labels import (
    broken,
    broken_rules,
    derive_severity,
    hidden_fields,
    implied_values,
)
from vvlm_desktop.domain.schema_parse import parse_schema

CALM = {
    "event_type": "no_incident",
    "event_time": None,
    "ego_involved": "no",
    "conflict_with": "none",
    "conflict_type": "none",
    "initiated_by": "none",
    "cause_of_risk": [],
    "presence_of_rule_violations": [],
    "violation_by": [],
    "intended_driving_action": ["go_straight"],
    "weather": "clear",
    "road_surface": "dry",
}
NEAR_MISS = {
    **CALM,
    "event_type": "near_miss",
    "event_time": {"start_ms": 7840, "end_ms": 8310},
    "ego_involved": "yes",
    "conflict_with": "car",
    "conflict_type": "sideswipe",
    "initiated_by": "other",
    "cause_of_risk": ["risky_maneuver"],
    "presence_of_rule_violations": ["illegal_lane_change"],
    "violation_by": ["other"],
}


@pytest.mark.parametrize("labels", [CALM, NEAR_MISS, {}], ids=["calm", "near miss", "nothing answered"])
def test_consistent_labels_break_nothing(labels):
    assert broken_rules(dashcam(), labels) == ()


@pytest.mark.parametrize(
    ("labels", "changes", "words"),
    [
        (CALM, {"event_time": {"start_ms": 0, "end_ms": 5}}, "no event time"),
        (CALM, {"cause_of_risk": ["speeding"]}, "no cause of risk"),
        (CALM, {"ego_involved": "yes"}, "ego is not involved"),
        (CALM, {"conflict_with": "car"}, "there is no conflict"),
        (CALM, {"conflict_type": "angle"}, "there is no conflict"),
        (CALM, {"initiated_by": "ego"}, "there is no conflict"),
        (NEAR_MISS, {"event_time": None}, "has an event time"),
        (NEAR_MISS, {"violation_by": []}, "somebody committed them"),
        (NEAR_MISS, {"presence_of_rule_violations": []}, "the violation is named"),
        (CALM, {"intended_driving_action": ["go_straight", "parked"]}, "Parked excludes"),
        (CALM, {"weather": "rain"}, "Rain or snow, but a dry road"),
        (CALM, {"weather": "snow"}, "Rain or snow, but a dry road"),
    ],
)
def test_each_contradiction_is_one_sentence(labels, changes, words):
    (sentence,) = broken_rules(dashcam(), {**labels, **changes})
    assert words in sentence


@pytest.mark.parametrize("event", ["collision", "near_miss"])
@pytest.mark.parametrize("missing", ["event_time", "conflict_with"])
def test_an_event_needs_time_and_conflict_answered(event, missing):
    labels = {**NEAR_MISS, "event_type": event}
    del labels[missing]
    assert len(broken_rules(dashcam(), labels)) == 1


@pytest.mark.parametrize("missing", sorted(CALM))
def test_other_unanswered_fields_break_nothing(missing):
    assert broken_rules(dashcam(), {key: value for key, value in CALM.items() if key != missing}) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"event_type": "cannot_tell", "event_time": {"start_ms": 0, "end_ms": 5}, "conflict_with": "car"},
        {"conflict_with": "cannot_tell", "cause_of_risk": ["cannot_tell"]},
        {"presence_of_rule_violations": ["cannot_tell"]},
        {"intended_driving_action": ["cannot_tell"]},
        {"weather": "rain", "road_surface": "cannot_tell"},
    ],
)
def test_cannot_tell_contradicts_nothing(changes):
    assert broken_rules(dashcam(), {**CALM, **changes}) == ()


def test_cannot_tell_is_an_answer_where_one_is_needed():
    assert broken_rules(dashcam(), {**NEAR_MISS, "conflict_with": "cannot_tell"}) == ()


def test_rain_on_a_dry_road_asks_and_the_others_do_not():
    labels = {**CALM, "weather": "rain", "ego_involved": "yes"}
    assert [rule.asks for rule in broken(dashcam(), labels)] == [False, True]


@pytest.mark.parametrize(
    ("labels", "severity"),
    [
        ({"event_type": "collision", "ego_involved": "yes"}, "critical"),
        ({"event_type": "near_miss", "ego_involved": "yes"}, "high"),
        ({"event_type": "collision", "ego_involved": "no"}, "medium"),
        ({"event_type": "near_miss", "ego_involved": "no"}, "medium"),
        ({"event_type": "no_incident", "violation_by": ["ego"]}, "medium"),
        ({"event_type": "no_incident", "violation_by": ["ego", "other"]}, "medium"),
        ({"event_type": "no_incident", "violation_by": ["other"]}, "low"),
        ({"event_type": "no_incident", "violation_by": []}, "low"),
        ({"event_type": "no_incident"}, "low"),
        ({"event_type": "collision"}, None),
        ({"event_type": "collision", "ego_involved": "cannot_tell"}, None),
        ({"event_type": "cannot_tell"}, None),
        ({}, None),
    ],
)
def test_severity(labels, severity):
    assert derive_severity(dashcam(), labels) == severity


def test_a_schema_without_severity_derives_none():
    text = 'name = "a"\nversion = 1\ntitle = "A"\n[[field]]\nkey = "b"\nlabel = "B"\nkind = "text"\nmax_length = 9\n'
    assert derive_severity(parse_schema(text, source="x"), {"b": "c"}) is None


def test_no_incident_implies_the_values_that_break_nothing():
    labels = {**NEAR_MISS, "event_type": "no_incident"}
    assert broken_rules(dashcam(), labels)
    assert broken_rules(dashcam(), {**labels, **implied_values(dashcam(), labels)}) == ()
    assert implied_values(dashcam(), NEAR_MISS) == {}


def test_event_fields_are_hidden_only_where_nothing_happened():
    hidden = hidden_fields(dashcam(), CALM)
    assert {each.key for each in dashcam().fields if each.group == "event"} <= hidden
    assert "event_time" in hidden
    assert not hidden & {"event_type", "severity", "presence_of_rule_violations", "violation_by", "caption"}
    assert hidden_fields(dashcam(), NEAR_MISS) == frozenset()
    assert hidden_fields(dashcam(), {}) == frozenset()


def operator_schema(condition: str):
    text = dashcam_text() + (
        '\n[[rule]]\nwhen = { scene = ["rural"] }\nmessage = "Test."\nthen = { ' + condition + " }\n"
    )
    return parse_schema(text, source="x")


@pytest.mark.parametrize(
    ("condition", "labels", "is_broken"),
    [
        ('ego_response = ["braked", "steered"]', {"ego_response": ["accelerated", "steered"]}, False),
        ('ego_response = ["braked"]', {"ego_response": ["steered"]}, True),
        ('ego_response = ["braked"]', {"ego_response": []}, True),
        ('ego_response = ["braked"]', {"ego_response": ["cannot_tell"]}, False),
        ('ego_response = ["cannot_tell"]', {"ego_response": ["cannot_tell"]}, False),
        ('ego_response = { only = ["braked"] }', {"ego_response": []}, False),
        ('ego_response = { only = ["braked"] }', {"ego_response": ["braked", "steered"]}, True),
        ('ego_response = "present"', {}, True),
        ('ego_response = "present"', {"ego_response": []}, False),
        ('ego_response = "empty"', {}, False),
        ('ego_response = "not_empty"', {}, False),
    ],
)
def test_operators(condition, labels, is_broken):
    assert ("Test." in broken_rules(operator_schema(condition), {"scene": "rural", **labels})) is is_broken
