import random

import pytest

from vvlm_desktop.domain.telling_apart import Told, telling_apart


def told(truths, answers, *, groups=None):
    names = groups or [f"drive-{number}" for number in range(len(truths))]
    return [
        Told(group, {"light": (truth, answer)}) for group, truth, answer in zip(names, truths, answers, strict=True)
    ]


def test_right_answers_tell_apart():
    truths = ["day", "night"] * 12
    found = telling_apart(told(truths, truths))
    assert found.value == pytest.approx(0.5)
    assert found.p_value < 0.01
    assert found.fields == ("light",)


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_always_the_commonest_answer_tells_nothing_however_often_it_is_right(share):
    truths = ["day"] * round(40 * share) + ["night"] * round(40 * (1 - share))
    found = telling_apart(told(truths, ["day"] * 40))
    assert found.value == pytest.approx(0.0)
    assert found.p_value == 1.0


def test_a_rare_value_that_is_found_counts_also_where_the_commonest_answer_is_right_more_often():
    truths = ["none"] * 90 + ["crash"] * 10
    answers = ["none"] * 80 + ["crash"] * 10 + ["crash"] * 7 + ["none"] * 3
    right = sum(truth == answer for truth, answer in zip(truths, answers, strict=True))
    assert right < 90, "always “none” would be right more often"
    found = telling_apart(told(truths, answers))
    assert found.value > 0.25
    assert found.p_value < 0.01


def test_answers_by_chance_pass_about_as_often_as_the_level_allows():
    chance, passed = random.Random(3), 0
    for _ in range(100):
        truths = [chance.choice(["day", "night"]) for _ in range(24)]
        answers = [chance.choice(["day", "night"]) for _ in range(24)]
        found = telling_apart(told(truths, answers))
        passed += found is not None and found.p_value <= 0.05
    # Binomial of 100 at 5 %: above 11 once in 200.
    assert passed <= 11


def test_clips_of_one_recording_count_as_one():
    truths = ["day"] * 12 + ["night"] * 12
    two = telling_apart(told(truths, truths, groups=["one"] * 12 + ["other"] * 12))
    assert two.p_value > 0.3, "two recordings can be right by chance every other time"


def test_what_was_not_answered_is_not_found():
    truths = ["day", "night"] * 6
    found = telling_apart(told(truths, [None] * 12))
    assert found.value == pytest.approx(-0.5)


@pytest.mark.parametrize("clips", [[], told(["day"] * 5, ["day"] * 5)])
def test_nothing_to_tell_apart(clips):
    assert telling_apart(clips) is None


def test_blind_answers_do_not_pass_because_the_truth_of_many_clips_is_open():
    passed = 0
    for seed in range(20):
        chance = random.Random(seed)
        clips = []
        for number in range(60):
            truth, answer, known = chance.choice("xy"), chance.choice("xy"), chance.random() < 0.4
            clips.append(Told(f"drive-{number}", {"light": (truth if known else None, answer)}))
        found = telling_apart(clips)
        passed += found.value > 0 and found.p_value <= 0.05
    assert passed <= 3, "at that level chance passes one in twenty"
