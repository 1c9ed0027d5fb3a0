"""How sure the model was, on screen: words until percentages were tested, its looks, and remarks on its answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint

from tests.ui.review.conftest import NEAR_MISS
from vvlm_desktop.backends.local_options import ON_PROCESSOR
from vvlm_desktop.domain.analysis import Round
from vvlm_desktop.domain.review import Change
from vvlm_desktop.ui.review.sureness import distribution_text, value_words
from vvlm_desktop.ui.review.timeline_build import looks_of
from vvlm_desktop.workflow.calibration import load_calibration
from vvlm_desktop.workflow.calibration_files import ALL_FIELDS, Calibration, file_of, store_calibration
from vvlm_desktop.workflow.calibration_fit import Curve, Measures
from vvlm_desktop.workflow.calibration_pairs import can_be_calibrated, model_key
from vvlm_desktop.workflow.frame_index import index_of

SPREAD = {"near_miss": 0.6, "collision": 0.3, "no_incident": 0.1}


@pytest.fixture
def answered(add_clip, session):
    """A clip with one answer, changed as a test wants it."""

    def put(**changes):
        clip = add_clip()
        (first,) = session.library.analyses(clip.id)
        analysis = replace(first, id="changed", **changes)
        session.library.add_analysis(analysis)
        return clip, analysis

    return put


@pytest.fixture
def calibrate(session):
    """Half of the log-odds: 0.6 becomes 55 %, 0.9 becomes 75 %."""

    def store(analysis):
        key = model_key(analysis)
        curve = Curve("platt", ((0.5, 0.0),), 214, 150, 9, before=Measures(0.2, 0.2), after=Measures(0.04, 0.15))
        groups = {field.key: field.group for field in session.schema.fields if can_be_calibrated(field)}
        store_calibration(file_of(session, key), Calibration(key, "2026", 214, {ALL_FIELDS: curve}, groups))

    return store


def test_uncalibrated_is_said_once_in_the_headline_and_not_on_each_row(stage, answered):
    clip, _ = answered()
    here = stage()
    here.open(clip.id)
    headline = here.page.desk.headline
    assert headline.confidence.text() == "unsure, uncalibrated"
    assert "not known yet" in headline.confidence.toolTip()
    for card in here.page.form.cards.values():
        assert "calibrated" not in card.header.accessibleName()
        assert "%" not in card.header.accessibleName()
    assert not headline.details.isVisible()


def test_percentages_appear_once_they_were_tested(stage, answered, calibrate):
    clip, analysis = answered()
    calibrate(analysis)
    here = stage()
    here.open(clip.id)
    headline, cards = here.page.desk.headline, here.page.form.cards
    assert headline.confidence.text() == "55 %"
    assert headline.confidence.toolTip() == "Calibrated on 214 answers, ±4 points."
    assert "unsure, 55 percent" in cards["event_type"].header.accessibleName()
    assert "sure, 75 percent" in cards["conflict_with"].header.accessibleName()
    assert "percent" not in cards["event_time"].header.accessibleName()


def test_calibrated_word_decides_what_is_doubtful(stage, answered, session):
    clip, analysis = answered(confidence=dict.fromkeys(NEAR_MISS, 0.9))
    key = model_key(analysis)
    curve = Curve("platt", ((0.5, -0.5),), 214, 150, 9, before=Measures(0.2, 0.2), after=Measures(0.04, 0.15))
    store_calibration(file_of(session, key), Calibration(key, "2026", 214, {ALL_FIELDS: curve}, {"weather": "context"}))
    here = stage()
    here.open(clip.id)
    doubtful = {view.key for view in here.page.form.model.fields if view.doubtful}
    assert doubtful == {"weather"}  # 0.9 means 64 % here; the other fields have no tested percentage


def test_distribution_stands_under_the_open_field(stage, answered, calibrate, session):
    clip, analysis = answered(value_confidence={"event_type": SPREAD})
    here = stage()
    here.open(clip.id)
    card = here.page.form.cards["event_type"]
    assert card.sureness.text() == "Model: near miss likely · collision possible · no incident unlikely."
    assert here.page.form.model.view("severity").distribution == ""
    calibrate(analysis)
    text = distribution_text(session.schema, analysis, "event_type", load_calibration(session, analysis))
    assert text.replace("\N{NO-BREAK SPACE}", " ") == "near miss 55 % · collision 34 % · no incident 11 %"


@pytest.mark.parametrize(
    "given",
    [{}, {"event_type": {}}, {"event_type": {"near_miss": 1.0}}, {"event_type": {"near_miss": 0, "collision": 0}}],
)
def test_no_distribution_no_line(session, answered, given):
    _, analysis = answered(value_confidence=given)
    assert distribution_text(session.schema, analysis, "event_type", None) == ""


def test_each_value_of_a_list_has_its_own_word(stage, answered):
    labels = {**NEAR_MISS, "cause_of_risk": ["following_too_close", "late_reaction"]}
    spread = {"cause_of_risk": {"following_too_close": 0.9, "late_reaction": 0.3}}
    clip, analysis = answered(labels=labels, value_confidence=spread)
    assert dict(value_words(analysis, "cause_of_risk")) == {"following_too_close": "sure", "late_reaction": "guess"}
    here = stage()
    here.open(clip.id)
    here.page.form.open_field("cause_of_risk")
    rows = here.page.form.cards["cause_of_risk"].rows
    assert "model, sure" in rows["following_too_close"].accessibleName()
    assert "model, guess" in rows["late_reaction"].accessibleName()
    assert "model" not in rows["risky_maneuver"].accessibleName()


def test_model_that_did_not_want_this_form_is_a_guess_and_says_why(stage, answered):
    clip, _ = answered(
        confidence={"event_type": 0.99}, legal_mass={"event_type": 0.1}, value_confidence={"event_type": SPREAD}
    )
    here = stage()
    here.open(clip.id)
    headline = here.page.desk.headline
    assert headline.confidence.text() == "guess"
    assert headline.details.text() == "1 remark"
    assert "did not want to answer in this form" in headline.details.accessibleDescription()
    assert here.page.form.cards["event_type"].sureness.text() == "The model did not want to answer in this form."


def test_remarks_are_in_the_headlines_details(stage, answered):
    flags = ("It did not fit: 16 frames became 8 & weights <int8>.",)
    rounds = (Round("uniform", (0, 512)), Round("uniform", (0, 512), note="The clue could not be read."))
    clip, _ = answered(flags=flags, rounds=rounds)
    here = stage()
    here.open(clip.id)
    details = here.page.desk.headline.details
    assert details.isVisible()
    assert details.text() == "2 remarks"
    assert "16 frames became 8 &amp; weights &lt;int8&gt;." in details.toolTip()
    assert "The clue could not be read." in details.accessibleDescription()


def test_every_look_is_named_and_s_plays_the_last(stage, answered, session, add_clip):
    index = index_of(session, add_clip())
    first, last = index.pts[::10], index.pts[40:50]
    rounds = (Round("uniform", first), Round("clue", last, ((1300, 1700),), note="One clue was outside the clip."))
    clip, analysis = answered(rounds=rounds, frames_pts=last)
    looks = looks_of(analysis, index)
    assert [look.text for look in looks] == [
        f"look 1 of 2: the whole clip, {len(first)} frames",
        "look 2 of 2: 00:01.30–00:01.70 more closely, 10 frames. One clue was outside the clip.",
    ]
    assert looks[1].spans_s == ((1.3, 1.7),)
    here = stage()
    here.open(clip.id)
    timeline = here.page.desk.timeline
    lane = next(lane for lane in timeline._lanes if lane.kind == "seen")
    help_text = timeline._help_at(QPoint(400, round(lane.top + 3)).toPointF())
    assert help_text.splitlines()[0] == "test-model looked 2 times"
    assert "look 2 of 2" in help_text
    here.press("S")
    assert here.page.desk.playback.only == tuple(range(40, 50))


def test_earlier_looks_are_drawn_lighter_and_the_span_is_drawn(stage, answered, session, add_clip):
    index = index_of(session, add_clip())
    plain_clip, _ = answered(frames_pts=index.pts[40:44])
    here = stage()
    here.open(plain_clip.id)
    alone = _seen_lane(here)
    rounds = (Round("uniform", (index.pts[5], index.pts[80])), Round("clue", index.pts[40:44], ((1000, 1800),)))
    session.library.add_analysis(
        replace(session.library.analyses(plain_clip.id)[0], id="looks", rounds=rounds, frames_pts=index.pts[40:44])
    )
    here.page.on_change(Change(clip_ids=(plain_clip.id,), what=frozenset({"analyses"})))
    looks = _seen_lane(here)
    timeline = here.page.desk.timeline
    span_x, early_x = round(timeline.x_of_frame(33)), round(timeline.x_of_frame(5))
    middle = alone.height() // 2
    assert looks.pixel(span_x, 2) != alone.pixel(span_x, 2)
    assert looks.pixel(early_x, middle) != alone.pixel(early_x, middle)
    assert looks.pixel(early_x, middle) != looks.pixel(round(timeline.x_of_frame(41)), middle)


def _seen_lane(here):
    timeline = here.page.desk.timeline
    lane = next(lane for lane in timeline._lanes if lane.kind == "seen")
    return timeline._paint_ground().toImage().copy(0, round(lane.top), timeline.width(), round(lane.height))


def test_one_look_needs_no_words(session, answered, add_clip):
    index = index_of(session, add_clip())
    _, analysis = answered(rounds=(Round("uniform", index.pts[::10]),))
    assert looks_of(analysis, index) == ()


def test_curves_fitted_in_the_background_reach_the_form(stage, answered, calibrate, qtbot, monkeypatch):
    clip, analysis = answered()
    here = stage()
    here.open(clip.id)
    calibrations = here.page.calibrations
    assert calibrations._timer.isActive()  # a model whose curves were never fitted is on screen

    def fitted(_session, **_named):
        calibrate(analysis)
        return ["a report"]

    monkeypatch.setattr("vvlm_desktop.ui.review.calibrations.refit", fitted)
    with qtbot.waitSignal(calibrations.changed):
        calibrations.look()
    assert here.page.desk.headline.confidence.text() == "55 %"


def test_nothing_is_fitted_while_reviews_have_not_grown(stage, answered, calibrate, qtbot, monkeypatch, session):
    from vvlm_desktop.workflow.calibration_files import note_review_count

    clip, analysis = answered()
    calibrate(analysis)
    note_review_count(session, 0)
    here = stage()
    here.open(clip.id)
    monkeypatch.setattr("vvlm_desktop.ui.review.calibrations.refit", lambda *_a, **_n: pytest.fail("fitted"))
    here.page.calibrations.look()
    qtbot.waitUntil(lambda: not here.page.calibrations._line.busy)


def test_how_it_ran_is_said_where_one_asks_and_is_no_remark(stage, answered):
    clip, _ = answered(flags=(ON_PROCESSOR,))
    here = stage()
    here.open(clip.id)
    assert here.page.desk.headline.details.isHidden()
    here.page.side.tabs.setCurrentIndex(1)
    assert ON_PROCESSOR.rstrip(".") in here.page.side.raw.how.text()
    assert "frames" in here.page.side.raw.how.text()
