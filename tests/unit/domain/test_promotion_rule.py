"""The arithmetic of a promotion: whole recordings are swapped, many fields are corrected for, chance passes rarely."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vvlm_desktop.domain.promotion_rule import (
    FieldTally,
    Pair,
    clearly_worse,
    gain_of,
    swapped_in_field,
    swapped_p,
    tally_fields,
)
from vvlm_desktop.domain.statistics import mcnemar

SHARES = st.lists(st.floats(-1, 1, allow_nan=False), max_size=10)


def pair(group: str, **fields: tuple[float, float]) -> Pair:
    return Pair(group, {key: (now == 1, then == 1) for key, (now, then) in fields.items()}, fields)


@given(SHARES)
def test_swapping_does_not_depend_on_order_or_direction(shares: list[float]) -> None:
    p = swapped_p(shares)
    assert 0 < p <= 1
    assert swapped_p(shares[::-1]) == pytest.approx(p)
    assert swapped_p([-share for share in shares]) == pytest.approx(p)
    assert swapped_p([*shares, 0.0]) == pytest.approx(p)


@pytest.mark.parametrize(("groups", "p"), [(0, 1.0), (1, 1.0), (5, 1 / 16), (6, 1 / 32)])
def test_so_many_recordings_that_all_gain_are_needed(groups: int, p: float) -> None:
    assert swapped_p([0.1] * groups) == p


def test_many_groups_are_drawn_close_to_what_counting_gives() -> None:
    shares = [0.1] * 12 + [-0.1] * 3
    exact = 2 * sum(_choose(15, k) for k in range(4)) / 2**15
    assert swapped_p(shares) == pytest.approx(exact, rel=0.15)
    assert swapped_p([0.1] * 40) < 0.0002


def _choose(n: int, k: int) -> int:
    found = 1
    for i in range(k):
        found = found * (n - i) // (i + 1)
    return found


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_the_gain_is_the_mean_of_the_fields_gains_and_lies_in_its_interval(rows: list[tuple[str, bool, bool]]) -> None:
    pairs = [pair(group, x=(float(now), float(then)), y=(0.0, 0.0)) for group, now, then in rows]
    found = gain_of(pairs, level=0.05)
    x = sum(then - now for _, now, then in rows) / len(rows)
    assert found.value == pytest.approx(x / 2)
    assert -1 <= found.low <= found.high <= 1
    assert found.groups == len({group for group, _, _ in rows})


def test_clips_of_one_recording_are_one_word() -> None:
    apart = [pair(str(number), x=(0.0, 1.0)) for number in range(24)]
    together = [pair("drive", x=(0.0, 1.0)) for _ in range(24)]
    assert gain_of(apart, level=0.05).p_value < 0.001
    assert gain_of(together, level=0.05).p_value == 1.0


def test_one_field_in_many_has_to_be_worse_by_more() -> None:
    worse = FieldTally(10, only_now=6, only_candidate=0)  # p = 0.031
    assert set(clearly_worse({"a": worse}, level=0.05)) == {"a"}
    others = {str(number): FieldTally(10) for number in range(9)}
    assert clearly_worse({"a": worse, **others}, level=0.05) == {}
    assert clearly_worse({"a": FieldTally(10, only_now=0, only_candidate=9)}, level=0.05) == {}


def test_a_field_that_got_better_makes_room_for_the_next() -> None:
    tallies = {"good": FieldTally(30, 0, 20), "bad": FieldTally(30, 6, 0)}
    assert set(clearly_worse(tallies, level=0.05)) == {"bad"}


@given(st.integers(0, 2**32))
def test_both_answerers_right_or_wrong_tell_nothing(seed: int) -> None:
    chance = random.Random(seed)
    pairs = [pair("g", x=(value, value)) for value in (float(chance.random() < 0.5) for _ in range(5))]
    tally = tally_fields(pairs)["x"]
    assert (tally.clips, tally.only_now, tally.only_candidate, tally.p_value) == (5, 0, 0, 1.0)


def test_chance_alone_passes_about_as_rarely_as_the_level_says() -> None:
    chance = random.Random(7)
    passed = 0
    for _ in range(120):
        shifts = [chance.gauss(0, 0.25) for _ in range(7)]
        pairs = [
            pair(str(group), x=(float(chance.random() < 0.5), float(chance.random() < 0.5 + shift)))
            for group, shift in enumerate(shifts)
            for _ in range(4)
        ]
        found = gain_of(pairs, level=0.05)
        passed += found.low > 0 and found.p_value <= 0.05
    assert passed <= 8  # at 2.5 % for gains alone, three would be expected


def test_a_field_by_whole_recordings_is_mcnemar_where_each_has_one_clip_and_less_sure_where_they_have_many() -> None:
    ways = [(0.0, 1.0)] * 9 + [(1.0, 0.0)] * 2 + [(1.0, 1.0)]
    apart = [pair(str(number), x=way) for number, way in enumerate(ways)]
    assert swapped_in_field(apart, "x") == pytest.approx(mcnemar(2, 9))
    together = [pair(str(number % 2), x=(0.0, 1.0)) for number in range(24)]
    assert mcnemar(0, 24) < 0.001
    assert swapped_in_field(together, "x") == 0.5
