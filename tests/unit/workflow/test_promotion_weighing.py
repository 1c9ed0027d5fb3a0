"""What a condition of the rule says: what fails, which part of it, and why chance may pass less than the level."""

from __future__ import annotations

import pytest

from vvlm_desktop.domain.promotion_rule import Pair, PromotionRule
from vvlm_desktop.workflow.promotion_weighing import Check, weigh


@pytest.fixture
def schema(session):
    return session.schema


def pairs(better: int, worse: int, same: int = 0) -> list[Pair]:
    """A clip of a recording each, in which only the candidate, only the default, or both are right."""
    kinds = [(False, True)] * better + [(True, False)] * worse + [(True, True)] * same
    return [
        Pair(f"r{number}", {"event_type": now}, {"event_type": (float(now[0]), float(now[1]))})
        for number, now in enumerate(kinds)
    ]


def check(schema, found: list[Pair], title: str, *, looks: int = 1, **rule) -> Check:
    outcome = weigh(schema, found, PromotionRule(looked=False, **rule), looks=looks)
    return next(each for each in outcome.checks if each.title == title)


def test_too_few_clips_are_named_so(schema):
    few = check(schema, pairs(17, 0), "Enough test clips")
    assert (few.holds, few.name) == (False, "Too few test clips")
    assert few.seen == "17 with a known answer, of 17 recordings; the rule asks for 20."
    enough = check(schema, pairs(20, 0), "Enough test clips")
    assert (enough.holds, enough.name) == (True, "Enough test clips")


def test_interval_that_reaches_below_zero_is_said_to_be_what_fails(schema):
    found = check(schema, pairs(5, 4, 20), "Better on average")
    assert (found.holds, found.name) == (False, "Not clearly better on average")
    assert "Fails because the interval reaches below zero and chance does as well more often" in found.seen
    good = check(schema, pairs(20, 0), "Better on average")
    assert good.holds
    assert "Fails" not in good.seen


def test_why_less_than_the_level_is_allowed_is_said_right_there(schema):
    second = check(schema, pairs(20, 0), "Better on average", looks=2)
    assert "2.5% are allowed (5.0% shared by the 2 adapters judged on this test part)" in second.seen
    first = check(schema, pairs(20, 0), "Better on average")
    assert "5.0% are allowed." in first.seen


@pytest.mark.parametrize(
    ("better", "worse", "why"), [(3, 5, "it is not right more often and chance"), (5, 3, "chance")]
)
def test_a_field_that_is_not_better_says_why(schema, better, worse, why):
    (found,) = (
        each
        for each in weigh(schema, pairs(better, worse), PromotionRule(test="mcnemar", looked=False), looks=1).checks
        if each.title.startswith("Better in")
    )
    assert found.name.startswith("Not clearly better in")
    assert f"Fails because {why}" in found.seen
