"""What the schema that comes with the program can say, against the table of the design."""

import pytest

from tests.unit.domain.schemas import dashcam
from vvlm_desktop.domain.spelling import find_field, find_value
from vvlm_desktop.domain.values import CANNOT_TELL
from vvlm_desktop.errors import LabelError

TABLE = {
    "event_type": ("one_of", "collision near_miss no_incident"),
    "event_time": ("range", ""),
    "severity": ("one_of", "critical high medium low"),
    "ego_involved": ("one_of", "yes no"),
    "conflict_with": (
        "one_of",
        "none car truck_or_bus motorcycle bicycle_or_scooter pedestrian animal object road_edge",
    ),
    "conflict_type": (
        "one_of",
        "none rear_end head_on angle sideswipe backing crossing_path run_off_road other",
    ),
    "initiated_by": ("one_of", "none ego other both environment"),
    "cause_of_risk": (
        "any_of",
        (
            "speeding too_fast_for_conditions following_too_close risky_maneuver late_reaction failure_to_yield "
            "loss_of_control road_condition poor_visibility"
        ),
    ),
    "presence_of_rule_violations": (
        "any_of",
        (
            "speeding failure_to_yield ignoring_traffic_signs running_red_light rolling_stop "
            "failure_to_use_turn_signals illegal_lane_change following_too_close wrong_way"
        ),
    ),
    "violation_by": ("any_of", "ego other"),
    "ego_response": ("any_of", "braked steered accelerated sounded_horn"),
    "intended_driving_action": (
        "any_of",
        "go_straight turn_left turn_right change_lanes merge overtake stop reverse parked",
    ),
    "traffic_density": ("one_of", "low medium high"),
    "scene": ("one_of", "urban suburban rural highway parking tunnel other"),
    "driving_setting": (
        "any_of",
        "intersection roundabout work_zone school_zone bridge ramp residential pedestrian_crossing railroad_crossing",
    ),
    "time_of_day": ("one_of", "day night dawn_dusk"),
    "light_conditions": ("one_of", "normal bright dark glare"),
    "weather": ("one_of", "clear cloudy rain snow fog"),
    "road_surface": ("one_of", "dry wet snow_or_ice"),
    "visibility": ("one_of", "good bad"),
    "camera_problem": ("any_of", "obstructed dirty_or_wet misaligned unfocused picture_loss wrong_clock"),
    "caption": ("text", ""),
}


def test_fields_kinds_and_values_are_those_of_the_table_in_its_order():
    found = {each.key: (each.kind, " ".join(value.key for value in each.values)) for each in dashcam().fields}
    assert found == TABLE
    assert list(found) == list(TABLE)
    assert dashcam().key == "dashcam-1"


def test_cannot_tell_is_allowed_for_every_choice_and_nowhere_else():
    for each in dashcam().fields:
        assert (CANNOT_TELL in each.value_keys) == (each.kind in ("one_of", "any_of"))


def test_people_never_read_keys():
    for each in dashcam().fields:
        for text in (each.label, each.help, *(value.label for value in each.choices)):
            assert "_" not in text
    assert dashcam().field("event_type").label_of("near_miss") == "Near miss"
    assert dashcam().field("cause_of_risk").label_of("risky_maneuver") == "Risky manoeuvre"


def test_every_value_is_defined_in_a_sentence():
    for each in dashcam().fields:
        for value in each.values:
            assert value.means[0].isupper(), value
            assert value.means.endswith("."), value


@pytest.mark.parametrize(
    ("field_key", "value_key", "words"),
    [
        ("event_type", "collision", "any contact at any speed"),
        ("event_type", "near_miss", "0.5 g"),
        ("event_type", "near_miss", "less than 1 s or 1 m"),
        ("event_type", "near_miss", "red light is not one"),
        ("cause_of_risk", "following_too_close", "under 1 s for at least 3 s above 55 km/h"),
        ("cause_of_risk", "late_reaction", "1.5 s"),
        ("visibility", "bad", "50 m"),
        ("light_conditions", "dark", "beyond lamps"),
    ],
)
def test_definitions_keep_their_figures(field_key, value_key, words):
    assert words in dashcam().field(field_key).value(value_key).means.lower()


def test_limits_and_roles():
    schema = dashcam()
    caption, time, severity = schema.field("caption"), schema.field("event_time"), schema.field("severity")
    assert (caption.max_length, caption.max_sentences, caption.group) == (240, 2, "text")
    assert time.may_be_absent
    assert severity.derived
    assert [each.key for each in schema.fields if not each.ask_model] == ["severity"]
    assert schema.field("event_type").required


def test_preventability_is_written_down_but_off_and_never_asked():
    schema = dashcam()
    assert [each.key for each in schema.off_fields] == ["preventability"]
    assert not schema.off_fields[0].ask_model
    assert "preventability" not in schema
    with pytest.raises(LabelError, match="switched off"):
        schema.field("preventability")


def test_unknown_field_and_value_say_what_there_is():
    with pytest.raises(LabelError) as caught:
        dashcam().field("evnt")
    assert "event_type" in caught.value.hint
    with pytest.raises(LabelError) as caught:
        dashcam().field("weather").value("hail")
    assert "clear, cloudy, rain, snow, fog, cannot_tell" in caught.value.hint


@pytest.mark.parametrize(
    ("spelling", "field_key"),
    [
        ("intended_action", "intended_driving_action"),
        ("rule_violations", "presence_of_rule_violations"),
        ("scene", "scene"),
        ("Event time", "event_time"),
        ("time of event", "event_time"),
    ],
)
def test_field_names_of_other_systems_are_understood(spelling, field_key):
    field = find_field(dashcam(), spelling)
    assert field is not None
    assert field.key == field_key


@pytest.mark.parametrize(
    ("field_key", "spelling", "value_key"),
    [
        ("event_type", "crash", "collision"),
        ("event_type", "near-miss", "near_miss"),
        ("event_type", "NEAR MISS", "near_miss"),
        ("event_type", "can't tell", CANNOT_TELL),
        ("event_type", "unknown", CANNOT_TELL),
        ("cause_of_risk", "Risky manoeuvre", "risky_maneuver"),
        ("conflict_with", "bus", "truck_or_bus"),
        ("scene", "motorway", "highway"),
        ("weather", "hail", None),
        ("caption", "unknown", None),
    ],
)
def test_value_names_of_other_systems_are_understood(field_key, spelling, value_key):
    assert find_value(dashcam().field(field_key), spelling) == value_key


def test_a_key_wins_over_an_alias_of_another_value():
    field = dashcam().field("conflict_with")
    assert all(find_value(field, value.key) == value.key for value in field.values)
