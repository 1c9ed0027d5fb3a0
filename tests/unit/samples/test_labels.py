"""Labels of simulated clips and scripted answers against the label schema."""

from __future__ import annotations

import json

import pytest

from tests.unit.samples.conftest import happen
from vvlm_desktop.domain.labels import broken_rules, derive_severity, normalise
from vvlm_desktop.samples.make import SAMPLES
from vvlm_desktop.samples.scenario import KINDS, Scenario
from vvlm_desktop.samples.scripts import MODEL_NAME, PROVENANCE, SCRIPTS, answer
from vvlm_desktop.samples.truth import Truth

VARIANTS = [
    *(Scenario(kind) for kind in KINDS),
    Scenario("calm", light="night", weather="snow", density="medium"),
    Scenario("calm", light="dusk", weather="fog", lens="dirty", scene="highway", density="high"),
    Scenario("calm", weather="rain", lens="unfocused", scene="urban"),
    Scenario("cut_in", duration_s=2.0),
    *(spec.scenario for spec in SAMPLES),
]


def truth_of(scenario: Scenario, seed: int) -> Truth:
    now = happen(scenario, seed)
    return Truth(
        labels=now.labels,
        event=now.event,
        frames=now.frames,
        fps=25,
        time_base=(1, 12800),
        size=(960, 540),
        scenario={},
        seed=seed,
        min_gap_m=None,
        min_time_gap_s=None,
        min_ttc_s=None,
        hardest_braking=0.0,
    )


@pytest.mark.parametrize("scenario", VARIANTS, ids=str)
def test_truth_is_valid_complete_and_breaks_no_rule(scenario, schema):
    labels = happen(scenario, 3).labels
    clean, flags = normalise(schema, labels)
    assert flags == ()
    assert clean == labels
    assert list(labels) == [field.key for field in schema.fields if field.key in labels]
    assert {field.key for field in schema.model_fields} <= set(labels)
    assert broken_rules(schema, labels) == ()
    assert derive_severity(schema, labels) == labels["severity"]
    assert 0 < len(labels["caption"]) <= 240
    assert labels["caption"].count(".") <= 2


@pytest.mark.parametrize("spec", SAMPLES, ids=lambda spec: spec.slug)
def test_scripted_answers_are_valid(spec, schema):
    script = answer(spec.slug, truth_of(spec.scenario, spec.seed))
    clean, flags = normalise(schema, script["labels"])
    assert flags == ()
    assert clean == script["labels"]
    assert broken_rules(schema, script["labels"]) == ()
    said = json.loads(script["raw_text"])
    assert set(said) == {field.key for field in schema.model_fields}
    assert set(script["confidence"]) == set(said)
    assert all(0 < value < 1 for value in script["confidence"].values())
    assert script["provenance"] == PROVENANCE == "demo_script"
    assert script["model"] == MODEL_NAME == "Demo script, not a model"


def test_two_scripts_are_wrong_about_the_event_and_the_others_right():
    wrong = {}
    for spec in SAMPLES:
        truth = truth_of(spec.scenario, spec.seed)
        said = answer(spec.slug, truth)["labels"]["event_type"]
        if said != truth.labels["event_type"]:
            wrong[spec.slug] = (said, truth.labels["event_type"])
    assert wrong == {"near_miss": ("collision", "near_miss"), "red_light": ("near_miss", "no_incident")}
    assert {slug for slug, script in SCRIPTS.items() if script.wrong} == set(wrong)


def test_scripts_point_at_frames_of_the_clip():
    spec = SAMPLES[1]
    truth = truth_of(spec.scenario, spec.seed)
    script = answer(spec.slug, truth)
    assert len(script["frames_pts"]) == 16
    assert set(script["frames_pts"]) <= set(truth.pts)
    kinds = [candidate["kind"] for candidate in script["candidates"]]
    assert kinds == ["sudden_stop", "jolt"]
    for candidate in script["candidates"]:
        assert {candidate["start_pts"], candidate["end_pts"]} <= set(truth.pts)
        assert candidate["start_ms"] <= candidate["end_ms"]


def test_samples_show_what_their_titles_promise():
    said = {spec.slug: truth_of(spec.scenario, spec.seed).labels for spec in SAMPLES}
    assert {slug: labels["event_type"] for slug, labels in said.items()} == {
        "near_miss": "near_miss",
        "collision": "collision",
        "red_light": "no_incident",
        "night_rain": "no_incident",
        "lane_change_front": "no_incident",
        "lane_change_rear": "no_incident",
        "parked": "no_incident",
    }
    assert said["night_rain"]["time_of_day"] == "night"
    assert said["night_rain"]["weather"] == "rain"
    assert said["night_rain"]["presence_of_rule_violations"] == ["following_too_close"]
    assert said["parked"]["camera_problem"] == ["obstructed"]
    assert said["lane_change_front"]["intended_driving_action"] == ["change_lanes"]
