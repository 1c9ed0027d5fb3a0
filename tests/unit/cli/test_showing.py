"""`vvlm show` in plain text: who said what, how, how sure; readable at 80 columns."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.conftest import Vvlm

Add = Callable[..., None]


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_each_answer_says_who_when_and_how_with_its_flags_and_words_for_confidence(vvlm: Vvlm, add: Add) -> None:
    add("a")
    vvlm("analyse", "--model", "m", "--rounds", "2")
    vvlm("analyse", "--model", "m", "--adapter", "run 1")
    vvlm("analyse", "--model", "m", "--as-teacher")
    told = vvlm("show", "a.mp4").stdout
    heads = [line for line in told.splitlines() if " UTC · " in line]
    assert [head.split(" · ")[0] for head in heads] == ["m (draft)", "m + run 1", "m"]
    assert heads[2].endswith("bf16 · 2 frames · 2 looks")
    assert told.count("! Fewer frames than asked for.") == 3
    assert "Near miss (unsure)" in told
    assert "0.5" not in told
    assert max(len(line) for line in told.splitlines()[2:]) <= 80


def test_newest_of_each_is_shown_and_the_rest_when_asked_for(vvlm: Vvlm, add: Add) -> None:
    add("a")
    for _ in range(3):
        vvlm("analyse", "a.mp4", "--model", "m")
    told = vvlm("show", "a.mp4").stdout
    assert told.count(" UTC · ") == 1
    assert "2 earlier answers not shown; --all" in told
    assert vvlm("show", "a.mp4", "--all").stdout.count(" UTC · ") == 3


def test_review_and_questions_are_shown_with_what_they_rest_on(vvlm: Vvlm, add: Add) -> None:
    add("a")
    vvlm("review", "a.mp4", "--set", "weather=rain", "--reviewer", "Ada")
    vvlm("ask", "a.mp4", "Who braked?", "--model", "m", "--range", "0.5..1.5")
    told = vvlm("show", "a.mp4").stdout
    assert "Review by Ada, reviewed" in told
    assert "Rain (corrected)" in told
    assert "“Who braked?”" in told
    assert "About (500, 1500)." in told
    assert "from 2 frames of 0.5–1.5 s" in told


def test_clip_without_any_answer_says_what_to_do(vvlm: Vvlm, add: Add) -> None:
    add("a")
    assert "vvlm analyse" in vvlm("show", "a.mp4").stdout
