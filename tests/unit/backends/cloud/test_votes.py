"""Several answers put to the vote."""

from tests.unit.backends.cloud.jobs import SCHEMA
from vvlm_desktop.backends.cloud_votes import vote


def answer(event="collision", time=(100, 200), actions=("go",), caption="A."):
    return {
        "event_type": event,
        "event_time": None if time is None else {"start_ms": time[0], "end_ms": time[1]},
        "actions": list(actions),
        "caption": caption,
    }


def test_the_majority_wins_and_its_share_is_the_confidence():
    found = vote(SCHEMA, [answer("no_incident"), answer(), answer()])
    assert found.labels["event_type"] == "collision"
    assert found.confidence["event_type"] == round(2 / 3, 4)
    assert found.value_confidence["event_type"] == {"collision": round(2 / 3, 4), "no_incident": round(1 / 3, 4)}


def test_on_a_tie_the_first_answer_wins():
    assert vote(SCHEMA, [answer("no_incident"), answer()]).labels["event_type"] == "no_incident"


def test_lists_hold_what_more_than_half_named():
    found = vote(SCHEMA, [answer(actions=["go", "parked"]), answer(actions=["go"]), answer(actions=[])])
    assert found.labels["actions"] == ["go"]
    assert found.confidence["actions"] == round(1 / 3, 4)


def test_cannot_tell_stands_alone():
    found = vote(SCHEMA, [answer(actions=["cannot_tell"]), answer(actions=["cannot_tell"]), answer()])
    assert found.labels["actions"] == ["cannot_tell"]


def test_times_agree_when_they_overlap():
    found = vote(SCHEMA, [answer(time=(100, 200)), answer(time=(150, 250)), answer(time=(900, 950))])
    assert found.labels["event_time"] == {"start_ms": 150, "end_ms": 250}
    assert found.confidence["event_time"] == round(2 / 3, 4)


def test_most_say_there_is_no_time():
    found = vote(SCHEMA, [answer(time=None), answer(time=None), answer()])
    assert found.labels["event_time"] is None
    assert found.confidence["event_time"] == round(2 / 3, 4)


def test_a_field_left_out_counts_against():
    found = vote(SCHEMA, [answer(), {}, {}])
    assert found.confidence["event_type"] == round(1 / 3, 4)


def test_the_text_is_of_the_answer_that_agrees_most_and_has_no_confidence():
    found = vote(SCHEMA, [answer("no_incident", caption="Nothing."), answer(caption="Hit."), answer(caption="Bang.")])
    assert found.labels["caption"] == "Hit."
    assert found.confidence["caption"] is None


def test_fields_come_in_the_order_of_the_schema():
    assert list(vote(SCHEMA, [answer()]).labels) == ["event_type", "event_time", "actions", "caption"]
