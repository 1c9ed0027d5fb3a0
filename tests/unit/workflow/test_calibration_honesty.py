"""What calibration leaves out: what an adapter knows by heart, other ways of running, and what was never tested."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from tests.unit.workflow.conftest import put_answer, put_clip
from tests.unit.workflow.test_calibration import library_of_reviews, settle_with
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow import calibration as cal
from vvlm_desktop.workflow.calibration_fit import Curve, Measures, fit_curve
from vvlm_desktop.workflow.calibration_pairs import Pair, collect_pairs, model_key
from vvlm_desktop.workflow.session import open_session


@pytest.fixture
def session(tmp_path):
    settings = Settings(reviewer="Ada", models_dir=str(tmp_path / "models"))
    with open_session(settings, library_dir=tmp_path / "library") as opened:
        yield opened


def write_card(folder, card):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def trained_on(train, val=()):
    return {"training_set": {"content_sha256": {"train": list(train), "val": list(val)}}}


def judged_answer(session, name, *, recording, adapter="fleet", **changes):
    clip = put_clip(session, name, recording=recording)
    put_answer(session, clip, {"event_type": "near_miss"}, adapter=adapter, **changes)
    settle_with(session, clip, event_type=("accepted", "near_miss", "explicit", "near_miss"))
    return clip


def recordings_counted(session):
    return sorted(pair.recording for pairs in collect_pairs(session).pairs.values() for pair in pairs)


# -- what an adapter was trained on


def test_recordings_of_training_and_validation_clips_are_left_out_for_that_adapter_only(session, tmp_path):
    learnt = judged_answer(session, "learnt.mp4", recording="drive 1")
    judged_answer(session, "beside.mp4", recording="drive 1")
    checked = judged_answer(session, "checked.mp4", recording="drive 2")
    judged_answer(session, "new.mp4", recording="drive 3")
    judged_answer(session, "base.mp4", recording="drive 1", adapter=None)
    write_card(tmp_path / "models/adapters/fleet", trained_on([learnt.sha256], [checked.sha256]))
    by_adapter = {key.adapter: pairs for key, pairs in collect_pairs(session).pairs.items()}
    assert [pair.recording for pair in by_adapter["fleet"]] == ["drive 3"]
    assert [pair.recording for pair in by_adapter[None]] == ["drive 1"]


def test_training_clip_that_nobody_reviewed_here_still_keeps_its_recording_out(session, tmp_path):
    learnt = put_clip(session, "learnt.mp4", recording="drive 1")
    judged_answer(session, "beside.mp4", recording="drive 1")
    write_card(tmp_path / "models/adapters/fleet", trained_on([learnt.sha256]))
    assert recordings_counted(session) == []


def test_adapter_that_is_used_where_it_lies_is_found(session, tmp_path):
    linked, entry = tmp_path / "elsewhere", tmp_path / "models/adapters/fleet"
    learnt = judged_answer(session, "learnt.mp4", recording="drive 1")
    write_card(linked, trained_on([learnt.sha256]))
    entry.mkdir(parents=True)
    (entry / "vvlm-model.json").write_text(json.dumps({"id": "fleet", "origin": "link", "linked_to": str(linked)}))
    assert recordings_counted(session) == []


def test_folder_that_the_answer_names_comes_before_one_of_the_same_name(session, tmp_path):
    named = tmp_path / "run/adapter"
    settings = {"adapter_dir": str(named)}
    learnt = judged_answer(session, "learnt.mp4", recording="drive 1", settings=settings)
    other = judged_answer(session, "other.mp4", recording="drive 2", settings=settings)
    write_card(named, trained_on([learnt.sha256]))
    write_card(tmp_path / "models/adapters/fleet", trained_on([other.sha256]))
    assert recordings_counted(session) == ["drive 2"]


@pytest.mark.parametrize(
    "card",
    [
        {},
        {"training_set": {"fingerprint": "ab"}},
        {"training_set": {"content_sha256": {"train": ["a" * 64]}}},
        {"training_set": {"content_sha256": {"train": [], "val": []}}},
        trained_on(["not a hash"]),
        trained_on([["a" * 64]]),
        [],
    ],
)
def test_adapter_that_does_not_say_what_it_learnt_is_uncalibrated_and_says_why(session, tmp_path, card):
    first = library_of_reviews(session, adapter="fleet")
    write_card(tmp_path / "models/adapters/fleet", card)
    assert_uncalibrated(session, first, "its adapter's card does not say which clips it was trained on")


@pytest.mark.parametrize("name", ["fleet", "../adapters/fleet", ".."])
def test_adapter_that_is_not_here_is_uncalibrated_and_says_why(session, name):
    first = library_of_reviews(session, adapter=name)
    assert_uncalibrated(session, first, "its adapter is not on this computer, so the clips it was trained on")


def assert_uncalibrated(session, analysis, reason):
    for reports in (cal.refit(session), cal.calibration_reports(session)):
        (report,) = reports
        assert report.state.startswith(f"uncalibrated: {reason}")
        assert (report.curve, report.answers) == (None, 240)
    shown = cal.shown_confidence(cal.load_calibration(session, analysis), analysis, "event_type")
    assert shown.percent is None
    assert shown.note.startswith(f"uncalibrated: {reason}")


def test_curve_does_not_outlive_the_list_that_it_rests_on(session, tmp_path):
    first = replace(library_of_reviews(session, adapter="fleet"), confidence={"event_type": 0.9})
    card = trained_on([hashlib.sha256(b"elsewhere").hexdigest()])
    folder = write_card(tmp_path / "models/adapters/fleet", card)
    (report,) = cal.refit(session)
    assert report.state == "calibrated on 240 answers"
    assert cal.shown_confidence(cal.load_calibration(session, first), first, "event_type").percent is not None
    write_card(folder, {})  # another adapter took its place
    assert cal.shown_confidence(cal.load_calibration(session, first), first, "event_type").percent is None


# -- how the model was run

RUN = {"revision": "a" * 40, "precision": "bf16", "frames": 16, "rounds": 1, "device": "cuda:0", "batch": 4}


@pytest.mark.parametrize(
    "change",
    [{"revision": "b" * 40}, {"precision": "nf4"}, {"frames": 4}, {"frames": 32}, {"rounds": 3}, {"votes": 5}],
)
def test_way_of_running_that_changes_confidence_has_its_own_curve(session, change):
    first = library_of_reviews(session, settings=RUN)
    cal.refit(session)
    other = replace(first, settings={**RUN, **change})
    assert cal.load_calibration(session, first) is not None
    assert cal.load_calibration(session, other) is None
    assert model_key(other).title != model_key(first).title


@pytest.mark.parametrize(
    "change", [{"precision": "fp32"}, {"frames": 8}, {"frames": 31}, {"device": "cpu"}, {"batch": 1}]
)
def test_way_of_running_that_does_not_change_it_shares_the_curve(session, change):
    first = put_answer(session, put_clip(session, "a.mp4"), {"event_type": "near_miss"}, settings=RUN)
    assert model_key(replace(first, settings={**RUN, **change})) == model_key(first)


def test_two_looks_and_three_are_both_several(session):
    first = put_answer(session, put_clip(session, "a.mp4"), {"event_type": "near_miss"}, settings={"rounds": 2})
    assert model_key(replace(first, settings={"rounds": 3})) == model_key(first)


def test_version_that_a_service_answered_with_is_its_revision(session):
    settings = {"answered_by": "large-001"}
    first = put_answer(session, put_clip(session, "a.mp4"), {"event_type": "near_miss"}, settings=settings)
    assert model_key(replace(first, settings={"answered_by": "large-002"})) != model_key(first)


@pytest.mark.parametrize("settings", [{}, {"frames": {"decoded": 9}, "precision": 8, "revision": None, "rounds": "3"}])
def test_settings_that_say_nothing_of_the_kind_are_no_problem(session, settings):
    first = put_answer(session, put_clip(session, "a.mp4"), {"event_type": "near_miss"}, settings=settings)
    key = model_key(first)
    assert (key.revision, key.precision, key.looks, key.title) == ("", "", "", "m")


# -- beyond what was tested


def test_curve_knows_the_confidences_that_it_was_fitted_on():
    pairs = [Pair(0.3 + 0.6 * n / 199, n % 200 > (n * 37) % 200, "core", f"drive {n % 9}") for n in range(200)]
    curve = fit_curve(pairs)
    assert curve.span == pytest.approx((0.3, 0.9))
    assert Curve.from_json(json.loads(json.dumps(curve.to_json()))) == curve


def test_outside_of_what_was_tested_there_is_only_a_word(session):
    first = library_of_reviews(session)
    cal.refit(session)
    curves = cal.load_calibration(session, first)
    lowest, highest = curves.curve_for("weather").span
    tested = shown_at(curves, first, highest)
    above, below = shown_at(curves, first, highest + 0.005), shown_at(curves, first, lowest - 0.005)
    assert tested.percent is not None
    assert (above.percent, above.note) == (None, "surer than any answer that was tested")
    assert (below.percent, below.word, below.note) == (None, "guess", "less sure than any answer that was tested")
    assert cal.curve_of(curves, replace(first, confidence={"weather": highest}), "weather") is not None
    assert cal.curve_of(curves, replace(first, confidence={"weather": 0.9999}), "weather") is None


def shown_at(curves, analysis, confidence):
    return cal.shown_confidence(curves, replace(analysis, confidence={"weather": confidence}), "weather")


def test_word_outside_claims_no_more_than_the_nearest_that_was_tested(session):
    first = put_answer(session, put_clip(session, "a.mp4"), {"weather": "clear"})
    good = Measures(0.05, 0.1)
    curve = Curve("platt", ((0.5, -0.5),), 200, 100, 9, before=good, after=good, span=(0.4, 0.9))
    curves = cal.Calibration(model_key(first), "2026", 200, {"all": curve}, {"weather": "context"})
    assert shown_at(curves, first, 0.9) == cal.Shown("unsure", 65, "calibrated on 200 answers, ±5 points")
    assert shown_at(curves, first, 0.99).word == "unsure"
