"""Scores of answers: right numbers, honest intervals."""

import pytest

from tests.unit.training.sets import LIGHT
from training.scores import Said, calibration, macro_f1, micro_f1, paired, score
from vvlm_desktop.workflow.measured import Answer, SetClip, _counts, _told_counts

TIME = {"start_ms": 1000, "end_ms": 2000}


def said(clip, known, labels, *, confidence=None, valid=True):
    return Said(clip, f"{clip}.mp4", known, labels, confidence or {}, valid)


def test_macro_f1_counts_every_true_value_alike():
    assert macro_f1([("a", "a")] * 9 + [("b", "a")]) == pytest.approx((18 / 19) / 2)


def test_micro_f1_over_lists():
    pairs = [(frozenset("ab"), frozenset("a")), (frozenset("c"), frozenset("cd"))]
    assert micro_f1(pairs) == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert micro_f1([(frozenset(), frozenset())]) == 1.0


def test_calibration_error_is_the_gap_between_sure_and_right():
    assert calibration([(0.95, True)] * 3 + [(0.95, False)])["ece"] == pytest.approx(0.2)
    assert calibration([(1.0, True)] * 4)["ece"] == 0.0
    assert calibration([]) is None


def test_choice_is_scored_where_the_truth_is_known_only():
    rows = [
        said("1", {"light": "dark"}, {"light": "dark"}, confidence={"light": 0.9}),
        said("2", {"light": "bright"}, {"light": "dark"}, confidence={"light": 0.6}),
        said("3", {"seen": ["sun"]}, {"light": "dark", "seen": ["sun"]}),
        said("4", {"light": "bright"}, {}, valid=False),
    ]
    scores = score(LIGHT, rows)
    light = scores["fields"]["light"]
    assert (light["clips"], light["accuracy"]["right"], light["score"]) == (3, 1, pytest.approx(1 / 3))
    assert light["commonest"] == pytest.approx(2 / 3)
    assert {"truth": "bright", "answer": "(no answer)", "clips": 1} in light["confusion"]
    assert scores["valid_json"]["value"] == 0.75
    assert scores["calibration"]["answers"] == 2
    assert light["accuracy"]["low"] < 1 / 3 < light["accuracy"]["high"]


def test_list_is_scored_without_regard_to_order():
    rows = [
        said("1", {"seen": ["night", "sun"]}, {"seen": ["sun", "night"]}),
        said("2", {"seen": []}, {"seen": ["sun"]}),
    ]
    seen = score(LIGHT, rows)["fields"]["seen"]
    assert seen["exact"]["right"] == 1
    assert seen["score"] == pytest.approx(4 / 5)


def test_who_said_nothing_did_not_say_that_there_is_none():
    rows = [said("1", {"seen": []}, {}, valid=False), said("2", {"seen": []}, {"seen": []})]
    seen = score(LIGHT, rows)["fields"]["seen"]
    assert (seen["exact"]["right"], seen["score"]) == (1, 0.0)
    pair = paired(LIGHT, rows[:1], [said("1", {"seen": []}, {"seen": []})])["seen"]
    assert (pair["both_right"], pair["only_adapter_right"]) == (0, 1)


def test_what_promotion_counts_again_is_what_was_counted():
    rows = [
        said("1", {"seen": [], "light": "dark"}, {}, valid=False),
        said("2", {"seen": ["sun"]}, {"seen": ["sun"], "light": "dark"}),
        said("3", {"seen": [], "light": "dark"}, {"seen": ["sun"], "light": "dark"}),
    ]
    clips = {row.clip_id: SetClip(row.clip_id, row.name, "", "test", "g", row.known, None, True) for row in rows}
    answers = {row.clip_id: Answer(dict(row.labels), row.valid) for row in rows}
    assert _told_counts(score(LIGHT, rows)) == _counts(LIGHT, clips, answers)


def test_time_is_scored_by_presence_and_by_its_error():
    rows = [
        said("1", {"event_time": TIME}, {"event_time": {"start_ms": 1500, "end_ms": 1900}}),
        said("2", {"event_time": TIME}, {"event_time": {"start_ms": 5000, "end_ms": 6000}}),
        said("3", {"event_time": None}, {"event_time": None}),
        said("4", {"event_time": None}, {"event_time": TIME}),
        said("5", {"event_time": None}, {}, valid=False),
    ]
    time = score(LIGHT, rows)["fields"]["event_time"]
    assert time["presence"]["right"] == 3
    assert time["both_name_a_time"] == 2
    assert time["start_error_s"]["value"] == pytest.approx((0.5 + 4.0) / 2)
    assert time["overlapping"]["right"] == 1


def test_pairs_count_who_alone_is_right():
    known = {"light": "dark", "seen": ["sun"]}
    base = [said(str(n), known, {"light": "bright", "seen": ["sun"]}) for n in range(6)]
    tuned = [said(str(n), known, {"light": "dark", "seen": ["sun"]}) for n in range(6)]
    found = paired(LIGHT, base, tuned)
    assert found["light"] == {
        "clips": 6,
        "both_right": 0,
        "only_base_right": 0,
        "only_adapter_right": 6,
        "p": pytest.approx(2 / 64),
    }
    assert found["seen"]["both_right"] == 6
    assert found["seen"]["p"] == 1.0


def test_same_answers_give_the_same_intervals():
    rows = [said(str(n), {"light": "dark"}, {"light": "dark" if n % 3 else "bright"}) for n in range(9)]
    assert score(LIGHT, rows) == score(LIGHT, rows)
