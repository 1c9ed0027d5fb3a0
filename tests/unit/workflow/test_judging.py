"""What a verdict says about an answer: one rule for comparing, calibration and counts."""

from __future__ import annotations

import pytest

from vvlm_desktop.domain.review import Verdict
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.workflow.judging import counts_as_truth, is_right, same_answer
from vvlm_desktop.workflow.session import Session


@pytest.fixture
def schema(session: Session) -> LabelSchema:
    return session.schema


def corrected(value: object, *, how: str = "explicit", about: str | None = None) -> Verdict:
    return Verdict("corrected", value, how, model_value="collision", model_answered=True, analysis_id=about)  # type: ignore[arg-type]  # plain values of a table


def test_rejected_value_is_wrong_and_says_nothing_about_another_one(schema: LabelSchema) -> None:
    event = schema.field("event_type")
    rejected = Verdict("rejected", None, "explicit", model_value="collision", model_answered=True)
    assert is_right(event, "collision", rejected) is False
    assert is_right(event, "near_miss", rejected) is None
    assert counts_as_truth(rejected) is False


def test_rejecting_where_nothing_was_answered_says_nothing(schema: LabelSchema) -> None:
    rejected = Verdict("rejected", None, "explicit", model_value=None, model_answered=False)
    assert is_right(schema.field("event_type"), "collision", rejected) is None


def test_rejected_moment_is_wrong_for_all_who_named_it(schema: LabelSchema) -> None:
    time = schema.field("event_time")
    rejected = Verdict(
        "rejected", None, "explicit", model_value={"start_ms": 1000, "end_ms": 3000}, model_answered=True
    )
    assert is_right(time, {"start_ms": 1200, "end_ms": 3000}, rejected) is False
    assert is_right(time, {"start_ms": 7000, "end_ms": 8000}, rejected) is None


@pytest.mark.parametrize(("how", "right"), [("explicit", True), ("bulk", True), ("bulk_unseen", None)])
def test_what_nobody_looked_at_tells_nothing(schema: LabelSchema, how: str, right: bool | None) -> None:
    assert is_right(schema.field("event_type"), "near_miss", corrected("near_miss", how=how)) is right


@pytest.mark.parametrize(("how", "right"), [("explicit", True), ("bulk", None)])
def test_script_that_was_waved_through_tells_nothing(schema: LabelSchema, how: str, right: bool | None) -> None:
    verdict = corrected("near_miss", how=how, about="script")
    assert is_right(schema.field("event_type"), "near_miss", verdict, scripts=frozenset({"script"})) is right


def test_texts_are_for_people_to_compare(schema: LabelSchema) -> None:
    assert is_right(schema.field("caption"), "A car.", corrected("A car.")) is None


def test_lists_say_the_same_in_any_order(schema: LabelSchema) -> None:
    field = schema.field("ego_response")
    assert same_answer(field, ["a", "b"], ["b", "a"])
    assert not same_answer(field, ["a"], ["a", "b"])
    assert not same_answer(field, [], None)
