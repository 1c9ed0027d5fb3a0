"""What a look says about the next one, and which frames that one sees."""

import pytest

from tests.unit.backends.local.local_jobs import SMALL
from tests.unit.video.test_sampling import REGULAR
from vvlm_desktop.backends.local.prompts import clue_prompt, labels_question, question_prompt
from vvlm_desktop.backends.local.rounds import (
    Look,
    choose_frames,
    event_span,
    first_look,
    look_after_clue,
    look_after_labels,
    parse_clue,
    shown_range_s,
)
from vvlm_desktop.backends.local_options import Sampling
from vvlm_desktop.errors import UsageError
from vvlm_desktop.video.sampling import around, at_fps, over_spans, uniform

CLIP_S = (0.0, 10.0)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("<think>a</think><answer>B</answer><glue>[(5.2, 10.4)]</glue>", ((5.2, 10.0),)),
        ("<glue>[(1, 2), (3.5, 4)]</glue>", ((1.0, 2.0), (3.5, 4.0))),
        ("<glue>[(3, 4), (1.5, 2), (1, 1.8)]</glue>", ((1.0, 2.0), (3.0, 4.0))),
        ("<GLUE> [[2.0, 3.0]] ", ((2.0, 3.0),)),  # cut off by the budget
        ("<glue>2s - 3s</glue>", ((2.0, 3.0),)),
        ("<glue>0:02 to 0:03.5</glue>", ((2.0, 3.5),)),
        ("first <glue>[(1, 2)]</glue>, no: <glue>[(7, 8)]</glue>", ((7.0, 8.0),)),
        ("<glue>[(7, 5), (1, 2)]</glue>", ((1.0, 2.0),)),
    ],
)
def test_a_clue_names_spans(text, spans):
    assert parse_clue(text, range_s=CLIP_S).spans == spans
    assert parse_clue(text, range_s=CLIP_S).note == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no time"),
        ("It happens at (2, 3).", "no time"),
        ("<glue></glue>", "no stretch"),
        ("<glue>[]</glue>", "no stretch"),
        ("<glue>soon after the start</glue>", "no stretch"),
        ("<glue>[(12.0, 14.0)]</glue>", "outside"),
        ("<glue>[(3.0, 3.0)]</glue>", "outside"),
        ("<glue>[(8, 2)]</glue>", "outside"),
    ],
)
def test_a_clue_that_cannot_be_used_says_why_and_the_next_look_is_uniform(text, word):
    clue = parse_clue(text, range_s=CLIP_S)
    assert clue.spans == ()
    assert word in clue.note
    look = look_after_clue(text, last=True, question=False, range_s=CLIP_S)
    assert (look.purpose, look.asks, look.note) == ("uniform", "labels", clue.note)


def test_the_last_look_asks_what_was_wanted_all_others_for_clues():
    text = "<glue>[(1, 2)]</glue>"
    assert look_after_clue(text, last=False, question=False, range_s=CLIP_S).asks == "clue"
    assert look_after_clue(text, last=True, question=True, range_s=CLIP_S).asks == "question"
    assert look_after_clue(text, last=True, question=False, range_s=CLIP_S) == Look("clue", "labels", ((1.0, 2.0),))


def test_the_first_look():
    assert first_look(question=False, rounds=3, iterative=True) == Look("uniform", "clue")
    assert first_look(question=False, rounds=1, iterative=True) == Look("uniform", "labels")
    assert first_look(question=False, rounds=2, iterative=False) == Look("uniform", "labels")
    assert first_look(question=True, rounds=1, iterative=False) == Look("uniform", "question")
    assert "one look" in first_look(question=True, rounds=2, iterative=False).note


def test_a_zoom_goes_where_the_event_is_with_a_margin():
    before = Look("uniform", "labels")
    labels = {"event_time": {"start_ms": 4000, "end_ms": 5000}}
    zoom = look_after_labels(SMALL, labels, range_s=CLIP_S, before=before)
    assert zoom == Look("zoom", "labels", ((3.5, 5.5),))
    assert look_after_labels(SMALL, labels, range_s=CLIP_S, before=zoom) is None
    moment = {"event_time": {"start_ms": 9900, "end_ms": 9900}}
    assert look_after_labels(SMALL, moment, range_s=CLIP_S, before=before).spans == ((9.4, 10.0),)


@pytest.mark.parametrize("labels", [{}, {"event_time": None}, {"event_time": {"start_ms": 50_000, "end_ms": 51_000}}])
def test_without_an_event_in_the_clip_there_is_nothing_to_zoom_into(labels):
    assert look_after_labels(SMALL, labels, range_s=CLIP_S, before=Look("uniform", "labels")) is None


def test_event_span_is_none_for_labels_without_times():
    assert event_span(SMALL, {"event_type": "collision"}) is None


def test_frames_follow_the_sampling():
    look = Look("uniform", "labels")
    assert choose_frames(REGULAR, Sampling(frames=16), look, frames=99) == uniform(REGULAR, 16)
    assert choose_frames(REGULAR, Sampling(frames=16), look, frames=8) == uniform(REGULAR, 8)
    fps = Sampling(kind="fps", fps=2.0, frames=12)
    assert choose_frames(REGULAR, fps, look, frames=12) == at_fps(REGULAR, 2.0, limit=12)
    event = Sampling(kind="around", at_ms=5000, frames=8)
    here = REGULAR.at_time(5.0)
    assert choose_frames(REGULAR, event, look, frames=8) == around(REGULAR, here, before_s=3.0, after_s=2.0, count=8)


def test_a_clue_keeps_the_number_of_frames_and_is_half_as_dense_again():
    chosen = choose_frames(REGULAR, Sampling(frames=30), Look("clue", "labels", ((2.0, 4.0),)), frames=30)
    assert len(chosen) == 30
    assert chosen == over_spans(REGULAR, 30, [(2.0, 4.0)], density=1.5, start=0.0, end=REGULAR.duration_s)


def test_a_zoom_gives_the_event_three_quarters_of_the_frames():
    chosen = choose_frames(REGULAR, Sampling(frames=16), Look("zoom", "labels", ((5.0, 6.0),)), frames=16)
    assert sum(4.97 <= REGULAR.seconds(i) < 6.0 for i in chosen) == 12


def test_a_zoom_around_an_event_stays_around_it():
    event = Sampling(kind="around", at_ms=5000, frames=8)
    chosen = choose_frames(REGULAR, event, Look("zoom", "labels", ((4.5, 5.5),)), frames=8)
    assert all(1.9 <= REGULAR.seconds(i) <= 7.1 for i in chosen)


def test_only_the_marked_part_is_looked_at():
    chosen = choose_frames(REGULAR, Sampling(frames=8), Look("uniform", "question"), frames=8, range_ms=(2000, 4000))
    assert chosen == uniform(REGULAR, 8, start=2.0, end=4.0)


@pytest.mark.parametrize("range_ms", [(20_000, 30_000), (3000, 3000), (4000, 2000)])
def test_a_part_that_is_not_in_the_clip_is_refused(range_ms):
    with pytest.raises(UsageError, match="not in the clip") as caught:
        shown_range_s(REGULAR, Sampling(), range_ms=range_ms)
    assert caught.value.hint


def test_prompts_say_what_is_wanted():
    assert "<glue>" in clue_prompt("What happens?")
    assert "What happens?" in clue_prompt("What happens? ")
    assert "2.0 s to 3.5 s" in question_prompt("Red light?", range_s=(2.0, 3.5))
    assert "Red light?" in question_prompt("Red light?")
    question = labels_question(SMALL)
    assert "collision, near miss, no incident" in question
    assert "event time" in question
