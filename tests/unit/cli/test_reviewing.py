"""`vvlm review`: what is refused says how to say it, and confirming is possible without the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.e2e.conftest import Vvlm

Add = Callable[..., None]


def test_time_outside_the_clip_is_refused_with_its_length(vvlm: Vvlm, add: Add) -> None:
    add("a")
    duration_s = vvlm("clips", "--json").data[0]["duration_s"]
    done = vvlm("review", "a.mp4", "--set", "event_type=collision", "--set", "event_time=40..41")
    assert done.exit_code == 2
    assert "40.00..41.00 s is not within the clip" in done.stderr
    assert f"0 to {duration_s:.2f} s" in done.stderr
    assert vvlm("show", "a.mp4", "--json").data["events"] == []


def test_reviewed_without_a_word_says_how_to_confirm(vvlm: Vvlm, add: Add) -> None:
    add("a")
    done = vvlm("review", "a.mp4", "--status", "reviewed")
    assert (done.exit_code, "--accept-rest" in done.stderr) == (2, True)


def test_rest_is_confirmed_beside_a_correction_and_marked_as_not_looked_at(vvlm: Vvlm, add: Add) -> None:
    add("a")
    assert vvlm("review", "a.mp4", "--accept-rest").exit_code == 2, "there is nothing to confirm"
    assert vvlm("show", "a.mp4", "--json").data["events"] == []
    vvlm("analyse", "--model", "m")
    done = vvlm("review", "a.mp4", "--set", "weather=rain", "--accept-rest")
    assert "weather and 2 confirmed stored" in done.stdout
    review = vvlm("show", "a.mp4", "--json").data["review"]
    assert {key: verdict["how"] for key, verdict in review["verdicts"].items()} == {
        "weather": "explicit",
        "event_type": "bulk_unseen",
        "time_of_day": "bulk_unseen",
    }
    assert review["status"] == "reviewed"


def test_clip_whose_file_is_gone_is_not_judged_but_can_be_dismissed(vvlm: Vvlm, add: Add, tmp_path: Path) -> None:
    add("a")
    (tmp_path / "clips" / "a.mp4").rename(tmp_path / "b.mp4")
    done = vvlm("review", "a.mp4", "--set", "event_type=no_incident")
    assert done.exit_code == 2
    assert "what was in it cannot be judged" in done.stderr
    assert "no longer at" in done.stderr
    assert vvlm("show", "a.mp4", "--json").data["events"] == []
    assert vvlm("review", "a.mp4", "--status", "dismissed", "--reason", "no_picture").exit_code == 0
