"""Percentages come from reviews, are tested on other recordings, and are withheld where they do not hold."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.unit.workflow.conftest import put_answer, put_clip
from vvlm_desktop.domain.review import NewEvent, Verdict
from vvlm_desktop.errors import JobCancelledError, StorageFullError
from vvlm_desktop.settings import Settings
from vvlm_desktop.store.engine import DATABASE_NAME
from vvlm_desktop.store.library import Library
from vvlm_desktop.workflow import calibration as cal
from vvlm_desktop.workflow.calibration_files import (
    ALL_FIELDS,
    Calibration,
    file_of,
    read_calibration,
    store_calibration,
)
from vvlm_desktop.workflow.calibration_fit import (
    ENOUGH_OF_EACH,
    ENOUGH_PAIRS,
    ENOUGH_RECORDINGS,
    Curve,
    Measures,
    fit_curve,
    measure,
    why_not,
)
from vvlm_desktop.workflow.calibration_pairs import Pair, collect_pairs, model_key
from vvlm_desktop.workflow.review import accept_rest, open_review, reject_field, set_status, set_value
from vvlm_desktop.workflow.session import open_session


def pairs_of_overconfident(count, *, seed=1, recordings=20):
    """A model that claims `c` and is right in c² of the cases."""
    rng = random.Random(seed)
    pairs = []
    for number in range(count):
        confidence = rng.uniform(0.3, 0.999)
        pairs.append(Pair(confidence, rng.random() < confidence**2, "core", f"drive {number % recordings}"))
    return pairs


# -- the curve


@pytest.mark.parametrize(("count", "method"), [(400, "platt"), (2000, "isotonic")])
def test_curve_says_how_often_the_model_is_right(count, method):
    curve = fit_curve(pairs_of_overconfident(count))
    assert curve is not None
    assert curve.method == method
    for confidence in (0.5, 0.7, 0.9):
        assert curve.apply(confidence) == pytest.approx(confidence**2, abs=0.09)
    assert curve.after.ece < curve.before.ece / 2
    assert curve.after.brier < curve.before.brier
    assert curve.trusted


@pytest.mark.parametrize("count", [400, 2000])
def test_curve_never_falls_and_never_claims_certainty(count):
    curve = fit_curve(pairs_of_overconfident(count))
    values = [curve.apply(c) for c in np.linspace(0, 1, 101)]
    assert values == sorted(values)
    assert values[0] >= 0.01
    assert values[-1] <= 0.99


def test_what_is_measured_was_not_fitted_on():
    """Each recording always right or always wrong, whatever the model claims: nothing carries over to others."""
    rng = random.Random(3)
    pairs = []
    for recording in range(10):
        for _ in range(120):
            confidence = min(0.999, max(0.001, rng.gauss(0.3 + 0.06 * recording, 0.005)))
            pairs.append(Pair(confidence, recording % 2 == 0, "core", f"drive {recording}"))
    curve = fit_curve(pairs)
    # Fitted and tested on the same answers, a free curve follows the recordings; held out, it cannot.
    if curve is not None:
        claimed = np.array([curve.apply(pair.confidence) for pair in pairs])
        inside = measure(claimed, np.array([float(pair.right) for pair in pairs]))
        assert curve.after.brier > inside.brier + 0.02


def test_model_that_is_no_surer_where_it_is_right_gets_no_curve():
    rng = random.Random(5)
    pairs = []
    for number in range(400):
        right = rng.random() < 0.6
        confidence = rng.uniform(0.2, 0.6) if right else rng.uniform(0.5, 0.95)
        pairs.append(Pair(confidence, right, "core", f"drive {number % 12}"))
    assert fit_curve(pairs) is None


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        (pairs_of_overconfident(ENOUGH_PAIRS - 1), "99 of 100"),
        ([replace(p, right=n >= ENOUGH_OF_EACH - 1) for n, p in enumerate(pairs_of_overconfident(200))], "19 wrong"),
        ([replace(p, right=n < ENOUGH_OF_EACH - 1) for n, p in enumerate(pairs_of_overconfident(200))], "19 right"),
        (pairs_of_overconfident(200, recordings=ENOUGH_RECORDINGS - 1), "4 recordings"),
    ],
)
def test_too_little_is_said_and_not_fitted(pairs, says):
    assert says in why_not(pairs)
    with pytest.raises(ValueError, match="cannot fit"):
        fit_curve(pairs)


def test_measures_are_what_they_are_called():
    claimed = np.array([0.9] * 100)
    right = np.array([1.0] * 50 + [0.0] * 50)
    rng = np.random.default_rng(1)
    found = measure(claimed, rng.permutation(right))
    assert found.brier == pytest.approx(0.5 * 0.01 + 0.5 * 0.81)
    assert found.ece == pytest.approx(0.4, abs=0.02)
    assert measure(np.array([0.8] * 100), np.array(([1.0] * 4 + [0.0]) * 20)).ece == pytest.approx(0, abs=0.04)


# -- which answers count


def settle_with(session, clip, **verdicts):
    """A settled review with verdicts as they are given: (verdict, value, how, model_value)."""
    session.library.append(settling(session, clip, **verdicts))


def settling(session, clip, **verdicts):
    events = []
    for field, (kind, value, how, said) in verdicts.items():
        verdict = Verdict(kind, value, how, model_value=said, model_answered=said is not None)
        payload = {"field": field, "before": None, "after": {**_as_dict(verdict)}}
        events.append(NewEvent("verdict", clip.id, "Ada", session.schema.key, payload))
    status = {"before": "in_review", "after": "reviewed", "reason": None, "words": None, "broken_rules": []}
    return [*events, NewEvent("status", clip.id, "Ada", session.schema.key, status)]


def _as_dict(verdict):
    from vvlm_desktop.domain.fold import verdict_to_json

    return verdict_to_json(verdict)


def found_pairs(session):
    return [pair for pairs in collect_pairs(session).pairs.values() for pair in pairs]


@pytest.mark.parametrize(
    ("how", "kind", "value", "expected"),
    [
        ("explicit", "accepted", "near_miss", True),
        ("bulk", "accepted", "near_miss", True),
        ("explicit", "corrected", "collision", False),
        ("explicit", "rejected", None, False),
        ("bulk_unseen", "accepted", "near_miss", None),
        ("bulk_unseen", "corrected", "collision", None),
    ],
)
def test_verdict_makes_a_pair(session, how, kind, value, expected):
    clip = put_clip(session, "a.mp4", recording="drive 7")
    put_answer(session, clip, {"event_type": "near_miss"}, confidence={"event_type": 0.8})
    settle_with(session, clip, event_type=(kind, value, how, "near_miss"))
    pairs = found_pairs(session)
    assert pairs == ([] if expected is None else [Pair(0.8, expected, "core", "drive 7")])


@pytest.mark.parametrize("provenance", ["demo_script", "teacher_draft"])
def test_scripts_and_drafts_never_count(session, provenance):
    clip = put_clip(session, "a.mp4")
    put_answer(session, clip, {"event_type": "near_miss"}, provenance=provenance)
    settle_with(session, clip, event_type=("accepted", "near_miss", "explicit", "near_miss"))
    assert found_pairs(session) == []


def test_unfinished_and_dismissed_reviews_do_not_count(session):
    clip = put_clip(session, "a.mp4")
    put_answer(session, clip, {"event_type": "near_miss"})
    set_value(session, clip.id, "event_type", "near_miss")
    assert found_pairs(session) == []
    accept_rest(session, clip.id, window_seen=True)
    assert len(found_pairs(session)) == 1
    set_status(session, clip.id, "dismissed", reason="false_trigger")
    assert found_pairs(session) == []


def test_another_models_answer_is_judged_by_the_same_truth(session):
    clip = put_clip(session, "a.mp4")
    put_answer(session, clip, {"event_type": "near_miss"}, model="base", confidence={"event_type": 0.7})
    put_answer(session, clip, {"event_type": "collision"}, model="tuned", confidence={"event_type": 0.9})
    settle_with(session, clip, event_type=("corrected", "near_miss", "explicit", "collision"))
    by_model = {key.model: pairs for key, pairs in collect_pairs(session).pairs.items()}
    assert [pair.right for pair in by_model["base"]] == [True]
    assert [pair.right for pair in by_model["tuned"]] == [False]


def test_script_that_was_waved_through_says_nothing_about_a_model(session):
    clip = put_clip(session, "a.mp4")
    put_answer(session, clip, {"event_type": "near_miss", "weather": "clear"})
    put_answer(session, clip, {"event_type": "near_miss", "weather": "clear"}, provenance="demo_script", model="script")
    set_value(session, clip.id, "weather", "rain")
    accept_rest(session, clip.id, window_seen=True)
    assert [(pair.group, pair.right) for pair in found_pairs(session)] == [("context", False)]


def test_only_the_newest_answer_of_a_model_counts(session):
    clip = put_clip(session, "a.mp4")
    put_answer(session, clip, {"event_type": "collision"}, confidence={"event_type": 0.6})
    put_answer(session, clip, {"event_type": "near_miss"}, confidence={"event_type": 0.8})
    settle_with(session, clip, event_type=("accepted", "near_miss", "explicit", "near_miss"))
    assert [(pair.confidence, pair.right) for pair in found_pairs(session)] == [(0.8, True)]


def test_times_and_texts_are_left_out(session):
    clip = put_clip(session, "a.mp4")
    labels = {"event_type": "near_miss", "event_time": {"start_ms": 1, "end_ms": 2}, "caption": "A car."}
    put_answer(session, clip, labels)
    said = {key: ("accepted", value, "explicit", value) for key, value in labels.items()}
    settle_with(session, clip, **said)
    assert len(found_pairs(session)) == 1


# -- from reviews to a percentage


def library_of_reviews(session, *, clips=60, **changes):
    """An overconfident model, reviewed: four fields a clip, right in c² of the cases. Takes the library's place."""
    database, first = reviewed_database(clips, json.dumps(changes))
    folder = session.library.folder
    session.library.close()
    (folder / DATABASE_NAME).write_bytes(database)
    session.library = Library.open(folder)
    return first


@cache
def reviewed_database(clips, changes):
    """The file of such a library, and its last answer; made once, because it takes hundreds of transactions."""
    with tempfile.TemporaryDirectory() as made, open_session(Settings(), library_dir=Path(made)) as session:
        first = review_with_luck(session, clips, random.Random(4), json.loads(changes))
        session.library.checkpoint()
        return (Path(made) / DATABASE_NAME).read_bytes(), first


def review_with_luck(session, clips, rng, changes):
    chosen = {"event_type": "near_miss", "scene": "urban", "weather": "clear", "light_conditions": "normal"}
    other = {"event_type": "collision", "scene": "highway", "weather": "rain", "light_conditions": "dark"}
    first, events = None, []
    for number in range(clips):
        clip = put_clip(session, f"{number}.mp4", recording=f"drive {number % 10}")
        confidence = {key: round(rng.uniform(0.3, 0.99), 3) for key in chosen}
        first = put_answer(session, clip, chosen, confidence=confidence, **changes)
        verdicts = {
            key: ("accepted", value, "explicit", value)
            if rng.random() < confidence[key] ** 2
            else ("corrected", other[key], "explicit", value)
            for key, value in chosen.items()
        }
        events += settling(session, clip, **verdicts)
    session.library.append(events)
    return first


def test_percentage_is_shown_once_it_has_been_tested(session):
    analysis = replace(library_of_reviews(session), confidence={"event_type": 0.9, "weather": 0.9})
    assert cal.shown_confidence(cal.load_calibration(session, analysis), analysis, "event_type") == cal.Shown(
        "sure", None, "uncalibrated"
    )
    (report,) = cal.refit(session)
    assert report.state == "calibrated on 240 answers"
    calibration = cal.load_calibration(session, analysis)
    shown = cal.shown_confidence(calibration, analysis, "weather")
    assert shown.percent == pytest.approx(81, abs=10)
    assert shown.note.startswith("calibrated on 180 answers, ±")


def test_field_group_has_its_own_curve_where_it_has_enough_answers(session):
    analysis = library_of_reviews(session)
    (report,) = cal.refit(session)
    calibration = cal.load_calibration(session, analysis)
    assert report.groups == ("context",)  # the event alone has 60 answers
    assert calibration.curve_for("weather").answers == 180
    assert calibration.curve_for("event_type").answers == 240


def test_other_model_or_labels_get_no_percentage(session):
    analysis = library_of_reviews(session)
    cal.refit(session)
    calibration = cal.load_calibration(session, analysis)
    for other in (
        replace(analysis, model="other"),
        replace(analysis, schema_labels_sha="0" * 64),
        replace(analysis, confidence_kind="measured_margin"),
    ):
        assert cal.load_calibration(session, other) is None
        assert cal.shown_confidence(calibration, other, "event_type").percent is None


def test_fields_that_cannot_be_counted_get_no_percentage(session):
    analysis = library_of_reviews(session)
    cal.refit(session)
    timed = replace(analysis, labels={"event_time": None}, confidence={"event_time": 0.9})
    shown = cal.shown_confidence(cal.load_calibration(session, timed), timed, "event_time")
    assert (shown.word, shown.percent) == ("sure", None)


def test_model_that_did_not_want_this_form_is_a_guess(session):
    analysis = library_of_reviews(session)
    cal.refit(session)
    forced = replace(analysis, confidence={"event_type": 0.98}, legal_mass={"event_type": 0.2, "weather": 0.9})
    shown = cal.shown_confidence(cal.load_calibration(session, forced), forced, "event_type")
    assert (shown.word, shown.percent) == ("guess", None)
    assert "did not want to answer in this form" in shown.note


def test_no_number_no_word(session):
    analysis = put_answer(session, put_clip(session, "a.mp4"), {"event_type": "near_miss"}, confidence={})
    assert cal.shown_confidence(None, analysis, "event_type") is None


def test_curve_that_does_not_hold_elsewhere_is_not_shown():
    curve = Curve("platt", ((1.0, 0.0),), 200, 100, 9, before=Measures(0.1, 0.2), after=Measures(0.3, 0.2))
    assert not curve.trusted
    assert not replace(curve, after=Measures(0.1, 0.25)).trusted
    assert replace(curve, after=Measures(0.1, 0.2)).trusted


def test_refit_waits_until_reviews_grew_by_a_fifth(session):
    analysis = library_of_reviews(session, clips=50)
    cal.refit(session)
    first = cal.load_calibration(session, analysis).created_at
    answer_more(session, 9)  # 236 answers instead of 200
    cal.refit(session, only_due=True)
    assert cal.load_calibration(session, analysis).created_at == first
    answer_more(session, 3, start=9)  # 248
    cal.refit(session, only_due=True)
    again = cal.load_calibration(session, analysis)
    assert again.answers == 248
    assert again.created_at > first


def answer_more(session, count, *, start=0):
    labels = {"event_type": "near_miss", "scene": "urban", "weather": "clear", "light_conditions": "normal"}
    for number in range(start, start + count):
        clip = put_clip(session, f"more {number}.mp4", recording=f"drive {number}")
        put_answer(session, clip, labels)
        settle_with(session, clip, **{key: ("accepted", value, "explicit", value) for key, value in labels.items()})


def test_reports_tell_how_every_model_stands_without_fitting(session):
    library_of_reviews(session)
    put_answer(session, clip := put_clip(session, "z.mp4"), {"event_type": "near_miss"}, model="new")
    settle_with(session, clip, event_type=("accepted", "near_miss", "explicit", "near_miss"))
    states = {report.key.model: report.state for report in cal.calibration_reports(session)}
    assert states == {"m": "uncalibrated: not fitted yet", "new": "uncalibrated: 1 of 100 reviewed answers"}
    assert not (session.library.folder / "calibration").exists()


def test_stopped_in_the_middle_stores_nothing(session):
    library_of_reviews(session, clips=3)
    with pytest.raises(JobCancelledError):
        cal.refit(session, cancelled=lambda: True)
    assert not (session.library.folder / "calibration").exists()


# -- files that nobody can trust


@pytest.fixture
def stored(session):
    """An answer that was reviewed, and a calibration of its model."""
    clip = put_clip(session, "a.mp4")
    analysis = put_answer(session, clip, {"event_type": "near_miss"})
    settle_with(session, clip, event_type=("accepted", "near_miss", "explicit", "near_miss"))
    key = model_key(analysis)
    curve = Curve("platt", ((1.2, -0.4),), 200, 150, 9, before=Measures(0.2, 0.2), after=Measures(0.05, 0.15))
    calibration = Calibration(key, "2026-01-01T00:00:00.000Z", 200, {ALL_FIELDS: curve}, {"event_type": "core"})
    store_calibration(file_of(session, key), calibration)
    assert cal.load_calibration(session, analysis) == calibration
    return analysis, file_of(session, key)


def damage(file, change):
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(version=1),
        lambda data: data.update(curves=[]),
        lambda data: data.update(answers="many"),
        lambda data: data.pop("key"),
        lambda data: data["key"].update(model="another"),
        lambda data: data["curves"][ALL_FIELDS].update(method="guessing"),
        lambda data: data["curves"][ALL_FIELDS].update(knots=[[float("nan"), 0]]),
        lambda data: data["curves"][ALL_FIELDS].update(knots=[[-1.0, 0.0]]),
        lambda data: data["curves"][ALL_FIELDS].update(knots=[[1e400, 0.0]]),
        lambda data: data["curves"][ALL_FIELDS].update(knots=[]),
        lambda data: data["curves"][ALL_FIELDS].update(method="isotonic", knots=[[0.5, 0.9], [0.4, 0.95]]),
        lambda data: data["curves"][ALL_FIELDS].update(method="isotonic", knots=[[0.5, 0.9], [0.6, 0.2]]),
        lambda data: data["curves"][ALL_FIELDS].update(right=10**9),
        lambda data: data["curves"][ALL_FIELDS]["after"].update(ece=-1),
        lambda data: data["curves"][ALL_FIELDS].pop("span"),
        lambda data: data["curves"][ALL_FIELDS].update(span=[0.9, 0.2]),
        lambda data: data["curves"][ALL_FIELDS].update(span=[0.1]),
    ],
)
def test_damaged_file_is_ignored_and_said(session, stored, change, caplog):
    analysis, file = stored
    damage(file, change)
    assert cal.load_calibration(session, analysis) is None
    assert "is ignored" in caplog.text
    (report,) = cal.calibration_reports(session)
    assert report.state.startswith("uncalibrated: its file")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"null", b"[" * 100_000, b" " * 1_000_001])
def test_what_is_no_calibration_at_all_is_ignored(session, stored, content):
    analysis, file = stored
    file.write_bytes(content)
    assert cal.load_calibration(session, analysis) is None
    cal.refit(session, only_due=True)
    assert cal.load_calibration(session, analysis) is not None  # and made anew


def test_what_was_stored_is_what_is_read(session, stored):
    analysis, file = stored
    calibration, problem = read_calibration(file, model_key(analysis))
    assert problem == ""
    store_calibration(file, calibration)
    assert read_calibration(file, model_key(analysis)) == (calibration, "")
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_folder_that_cannot_be_written_is_told(session, stored, tmp_path):
    analysis, file = stored
    calibration, _ = read_calibration(file, model_key(analysis))
    (tmp_path / "occupied").write_text("")
    with pytest.raises(StorageFullError, match="cannot be stored"):
        store_calibration(tmp_path / "occupied" / "x.json", calibration)


def test_review_page_does_not_load_scikit_learn():
    code = (
        "import sys, vvlm_desktop.workflow.calibration, vvlm_desktop.cli.commands;"
        "print([n for n in sys.modules if n.split('.')[0] in ('sklearn', 'scipy')])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_reject_through_the_review_makes_a_wrong_answer(session):
    clip = put_clip(session, "a.mp4")
    put_answer(session, clip, {"event_type": "near_miss"})
    reject_field(session, clip.id, "event_type")
    accept_rest(session, clip.id, window_seen=True)
    assert open_review(session, clip.id).review.settled
    assert [pair.right for pair in found_pairs(session)] == [False]
