"""A model's answer is read as far as it can be understood, and each repair is told."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.domain.schemas import dashcam, small
from vvlm_desktop.domain.labels import check_value, normalise

TIME = {"start_ms": 7840, "end_ms": 8310}


def one(field_key: str, value: object) -> tuple[object, tuple[str, ...]]:
    labels, flags = normalise(dashcam(), {field_key: value})
    return labels.get(field_key, "unanswered"), flags


def test_a_good_answer_is_taken_as_it_is():
    given_labels = {
        "event_type": "near_miss",
        "event_time": TIME,
        "cause_of_risk": ["following_too_close", "risky_maneuver"],
        "violation_by": [],
        "weather": "cannot_tell",
        "caption": "A car cuts in. Ego brakes.",
    }
    assert normalise(dashcam(), given_labels) == (given_labels, ())


def test_fields_come_back_in_schema_order():
    labels, _ = normalise(dashcam(), {"caption": "Calm.", "weather": "rain", "event_type": "no_incident"})
    assert list(labels) == ["event_type", "weather", "caption"]


def test_what_is_not_answered_stays_unanswered():
    assert normalise(dashcam(), {}) == ({}, ())


@pytest.mark.parametrize(
    ("field_key", "value", "expected", "words"),
    [
        ("event_type", "Near miss", "near_miss", "was read as Near miss"),
        ("event_type", "NEAR-MISS", "near_miss", "was read as Near miss"),
        ("event_type", "crash", "collision", "“crash” was read as Collision"),
        ("event_type", "explosion", "unanswered", "“explosion” is not a value"),
        ("event_type", ["collision"], "collision", "a list was given"),
        ("event_type", ["x", "near_miss", "collision"], "near_miss", "a list was given"),
        ("event_type", [], "unanswered", "not one value"),
        ("event_type", None, "unanswered", "no answer"),
        ("event_type", 3, "unanswered", "a number is not a value"),
        ("event_type", {"value": "collision"}, "unanswered", "an object is not a value"),
        ("ego_involved", True, "yes", "was read as Yes"),
        ("ego_involved", False, "no", "was read as No"),
        ("weather", "unknown", "cannot_tell", "was read as Cannot tell"),
        ("cause_of_risk", "speeding", ["speeding"], "was read as a list"),
        ("cause_of_risk", "Late reaction, speeding", ["speeding", "late_reaction"], "was read as Late reaction"),
        ("cause_of_risk", "none", [], "was read as none seen"),
        ("cause_of_risk", ["none"], [], "was read as none seen"),
        ("cause_of_risk", ["none", "speeding"], ["speeding"], None),
        ("cause_of_risk", None, "unanswered", "no answer"),
        ("cause_of_risk", {}, "unanswered", "an object is not a list"),
        ("cause_of_risk", ["bad luck"], "unanswered", "“bad luck” is not a value"),
        ("cause_of_risk", ["bad luck", "speeding"], ["speeding"], "“bad luck” is not a value"),
        ("cause_of_risk", ["speeding", "speeding"], ["speeding"], "repeated values"),
        ("cause_of_risk", ["late_reaction", "speeding"], ["speeding", "late_reaction"], "order of the schema"),
        ("cause_of_risk", ["cannot_tell", "speeding"], ["speeding"], "“Cannot tell” was left out"),
        ("cause_of_risk", [["speeding"], "late_reaction"], ["late_reaction"], "a list is not a value"),
        ("event_time", None, None, None),
        ("event_time", "absent", None, "was read as absent"),
        ("event_time", {"start_ms": 8310, "end_ms": 7840}, TIME, "wrong way round"),
        ("event_time", {"start_ms": 7840.2, "end_ms": "8310"}, TIME, "whole numbers"),
        ("event_time", {"start_ms": -5, "end_ms": 8310}, {"start_ms": 0, "end_ms": 8310}, "beyond its limits"),
        (
            "event_time",
            {"start_ms": 5, "end_ms": 10**400},
            {"start_ms": 5, "end_ms": 86_400_000},
            "cut to 00:00.01–24:00:00.00",
        ),
        ("event_time", {"start_ms": 5}, {"start_ms": 5, "end_ms": 5}, "only one of start and end"),
        ("event_time", [7840, 8310], TIME, "a list of two"),
        ("event_time", "00:07.84–00:08.31", TIME, "read as a time range"),
        ("event_time", {"start_ms": float("nan"), "end_ms": float("inf")}, "unanswered", "not a time range"),
        ("event_time", {"start_ms": True, "end_ms": False}, "unanswered", "not a time range"),
        ("event_time", "soon", "unanswered", "“soon” is not a time range"),
        ("caption", 5, "unanswered", "a number is not a text"),
        ("caption", " ", "unanswered", "the text is empty"),
        ("caption", "Two\nlines.\0", "Two lines.", "control characters"),
        ("caption", "One. Two. Three.", "One. Two.", "sentences: 3; cut to 9"),
    ],
)
def test_repairs(field_key, value, expected, words):
    found, flags = one(field_key, value)
    assert found == expected
    label = dashcam().field(field_key).label
    assert all(flag.startswith(f"{label}: ") and flag.endswith(".") for flag in flags)
    assert any(words in flag for flag in flags) if words else True


def test_a_repair_is_told_once_and_a_good_value_beside_it_not_at_all():
    _, flags = normalise(dashcam(), {"event_type": "crash", "weather": "rain"})
    assert flags == ("Event: “crash” was read as Collision.",)


def test_a_long_caption_is_cut_after_a_sentence():
    first = "A car cuts in from the left " * 6 + "lane."
    found, flags = one("caption", f"{first} {'The ego vehicle brakes ' * 10}hard.")
    assert found == first.strip()
    assert len(flags) == 1


def test_a_long_sentence_is_cut_after_a_word():
    found, flags = one("caption", ("A very long sentence without an end " * 20).strip())
    assert len(found) <= 240
    assert found.endswith(" sentence…")
    assert len(flags) == 1


def test_field_names_of_other_systems():
    labels, flags = normalise(dashcam(), {"rule_violations": ["wrong_way"], "Intended action": ["merge"]})
    assert labels == {"presence_of_rule_violations": ["wrong_way"], "intended_driving_action": ["merge"]}
    assert "“rule_violations” was read as Violations." in flags


def test_the_exact_key_wins_over_another_spelling():
    labels, flags = normalise(dashcam(), {"rule_violations": ["wrong_way"], "presence_of_rule_violations": []})
    assert labels == {"presence_of_rule_violations": []}
    assert "given twice" in flags[0]


def test_unknown_fields_are_named_in_one_sentence():
    labels, flags = normalise(dashcam(), {f"field {n}": n for n in range(20)} | {"weather": "rain"})
    assert labels == {"weather": "rain"}
    assert len(flags) == 1
    assert "“field 0”" in flags[0]
    assert "and 12 more" in flags[0]


@pytest.mark.parametrize("answer", [None, [], "text", 5, [1, 2]])
def test_an_answer_that_is_no_object(answer):
    labels, flags = normalise(dashcam(), answer)
    assert labels == {}
    assert "not an object" in flags[0]


def test_half_characters_of_a_json_text_can_be_stored():
    labels, flags = normalise(dashcam(), json.loads(r'{"caption": "A car \ud800 stops.", "\udfff": 1}'))
    assert json.dumps([labels, flags], ensure_ascii=False).encode("utf-8")
    assert labels["caption"] == "A car � stops."


def test_endless_answers_are_read_in_reasonable_time_and_told_briefly():
    labels, flags = normalise(
        dashcam(),
        {
            "cause_of_risk": ["speeding"] * 200_000,
            "caption": "." * 300_000 + " . " * 50_000 + "a." * 50_000,
            "weather": "rain" * 100_000,
            "event_time": "1" * 100_000,
            "x" * 100_000: 1,
        },
    )
    assert labels["cause_of_risk"] == ["speeding"]
    assert len(labels["caption"]) <= 240
    assert sum(map(len, flags)) < 2000


words = st.sampled_from(
    [
        "event_type",
        "Event",
        "cause_of_risk",
        "caption",
        "event_time",
        "rule_violations",
        "start_ms",
        "end_ms",
        "collision",
        "Near miss",
        "crash",
        "cannot_tell",
        "unknown",
        "speeding",
        "late_reaction",
        "none",
        "rain",
        "",
        "One. Two. Three.",
        "1.2..3.4",
        "A" * 300,
        "Ego brakes, e.g. hard. Then it stops!  It\ngoes on.",
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(st.characters(), max_size=60)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
field_keys = st.sampled_from([each.key for each in dashcam().fields])


@settings(max_examples=300, deadline=None)
@given(json_values | st.dictionaries(field_keys | words, json_values, max_size=6))
def test_any_json_is_read_into_valid_labels_that_read_the_same_again(answer):
    for schema in (dashcam(), small()):
        labels, flags = normalise(schema, answer)
        assert list(labels) == [each.key for each in schema.fields if each.key in labels]
        for key, value in labels.items():
            assert check_value(schema, key, value) == value
        stored = json.loads(json.dumps(labels, ensure_ascii=False).encode("utf-8"))
        assert normalise(schema, stored) == (labels, ())
        assert all(flag.endswith(".") for flag in flags)
