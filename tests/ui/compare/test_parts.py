"""What the page's parts make of what was counted, without a window around them."""

from __future__ import annotations

import pytest

from vvlm_desktop.ui.compare.agreement import judged_words, percent
from vvlm_desktop.ui.compare.narrowing import Narrowing, narrowed
from vvlm_desktop.ui.compare.viewer import fairness
from vvlm_desktop.ui.scope import SCOPES, Scope
from vvlm_desktop.workflow.agreement import FieldAgreement
from vvlm_desktop.workflow.answerers import Source, read_pair, tally_of

BASE, TUNED = Source("local", "M"), Source("local", "M", "fleet")


@pytest.mark.parametrize(
    ("narrowing", "names"),
    [
        (None, ["event.mp4", "weather.mp4", "same.mp4"]),
        (Narrowing(field_key="weather"), ["event.mp4", "weather.mp4"]),
        (Narrowing(event=("near_miss", "collision")), ["event.mp4"]),
        (Narrowing(event=("near_miss", "near_miss")), ["weather.mp4", "same.mp4"]),
    ],
)
def test_narrowing_leaves_the_clips_in_question(session, three, narrowing, names):
    lines = tally_of(session, (BASE, TUNED), wanted=session.library.clip_rowids()).lines
    assert [line.name for line in narrowed(lines, narrowing)] == names


def test_scope_leaves_the_others_out(session, three):
    assert {scope.title: len(scope.rowids(session)) for scope in SCOPES} == {
        "All clips": 3,
        "Reviewed clips": 1,
        "Not yet reviewed": 2,
        "Without samples": 3,
    }
    assert list(Scope("2 clips from the library", chosen=(3, 1)).rowids(session)) == [3, 1]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "Same frames, same prompt, same settings."),
        ({"frames_pts": (0, 512)}, "3 and 2"),
        ({"frames_pts": (0, 512, 1025)}, "other times"),
        ({"prompt_sha": "q"}, "other words"),
        ({"settings": {"precision": "nf4", "frames": 3}}, "precision"),
        ({"provenance": "measurement"}, "measured"),
    ],
)
def test_unequal_terms_are_said_plainly(session, put_clip, answer, changes, says):
    clip = put_clip("a.mp4")
    answer(clip)
    answer(clip, adapter="fleet", **changes)
    source = Source("local", "M", "fleet", changes.get("provenance", "model"))
    pair = read_pair(session, clip, (BASE, source))
    fair, sentence = fairness(pair)
    assert fair is (not changes)
    assert says in sentence
    assert sentence.startswith("Not on equal terms.") is not fair


def test_share_says_of_how_many():
    assert percent(1, 3) == "33 % of 3"
    assert percent(0, 0) == "–"


def test_who_was_right_says_whether_it_may_be_chance():
    words = judged_words(FieldAgreement("x", "X", n=9, judged=8, only_a=1, only_b=7))
    assert "8 clips" in words
    assert "1 where only A was right, 7 where only B was" in words
    assert "p = 0.070" in words
    assert "McNemar" not in judged_words(FieldAgreement("x", "X", n=9, judged=8))
