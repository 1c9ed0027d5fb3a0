"""Which frames are chosen: by time, ascending, none twice."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.video.test_index import make_index
from vvlm_desktop.video.sampling import around, at_fps, merged_spans, over_spans, uniform

REGULAR = make_index(tuple(range(0, 300 * 3003, 3003)), time_base=Fraction(1, 90_000))  # 300 frames, 29.97 a second
GAPS = st.lists(st.integers(1, 5000), min_size=1, max_size=80)
CLIPS = GAPS.map(
    lambda gaps: make_index(tuple(sum(gaps[:i]) for i in range(len(gaps) + 1)), time_base=Fraction(1, 1000))
)


@given(CLIPS, st.integers(1, 200))
def test_uniform_is_ascending_unique_and_within_the_clip(index, count) -> None:
    chosen = uniform(index, count)
    assert list(chosen) == sorted(set(chosen))
    assert 1 <= len(chosen) <= min(count, len(index))
    assert 0 <= chosen[0] <= chosen[-1] < len(index)


@given(CLIPS, st.integers(1, 40))
def test_uniform_shows_what_is_on_screen_in_the_middle_of_each_stretch(index, count) -> None:
    end = Fraction(index.pts[-1] - index.pts[0] + index.frame_ticks, 1000)
    expected = set()
    for k in range(count):
        middle = end * (2 * k + 1) / (2 * count)
        expected.add(max(i for i, pts in enumerate(index.pts) if Fraction(pts - index.pts[0], 1000) <= middle))
    assert set(uniform(index, count)) == expected


@pytest.mark.parametrize("count", [1, 8, 16, 32, 299, 300])
def test_at_a_constant_rate_these_are_the_middles_of_equal_segments(count: int) -> None:
    assert uniform(REGULAR, count) == tuple((2 * k + 1) * 300 // (2 * count) for k in range(count))


def test_more_frames_than_there_are_gives_each_once() -> None:
    assert uniform(REGULAR, 1000) == tuple(range(300))
    assert uniform(make_index((7,), time_base=Fraction(1, 25)), 16) == (0,)


def test_a_long_pause_is_sampled_by_time_not_by_number() -> None:
    index = make_index((*range(0, 1000, 10), *range(9000, 10_000, 10)), time_base=Fraction(1, 1000))
    assert uniform(index, 10) == (50, 99, 150)


def test_a_part_of_the_clip() -> None:
    assert all(60 <= i <= 120 for i in uniform(REGULAR, 20, start=2.01, end=4.0))
    assert uniform(REGULAR, 3, start=9.9, end=50.0)[-1] == 299


@given(CLIPS, st.floats(0.01, 1000), st.integers(1, 50))
def test_at_fps_keeps_its_limit_and_starts_with_the_first_frame(index, fps, limit) -> None:
    chosen = at_fps(index, fps, limit=limit)
    assert list(chosen) == sorted(set(chosen))
    assert 1 <= len(chosen) <= limit
    if index.duration_s * fps < limit - 1:
        assert chosen[0] == 0


def test_at_fps_takes_what_is_on_screen_at_each_tick() -> None:
    assert at_fps(REGULAR, 2, limit=100) == tuple(REGULAR.at_time(k / 2) for k in range(21))
    assert at_fps(REGULAR, 1000, limit=1000) == uniform(REGULAR, 1000)
    assert at_fps(REGULAR, 2, limit=8) == uniform(REGULAR, 8)
    assert at_fps(REGULAR, 0.001, limit=8) == (0,)


@given(CLIPS, st.data())
def test_around_contains_the_frame_itself_and_stays_near(index, data) -> None:
    middle = data.draw(st.integers(0, len(index) - 1))
    eighths = st.integers(0, 40).map(lambda n: n / 8)  # floats that are what they seem
    before, after = data.draw(eighths), data.draw(eighths)
    chosen = around(index, middle, before_s=before, after_s=after, count=data.draw(st.integers(1, 20)))
    assert middle in chosen
    assert list(chosen) == sorted(set(chosen))
    first = index.at_time(max(0.0, index.seconds(middle) - before))
    assert first <= chosen[0] <= chosen[-1] <= index.at_time(index.seconds(middle) + after)


def test_around_spreads_over_both_sides() -> None:
    chosen = around(REGULAR, 150, before_s=1, after_s=1, count=5)
    assert len(chosen) == 5
    assert 120 <= chosen[0] < 150 < chosen[-1] <= 180


@pytest.mark.parametrize(
    "ask",
    [
        lambda: uniform(REGULAR, 0),
        lambda: uniform(REGULAR, 4, start=3, end=3),
        lambda: at_fps(REGULAR, 0, limit=4),
        lambda: at_fps(REGULAR, float("nan"), limit=4),
        lambda: at_fps(REGULAR, 2, limit=0),
        lambda: around(REGULAR, 300, before_s=1, after_s=1, count=3),
        lambda: around(REGULAR, 3, before_s=-1, after_s=1, count=3),
    ],
)
def test_misuse_is_refused(ask) -> None:
    with pytest.raises(ValueError, match=r"not a|ends before|frame 300|negative"):
        ask()


# --- over spans -----------------------------------------------------------------------------------------------------


def _inside(index, frames, *spans) -> int:
    return sum(any(a <= index.seconds(i) < b for a, b in spans) for i in frames)


def test_a_span_is_half_as_dense_again_and_the_rest_is_even() -> None:
    chosen = over_spans(REGULAR, 40, [(2.0, 4.0)])
    assert len(chosen) == 40
    assert _inside(REGULAR, chosen, (2.0, 4.0)) in {12, 13}  # 2 of 10 s would be 8; the frame before may be on screen
    assert abs(_inside(REGULAR, chosen, (0, 2.0)) - 28 * 2 / 8) <= 1
    assert abs(_inside(REGULAR, chosen, (4.0, 11)) - 28 * 6 / 8) <= 1


def test_several_spans_overlapping_and_in_any_order_are_one_set() -> None:
    several = over_spans(REGULAR, 32, [(7.0, 8.0), (2.0, 3.0), (2.5, 3.5), (-5.0, 0.0)])
    assert several == over_spans(REGULAR, 32, [(2.0, 3.5), (7.0, 8.0)])
    assert _inside(REGULAR, several, (2.0, 3.5), (7.0, 8.0)) in {11, 12, 13}


def test_a_zoom_keeps_a_share_of_the_frames_for_the_rest() -> None:
    chosen = over_spans(REGULAR, 16, [(5.0, 6.0)], density=1000.0, outside=0.25)
    assert len(chosen) == 16
    assert _inside(REGULAR, chosen, (4.97, 6.0)) == 12
    assert min(chosen) < 60
    assert max(chosen) > 240


def test_a_span_over_everything_is_uniform() -> None:
    assert over_spans(REGULAR, 16, [(-1.0, 99.0)]) == uniform(REGULAR, 16)


def test_a_span_shorter_than_its_frames_leaves_them_to_the_rest() -> None:
    chosen = over_spans(REGULAR, 16, [(5.0, 5.05)], density=1000.0, outside=0.25)
    assert len(chosen) == 16
    assert {149, 150, 151} <= set(chosen)


def test_only_the_marked_part_is_sampled() -> None:
    chosen = over_spans(REGULAR, 12, [(3.0, 3.5)], start=2.0, end=5.0)
    assert len(chosen) == 12
    assert all(59 <= i <= 150 for i in chosen)


@pytest.mark.parametrize("spans", [[], [(3.0, 3.0)], [(40.0, 50.0)], [(5.0, 1.0)]])
def test_spans_outside_the_clip_are_refused(spans) -> None:
    with pytest.raises(ValueError, match="no span"):
        over_spans(REGULAR, 8, spans)


@given(CLIPS, st.integers(1, 60), st.data(), st.sampled_from([1.0, 1.5, 4.0, 1e6]), st.sampled_from([0.0, 0.1, 0.5]))
def test_over_spans_gives_the_budget_whatever_the_spans(index, count, data, density, outside) -> None:
    end = (index.pts[-1] - index.pts[0] + index.frame_ticks) / 1000
    time = st.floats(0, end)
    spans = data.draw(st.lists(st.tuples(time, time), min_size=1, max_size=4))
    if not merged_spans(spans, start=0, end=end):
        spans = [(0.0, end)]
    chosen = over_spans(index, count, spans, density=density, outside=outside)
    assert list(chosen) == sorted(set(chosen))
    assert len(chosen) == min(count, len(index))
    assert 0 <= chosen[0] <= chosen[-1] < len(index)
