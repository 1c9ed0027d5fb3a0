"""Two answers side by side: differences first, the truth where a person settled it, unfairness said plainly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.workflow.conftest import put_answer, put_clip
from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import BackendError, UsageError, WorkerCrashedError
from vvlm_desktop.jobs.child import Child
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.agreement import FieldAgreement, agreement
from vvlm_desktop.workflow.comparing import Comparison, base_of, compare_clips, comparison, latest_of
from vvlm_desktop.workflow.session import Session

BASE = {"event_type": "near_miss", "weather": "rain", "ego_response": ["braked", "steered"], "traffic_density": "low"}
TUNED = {"event_type": "collision", "weather": "rain", "ego_response": ["steered", "braked"], "scene": "urban"}


@pytest.fixture
def clip(session: Session) -> Clip:
    return put_clip(session, "a.mp4")


def pair(session: Session, clip: Clip, a: dict[str, Any], b: dict[str, Any], **of_b: Any) -> Comparison:
    first = put_answer(session, clip, a, backend="local", settings={"frames": 16, "batch": 4}, prompt_sha="p")
    values = {"settings": {"frames": 16, "batch": 1}, "prompt_sha": "p", "adapter": "run 1", **of_b}
    second = put_answer(session, clip, b, backend="local", **values)
    return comparison(session, clip.id, first, second)


def by_key(found: Comparison) -> dict[str, Any]:
    return {each.field.key: each for each in found.fields}


def test_what_differs_comes_first_then_what_only_one_said(session: Session, clip: Clip) -> None:
    found = pair(session, clip, BASE, TUNED)
    standings = [each.standing for each in found.fields]
    assert [each.field.key for each in found.fields[:3]] == ["event_type", "traffic_density", "scene"]
    assert standings[:5] == ["differs", "one_sided", "one_sided", "same", "same"]
    assert set(standings[5:]) == {"unanswered"}
    event = by_key(found)["event_type"]
    assert (event.said, event.confidence) == (("near_miss", "collision"), (0.9, 0.9))
    assert found.differing == 1


def test_times_that_mostly_overlap_are_the_same_moment(session: Session, clip: Clip) -> None:
    one = {"event_time": {"start_ms": 1000, "end_ms": 3000}}
    near = {"event_time": {"start_ms": 1500, "end_ms": 3200}}
    far = {"event_time": {"start_ms": 2800, "end_ms": 4000}}
    assert by_key(pair(session, clip, one, near))["event_time"].standing == "same"
    assert by_key(pair(session, clip, one, far))["event_time"].standing == "differs"
    assert by_key(pair(session, clip, one, {"event_time": None}))["event_time"].standing == "differs"


def test_fair_comparison_says_nothing_and_the_batch_size_is_no_difference(session: Session, clip: Clip) -> None:
    found = pair(session, clip, BASE, TUNED)
    assert (found.same_frames, found.same_prompt, found.same_settings, found.notes) == (True, True, True, ())


def test_unfair_comparison_says_what_was_not_the_same(session: Session, clip: Clip) -> None:
    found = pair(session, clip, BASE, TUNED, frames_pts=(0,), prompt_sha="q", settings={"frames": 8, "rounds": 2})
    assert (found.same_frames, found.same_prompt, found.same_settings) == (False, False, False)
    assert any("same frames: 2 and 1" in note for note in found.notes)
    assert any("other words" in note for note in found.notes)


def test_truth_is_a_settled_reviews_and_names_who_was_right(session: Session, clip: Clip) -> None:
    found = pair(session, clip, BASE, TUNED)
    assert found.truth_by is None
    assert by_key(found)["event_type"].right == (None, None)
    review.set_value(session, clip.id, "event_type", "collision")
    assert by_key(comparison(session, clip.id, found.a, found.b))["event_type"].right == (None, None)
    review.set_value(session, clip.id, "event_time", {"start_ms": 0, "end_ms": 500})
    review.accept_rest(session, clip.id, window_seen=True)
    event = by_key(comparison(session, clip.id, found.a, found.b))["event_type"]
    assert (event.truth_known, event.truth, event.right) == (True, "collision", (False, True))


@pytest.mark.parametrize("how", ["rejected", "unseen", "script"])
def test_what_nobody_stands_behind_is_no_truth(session: Session, clip: Clip, how: str) -> None:
    found = pair(session, clip, BASE, {**TUNED, "weather": "snow"})
    if how == "script":
        put_answer(session, clip, {"weather": "rain"}, provenance="demo_script", backend="demo")
    if how == "rejected":
        review.reject_field(session, clip.id, "weather")
    review.accept_rest(session, clip.id, window_seen=how != "unseen")
    weather = by_key(comparison(session, clip.id, found.a, found.b))["weather"]
    assert weather.truth_known is False
    assert weather.right == ((None, False) if how == "rejected" else (None, None))


def test_agreement_counts_what_both_answered_and_who_was_right(session: Session) -> None:
    pairs = []
    for number, (a, b, truth) in enumerate(
        [
            ("rain", "snow", "snow"),
            ("rain", "rain", "rain"),
            ("clear", "fog", "fog"),
            ("clear", "fog", None),
            ("fog", "clear", "fog"),
        ]
    ):
        clip = put_clip(session, f"{number}.mp4")
        found = pair(session, clip, {"weather": a, "scene": "urban"}, {"weather": b})
        if truth:
            review.set_value(session, clip.id, "weather", truth)
            review.accept_rest(session, clip.id, window_seen=True)
        pairs.append(comparison(session, clip.id, found.a, found.b))
    weather = next(each for each in agreement(session.schema, pairs).rows() if each.key == "weather")
    assert (weather.n, weather.agree, weather.judged) == (5, 1, 4)
    assert (weather.a_right, weather.b_right, weather.only_a, weather.only_b) == (2, 3, 1, 2)
    scene = agreement(session.schema, pairs).fields["scene"]
    assert (scene.n, scene.p_value) == (0, None)


@pytest.mark.parametrize(("a", "b", "p"), [(0, 6, 0.03125), (1, 7, 0.0703125), (3, 3, 1.0), (0, 1, 1.0)])
def test_mcnemars_exact_test(a: int, b: int, p: float) -> None:
    assert FieldAgreement("x", "X", only_a=a, only_b=b).p_value == pytest.approx(p)


def test_unequal_pairs_are_listed_and_in_no_number(session: Session, clip: Clip) -> None:
    found = pair(session, clip, BASE, TUNED, frames_pts=(0,))
    tally = agreement(session.schema, [found])
    assert (tally.unfair, len(tally.lines), tally.matrix("event_type"), tally.rows()) == (1, 1, {}, [])


def test_two_models_differ_in_revision_and_size_by_being_two(session: Session, clip: Clip) -> None:
    settings = {"frames": 16, "revision": "x", "family": "f", "size_px": [8, 8]}
    first = put_answer(session, clip, BASE, backend="local", settings={**settings, "revision": "y"}, prompt_sha="p")
    other = put_answer(session, clip, TUNED, backend="local", model="n", settings=settings, prompt_sha="p")
    assert comparison(session, clip.id, first, other).counts
    again = put_answer(session, clip, TUNED, backend="local", settings=settings, prompt_sha="p")
    found = comparison(session, clip.id, first, again)
    assert (found.counts, found.notes) == (False, ("They ran with another revision of the weights.",))


def test_measurement_is_compared_as_what_it_is(session: Session, clip: Clip) -> None:
    measured = put_answer(session, clip, {"time_of_day": "day"}, provenance="measurement")
    asked = put_answer(session, clip, {"time_of_day": "day"}, backend="local", frames_pts=(0,), prompt_sha="p")
    found = comparison(session, clip.id, measured, asked)
    assert (found.counts, bool(found.notes)) == (True, True)


def test_latest_of_tells_the_model_alone_from_its_adapter(session: Session, clip: Clip) -> None:
    made: list[Analysis] = [
        put_answer(session, clip, BASE, backend="local", raw_text=str(n), adapter=adapter)
        for n, adapter in enumerate([None, "run 1", None, "run 2"])
    ]
    assert latest_of(session, clip.id, backend="local", model="m") == made[2]
    assert latest_of(session, clip.id, backend="local", model="m", adapter="run 1") == made[1]
    assert latest_of(session, clip.id, backend="local", model="n") is None


def test_the_model_alone_differs_from_the_tuned_one_in_nothing_else() -> None:
    options = {"model": "m", "adapter": "run 1", "adapter_dir": "/a", "rounds": 2}
    assert base_of(options) == {"model": "m", "adapter": None, "adapter_dir": None, "rounds": 2}


def test_comparing_without_an_adapter_is_refused(session: Session, clip: Clip) -> None:
    with pytest.raises(UsageError, match="no adapter"):
        compare_clips(session, [clip], backend="local", options={"model": "m"})


def test_what_concerns_every_clip_ends_the_comparison_with_its_reason(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.mp4"
    file.write_text(file.name)
    clip = put_clip(session, file.name, path=str(file), size_bytes=len(file.name))
    starts = []

    def refuse(child: Child) -> None:
        starts.append(child)
        raise WorkerCrashedError("The worker cannot be started.", hint="Install it again.")

    monkeypatch.setattr(Child, "start", refuse)
    with pytest.raises(BackendError, match="cannot be started") as told:
        compare_clips(session, [clip], backend="local", options={"model": "m", "adapter": "run 1"})
    assert "1 clip waits" in told.value.hint
    assert len(starts) == 2, "the other side is not even tried"
