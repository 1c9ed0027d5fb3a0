"""Values from people: checked, typed, shown, compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.schemas import dashcam
from vvlm_desktop.domain.labels import check_value, format_value, infer_reason, parse_cli_value
from vvlm_desktop.domain.review import REASONS
from vvlm_desktop.errors import LabelError

TIME = {"start_ms": 7840, "end_ms": 8310}


@pytest.mark.parametrize(
    ("field_key", "value", "stored"),
    [
        ("event_type", "near_miss", "near_miss"),
        ("event_type", "cannot_tell", "cannot_tell"),
        ("severity", "low", "low"),
        ("cause_of_risk", [], []),
        ("cause_of_risk", ("late_reaction", "speeding", "speeding"), ["speeding", "late_reaction"]),
        ("cause_of_risk", ["cannot_tell"], ["cannot_tell"]),
        ("event_time", None, None),
        ("event_time", TIME, TIME),
        ("event_time", {"start_ms": 5, "end_ms": 5}, {"start_ms": 5, "end_ms": 5}),
        ("caption", "  A car\ncuts in. ", "A car cuts in."),
        ("caption", "x" * 240, "x" * 240),
    ],
)
def test_a_reviewers_value_is_stored(field_key, value, stored):
    assert check_value(dashcam(), field_key, value) == stored


@pytest.mark.parametrize(
    ("field_key", "value", "reason", "hint"),
    [
        ("event_type", "crash", "“crash” is not a value", "collision, near_miss, no_incident, cannot_tell"),
        ("event_type", None, "null is not a value", "collision"),
        ("event_type", ["collision"], "a list is not a value", "collision"),
        ("cause_of_risk", "speeding", "is not a list", "speeding"),
        ("cause_of_risk", ["fate"], "“fate” is not a value", "speeding"),
        ("cause_of_risk", ["cannot_tell", "speeding"], "cannot stand beside", "speeding"),
        ("event_time", {"start_ms": 9, "end_ms": 8}, "the end comes before the start", "7.84..8.31, or “absent”"),
        ("event_time", {"start_ms": -1, "end_ms": 8}, "reaches beyond", "seconds"),
        ("event_time", {"start_ms": 0, "end_ms": 86_400_001}, "reaches beyond", "seconds"),
        ("event_time", {"start_ms": 1.5, "end_ms": 8}, "whole milliseconds", "seconds"),
        ("event_time", {"start_ms": True, "end_ms": 8}, "whole milliseconds", "seconds"),
        ("event_time", {"start_ms": 1}, "not a time range", "seconds"),
        ("caption", "x" * 241, "241 characters, 1 too many", "at most 240 characters"),
        ("caption", "One. Two. Three.", "3 sentences", "at most 240"),
        ("caption", " \n", "empty", "at most 240"),
        ("caption", None, "null is not a text", "at most 240"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(field_key, value, reason, hint):
    with pytest.raises(LabelError) as caught:
        check_value(dashcam(), field_key, value)
    assert reason in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("field_key", "text", "stored"),
    [
        ("event_type", "near_miss", "near_miss"),
        ("event_type", "near miss", "near_miss"),
        ("event_type", "No Incident", "no_incident"),
        ("conflict_with", "none", "none"),
        ("cause_of_risk", "none", []),
        ("cause_of_risk", "", []),
        ("cause_of_risk", "None seen", []),
        ("cause_of_risk", "speeding", ["speeding"]),
        ("cause_of_risk", "Late reaction, speeding", ["speeding", "late_reaction"]),
        ("cause_of_risk", "cannot tell", ["cannot_tell"]),
        ("event_time", "absent", None),
        ("event_time", "1.2..3.4", {"start_ms": 1200, "end_ms": 3400}),
        ("event_time", "1.2-3.4", {"start_ms": 1200, "end_ms": 3400}),
        ("event_time", "00:07.84–00:08.31", TIME),
        ("event_time", "1:02:03.5..1:02:04", {"start_ms": 3_723_500, "end_ms": 3_724_000}),
        ("event_time", "7 s", {"start_ms": 7000, "end_ms": 7000}),
        ("caption", "A car, a bus.", "A car, a bus."),
    ],
)
def test_typed_values(field_key, text, stored):
    assert parse_cli_value(dashcam(), field_key, text) == stored


@pytest.mark.parametrize(
    ("field_key", "text"),
    [
        ("event_type", "boom"),
        ("event_type", ""),
        ("cause_of_risk", "speeding,boom"),
        ("cause_of_risk", "speeding,cannot_tell"),
        ("event_time", "later"),
        ("event_time", "3.4..1.2"),
        ("event_time", "1..2..3"),
        ("event_time", "00:75.00"),
        ("nothing", "x"),
    ],
)
def test_typed_nonsense_is_refused_with_a_hint(field_key, text):
    with pytest.raises(LabelError) as caught:
        parse_cli_value(dashcam(), field_key, text)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("field_key", "value", "shown"),
    [
        ("event_type", "near_miss", "Near miss"),
        ("event_type", "cannot_tell", "Cannot tell"),
        ("event_type", "flying_saucer", "Flying saucer"),
        ("event_type", None, "not answered"),
        ("cause_of_risk", ["speeding", "risky_maneuver"], "Speeding, Risky manoeuvre"),
        ("cause_of_risk", [], "none seen"),
        ("cause_of_risk", ["cannot_tell"], "Cannot tell"),
        ("event_time", TIME, "00:07.84–00:08.31"),
        ("event_time", None, "absent"),
        ("event_time", {"start_ms": 59_996, "end_ms": 3_600_000}, "01:00.00–1:00:00.00"),
        ("caption", "As_written.", "As_written."),
    ],
)
def test_values_for_people(field_key, value, shown):
    assert format_value(dashcam(), field_key, value) == shown


@st.composite
def answers(draw):
    field = draw(st.sampled_from([each for each in dashcam().fields if each.kind != "text"]))
    if field.kind == "one_of":
        return field.key, draw(st.sampled_from(field.value_keys))
    if field.kind == "any_of":
        keys = draw(st.sets(st.sampled_from([value.key for value in field.values])))
        return field.key, check_value(dashcam(), field.key, list(keys))
    start = draw(st.integers(0, 8_640_000)) * 10
    return field.key, draw(st.none() | st.just({"start_ms": start, "end_ms": min(start + 500, 86_400_000)}))


@given(answers())
def test_what_is_shown_can_be_typed(answer):
    field_key, value = answer
    assert parse_cli_value(dashcam(), field_key, format_value(dashcam(), field_key, value)) == value


@given(answers())
def test_keys_can_be_typed(answer):
    field_key, value = answer
    if isinstance(value, str):
        assert parse_cli_value(dashcam(), field_key, value) == value
    if isinstance(value, list):
        assert parse_cli_value(dashcam(), field_key, ",".join(value)) == value


@pytest.mark.parametrize(
    ("field_key", "before", "after", "answered", "reason"),
    [
        ("event_type", "collision", "no_incident", True, "false_alarm"),
        ("event_type", "near_miss", "no_incident", True, "false_alarm"),
        ("event_type", "no_incident", "collision", True, "missed_event"),
        ("event_type", None, "near_miss", False, "missed_event"),
        ("event_type", "collision", "near_miss", True, "wrong_value"),
        ("event_type", "cannot_tell", "near_miss", True, "wrong_value"),
        ("event_type", None, "no_incident", False, "wrong_value"),
        ("event_time", TIME, {"start_ms": 1, "end_ms": 2}, True, "wrong_time"),
        ("event_time", None, TIME, True, "wrong_time"),
        ("event_time", TIME, None, True, "wrong_time"),
        ("weather", "rain", "snow", True, "wrong_value"),
        ("caption", "A.", "B.", True, "wrong_value"),
    ],
)
def test_reason_of_a_correction(field_key, before, after, answered, reason):
    assert infer_reason(field_key, before, after, answered=answered) == reason
    assert reason in REASONS
