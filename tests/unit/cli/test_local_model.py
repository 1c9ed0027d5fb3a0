"""`vvlm analyse`, `ask` and `compare` with a local model: what is typed reaches the worker, what it says is printed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.conftest import Vvlm

Add = Callable[..., None]


def test_answer_and_its_flags_are_stored_and_shown(vvlm: Vvlm, add: Add) -> None:
    add("a")
    done = vvlm("analyse", "--model", "m", "--frames", "8", "--rounds", "2")
    assert done.exit_code == 0
    assert "a.mp4: Fewer frames than asked for." in done.stdout
    (analysis,) = vvlm("show", "a.mp4", "--json").data["analyses"]
    assert (analysis["backend"], analysis["model"], analysis["adapter"]) == ("local", "m", None)
    assert analysis["settings"]["sampling"]["frames"] == 8
    assert vvlm("analyse", "--model", "m", "--json").data == []
    assert len(vvlm("analyse", "--model", "m", "--adapter", "run 1", "--json").data) == 1


def test_rate_and_its_limit_reach_the_model(vvlm: Vvlm, add: Add) -> None:
    add("a")
    vvlm("analyse", "--model", "m", "--fps", "2", "--frames", "24")
    sampling = vvlm("show", "a.mp4", "--json").data["analyses"][0]["settings"]["sampling"]
    assert (sampling["kind"], sampling["fps"], sampling["frames"]) == ("fps", 2.0, 24)


def test_frames_are_taken_around_the_event_that_a_person_named(vvlm: Vvlm, add: Add) -> None:
    add("a", "b")
    times = ["--set", "event_type=near_miss", "--set", "event_time=1.0..2.5"]
    assert vvlm("review", "a.mp4", *times).exit_code == 0
    done = vvlm("analyse", "--model", "m", "--around", "event", "--json")
    assert {row["outcome"] for row in done.data} == {"analysed", "failed"}
    (failed,) = [row for row in done.data if row["outcome"] == "failed"]
    assert "No event is known" in failed["problem"]
    sampling = vvlm("show", "a.mp4", "--json").data["analyses"][0]["settings"]["sampling"]
    assert (sampling["kind"], sampling["at_ms"]) == ("around", 1000)
    assert sampling["after_ms"] == 2000 + 1500


def test_a_part_of_each_clip_is_asked_for_in_seconds(vvlm: Vvlm, add: Add) -> None:
    add("a")
    assert vvlm("analyse", "--model", "m", "--range", "1.0..2.5").exit_code == 0
    assert vvlm("show", "a.mp4", "--json").data["analyses"][0]["settings"]["range_ms"] == [1000, 2500]
    wrong = vvlm("analyse", "--model", "m", "--range", "2.5")
    assert (wrong.exit_code, "is not a range" in wrong.stderr) == (2, True)


def test_clip_that_kills_its_worker_is_tried_again_alone_then_named_and_the_others_are_done(
    vvlm: Vvlm, add: Add
) -> None:
    add("a", "b-killer", "c", "d")
    done = vvlm("analyse", "--model", "m", "--json")
    assert done.exit_code == 1
    assert {row["path"].rpartition("/")[2]: row["outcome"] for row in done.data} == {
        "a.mp4": "analysed",
        "b-killer.mp4": "failed",
        "c.mp4": "analysed",
        "d.mp4": "analysed",
    }
    (failed,) = [row for row in done.data if row["outcome"] == "failed"]
    assert "worker" in failed["problem"]


def test_without_a_gpu_it_says_so_with_a_time(vvlm: Vvlm, add: Add, no_gpu: None) -> None:
    add("a", "b")
    done = vvlm("analyse", "--model", "m", "--frames", "4", "--rounds", "2")
    assert "no GPU" in done.stderr
    assert "roughly 8 min a clip, with loading 18 min for 2 clips" in done.stderr


def test_drafts_are_drafts_and_skip_what_a_person_has_finished(vvlm: Vvlm, add: Add) -> None:
    add("a", "b")
    vvlm("review", "b.mp4", "--set", "weather=clear", "--status", "reviewed")
    done = vvlm("analyse", "--model", "m", "--as-teacher", "--json")
    assert [row["path"].rpartition("/")[2] for row in done.data] == ["a.mp4"]
    shown = vvlm("show", "a.mp4", "--json").data
    assert shown["analyses"][0]["provenance"] == "teacher_draft"
    assert shown["clip"]["status"] == "needs_review"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--frames", "8"), "no --frames for the built-in measurements"),
        (("--backend", "signals", "--model", "m", "--fps", "1"), "no --model and no --fps"),
        (("--backend", "local"), "No model was chosen"),
        (("--backend", "oracle"), "no backend"),
        (("--as-teacher",), "cannot be a teacher"),
        (("--model", "m", "--around", "sunset"), "around 'sunset'"),
        (("--model", "m", "--around", "event", "--fps", "1"), "either at a rate"),
        (("--model", "m", "--precision", "fp7"), "no precision"),
    ],
)
def test_analyse_asked_wrongly_says_how_to_ask(vvlm: Vvlm, add: Add, arguments: tuple[str, ...], words: str) -> None:
    add("a")
    done = vvlm("analyse", *arguments)
    assert done.exit_code in (1, 2)
    assert words in done.stderr
    assert vvlm("show", "a.mp4", "--json").data["analyses"] == []


def test_what_the_models_page_chose_is_what_analyses(vvlm: Vvlm, add: Add, chosen_model: None) -> None:
    add("a")
    assert "1 analysed by m." in vvlm("analyse").stdout
    assert vvlm("ask", "a.mp4", "Why?").exit_code == 0
    (analysis,) = vvlm("show", "a.mp4", "--json").data["analyses"]
    assert (analysis["backend"], analysis["model"]) == ("local", "m")
    # The worker of these tests cannot measure, and is asked to all the same.
    assert "by the built-in measurements" in vvlm("analyse", "--backend", "signals").stdout


def test_nothing_to_analyse_says_why_and_the_way(vvlm: Vvlm, add: Add) -> None:
    assert "vvlm add" in vvlm("analyse", "--model", "m").stdout
    add("a", "b")
    vvlm("analyse", "--model", "m")
    told = vvlm("analyse", "--model", "m", "--frames", "4")
    assert told.exit_code == 0
    assert "2 clips (a.mp4, b.mp4) have an answer by m already" in told.stdout
    assert "--again" in told.stdout
    assert len(vvlm("analyse", "--model", "m", "--frames", "4", "--again", "--json").data) == 2


def test_drafts_are_no_answers_and_answers_no_drafts(vvlm: Vvlm, add: Add) -> None:
    add("a")
    for _ in range(2):
        vvlm("analyse", "--model", "m", "--as-teacher")
        vvlm("analyse", "--model", "m")
    told = vvlm("show", "a.mp4", "--json").data["analyses"]
    assert sorted(each["provenance"] for each in told) == ["model", "teacher_draft"]
    assert "have a draft" in vvlm("analyse", "--as-teacher", "--model", "m").stdout.replace(
        "has a draft", "have a draft"
    )


def test_clips_that_another_run_has_are_left_to_it(vvlm: Vvlm, add: Add, another_run: Callable[..., None]) -> None:
    add("a", "b")
    another_run("a.mp4", frames=8)
    told = vvlm("analyse", "--model", "m", "--frames", "8")
    assert "b.mp4: analysed" in told.stdout
    assert "1 clip is being analysed by another run." in told.stdout
    assert vvlm("show", "a.mp4", "--json").data["analyses"] == []
    other = vvlm("analyse", "a.mp4", "--model", "m", "--frames", "4", "--json")  # not the same question
    assert [row["outcome"] for row in other.data] == ["analysed"]


def test_where_nobody_sees_a_bar_each_clip_gets_its_line(vvlm: Vvlm, add: Add) -> None:
    add("a", "b")
    told = vvlm("analyse", "--model", "m")
    assert "1 of 2  a.mp4: analysed\na.mp4: Fewer frames than asked for.\n2 of 2  b.mp4: analysed" in told.stdout
    told = vvlm("analyse", "--model", "m", "--again", "--json")
    assert "2 of 2  b.mp4: analysed" in told.stderr
    assert len(told.data) == 2


def test_looking_around_says_where_and_whose(vvlm: Vvlm, add: Add) -> None:
    add("a")
    vvlm("review", "a.mp4", "--set", "event_type=near_miss", "--set", "event_time=1.0..2.0")
    assert "a.mp4: looked around 1.0 s (your review)." in vvlm("analyse", "--model", "m", "--around", "event").stdout


def test_killed_by_the_system_says_what_may_help(vvlm: Vvlm, add: Add) -> None:
    add("a-eater")
    (failed,) = vvlm("analyse", "--model", "m", "--json").data
    assert "memory" in failed["problem"]
    assert "fewer frames" in failed["problem"]


def test_answer_to_a_question_is_printed_and_kept(vvlm: Vvlm, add: Add) -> None:
    add("a")
    done = vvlm("ask", "a.mp4", "Who  had the right of way?", "--model", "m", "--range", "0.5..2")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("About (500, 2000).")
    assert "from 2 frames" in done.stdout
    assert vvlm("show", "a.mp4", "--json").data["analyses"] == []
    told = vvlm("ask", "a.mp4", "Why?", "--model", "m", "--json").data
    assert (told["kind"], told["question"], told["frames_pts"]) == ("question", "Why?", [0, 512])
    questions = vvlm("show", "a.mp4", "--json").data["questions"]
    assert [each["question"] for each in questions] == ["Why?", "Who had the right of way?"]


def test_range_beyond_the_clip_says_what_was_really_looked_at(vvlm: Vvlm, add: Add) -> None:
    add("a")
    told = vvlm("ask", "a.mp4", "Why?", "--model", "m", "--range", "0.5..99")
    duration_s = vvlm("clips", "--json").data[0]["duration_s"]
    assert f"from 2 frames of 0.5–{duration_s:.1f} s, all that the clip has" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("  ",), "no question"),
        (("x" * 2001,), "2,001 characters"),
        (("Why?", "--range", "7"), "not a range"),
        (("Why?", "--range", "50..60", "--model", "m"), "Nothing of the clip"),
        (("Why?", "--backend", "signals"), "cannot be asked"),
    ],
)
def test_asked_wrongly_it_says_how_to_ask(vvlm: Vvlm, add: Add, arguments: tuple[str, ...], words: str) -> None:
    add("a")
    done = vvlm("ask", "a.mp4", *arguments)
    assert done.exit_code in (1, 2)
    assert words in done.stderr


def test_base_and_adapter_come_from_one_load_and_differences_first(vvlm: Vvlm, add: Add) -> None:
    add("a", "b")
    vvlm("review", "a.mp4", "--set", "weather=rain", "--status", "reviewed")
    found = vvlm("compare", "--model", "m", "--adapter", "run 1", "--json").data
    assert found["failed"] == []
    first = found["clips"][0]
    assert (first["same_frames"], first["same_prompt"], first["same_settings"]) == (True, True, True)
    assert first["fields"][0] == {
        "field": "weather",
        "standing": "differs",
        "base": "fog",
        "tuned": "rain",
        "base_confidence": 0.5,
        "tuned_confidence": 0.5,
        "truth": "rain",
        "truth_known": True,
        "base_right": False,
        "tuned_right": True,
    }
    weather = next(each for each in found["agreement"] if each["field"] == "weather")
    assert (weather["both_answered"], weather["agree"], weather["only_tuned_right"]) == (2, 0, 1)
    analyses = vvlm("show", "a.mp4", "--json").data["analyses"]
    assert {(a["settings"]["pid"], a["settings"]["loads"]) for a in analyses} == {(analyses[0]["settings"]["pid"], 1)}


def test_what_both_have_answered_is_not_asked_again_unless_it_is_named(vvlm: Vvlm, add: Add) -> None:
    add("a")
    vvlm("analyse", "--model", "m")
    for clips, analyses in (((), 2), (("a.mp4",), 4)):
        assert vvlm("compare", *clips, "--model", "m", "--adapter", "run 1").exit_code == 0
        assert len(vvlm("show", "a.mp4", "--json").data["analyses"]) == analyses


@pytest.mark.parametrize("changed", [("--frames", "4"), ("--rounds", "2"), ("--precision", "nf4")])
def test_answers_with_other_settings_are_not_taken_for_these(vvlm: Vvlm, add: Add, changed: tuple[str, str]) -> None:
    add("a")
    asked = ("--model", "m", "--adapter", "run 1", "--precision", "bf16", "--json")
    vvlm("analyse", "--model", "m", *changed)  # the model alone, otherwise
    found = vvlm("compare", *asked).data
    assert [pair["counted"] for pair in found["clips"]] == [True]
    assert len(vvlm("show", "a.mp4", "--json").data["analyses"]) == 3
    vvlm("analyse", "a.mp4", "--model", "m", *changed)  # a newer one that must not stand in for the kept one
    assert vvlm("compare", *asked).data["clips"] == found["clips"]
    assert len(vvlm("show", "a.mp4", "--json").data["analyses"]) == 4


def test_pair_on_unequal_terms_is_listed_and_left_out_of_the_counts(vvlm: Vvlm, add: Add) -> None:
    add("a")
    asked = ("compare", "--model", "m", "--adapter", "large", "--json")
    found = vvlm(*asked).data
    assert (found["left_out"], [pair["counted"] for pair in found["clips"]]) == (1, [False])
    assert {each["both_answered"] for each in found["agreement"]} == {0}
    told = vvlm(*asked[:-1]).stdout
    assert "another precision" in told
    assert "1 clip left out of these counts" in told


def test_table_for_people_has_the_differences_and_the_counts(vvlm: Vvlm, add: Add) -> None:
    add("a")
    told = vvlm("compare", "--model", "m", "--adapter", "run 1").stdout
    assert "fog (0.50)" in told
    assert "rain (0.50)" in told
    assert "near miss" not in told  # both say so
    assert "1 clip " in told


def test_comparing_without_an_adapter_is_refused(vvlm: Vvlm, add: Add) -> None:
    add("a")
    done = vvlm("compare", "--model", "m")
    assert (done.exit_code, "no adapter" in done.stderr) == (2, True)
